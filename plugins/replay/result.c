#include "plugins/replay/result.h"

#include "plugins/replay/child.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TYPES 32u                   /* types and signatures that are counted; more are left out */
#define SIGNATURES 200u
#define SCAN (UINT64_C(64) << 20)   /* bytes of one page's search */
#define PAGE (4u << 20)             /* bytes of a page */

/* --- counting ----------------------------------------------------------------------------------------------------- */

struct signature { uint64_t gid, sid, n; char *text; };
struct tally {
    uint64_t events, alerts, severity[5];
    struct { char name[32]; uint64_t n; } type[TYPES];
    struct signature signature[SIGNATURES];
    uint32_t types, signatures;
};

static struct json_object *at(struct json_object *o, const char *name)
{
    struct json_object *v = NULL;

    return json_object_object_get_ex(o, name, &v) ? v : NULL;
}

/* The event's type, from the first such key of the line: before it stand numbers and the time alone. */
static bool type_of(const char *line, size_t n, char *to, size_t room)
{
    static const char key[] = "\"event_type\":\"";
    const char *p = memmem(line, n < 512 ? n : 512, key, sizeof key - 1), *end;

    if (!p)
        return false;
    p += sizeof key - 1;
    end = memchr(p, '"', (size_t)(line + n - p));
    if (!end || (size_t)(end - p) >= room)
        return false;
    memcpy(to, p, (size_t)(end - p));
    to[end - p] = '\0';
    return true;
}

static void count_type(struct tally *t, const char *name)
{
    uint32_t i = 0;

    while (i < t->types && strcmp(t->type[i].name, name) != 0)
        i++;
    if (i == TYPES)
        return;
    if (i == t->types)
        snprintf(t->type[t->types++].name, sizeof t->type[i].name, "%s", name);
    t->type[i].n++;
}

static void count_alert(struct tally *t, const char *line)
{
    struct json_object *o = json_tokener_parse(line), *alert = at(o, "alert");
    uint64_t sid = json_object_get_uint64(at(alert, "signature_id")), gid = json_object_get_uint64(at(alert, "gid"));
    uint64_t severity = json_object_get_uint64(at(alert, "severity"));
    const char *text = json_object_get_string(at(alert, "signature"));
    uint32_t i = 0;

    t->alerts++;
    t->severity[severity < 5 ? severity : 0]++;
    while (i < t->signatures && (t->signature[i].sid != sid || t->signature[i].gid != gid))
        i++;
    if (i == t->signatures && i < SIGNATURES)
        t->signature[t->signatures++] = (struct signature){ gid, sid, 0, strdup(text ? text : "") };
    if (i < SIGNATURES)
        t->signature[i].n++;
    json_object_put(o);
}

static void count_file(struct tally *t, const char *path)
{
    FILE *in = fopen(path, "re");
    char *line = NULL, type[32];
    size_t room = 0;
    ssize_t n;

    while (in && (n = getline(&line, &room, in)) > 0) {
        if (line[n - 1] != '\n' || !type_of(line, (size_t)n, type, sizeof type))
            continue;
        t->events++;
        count_type(t, type);
        if (!strcmp(type, "alert"))
            count_alert(t, line);
    }
    free(line);
    if (in)
        fclose(in);
}

static int most_first(const void *a, const void *b)
{
    const struct signature *x = a, *y = b;

    return x->n != y->n ? (x->n < y->n ? 1 : -1) : x->sid < y->sid ? -1 : x->sid > y->sid;
}

static void put(struct json_object *o, const char *name, uint64_t n)
{
    json_object_object_add(o, name, json_object_new_uint64(n));
}

static void put_tally(struct json_object *o, struct tally *t)
{
    struct json_object *severity = json_object_new_object(), *types = json_object_new_object();
    struct json_object *list = json_object_new_array();
    char name[4];

    put(o, "events", t->events);
    put(o, "alerts", t->alerts);
    for (uint32_t i = 1; i < 5; i++)
        if (t->severity[i] || i < 4) {
            snprintf(name, sizeof name, "%u", i);
            put(severity, name, t->severity[i]);
        }
    json_object_object_add(o, "severity", severity);
    for (uint32_t i = 0; i < t->types; i++)
        put(types, t->type[i].name, t->type[i].n);
    json_object_object_add(o, "types", types);
    qsort(t->signature, t->signatures, sizeof t->signature[0], most_first);
    for (uint32_t i = 0; i < t->signatures; i++) {
        struct json_object *one = json_object_new_object();

        put(one, "gid", t->signature[i].gid);
        put(one, "sid", t->signature[i].sid);
        json_object_object_add(one, "signature", json_object_new_string(t->signature[i].text));
        put(one, "alerts", t->signature[i].n);
        json_object_array_add(list, one);
        free(t->signature[i].text);
    }
    json_object_object_add(o, "signatures", list);
}

/* What the daemon counted, as it left it behind. */
static void put_account(struct json_object *o, const char *path, uint64_t *lost)
{
    struct json_object *s = json_object_from_file(path), *metrics = at(s, "metrics"), *list = at(s, "packets");
    struct json_object *source = at(list && json_object_array_length(list) ? json_object_array_get_idx(list, 0) : NULL,
                                    "source"), *eve = at(metrics, "eve");

    *lost = json_object_get_uint64(at(eve, "dropped.failed")) + json_object_get_uint64(at(eve, "dropped.full")) +
            json_object_get_uint64(at(eve, "write_errors"));
    if (s) {
        put(o, "packets", json_object_get_uint64(at(source, "seen")));
        put(o, "bytes", json_object_get_uint64(at(source, "bytes")));
        put(o, "flows", json_object_get_uint64(at(at(metrics, "traffic"), "flow.total")));
    }
    json_object_put(s);
}

