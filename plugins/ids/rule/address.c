#include "plugins/ids/rule/address.h"

#include "plugins/ids/rule/arena.h"
#include "plugins/ids/rule/vars.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum { EXPR_DEPTH = 16 };                   /* of brackets and variables inside each other */

struct expr {
    struct arena *arena;
    const struct vars *vars;
    enum expr_kind kind;
    uint32_t off;                           /* where in the rule: of the variable while inside one */
    int depth, steps, inside;               /* inside: variables */
    char *why;
    size_t n;
};

struct sets { struct rangeset plus, minus; bool any; };

static bool expr_list(struct expr *x, struct token t, struct rangeset *out, bool *any);

/* "BEFORE 'TOKEN' BEHIND" */
static bool expr_fail(struct expr *x, const char *before, struct token t, const char *behind)
{
    snprintf(x->why, x->n, "%s'%.*s'%s", before, (int)(t.len > 60 ? 60 : t.len), t.s, behind);
    return false;
}

static void range_port(struct range *r, unsigned lo, unsigned hi)
{
    memset(r, 0, sizeof *r);
    r->lo[14] = (uint8_t)(lo >> 8);
    r->lo[15] = (uint8_t)lo;
    r->hi[14] = (uint8_t)(hi >> 8);
    r->hi[15] = (uint8_t)hi;
}

static void range_all(enum expr_kind kind, struct range *r)
{
    range_port(r, 0, 65535);
    if (kind == EXPR_ADDRESS) {
        memset(r->lo, 0, 16);
        memset(r->hi, 0xff, 16);
    }
}

static bool leaf_port(struct expr *x, struct token t, struct range *r)
{
    const char *colon = memchr(t.s, ':', t.len);
    uint32_t at = colon ? (uint32_t)(colon - t.s) : t.len;
    struct token a = token_trim(token_sub(t, 0, at)), b = a;
    int64_t lo = 0, hi = 65535;

    if (colon)
        b = token_trim(token_sub(t, at + 1, t.len - at - 1));
    if ((a.len && !token_number(a, 0, 65535, &lo)) || (b.len && !token_number(b, 0, 65535, &hi)) ||
        (!a.len && !b.len))
        return expr_fail(x, "", t, " is no port or range of ports: 0…65535 or LOW:HIGH expected");
    if (lo > hi)
        return expr_fail(x, "the range ", t, " ends before it begins");
    range_port(r, (unsigned)lo, (unsigned)hi);
    return true;
}

/* out: mapped. bits: 32 or 128. */
static bool address_read(struct token t, uint8_t out[16], int *bits)
{
    char text[64];

    if (!t.len || t.len >= sizeof text)
        return false;
    memcpy(text, t.s, t.len);
    text[t.len] = 0;
    memset(out, 0, 10);
    out[10] = out[11] = 0xff;
    *bits = 32;
    if (inet_pton(AF_INET, text, out + 12) == 1)
        return true;
    *bits = 128;
    return inet_pton(AF_INET6, text, out) == 1;
}

static void range_prefix(struct range *r, int prefix)
{
    for (int i = prefix; i < 128; i++) {
        r->lo[i / 8] &= (uint8_t)~(0x80 >> (i % 8));
        r->hi[i / 8] |= (uint8_t)(0x80 >> (i % 8));
    }
}

static bool leaf_cidr(struct expr *x, struct token t, uint32_t slash, int bits, struct range *r)
{
    struct token p = token_sub(t, slash + 1, t.len - slash - 1);
    uint8_t mask[16];
    int64_t prefix;
    int mask_bits;

    /* 10.0.0.0/255.0.0.0, but only with an unbroken mask. */
    if (bits == 32 && memchr(p.s, '.', p.len) && address_read(p, mask, &mask_bits) && mask_bits == 32) {
        uint32_t m = (uint32_t)mask[12] << 24 | (uint32_t)mask[13] << 16 | (uint32_t)mask[14] << 8 | mask[15];

        prefix = m ? __builtin_popcount(m) : 0;
        if (m != (prefix ? UINT32_MAX << (32 - prefix) : 0))
            return expr_fail(x, "the mask of ", t, " has holes");
    } else if (!token_number(p, 0, bits, &prefix)) {
        return expr_fail(x, "the prefix length of ", t, " is out of range");
    }
    range_prefix(r, (int)prefix + 128 - bits);
    return true;
}

static bool leaf_address(struct expr *x, struct token t, struct range *r)
{
    const char *slash = memchr(t.s, '/', t.len), *dash = memchr(t.s, '-', t.len);
    uint32_t at = slash ? (uint32_t)(slash - t.s) : dash ? (uint32_t)(dash - t.s) : t.len;
    int bits, bits2;

    if (!address_read(token_trim(token_sub(t, 0, at)), r->lo, &bits))
        return expr_fail(x, "", t, " is no address, CIDR block, range or $VARIABLE");
    memcpy(r->hi, r->lo, 16);
    if (slash)
        return leaf_cidr(x, t, at, bits, r);
    if (!dash)
        return true;
    if (!address_read(token_trim(token_sub(t, at + 1, t.len - at - 1)), r->hi, &bits2) || bits2 != bits)
        return expr_fail(x, "", t, " is no range of addresses: FIRST-LAST expected");
    if (memcmp(r->lo, r->hi, 16) > 0)
        return expr_fail(x, "the range ", t, " ends before it begins");
    return true;
}

