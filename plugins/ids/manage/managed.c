/* The text:
 *   ecyber-rules 1                       the format
 *   version 7
 *   rule GID SID VERSION TURN AT_NS LEN BY
 *   LEN bytes of the rule and a newline, where LEN is not 0
 *   …
 *   end COUNT FNV                        of all bytes before this line: FNV-1a, 64 bits, in hexadecimal digits */
#include "plugins/ids/manage/managed.h"

#include "plugins/ids/kept.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT 1u

static const char *const turns[] = { "as-written", "on", "off" };

struct managed *managed_new(void)
{
    struct managed *m = calloc(1, sizeof *m);

    if (m)
        m->refs = 1;
    return m;
}

struct managed *managed_hold(struct managed *m)
{
    __atomic_add_fetch(&m->refs, 1, __ATOMIC_RELAXED);
    return m;
}

static void rule_put(struct managed_rule *r)
{
    if (!__atomic_sub_fetch(&r->refs, 1, __ATOMIC_ACQ_REL))
        free(r);
}

void managed_release(struct managed *m)
{
    if (!m || __atomic_sub_fetch(&m->refs, 1, __ATOMIC_ACQ_REL))
        return;
    for (uint32_t i = 0; i < m->n; i++)
        rule_put(m->rule[i]);
    free(m);
}

/* Where it stands, or would. */
static uint32_t place(const struct managed *m, uint32_t gid, uint32_t sid)
{
    uint32_t from = 0, to = m->n;

    while (from < to) {
        uint32_t mid = from + (to - from) / 2;
        const struct managed_rule *r = m->rule[mid];

        if (r->gid < gid || (r->gid == gid && r->sid < sid))
            from = mid + 1;
        else
            to = mid;
    }
    return from;
}

static bool is_at(const struct managed *m, uint32_t i, uint32_t gid, uint32_t sid)
{
    return i < m->n && m->rule[i]->gid == gid && m->rule[i]->sid == sid;
}

const struct managed_rule *managed_find(const struct managed *m, uint32_t gid, uint32_t sid)
{
    uint32_t i = m ? place(m, gid, sid) : 0;

    return m && is_at(m, i, gid, sid) ? m->rule[i] : NULL;
}

static struct managed_rule *rule_new(const struct managed_edit *e, uint64_t version)
{
    struct managed_rule *r = calloc(1, sizeof *r + e->len + 1);

    if (!r)
        return NULL;
    r->refs = 1;
    r->gid = e->gid;
    r->sid = e->sid;
    r->turn = e->turn;
    r->version = version;
    r->at_ns = e->at_ns;
    snprintf(r->by, sizeof r->by, "%s", e->by);
    r->len = e->len;
    if (e->len)
        memcpy(r->text, e->text, e->len);
    return r;
}

/* A copy with room for one more, but for the entries drop of them at i. */
static struct managed *copy(const struct managed *m, uint32_t i, uint32_t drop)
{
    struct managed *to = calloc(1, sizeof *to + ((size_t)m->n + 1) * sizeof *to->rule);

    if (!to)
        return NULL;
    to->refs = 1;
    to->version = m->version + 1;
    for (uint32_t k = 0; k < m->n; k++)
        if (k < i || k >= i + drop) {
            to->rule[to->n++] = m->rule[k];
            __atomic_add_fetch(&m->rule[k]->refs, 1, __ATOMIC_RELAXED);
        }
    return to;
}

struct managed *managed_with(const struct managed *m, const struct managed_edit *e)
{
    uint32_t i = place(m, e->gid, e->sid), drop = is_at(m, i, e->gid, e->sid);
    struct managed_rule *r = m->n - drop < MANAGED_MAX ? rule_new(e, m->version + 1) : NULL;
    struct managed *to = r ? copy(m, i, drop) : NULL;

    if (!to) {
        free(r);
        return NULL;
    }
    memmove(to->rule + i + 1, to->rule + i, (to->n - i) * sizeof *to->rule);
    to->rule[i] = r;
    to->n++;
    return to;
}

