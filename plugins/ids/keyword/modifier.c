/* What bounds the content before it: nocase, depth, offset, distance, within …, and the old names that move it into a
 * buffer (http_uri …). */
#include "plugins/ids/keyword/content.h"
#include "plugins/ids/keyword/keyword.h"
#include "plugins/ids/keyword/sticky.h"
#include "plugins/ids/rule/arena.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static struct content *modifier_of(struct build *b)
{
    if (!b->content)
        build_fail(b, b->option->name.off, "'%.*s' needs a content before it", (int)b->option->name.len,
                   b->option->name.s);
    return b->content;
}

static int modifier_once(struct build *b, struct content *c, uint32_t bit)
{
    if ((c->have & CONTENT_STARTS) && (bit & (CONTENT_DEPTH | CONTENT_OFFSET | CONTENT_DISTANCE | CONTENT_WITHIN)))
        return build_fail(b, b->option->name.off, "startswith already says where the content stands");
    if (c->have & bit)
        return build_fail(b, b->option->name.off, "'%.*s' stands twice for the same content",
                          (int)b->option->name.len, b->option->name.s);
    c->have |= bit;
    if ((c->have & (CONTENT_DEPTH | CONTENT_OFFSET)) && (c->have & (CONTENT_DISTANCE | CONTENT_WITHIN)))
        return build_fail(b, b->option->name.off, "depth and offset count from the buffer's start, distance and within "
                          "from the match before: one content cannot have both");
    if (bit == CONTENT_STARTS && (c->have & (CONTENT_DEPTH | CONTENT_OFFSET | CONTENT_DISTANCE | CONTENT_WITHIN)))
        return build_fail(b, b->option->name.off, "startswith says all about where the content stands");
    return 0;
}

/* How far the search may move on when its last byte is seen (Horspool); 255 at most. */
static void content_skips(struct content *c)
{
    memset(c->skip, (int)c->len, 256);
    for (uint32_t i = 0; i + 1 < c->len; i++)
        c->skip[c->data[i]] = (uint8_t)(c->len - 1 - i);
}

static int nocase_parse(struct build *b)
{
    struct content *c = modifier_of(b);
    uint8_t *lower;

    if (!c || c->nocase)
        return c ? 0 : -1;
    lower = arena_alloc(b->arena, c->len);
    c->skip = c->len > 3 ? arena_alloc(b->arena, 256) : NULL;
    if (!lower)
        return build_fail(b, 0, "out of memory");
    for (uint32_t i = 0; i < c->len; i++)
        lower[i] = (uint8_t)tolower(c->data[i]);
    c->data = lower;
    c->nocase = true;
    if (c->skip)
        content_skips(c);
    return 0;
}

static int depth_parse(struct build *b)
{
    struct content *c = modifier_of(b);
    int64_t v;

    if (!c || modifier_once(b, c, CONTENT_DEPTH) || build_number(b, b->option->value, 1, INT32_MAX, &v))
        return -1;
    if (v < c->len)
        return build_fail(b, b->option->value.off, "depth %lld is less than the length of the content, %u",
                          (long long)v, c->len);
    c->depth = (uint32_t)v;
    c->e.flags |= ELEMENT_START;
    return 0;
}

static int offset_parse(struct build *b)
{
    struct content *c = modifier_of(b);
    int64_t v;

    if (!c || modifier_once(b, c, CONTENT_OFFSET) || build_number(b, b->option->value, 0, INT32_MAX, &v))
        return -1;
    c->offset = (uint32_t)v;
    c->e.flags |= ELEMENT_START;
    return 0;
}

static int distance_parse(struct build *b)
{
    struct content *c = modifier_of(b);
    int64_t v;

    if (!c || modifier_once(b, c, CONTENT_DISTANCE) || build_number(b, b->option->value, -1048576, 1048576, &v))
        return -1;
    c->distance = (int32_t)v;
    c->e.flags |= ELEMENT_RELATIVE;
    return 0;
}

static int within_parse(struct build *b)
{
    struct content *c = modifier_of(b);
    int64_t v;

    if (!c || modifier_once(b, c, CONTENT_WITHIN) || build_number(b, b->option->value, 1, 1048576, &v))
        return -1;
    if (v < c->len)
        return build_fail(b, b->option->value.off, "within %lld is less than the length of the content, %u",
                          (long long)v, c->len);
    c->within = (int32_t)v;
    c->e.flags |= ELEMENT_RELATIVE;
    return 0;
}

static int startswith_parse(struct build *b)
{
    struct content *c = modifier_of(b);

    if (!c || modifier_once(b, c, CONTENT_STARTS))
        return -1;
    c->depth = c->len;
    c->e.flags |= ELEMENT_START;
    return 0;
}

static int endswith_parse(struct build *b)
{
    struct content *c = modifier_of(b);

    if (!c || modifier_once(b, c, CONTENT_ENDS))
        return -1;
    c->e.flags |= ELEMENT_WHOLE;
    return 0;
}

