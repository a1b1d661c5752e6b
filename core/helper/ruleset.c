#include "core/helper/ruleset.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define TABLE "\"family\":\"inet\",\"table\":\"ecyber\""
#define BEFORE_FILTER (-10)         /* priority: before the usual place of filters, 0 */

/* The place of an entry's set in struct ruleset. */
struct place { uint32_t block, v6, len; };

static struct place place_of(const struct helper_entry *e)
{
    uint32_t v6 = !helper_entry_v4(e);

    return (struct place){ e->list == HELPER_BLOCK, v6, v6 ? e->prefix : e->prefix - 96 };
}

static bool same_place(struct place a, struct place b)
{
    return a.block == b.block && a.v6 == b.v6 && a.len == b.len;
}

static bool whole(struct place p)
{
    return p.len == (p.v6 ? 128u : 32u);
}

static void set_name(char *to, size_t n, struct place p)
{
    if (whole(p))
        snprintf(to, n, "%s%c", p.block ? "block" : "allow", p.v6 ? '6' : '4');
    else
        snprintf(to, n, "%s%c_%u", p.block ? "block" : "allow", p.v6 ? '6' : '4', p.len);
}

static const char *address_text(char *to, const uint8_t *addr, bool v6)
{
    return inet_ntop(v6 ? AF_INET6 : AF_INET, v6 ? addr : addr + 12, to, INET6_ADDRSTRLEN);
}

static const char *mask_text(char *to, struct place p)
{
    uint8_t mask[16] = { 0 };
    uint32_t bits = p.v6 ? p.len : 96 + p.len;

    for (uint32_t i = 0; i < bits; i++)
        mask[i / 8] |= (uint8_t)(0x80u >> (i % 8));
    return address_text(to, mask, p.v6);
}

static void begin(struct text *t)
{
    text_clear(t);
    text_add(t, "{\"nftables\":[");
}

/* The commands are separated by commas, and the last one is followed by one that does nothing. */
static void end(struct text *t)
{
    text_add(t, "{\"add\":{\"table\":{\"family\":\"inet\",\"name\":\"ecyber\"}}}]}");
}

static void add_table(struct text *t, const char *verb)
{
    text_add(t, "{\"%s\":{\"table\":{\"family\":\"inet\",\"name\":\"ecyber\"}}},", verb);
}

static void add_chain(struct text *t, const char *name, bool hook)
{
    text_add(t, "{\"add\":{\"chain\":{" TABLE ",\"name\":\"%s\"", name);
    if (hook)
        text_add(t, ",\"type\":\"filter\",\"hook\":\"%s\",\"prio\":%d,\"policy\":\"accept\"", name, BEFORE_FILTER);
    text_add(t, "}}},");
}

static void add_jump(struct text *t, const char *chain, const char *target)
{
    text_add(t, "{\"add\":{\"rule\":{" TABLE ",\"chain\":\"%s\",\"expr\":[{\"jump\":{\"target\":\"%s\"}}]}}},", chain,
             target);
}

/* The machine's talk with itself is nobody's business. */
static void add_loopback(struct text *t, const char *chain, const char *direction)
{
    text_add(t, "{\"add\":{\"rule\":{" TABLE ",\"chain\":\"%s\",\"expr\":[{\"match\":{\"op\":\"==\",\"left\":{\"meta\":"
                "{\"key\":\"%s\"}},\"right\":\"lo\"}},{\"accept\":null}]}}},", chain, direction);
}

/* In the chain of sources or of destinations: what to do with addresses of this set. */
static void add_rule(struct text *t, struct place p, bool source)
{
    char name[32], mask[INET6_ADDRSTRLEN];

    set_name(name, sizeof name, p);
    text_add(t, "{\"add\":{\"rule\":{" TABLE ",\"chain\":\"%s\",\"expr\":[{\"match\":{\"op\":\"==\",\"left\":",
             source ? "source" : "destination");
    if (!whole(p))
        text_add(t, "{\"&\":[");
    text_add(t, "{\"payload\":{\"protocol\":\"%s\",\"field\":\"%s\"}}", p.v6 ? "ip6" : "ip",
             source ? "saddr" : "daddr");
    if (!whole(p))
        text_add(t, ",\"%s\"]}", mask_text(mask, p));
    text_add(t, ",\"right\":\"@%s\"}},%s]}}},", name,
             p.block ? "{\"counter\":null},{\"drop\":null}" : "{\"accept\":null}");
}

static void add_set(struct text *t, struct place p)
{
    char name[32];

    set_name(name, sizeof name, p);
    text_add(t, "{\"add\":{\"set\":{" TABLE ",\"name\":\"%s\",\"type\":\"%s\"%s}}},", name,
             p.v6 ? "ipv6_addr" : "ipv4_addr", p.block ? ",\"flags\":[\"timeout\"]" : "");
    add_rule(t, p, true);
    add_rule(t, p, false);
}

static bool overridden(const struct helper_entry *e, uint32_t i, uint32_t n)
{
    for (uint32_t k = i + 1; k < n; k++)
        if (e[k].prefix == e[i].prefix && !memcmp(e[k].addr, e[i].addr, 16))
            return true;
    return false;
}