struct managed *managed_without(const struct managed *m, uint32_t gid, uint32_t sid)
{
    uint32_t i = place(m, gid, sid);

    return copy(m, i, is_at(m, i, gid, sid));
}

/* --- text -------------------------------------------------------------------------------------------------------- */

char *managed_write(const struct managed *m, size_t *len)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, len);
    uint64_t sum;

    if (!out)
        return NULL;
    fprintf(out, "ecyber-rules %u\nversion %" PRIu64 "\n", FORMAT, m->version);
    for (uint32_t i = 0; i < m->n; i++) {
        const struct managed_rule *r = m->rule[i];

        fprintf(out, "rule %u %u %" PRIu64 " %s %" PRIu64 " %u %s\n", r->gid, r->sid, r->version, turns[r->turn],
                r->at_ns, r->len, r->by);
        if (r->len) {
            fwrite(r->text, 1, r->len, out);
            putc('\n', out);
        }
    }
    if (!fflush(out)) {
        sum = kept_sum(text, *len);
        fprintf(out, "end %u %016" PRIx64 "\n", m->n, sum);
    }
    if (fclose(out) || *len > MANAGED_BYTES_MAX) {
        free(text);
        return NULL;
    }
    return text;
}

struct reading { const char *at, *end; uint32_t line; char *why; size_t n; };

static bool wrong(struct reading *r, const char *what)
{
    snprintf(r->why, r->n, "line %u: %s", r->line, what);
    return false;
}

/* The next line without its newline, at most n bytes, as text. */
static bool next_line(struct reading *r, char *to, size_t n)
{
    const char *end = memchr(r->at, '\n', (size_t)(r->end - r->at));

    r->line++;
    if (!end)
        return wrong(r, "the file breaks off");
    if ((size_t)(end - r->at) >= n || memchr(r->at, 0, (size_t)(end - r->at)))
        return wrong(r, "no such line is written by eCyber");
    memcpy(to, r->at, (size_t)(end - r->at));
    to[end - r->at] = '\0';
    r->at = end + 1;
    return true;
}

