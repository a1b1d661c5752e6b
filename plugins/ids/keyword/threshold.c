/* threshold and detection_filter: how often a rule may alert, or must match before it does. */
#include "plugins/ids/keyword/keyword.h"

static const struct { const char *name; uint32_t v; } types[] = {
    { "limit", LIMIT_LIMIT }, { "threshold", LIMIT_THRESHOLD }, { "both", LIMIT_BOTH },
    { "backoff", LIMIT_BACKOFF },
}, tracks[] = {
    { "by_src", TRACK_SRC }, { "by_dst", TRACK_DST }, { "by_both", TRACK_BOTH }, { "by_rule", TRACK_RULE },
    { "by_flow", TRACK_FLOW },
};

static int threshold_type(struct build *b, struct token t, uint32_t *v)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (token_is(t, types[i].name)) {
            *v = types[i].v;
            return 0;
        }
    return build_fail(b, t.off, "the type is limit, threshold, both or backoff");
}

static int threshold_track(struct build *b, struct token t, uint32_t *v)
{
    for (size_t i = 0; i < sizeof tracks / sizeof tracks[0]; i++)
        if (token_is(t, tracks[i].name)) {
            *v = tracks[i].v;
            return 0;
        }
    return build_fail(b, t.off, "track is by_src, by_dst, by_both, by_rule or by_flow");
}

/* One "NAME VALUE" between the commas. */
static int threshold_word(struct build *b, struct token t, struct limit *m)
{
    struct token name;
    int64_t v;

    token_cut(&t, ' ', &name);
    t = token_trim(t);
    if (token_is(name, "type"))
        return threshold_type(b, t, &m->type);
    if (token_is(name, "track"))
        return threshold_track(b, t, &m->track);
    if (token_is(name, "count")) {
        if (build_number(b, t, 1, INT32_MAX, &v))
            return -1;
        m->count = (uint32_t)v;
        return 0;
    }
    if (token_is(name, "seconds")) {
        if (build_number(b, t, 1, INT32_MAX, &v))
            return -1;
        m->seconds = (uint32_t)v;
        return 0;
    }
    if (token_is(name, "multiplier")) {
        if (build_number(b, t, 2, INT32_MAX, &v))
            return -1;
        m->multiplier = (uint32_t)v;
        return 0;
    }
    return build_fail(b, name.off, "'%.*s' is not known here: type, track, count, seconds and multiplier are",
                      (int)(name.len > 40 ? 40 : name.len), name.s);
}

static int threshold_all(struct build *b, struct limit *m)
{
    struct token rest = b->option->value, t;

    if (b->have & BUILD_LIMIT)
        return build_fail(b, b->option->name.off, "a rule takes one threshold or detection_filter");
    b->have |= BUILD_LIMIT;
    while (token_cut(&rest, ',', &t))
        if (threshold_word(b, t, m))
            return -1;
    if (m->type == LIMIT_BACKOFF) {
        if (m->track != TRACK_FLOW || !m->count || !m->multiplier || m->seconds)
            return build_fail(b, b->option->name.off, "type backoff takes track by_flow, count and multiplier");
        b->rule->limit = *m;
        return 0;
    }
    if (m->multiplier)
        return build_fail(b, b->option->name.off, "a multiplier belongs to type backoff");
    if (!m->type || !m->track || !m->count || !m->seconds)
        return build_fail(b, b->option->name.off, "type (for a threshold), track, count and seconds are all needed");
    b->rule->limit = *m;
    return 0;
}

static int threshold_parse(struct build *b)
{
    struct limit m = { 0 };

    return threshold_all(b, &m);
}

static int filter_parse(struct build *b)
{
    struct limit m = { .type = LIMIT_FILTER };

    if (threshold_all(b, &m))
        return -1;
    return b->rule->limit.type == LIMIT_FILTER ? 0
         : build_fail(b, b->option->name.off, "a detection_filter has no type");
}

static const struct keyword rows[] = {
    { "threshold", NULL, KW_VALUE, threshold_parse, "type limit|threshold|both, track …, count N, seconds S; type backoff …" },
    { "detection_filter", NULL, KW_VALUE, filter_parse, "alert from the N-th match on: track …, count N, seconds S" },
};
KEYWORD_FAMILY(keyword_threshold, rows);