/* One command with every entry that belongs to one set. once: of the same address, the last one only (it takes time
 * that grows with n²). */
static void add_elements(struct text *t, const char *verb, struct place p, const struct helper_entry *e, uint32_t n,
                         bool once)
{
    bool ends = p.block && strcmp(verb, "delete") != 0;
    char name[32], addr[INET6_ADDRSTRLEN];
    const char *comma = "";

    set_name(name, sizeof name, p);
    text_add(t, "{\"%s\":{\"element\":{" TABLE ",\"name\":\"%s\",\"elem\":[", verb, name);
    for (uint32_t i = 0; i < n; i++) {
        if (!same_place(place_of(&e[i]), p) || (once && overridden(e, i, n)))
            continue;
        address_text(addr, e[i].addr, p.v6);
        if (ends)
            text_add(t, "%s{\"elem\":{\"val\":\"%s\",\"timeout\":%llu}}", comma, addr,
                     (unsigned long long)e[i].seconds);
        else
            text_add(t, "%s\"%s\"", comma, addr);
        comma = ",";
    }
    text_add(t, "]}}},");
}

/* fn for each set that the table has: allowing ones first. */
static void each_place(const struct ruleset *r, void (*fn)(struct text *t, struct place p), struct text *t)
{
    for (uint32_t block = 0; block < 2; block++)
        for (uint32_t v6 = 0; v6 < 2; v6++)
            for (uint32_t len = 129; len--; )
                if (r->used[block][v6][len])
                    fn(t, (struct place){ block, v6, len });
}

void ruleset_left(struct ruleset *r)
{
    memset(r, 0, sizeof *r);
    r->used[0][0][32] = r->used[0][1][128] = r->used[1][0][32] = r->used[1][1][128] = 1;
}

void ruleset_state(struct text *t, const struct helper_entry *e, uint32_t n, struct ruleset *r)
{
    struct ruleset filled;

    ruleset_left(r);
    memset(&filled, 0, sizeof filled);
    for (uint32_t i = 0; i < n; i++) {
        struct place p = place_of(&e[i]);

        r->used[p.block][p.v6][p.len] = filled.used[p.block][p.v6][p.len] = 1;
    }
    begin(t);
    add_table(t, "add");            /* so that there is one to delete */
    add_table(t, "delete");
    add_table(t, "add");
    add_chain(t, "source", false);
    add_chain(t, "destination", false);
    each_place(r, add_set, t);
    add_chain(t, "input", true);
    add_chain(t, "forward", true);
    add_chain(t, "output", true);
    add_loopback(t, "input", "iifname");
    add_loopback(t, "output", "oifname");
    add_jump(t, "input", "source");
    add_jump(t, "forward", "source");
    add_jump(t, "forward", "destination");
    add_jump(t, "output", "destination");
    for (uint32_t k = 0; k < 2 * 2 * 129; k++)
        if ((&filled.used[0][0][0])[k])
            add_elements(t, "add", (struct place){ k / 258, k / 129 % 2, k % 129 }, e, n, false);
    end(t);
}

/* Has an earlier entry the same set? Then it is dealt with. */
static bool set_seen(const struct helper_entry *e, uint32_t i)
{
    for (uint32_t k = 0; k < i; k++)
        if (same_place(place_of(&e[k]), place_of(&e[i])))
            return true;
    return false;
}

void ruleset_ban(struct text *t, const struct helper_entry *e, uint32_t n, struct ruleset *r)
{
    begin(t);
    for (uint32_t i = 0; i < n; i++) {
        struct place p = place_of(&e[i]);

        if (set_seen(e, i))
            continue;
        if (!r->used[p.block][p.v6][p.len])
            add_set(t, p);
        r->used[p.block][p.v6][p.len] = 1;
        /* Kernels before 6.12 keep the old end of an element that is there: away with it. For that it must exist. */
        add_elements(t, "add", p, e, n, true);
        add_elements(t, "delete", p, e, n, true);
        add_elements(t, "add", p, e, n, true);
    }
    end(t);
}

void ruleset_unban(struct text *t, const struct helper_entry *e, uint32_t n, const struct ruleset *r)
{
    begin(t);
    for (uint32_t i = 0; i < n; i++) {
        struct place p = place_of(&e[i]);

        if (set_seen(e, i) || !r->used[p.block][p.v6][p.len])
            continue;
        add_elements(t, "add", p, e, n, true);
        add_elements(t, "delete", p, e, n, true);
    }
    end(t);
}

void ruleset_clear(struct text *t)
{
    begin(t);
    add_table(t, "add");
    text_add(t, "{\"delete\":{\"table\":{\"family\":\"inet\",\"name\":\"ecyber\"}}}]}");
}

void ruleset_list(struct text *t)
{
    text_clear(t);
    text_add(t, "{\"nftables\":[{\"list\":{\"table\":{\"family\":\"inet\",\"name\":\"ecyber\"}}}]}");
}