/* A decimal number and what stands behind it: a blank, or the end of the line. */
static bool number(const char **s, uint64_t max, char behind, uint64_t *to)
{
    uint64_t v = 0;
    const char *p = *s;

    if (*p < '0' || *p > '9' || (*p == '0' && p[1] >= '0' && p[1] <= '9'))
        return false;
    for (; *p >= '0' && *p <= '9'; p++) {
        uint64_t digit = (uint64_t)(*p - '0');

        if (v > (max - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    if (*p != behind)
        return false;
    *s = p + (behind != '\0');
    *to = v;
    return true;
}

static bool take_turn(const char **s, enum managed_switch *turn)
{
    for (unsigned i = 0; i < sizeof turns / sizeof turns[0]; i++) {
        size_t n = strlen(turns[i]);

        if (!strncmp(*s, turns[i], n) && (*s)[n] == ' ') {
            *turn = (enum managed_switch)i;
            *s += n + 1;
            return true;
        }
    }
    return false;
}

static bool plain(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < ' ' || *s == 0x7f)
            return false;
    return true;
}

/* "1 1000001 3 on 1763862000000000000 88 anna", behind "rule ". */
static bool head(struct reading *r, const char *s, uint64_t version, struct managed_edit *e, uint64_t *changed)
{
    uint64_t gid, sid, len;

    if (!number(&s, UINT32_MAX, ' ', &gid) || !number(&s, UINT32_MAX, ' ', &sid) ||
        !number(&s, UINT64_MAX, ' ', changed) || !take_turn(&s, &e->turn) ||
        !number(&s, UINT64_MAX, ' ', &e->at_ns) || !number(&s, MANAGED_TEXT_MAX, ' ', &len) ||
        strlen(s) >= MANAGED_BY_MAX || !plain(s) || !sid || !*changed || *changed > version || (!len && !e->turn))
        return wrong(r, "this is not how a rule begins");
    e->gid = (uint32_t)gid;
    e->sid = (uint32_t)sid;
    e->len = (uint32_t)len;
    e->by = s;
    return true;
}

/* A rule is one line: what it is joined of was joined before it came here. */
static bool body(struct reading *r, struct managed_edit *e)
{
    if (!e->len)
        return true;
    r->line++;
    if ((size_t)(r->end - r->at) <= e->len || r->at[e->len] != '\n' || memchr(r->at, '\n', e->len) ||
        memchr(r->at, 0, e->len))
        return wrong(r, "the rule is not as long as it says");
    e->text = r->at;
    r->at += e->len + 1;
    return true;
}

static bool add(struct reading *r, struct managed **m, uint32_t *room, const struct managed_edit *e, uint64_t changed)
{
    struct managed *all = *m;

    if (all->n && (all->rule[all->n - 1]->gid > e->gid ||
                   (all->rule[all->n - 1]->gid == e->gid && all->rule[all->n - 1]->sid >= e->sid)))
        return wrong(r, "the rules are not in order");
    if (all->n == MANAGED_MAX)
        return wrong(r, "more rules than eCyber keeps");
    if (all->n == *room) {
        uint32_t more = *room ? *room * 2 : 64;

        if (!(all = realloc(all, sizeof *all + more * sizeof *all->rule)))
            return wrong(r, "out of memory");
        *m = all;
        *room = more;
    }
    if (!(all->rule[all->n] = rule_new(e, changed)))
        return wrong(r, "out of memory");
    all->n++;
    return true;
}

static bool finish(struct reading *r, const struct managed *m, const char *begin, const char *line)
{
    char want[64];

    snprintf(want, sizeof want, "end %u %016" PRIx64, m->n, kept_sum(begin, (size_t)(line - begin)));
    if (strlen(want) != (size_t)(r->at - line - 1) || memcmp(want, line, strlen(want)) != 0)
        return wrong(r, "the checksum is not that of what stands before it: the file was damaged");
    return r->at == r->end || wrong(r, "something stands behind the end");
}

static bool rules(struct reading *r, const char *begin, struct managed **m)
{
    char text[256];
    uint32_t room = 0;

    for (;;) {
        struct managed_edit e = { .gid = 0 };
        const char *line = r->at;
        uint64_t changed = 0;

        if (!next_line(r, text, sizeof text))
            return false;
        if (strncmp(text, "rule ", 5) != 0)
            return finish(r, *m, begin, line);
        if (!head(r, text + 5, (*m)->version, &e, &changed) || !body(r, &e) || !add(r, m, &room, &e, changed))
            return false;
    }
}

static bool first_lines(struct reading *r, struct managed *m, bool *newer)
{
    char text[64];
    const char *s = text + 13;
    uint64_t format;

    if (!next_line(r, text, sizeof text))
        return false;
    if (strncmp(text, "ecyber-rules ", 13) != 0 || !number(&s, UINT32_MAX, '\0', &format))
        return wrong(r, "these are not rules that eCyber wrote");
    *newer = format > FORMAT;
    if (format != FORMAT)
        return wrong(r, "another version of eCyber wrote these rules");
    s = text + 8;
    if (!next_line(r, text, sizeof text))
        return false;
    return (!strncmp(text, "version ", 8) && number(&s, INT64_MAX, '\0', &m->version)) ||
        wrong(r, "the version is missing");
}

struct managed *managed_read(const char *text, size_t len, bool *newer, char *why, size_t n)
{
    struct reading r = { text, text + len, 0, why, n };
    struct managed *m = managed_new();

    *newer = false;
    if (!m) {
        snprintf(why, n, "out of memory");
        return NULL;
    }
    if (len <= MANAGED_BYTES_MAX ? first_lines(&r, m, newer) && rules(&r, text, &m) : wrong(&r, "the file is too long"))
        return m;
    managed_release(m);
    return NULL;
}