/* Every content is looked for in the bytes as they were sent, unless a buffer is named. */
static int rawbytes_parse(struct build *b)
{
    return modifier_of(b) ? 0 : -1;
}

static int fast_pattern_chop(struct build *b, struct content *c, struct token t)
{
    struct token off, len;
    int64_t o, n;

    if (!token_cut(&t, ',', &off) || !token_cut(&t, ',', &len) || t.len)
        return build_fail(b, b->option->value.off, "fast_pattern takes nothing, 'only', or 'OFFSET,LENGTH'");
    if (build_number(b, off, 0, 65535, &o) || build_number(b, len, 1, 65535, &n))
        return -1;
    if (o + n > c->len)
        return build_fail(b, b->option->value.off, "fast_pattern:%lld,%lld reaches beyond the content's %u bytes",
                          (long long)o, (long long)n, c->len);
    c->fast_off = (uint32_t)o;
    c->fast_len = (uint32_t)n;
    return 0;
}

static int fast_pattern_parse(struct build *b)
{
    struct content *c = modifier_of(b);
    struct token t = b->option->value;
    bool only = token_is(t, "only");

    if (!c || modifier_once(b, c, CONTENT_FAST))
        return -1;
    if (b->fast)
        return build_fail(b, b->option->name.off, "fast_pattern stands at two contents of one rule");
    if (only && ((c->e.flags & ELEMENT_NEGATED) || (c->have & ~(uint32_t)CONTENT_FAST)))
        return build_fail(b, b->option->name.off, "fast_pattern:only goes with a content that is neither negated nor "
                          "bound to a place");
    b->fast = c;
    return t.len && !only ? fast_pattern_chop(b, c, t) : 0;
}

/* Take a content out of its chain; other elements may stand behind it. */
static void chain_remove(struct chain *c, const struct element *e)
{
    uint32_t left = 0;

    for (uint32_t i = 0; i < c->n; i++)
        if (c->element[i] != e)
            c->element[left++] = c->element[i];
    c->n = left;
}

static int legacy_parse(struct build *b)
{
    struct content *c = modifier_of(b);
    const struct view *view;
    struct chain *to;
    char name[40];

    if (!c)
        return -1;
    if (b->content_chain->view)
        return build_fail(b, b->option->name.off, "the content already stands in the buffer '%s'",
                          b->content_chain->view->name);
    snprintf(name, sizeof name, "%.*s", (int)b->option->name.len, b->option->name.s);
    view = sticky_view(b, name);
    to = view ? build_chain(b, view) : NULL;
    if (!to)
        return -1;
    if (to->n == RULE_ELEMENTS_MAX)
        return build_fail(b, b->option->name.off, "more than %d contents in one buffer", RULE_ELEMENTS_MAX);
    chain_remove(b->content_chain, &c->e);
    to->element[to->n++] = &c->e;
    b->content_chain = to;
    return 0;
}

#define LEGACY(name, help) { name, NULL, KW_BARE | KW_MODIFIER, legacy_parse, help }

static const struct keyword rows[] = {
    { "nocase", NULL, KW_BARE | KW_MODIFIER, nocase_parse, "without regard to case" },
    { "depth", NULL, KW_VALUE | KW_MODIFIER, depth_parse, "within the first N bytes, counted from offset" },
    { "offset", NULL, KW_VALUE | KW_MODIFIER, offset_parse, "not before byte N" },
    { "distance", NULL, KW_VALUE | KW_MODIFIER, distance_parse, "N bytes or more behind the match before" },
    { "within", NULL, KW_VALUE | KW_MODIFIER, within_parse, "ends at most N bytes behind distance" },
    { "startswith", NULL, KW_BARE | KW_MODIFIER, startswith_parse, "at the start of the buffer" },
    { "endswith", NULL, KW_BARE | KW_MODIFIER, endswith_parse, "at the end of the buffer" },
    { "rawbytes", NULL, KW_BARE | KW_MODIFIER, rawbytes_parse, "in the bytes as they were sent (always so)" },
    { "fast_pattern", NULL, KW_MODIFIER, fast_pattern_parse, "search for this content first; :only, :OFFSET,LENGTH" },
    LEGACY("http_uri", "content in http.uri"),
    LEGACY("http_raw_uri", "content in http.uri.raw"),
    LEGACY("http_method", "content in http.method"),
    LEGACY("http_header", "content in http.header"),
    LEGACY("http_raw_header", "content in http.header.raw"),
    LEGACY("http_cookie", "content in http.cookie"),
    LEGACY("http_user_agent", "content in http.user_agent"),
    LEGACY("http_host", "content in http.host"),
    LEGACY("http_raw_host", "content in http.host.raw"),
    LEGACY("http_client_body", "content in http.request_body"),
    LEGACY("http_server_body", "content in http.response_body"),
    LEGACY("http_stat_code", "content in http.stat_code"),
    LEGACY("http_stat_msg", "content in http.stat_msg"),
};
KEYWORD_FAMILY(keyword_modifier, rows);
