/* Files of suppressions and thresholds: those that people write, and the one that the API keeps:
 *   # ecyber-limits 1 VERSION NEXT-ID
 *   # ID VERSION AT-NS BY
 *   #: a note, where there is one
 *   suppress …
 *   # end COUNT FNV                  of all bytes before this line: FNV-1a, 64 bits, in hexadecimal digits */
#include "plugins/ids/kept.h"
#include "plugins/ids/limits/tuning.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_ROOM 1024
#define FORMAT 1u
#define FILE_MAX ((size_t)16 << 20)

static void tell_wrong(const char *path, uint32_t line, uint32_t column, const char *why,
                       void (*wrong)(void *arg, const char *sentence), void *arg)
{
    char sentence[5000];

    snprintf(sentence, sizeof sentence, "%.4400s:%u:%u: %s", path, line, column, why);
    wrong(arg, sentence);
}

/* One line into its tuning, or a sentence. */
static void take_line(struct tuning **t, char *line, uint32_t number, const char *name,
                      void (*wrong)(void *arg, const char *sentence), void *arg)
{
    struct tune e;
    uint32_t column;
    char why[300];
    int rc = tune_read(line, &e, &column, why, sizeof why);

    e.line = number;
    if (rc < 0)
        tell_wrong(name, number, column, why, wrong, arg);
    else if (rc > 0 && !tuning_add(t, &e))
        tell_wrong(name, number, 1, "more than 10,000 entries, or out of memory: it is left out", wrong, arg);
}

struct tuning *tuning_lines(const char *text, size_t len, const char *name,
                            void (*wrong)(void *arg, const char *sentence), void *arg)
{
    struct tuning *t = tuning_new();
    const char *end = text + len, *stop;
    char line[LINE_ROOM];
    uint32_t number = 0;

    for (const char *at = text; t && at < end; at = stop + 1) {
        size_t n;

        stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop ? stop : end;
        n = (size_t)(stop - at);
        n -= n && at[n - 1] == '\r';
        number++;
        if (n > LINE_ROOM - 2 || memchr(at, 0, n)) {
            tell_wrong(name, number, 1, "the line is longer than 1,022 bytes, or has a NUL", wrong, arg);
            continue;
        }
        memcpy(line, at, n);
        line[n] = '\0';
        take_line(&t, line, number, name, wrong, arg);
    }
    if (t)
        tuning_sort(t);
    return t;
}

struct tuning *tuning_file(const char *path, void (*wrong)(void *arg, const char *sentence), void *arg, char *why,
                           size_t n)
{
    FILE *f = fopen(path, "re");
    char *text = f ? malloc(FILE_MAX + 1) : NULL;
    size_t len = text ? fread(text, 1, FILE_MAX + 1, f) : 0;
    struct tuning *t = NULL;

    if (!text || ferror(f))
        snprintf(why, n, "%s: %s", path, strerror(errno));
    else if (len > FILE_MAX)
        snprintf(why, n, "%s: it is longer than 16 MiB", path);
    else if (!(t = tuning_lines(text, len, path, wrong, arg)))
        snprintf(why, n, "%s: out of memory", path);
    free(text);
    if (f)
        fclose(f);
    return t;
}

static void write_head(char to[LINE_ROOM], const struct tune *e)
{
    snprintf(to, LINE_ROOM, "# %u %" PRIu64 " %" PRIu64 " %s", e->id, e->version, e->at_ns, e->by);
}

static void write_first(char to[LINE_ROOM], const struct tuning *t)
{
    snprintf(to, LINE_ROOM, "# ecyber-limits %u %" PRIu64 " %u", FORMAT, t->version, t->next_id);
}

char *tuning_write(const struct tuning *t, size_t *len)
{
    char *text = NULL, head[LINE_ROOM], line[TUNE_LINE];
    FILE *out = open_memstream(&text, len);
    uint64_t sum;

    if (!out)
        return NULL;
    write_first(head, t);
    fprintf(out, "%s\n", head);
    for (uint32_t i = 0; i < t->n; i++) {
        const struct tune *e = t->tune[i];

        tune_write(e, line);
        write_head(head, e);
        fprintf(out, "%s\n", head);
        if (*e->note)
            fprintf(out, "#: %s\n", e->note);
        fprintf(out, "%s\n", line);
    }
    if (!fflush(out)) {
        sum = kept_sum(text, *len);
        fprintf(out, "# end %u %016" PRIx64 "\n", t->n, sum);
    }
    if (fclose(out)) {
        free(text);
        return NULL;
    }
    return text;
}

struct taking { const char *begin, *at, *end; uint32_t line; char *why; size_t n; };

