#include "core/record/program_impl.h"

#include <string.h>

#define MASK "\"***\""

/* One value of the type at v. Returns 1: written, 0: absent, −1: it lies outside of the part. */
static int put_span(struct json *j, const struct step *s, const uint8_t *v,
                    const struct ec_part *part)
{
    struct ec_span span;
    const uint8_t *bytes;

    memcpy(&span, v, sizeof span);
    if (!span.off)
        return 0;
    if (span.off > part->total || span.len > part->total - span.off)
        return -1;
    bytes = (const uint8_t *)part + span.off;
    if (s->secret && !j->secrets)
        json_text(j, (const uint8_t *)MASK + 1, sizeof MASK - 3);
    else if (s->type == EC_T_BYTES)
        json_bytes(j, bytes, span.len);
    else if (s->type == EC_T_HEX)
        json_hex(j, bytes, span.len);
    else
        json_text(j, bytes, span.len);
    return 1;
}

static int put_name(struct json *j, const struct program *p, const struct step *s, uint32_t id)
{
    const char *name = id ? p->host->interned(p->host, s->space, id) : NULL;

    if (!name)
        return 0;
    json_text(j, (const uint8_t *)name, strlen(name));
    return 1;
}

static int put_word(struct json *j, const struct step *s, uint32_t index)
{
    if (index >= s->n_word)
        json_put_u64(j, index);
    else if (json_need(j, strlen(s->word[index]) + 8))
        json_put_raw(j, s->word[index], strlen(s->word[index]));
    return 1;
}

static int put_value(struct json *j, const struct program *p, const struct step *s,
                     const uint8_t *v, const struct ec_part *part)
{
    union {
        uint16_t u16;
        uint32_t u32;
        uint64_t u64;
        int64_t i64;
        double f64;
    } n = {.u64 = 0};

    if (s->type >= EC_T_TEXT && s->type <= EC_T_HEX)
        return put_span(j, s, v, part);
    if (s->secret && !j->secrets) {
        JSON_PUT(j, MASK);
        return 1;
    }
    switch (s->type) {
    case EC_T_U8:
        json_put_u64(j, *v);
        return 1;
    case EC_T_U16:
        memcpy(&n, v, 2);
        json_put_u64(j, n.u16);
        return 1;
    case EC_T_U32:
        memcpy(&n, v, 4);
        json_put_u64(j, n.u32);
        return 1;
    case EC_T_U64:
    case EC_T_DURATION:
    case EC_T_SIZE:
        memcpy(&n, v, 8);
        json_put_u64(j, n.u64);
        return 1;
    case EC_T_I64:
        memcpy(&n, v, 8);
        json_put_i64(j, n.i64);
        return 1;
    case EC_T_F64:
        memcpy(&n, v, 8);
        json_put_f64(j, n.f64);
        return 1;
    case EC_T_BOOL:
        *v ? JSON_PUT(j, "true") : JSON_PUT(j, "false");
        return 1;
    case EC_T_IP:
        json_put_ip(j, v);
        return 1;
    case EC_T_MAC:
        json_put_mac(j, v);
        return 1;
    case EC_T_TIME:
        memcpy(&n, v, 8);
        json_put_time(j, n.u64);
        return 1;
    case EC_T_ENUM:
        memcpy(&n, v, 4);
        return put_word(j, s, n.u32);
    case EC_T_NAME:
        memcpy(&n, v, 4);
        return put_name(j, p, s, n.u32);
    default:
        return 0;
    }
}

/* Does the list lie within the part, with elements of at least `width` bytes? */
static bool list_fits(const struct ec_list *l, const struct ec_part *part, uint32_t width)
{
    return l->off <= part->total && l->stride >= width &&
           (uint64_t)l->n * l->stride <= part->total - l->off;
}

#define VALUE_ROOM 80 /* the longest value of fixed size, and what stands around it */

static bool run(const struct program *p, struct json *j, const uint8_t *base,
                const struct ec_part *part);

static bool write_list(const struct program *p, struct json *j, const struct step *s,
                       const struct ec_list *l, const struct ec_part *part)
{
    size_t mark = json_open(j, s->key, s->key_len, '[');
    const uint8_t *at = (const uint8_t *)part + l->off;
    bool ok = true;

    for (uint32_t i = 0; i < l->n && json_need(j, VALUE_ROOM); i++, at += l->stride) {
        int put = put_value(j, p, s, at, part);

        ok &= put >= 0;
        if (put > 0 && json_need(j, 1))
            json_put_char(j, ',');
    }
    json_close(j, mark, ']', s->always || j->lists);
    return ok;
}

static bool write_records(struct json *j, const struct step *s, const struct ec_list *l,
                          const struct ec_part *part)
{
    size_t mark = json_open(j, s->key, s->key_len, '[');
    const uint8_t *at = (const uint8_t *)part + l->off;
    bool ok = true;

    for (uint32_t i = 0; i < l->n && !j->failed; i++, at += l->stride) {
        size_t element = json_open(j, "", 0, '{');

        ok &= run(s->sub, j, at, part);
        json_close(j, element, '}', true);
    }
    json_close(j, mark, ']', s->always || j->lists);
    return ok;
}

#define PAIRS_MAX 1024 /* of one map: their names are compared with each other */

static struct ec_pair pair_at(const struct ec_list *l, const struct ec_part *part, uint32_t i)
{
    struct ec_pair pair;

    memcpy(&pair, (const uint8_t *)part + l->off + (size_t)i * l->stride, sizeof pair);
    return pair;
}

