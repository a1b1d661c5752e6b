/* content:"bytes": what to find. Bytes as hexadecimal stand between bars: "GET|20 2f|". */
#include "plugins/ids/keyword/content.h"

#include "plugins/ids/keyword/keyword.h"
#include "plugins/ids/match/verify.h"
#include "plugins/ids/rule/arena.h"

#include <ctype.h>
#include <string.h>

enum { CONTENT_MAX = 255 };

static bool content_nocase_search(const struct content *c, const uint8_t *d, uint32_t n, uint32_t *at)
{
    uint32_t last = c->len - 1;

    for (uint32_t i = 0; i + last < n;) {
        uint8_t end = (uint8_t)tolower(d[i + last]);
        uint32_t k = 0;

        if (end == c->data[last]) {
            while (k < last && tolower(d[i + k]) == c->data[k])
                k++;
            if (k == last) {
                *at = i;
                return true;
            }
        }
        i += c->skip ? c->skip[end] : 1;
    }
    return false;
}

bool content_search(const struct content *c, const uint8_t *d, uint32_t n, uint32_t *at)
{
    const uint8_t *p;

    if (c->len > n)
        return false;
    if (c->nocase)
        return content_nocase_search(c, d, n, at);
    p = memmem(d, n, c->data, c->len);
    if (p)
        *at = (uint32_t)(p - d);
    return p != NULL;
}

/* The bytes in which c may stand, as offsets into v's data. false: none; *gone: they have slid out of the window. */
static bool content_window(const struct content *c, const struct verify *v, const struct attempt *a, uint32_t *from,
                           uint32_t *to, bool *gone)
{
    int64_t lo, hi = v->len;

    if (c->e.flags & ELEMENT_RELATIVE) {
        lo = a->anchor + c->distance;
        if ((c->have & CONTENT_WITHIN) && lo + c->within < hi)
            hi = lo + c->within;
    } else {
        lo = (int64_t)c->offset - (int64_t)v->base;
        if ((c->have & (CONTENT_DEPTH | CONTENT_STARTS)) && lo + c->depth < hi)
            hi = lo + c->depth;
    }
    *gone = hi <= 0 && v->base;
    if (lo < (int64_t)a->resume)
        lo = a->resume;
    if ((c->have & CONTENT_ENDS) && lo < (int64_t)v->len - c->len)
        lo = (int64_t)v->len - c->len;
    if (lo + c->len > hi)
        return false;
    *from = (uint32_t)lo;
    *to = (uint32_t)hi;
    return true;
}

static bool content_find(const struct element *e, struct verify *v, struct attempt *a)
{
    const struct content *c = (const struct content *)e;
    uint32_t from, to, at;
    bool gone;

    if (!content_window(c, v, a, &from, &to, &gone))
        return gone && (e->flags & ELEMENT_NEGATED);    /* nobody knows any more what stood there */
    if ((c->have & CONTENT_ENDS) && to != v->len)
        return false;
    if (!content_search(c, v->data + from, to - from, &at))
        return false;
    a->off = from + at;
    a->len = c->len;
    return true;
}

const struct content *content_of(const struct element *e)
{
    return e->find == content_find ? (const struct content *)e : NULL;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* From the bar at t.s[i] to the one that closes it; returns its position, or −1. */
static int content_hex(struct build *b, struct token t, uint32_t i, uint8_t *out, uint32_t *n)
{
    int high = -1;

    for (i++; i < t.len; i++) {
        int d = hex_digit(t.s[i]);

        if (t.s[i] == '|') {
            if (high >= 0)
                return build_fail(b, t.off + i, "an odd number of hexadecimal digits between the bars");
            return (int)i;
        }
        if (t.s[i] == ' ')
            continue;
        if (d < 0)
            return build_fail(b, t.off + i, "hexadecimal digits expected between the bars");
        if (high < 0) {
            high = d;
            continue;
        }
        out[(*n)++] = (uint8_t)(high << 4 | d);
        high = -1;
    }
    return build_fail(b, t.off + t.len, "a bar is missing: '|' opens and closes hexadecimal bytes");
}

static int content_bytes(struct build *b, struct token t, uint8_t *out, uint32_t *n)
{
    for (uint32_t i = 0; i < t.len; i++) {
        int at;

        if (t.s[i] == '|') {
            if ((at = content_hex(b, t, i, out, n)) < 0)
                return -1;
            i = (uint32_t)at;
        } else if (t.s[i] == '\\') {
            if (i + 1 >= t.len || !strchr("\";:\\", t.s[i + 1]))
                return build_fail(b, t.off + i,
                                  "only '\\\"', '\\;', '\\:' and '\\\\' may be escaped; write other bytes as |HH|");
            out[(*n)++] = (uint8_t)t.s[++i];
        } else if (t.s[i] == '"') {
            return build_fail(b, t.off + i, "a quote inside a content must be written as '\\\"'");
        } else {
            out[(*n)++] = (uint8_t)t.s[i];
        }
    }
    if (!*n)
        return build_fail(b, t.off, "a content must not be empty");
    if (*n > CONTENT_MAX)
        return build_fail(b, t.off, "a content may be at most %d bytes long", CONTENT_MAX);
    return 0;
}

static struct content *content_new(struct build *b, struct token t, const char *keyword)
{
    struct content *c = arena_alloc(b->arena, sizeof *c);
    uint8_t *data = arena_alloc(b->arena, t.len + 1);

    if (!c || !data) {
        build_fail(b, 0, "out of memory");
        return NULL;
    }
    if (content_bytes(b, t, data, &c->len))
        return NULL;
    c->data = data;
    c->e.keyword = keyword;
    c->e.find = content_find;
    return c;
}

int content_whole(struct build *b, const struct view *view, struct token t, const char *keyword)
{
    struct content *c;
    bool negated = false;

    if ((t.s[0] == '"' || t.s[0] == '!') && build_quoted(b, &t, &negated))
        return -1;
    c = content_new(b, t, keyword);
    if (!c)
        return -1;
    c->have = CONTENT_STARTS | CONTENT_ENDS;
    c->depth = c->len;
    c->e.flags = ELEMENT_START | ELEMENT_WHOLE | (negated ? ELEMENT_NEGATED : 0);
    return build_add(b, view, &c->e);
}

static int content_parse(struct build *b)
{
    struct token t = b->option->value;
    struct content *c;
    bool negated;

    if (build_quoted(b, &t, &negated) || !(c = content_new(b, t, "content")))
        return -1;
    c->e.flags = negated ? ELEMENT_NEGATED : 0;
    if (build_add(b, b->view, &c->e))
        return -1;
    b->content = c;
    b->content_chain = build_chain(b, b->view);
    return 0;
}

static const struct keyword rows[] = {
    { "content", NULL, KW_VALUE, content_parse, "bytes that must (or with ! must not) stand in the buffer" },
};
KEYWORD_FAMILY(keyword_content, rows);