static bool bad(const struct taking *k, const char *what)
{
    snprintf(k->why, k->n, "line %u: %s", k->line, what);
    return false;
}

static bool next_line(struct taking *k, char to[LINE_ROOM])
{
    const char *end = k->at < k->end ? memchr(k->at, '\n', (size_t)(k->end - k->at)) : NULL;

    k->line++;
    if (!end || (size_t)(end - k->at) >= LINE_ROOM || memchr(k->at, 0, (size_t)(end - k->at)))
        return bad(k, end ? "no such line is written by eCyber" : "the file breaks off");
    memcpy(to, k->at, (size_t)(end - k->at));
    to[end - k->at] = '\0';
    k->at = end + 1;
    return true;
}

/* "# 3 7 1763862000000000000 anna", as it was written and no other way. */
static bool take_head(const char line[LINE_ROOM], struct tune *e)
{
    char again[LINE_ROOM];
    int used = 0;

    if (sscanf(line, "# %" SCNu32 " %" SCNu64 " %" SCNu64 " %n", &e->id, &e->version, &e->at_ns, &used) != 3 || !used ||
        strlen(line + used) >= sizeof e->by)
        return false;
    strcpy(e->by, line + used);
    write_head(again, e);
    return e->id && !strcmp(again, line);
}

/* A head, and what follows it. */
static bool take_entry(struct taking *k, struct tuning **t, char line[LINE_ROOM])
{
    uint32_t column;
    char note[TUNE_NOTE] = "", why[300];
    struct tune e, head;

    memset(&head, 0, sizeof head);
    if (!take_head(line, &head) || head.id >= (*t)->next_id || head.version > (*t)->version)
        return bad(k, "this is not how an entry begins");
    if (!next_line(k, line))
        return false;
    if (!strncmp(line, "#: ", 3)) {
        if (strlen(line + 3) >= sizeof note)
            return bad(k, "the note is too long");
        strcpy(note, line + 3);
        if (!next_line(k, line))
            return false;
    }
    if (tune_read(line, &e, &column, why, sizeof why) != 1)
        return bad(k, "this is neither a suppression nor a threshold");
    if (tuning_by_id(*t, TUNE_SUPPRESS, head.id) || tuning_by_id(*t, TUNE_THRESHOLD, head.id))
        return bad(k, "there is an entry of this number already");
    e.id = head.id;
    e.version = head.version;
    e.at_ns = head.at_ns;
    memcpy(e.by, head.by, sizeof e.by);
    memcpy(e.note, note, sizeof note);
    return tuning_add(t, &e) || bad(k, "out of memory, or too many entries");
}

/* "# ecyber-limits 1 7 4": what stands behind the number of a later format is its own business. */
static bool take_first(struct taking *k, const char line[LINE_ROOM], struct tuning *t, bool *newer)
{
    char again[LINE_ROOM];
    uint32_t format;

    if (sscanf(line, "# ecyber-limits %9" SCNu32, &format) != 1)
        return bad(k, "these are not limits that eCyber wrote");
    *newer = format > FORMAT;
    if (format != FORMAT)
        return bad(k, "another version of eCyber wrote these limits");
    if (sscanf(line, "# ecyber-limits %*u %" SCNu64 " %" SCNu32, &t->version, &t->next_id) != 2 || !t->next_id)
        return bad(k, "the version is missing");
    write_first(again, t);
    return !strcmp(again, line) || bad(k, "no such line is written by eCyber");
}

static bool take_all(struct taking *k, struct tuning **t, bool *newer)
{
    char line[LINE_ROOM], want[64];
    const char *at;

    if (!next_line(k, line))
        return false;
    if (!take_first(k, line, *t, newer))
        return false;
    for (;;) {
        at = k->at;
        if (!next_line(k, line))
            return false;
        if (strncmp(line, "# end ", 6) != 0) {
            if (!take_entry(k, t, line))
                return false;
            continue;
        }
        snprintf(want, sizeof want, "# end %u %016" PRIx64, (*t)->n, kept_sum(k->begin, (size_t)(at - k->begin)));
        if (strcmp(want, line) != 0)
            return bad(k, "the checksum is not that of what stands before it: the file was damaged");
        tuning_sort(*t);
        return k->at == k->end || bad(k, "something stands behind the end");
    }
}

struct tuning *tuning_read(const char *text, size_t len, bool *newer, char *why, size_t n)
{
    struct taking k = { text, text, text + len, 0, why, n };
    struct tuning *t = tuning_new();

    *newer = false;
    if (t && take_all(&k, &t, newer))
        return t;
    if (!t)
        snprintf(why, n, "out of memory");
    tuning_release(t);
    return NULL;
}