static bool same_key(const struct ec_pair *a, const struct ec_pair *b, const struct ec_part *part)
{
    return a->key.off && b->key.off && a->key.len == b->key.len && a->key.off <= part->total &&
           a->key.len <= part->total - a->key.off && b->key.off <= part->total &&
           b->key.len <= part->total - b->key.off &&
           !memcmp(ec_bytes(part, a->key), ec_bytes(part, b->key), a->key.len);
}

/* Has the name of pair i been written with an earlier one? */
static bool key_seen(const struct ec_list *l, const struct ec_part *part, uint32_t i)
{
    struct ec_pair pair = pair_at(l, part, i), other;

    while (i--) {
        other = pair_at(l, part, i);
        if (same_key(&pair, &other, part))
            return true;
    }
    return false;
}

static bool put_pair_value(struct json *j, const struct step *value, const struct ec_pair *pair,
                           const struct ec_part *part)
{
    int put = put_span(j, value, (const uint8_t *)&pair->value, part);

    if (put <= 0 && json_need(j, 8))
        JSON_PUT(j, "\"\"");
    if (json_need(j, 1))
        json_put_char(j, ',');
    return put >= 0;
}

/* "k":["v", …],: the values of all pairs of one name, of which i is the first. */
static bool write_values(struct json *j, const struct step *value, const struct ec_list *l,
                         const struct ec_part *part, uint32_t i, uint32_t n)
{
    struct ec_pair pair = pair_at(l, part, i), other;
    size_t mark = json_open(j, "", 0, '[');
    bool ok = put_pair_value(j, value, &pair, part);

    while (++i < n) {
        other = pair_at(l, part, i);
        if (same_key(&pair, &other, part))
            ok &= put_pair_value(j, value, &other, part);
    }
    json_close(j, mark, ']', true);
    return ok;
}

/* {"k":"v", …}, or {"k":["v", …], …}. No name stands twice: without lists the first value stays. */
static bool write_map(struct json *j, const struct step *s, const struct ec_list *l,
                      const struct ec_part *part)
{
    static const struct step text = {.type = EC_T_TEXT};
    struct step value = {.type = EC_T_WIRE, .secret = s->secret};
    size_t mark = json_open(j, s->key, s->key_len, '{');
    uint32_t n = l->n < PAIRS_MAX ? l->n : PAIRS_MAX;
    bool ok = n == l->n;

    for (uint32_t i = 0; i < n && json_need(j, VALUE_ROOM); i++) {
        struct ec_pair pair = pair_at(l, part, i);
        int put;

        if (key_seen(l, part, i)) {
            ok &= s->op == OP_MAP_LIST;
            continue;
        }
        put = put_span(j, &text, (const uint8_t *)&pair.key, part);
        ok &= put >= 0;
        if (put <= 0 || !json_need(j, 1))
            continue;
        json_put_char(j, ':');
        ok &= s->op == OP_MAP_LIST ? write_values(j, &value, l, part, i, n)
                                   : put_pair_value(j, &value, &pair, part);
    }
    json_close(j, mark, '}', s->always || j->lists);
    return ok;
}

static bool write_many(const struct program *p, struct json *j, const struct step *s,
                       const uint8_t *at, const struct ec_part *part)
{
    struct ec_list l;
    uint32_t width = s->op == OP_RECORDS ? s->sub->bytes
                     : s->op == OP_LIST  ? tree_width(s->type)
                                         : (uint32_t)sizeof(struct ec_pair);

    memcpy(&l, at, sizeof l);
    if (!l.n && !s->always && !j->lists)
        return true;
    if (l.n && !list_fits(&l, part, width))
        return false;
    if (s->op == OP_RECORDS)
        return write_records(j, s, &l, part);
    return s->op == OP_LIST ? write_list(p, j, s, &l, part) : write_map(j, s, &l, part);
}

static bool write_value(const struct program *p, struct json *j, const struct step *s,
                        const uint8_t *at, const struct ec_part *part)
{
    size_t mark = json_length(j);
    int put;

    json_put_raw(j, s->key, s->key_len);
    put = put_value(j, p, s, at, part);
    if (put <= 0)
        j->at = j->base + mark;
    else if (json_need(j, 1))
        json_put_char(j, ',');
    return put >= 0;
}

static bool run(const struct program *p, struct json *j, const uint8_t *base,
                const struct ec_part *part)
{
    size_t mark[TREE_DEPTH + 1];
    uint32_t depth = 0;
    bool ok = true;

    for (uint32_t i = 0; i < p->n; i++) {
        const struct step *s = &p->step[i];

        if (s->has_off) {
            uint64_t has;

            memcpy(&has, base + s->has_off, sizeof has);
            if (!(has >> s->has & 1)) {
                i += s->skip;
                continue;
            }
        }
        if (!json_need(j, s->key_len + VALUE_ROOM))
            return false;
        if (s->op == OP_VALUE)
            ok &= write_value(p, j, s, base + s->off, part);
        else if (s->op == OP_OPEN)
            mark[depth++] = json_open(j, s->key, s->key_len, '{');
        else if (s->op == OP_CLOSE)
            json_close(j, mark[--depth], '}', false);
        else
            ok &= write_many(p, j, s, base + s->off, part);
    }
    return ok;
}

bool program_run(const struct program *p, struct json *j, const struct ec_part *part)
{
    if (part->size < p->bytes)
        return false;
    return run(p, j, (const uint8_t *)part, part);
}