static bool expr_variable(struct expr *x, struct token t, struct rangeset *out, bool *any)
{
    const char *value = vars_get(x->vars, token_sub(t, 1, t.len - 1));
    bool ok;

    if (!value)
        return expr_fail(x, "the variable ", t, " is not defined; set it in ids.vars");
    x->inside++;
    ok = expr_list(x, (struct token){ value, (uint32_t)strlen(value), 0 }, out, any);
    x->inside--;
    return ok;
}

/* Everything but s. */
static bool expr_complement(struct expr *x, const struct rangeset *s, struct rangeset *out)
{
    struct range all;
    struct rangeset whole = { &all, 1, 1 };

    range_all(x->kind, &all);
    return rangeset_minus(x->arena, &whole, s, out);
}

static bool expr_item(struct expr *x, struct token t, struct sets *into)
{
    struct rangeset s = { 0 };
    bool negated = false, any = false;
    struct range r;

    if (t.len && t.s[0] == '!') {
        negated = true;
        t = token_trim(token_sub(t, 1, t.len - 1));
    }
    if (!x->inside)
        x->off = t.off;
    if (!t.len)
        return expr_fail(x, "an element of the list is empty: ", t, "");
    if (t.s[0] == '[' || t.s[0] == '!' || t.s[0] == '$') {
        bool ok = t.s[0] == '$' ? expr_variable(x, t, &s, &any) : expr_list(x, t, &s, &any);
        if (!ok)
            return false;
    } else if (token_is(t, "any")) {
        any = true;
    } else {
        bool ok = x->kind == EXPR_PORT ? leaf_port(x, t, &r) : leaf_address(x, t, &r);
        if (!ok || !rangeset_add(x->arena, &s, &r))
            return false;
    }
    if (any && negated)
        return expr_fail(x, "", t, " cannot be negated: that excludes everything");
    into->any |= any;
    for (size_t i = 0; i < s.n; i++)
        if (!rangeset_add(x->arena, negated ? &into->minus : &into->plus, &s.r[i]))
            return false;
    return true;
}

/* Cut at the commas that stand outside of brackets. */
static bool expr_cut(struct token *rest, struct token *piece)
{
    uint32_t i, depth = 0;

    if (!rest->len)
        return false;
    for (i = 0; i < rest->len; i++) {
        if (rest->s[i] == '[')
            depth++;
        else if (rest->s[i] == ']' && depth)
            depth--;
        else if (rest->s[i] == ',' && !depth)
            break;
    }
    *piece = token_trim(token_sub(*rest, 0, i));
    *rest = token_sub(*rest, i + (i < rest->len), rest->len - i - (i < rest->len));
    return true;
}

static bool expr_settle(struct expr *x, struct token t, struct sets *s, struct rangeset *out, bool *any)
{
    rangeset_sort(&s->plus);
    rangeset_sort(&s->minus);
    *any = s->any && !s->minus.n;
    if (*any)
        return true;
    if (s->any || !s->plus.n) {
        if (!expr_complement(x, &s->minus, out))
            return false;
    } else if (!rangeset_minus(x->arena, &s->plus, &s->minus, out)) {
        return false;
    }
    return out->n ? true : expr_fail(x, "", t, " excludes everything that it names");
}

static bool expr_list(struct expr *x, struct token t, struct rangeset *out, bool *any)
{
    struct token inner = t, piece;
    struct sets s = { 0 };

    if (x->depth == EXPR_DEPTH)
        return expr_fail(x, "brackets or variables stand more than 16 deep in each other at ", t, "");
    if (t.len && t.s[0] == '[') {
        if (t.s[t.len - 1] != ']')
            return expr_fail(x, "the list ", t, " is not closed: ']' expected");
        inner = token_sub(t, 1, t.len - 2);
    }
    x->depth++;
    if (!token_trim(inner).len)
        return expr_fail(x, "the list ", t, " is empty");
    while (expr_cut(&inner, &piece)) {
        if (++x->steps > 100000)
            return expr_fail(x, "more than 100,000 elements at ", piece, "");
        if (!expr_item(x, piece, &s))
            return false;
    }
    x->depth--;
    return expr_settle(x, t, &s, out, any);
}

bool address_parse(struct arena *a, const struct vars *v, enum expr_kind kind, struct token t,
                   const struct rangeset **set, uint32_t *off, char *why, size_t n)
{
    struct expr x = { .arena = a, .vars = v, .kind = kind, .off = t.off, .why = why, .n = n };
    struct rangeset *s = arena_alloc(a, sizeof *s);
    bool any = false, ok;

    *set = NULL;
    *off = t.off;
    snprintf(why, n, "out of memory");
    if (!s)
        return false;
    ok = expr_list(&x, t, s, &any);
    *off = x.off;
    if (ok && !any)
        *set = s;
    return ok;
}

bool port_in(const struct rangeset *s, uint16_t port)
{
    uint8_t key[16] = { 0 };

    key[14] = (uint8_t)(port >> 8);
    key[15] = (uint8_t)port;
    return !s || rangeset_has(s, key);
}

size_t port_list(const struct rangeset *s, uint16_t *ports, size_t max)
{
    size_t n = 0;

    for (size_t i = 0; s && i < s->n; i++) {
        unsigned lo = (unsigned)s->r[i].lo[14] << 8 | s->r[i].lo[15];
        unsigned hi = (unsigned)s->r[i].hi[14] << 8 | s->r[i].hi[15];

        for (unsigned p = lo; p <= hi; p++) {
            if (n == max)
                return 0;
            ports[n++] = (uint16_t)p;
        }
    }
    return n;
}