struct json_object *result_read(const char *folder, uint64_t *lost)
{
    struct json_object *o = json_object_new_object();
    struct tally *t = calloc(1, sizeof *t);
    char path[4200];

    snprintf(path, sizeof path, "%s/state/last-stop.json", folder);
    put_account(o, path, lost);
    snprintf(path, sizeof path, "%s/state/eve/events.json", folder);
    if (t) {
        count_file(t, path);
        put_tally(o, t);
    }
    free(t);
    return o;
}

/* --- its log ------------------------------------------------------------------------------------------------------ */

/* All of `what` in text is replaced. */
static void replace(char *text, size_t room, const char *what, const char *by)
{
    size_t w = strlen(what), b = strlen(by);

    for (char *p = text; (p = strstr(p, what)); p += b) {
        size_t rest = strlen(p + w) + 1;

        if ((size_t)(p - text) + b + rest > room)
            return;
        memmove(p + b, p + w, rest);
        memcpy(p, by, b);
    }
}

/* A line of the log; before the configuration is read, and in a check, lines are plain text. NULL: it is such a one. */
static struct json_object *entry(const char *line)
{
    return *line == '{' ? json_tokener_parse(line) : NULL;
}

/* How much this line says of what went wrong: 0: nothing. */
static int weight(struct json_object *o)
{
    const char *level = json_object_get_string(at(o, "level")), *plugin = json_object_get_string(at(o, "plugin"));

    if (!level || !plugin)
        return 0;
    if (!strcmp(level, "ERROR") || !strcmp(level, "CRITICAL"))
        return 2;
    return !strcmp(level, "WARNING") && !strcmp(plugin, "capture") ? 3 : 0;
}

bool result_sentence(const char *folder, char *why, size_t n)
{
    char path[4200], *line = NULL;
    size_t room = 0;
    int best = 0;
    FILE *in;

    snprintf(path, sizeof path, "%s/log", folder);
    for (in = fopen(path, "re"); in && getline(&line, &room, in) > 0; ) {
        struct json_object *o = entry(line);
        const char *message = json_object_get_string(at(o, "message"));
        int w = o ? weight(o) : 1;

        line[strcspn(line, "\n")] = '\0';
        if (w >= best && w) {
            best = w;
            snprintf(why, n, "%s", message ? message : line);
        }
        json_object_put(o);
    }
    free(line);
    if (in)
        fclose(in);
    if (!best)
        return false;
    replace(why, n, "cannot open file:" CHILD_CAPTURE ": ", "");
    replace(why, n, "; unpack it first: gunzip -k " CHILD_CAPTURE, "; unpack it first");
    replace(why, n, CHILD_CAPTURE, "the capture");
    return true;
}

struct json_object *result_problems(const char *folder, const char *rules, uint32_t most)
{
    struct json_object *list = json_object_new_array();
    char path[4200], *line = NULL;
    size_t room = 0;
    FILE *in;

    snprintf(path, sizeof path, "%s/log", folder);
    for (in = fopen(path, "re"); in && getline(&line, &room, in) > 0 && json_object_array_length(list) < most; ) {
        struct json_object *o = entry(line);
        const char *message = o ? json_object_get_string(at(o, "message")) : line, *p;

        line[strcspn(line, "\n")] = '\0';
        p = message ? strstr(message, rules) : NULL;
        if (p && p[strlen(rules)] == ':')
            json_object_array_add(list, json_object_new_string(p + strlen(rules) + 1));
        json_object_put(o);
    }
    free(line);
    if (in)
        fclose(in);
    return list;
}

/* --- pages -------------------------------------------------------------------------------------------------------- */

struct page { FILE *out; uint64_t next; uint32_t n; bool more; };

static void page_lines(struct page *p, FILE *in, const char *type, uint32_t limit)
{
    char *line = NULL, own[32];
    uint64_t begun = p->next, written = 0;
    size_t room = 0;
    ssize_t n;

    while ((n = getline(&line, &room, in)) > 0 && line[n - 1] == '\n') {
        bool wanted = !type || (type_of(line, (size_t)n, own, sizeof own) && !strcmp(own, type));

        if ((wanted && (p->n == limit || (p->n && written + (uint64_t)n > PAGE))) || p->next - begun > SCAN) {
            p->more = true;
            break;
        }
        p->next += (uint64_t)n;
        if (!wanted)
            continue;
        fputs(p->n++ ? "," : "", p->out);
        fwrite(line, 1, (size_t)n - 1, p->out);
        written += (uint64_t)n;
    }
    free(line);
}

static bool begins_line(int fd, uint64_t at)
{
    char before;

    return !at || (at <= INT64_MAX && pread(fd, &before, 1, (off_t)at - 1) == 1 && before == '\n');
}

char *result_page(int fd, uint64_t from, const char *type, uint32_t limit, size_t *len)
{
    struct page p = { .next = from };
    FILE *in = NULL;
    char *text = NULL;
    int copy;

    errno = EINVAL;
    if (!begins_line(fd, from) || (copy = dup(fd)) < 0)
        return NULL;
    if (!(in = fdopen(copy, "r"))) {
        close(copy);
        return NULL;
    }
    if (fseeko(in, (off_t)from, SEEK_SET) || !(p.out = open_memstream(&text, len))) {
        fclose(in);
        return NULL;
    }
    fputs("{\"items\":[", p.out);
    page_lines(&p, in, type, limit);
    if (p.more)
        fprintf(p.out, "],\"next_cursor\":\"%llu\"}", (unsigned long long)p.next);
    else
        fputs("],\"next_cursor\":null}", p.out);
    fclose(in);
    if (fclose(p.out)) {
        free(text);
        return NULL;
    }
    return text;
}
