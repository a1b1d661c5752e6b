#include "plugins/firewall/bans.h"

#include <stdlib.h>
#include <string.h>

static uint32_t bucket_of_net(const struct net *n)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325) ^ n->prefix;

    for (size_t i = 0; i < sizeof n->addr; i++)
        h = (h ^ n->addr[i]) * UINT64_C(0x100000001b3);
    return (uint32_t)(h ^ h >> 32) % BANS_BUCKETS;
}

static uint32_t bucket_of_id(uint64_t id)
{
    return (uint32_t)((id * UINT64_C(0x9e3779b97f4a7c15)) >> 40) % BANS_BUCKETS;
}

bool bans_text(char **to, const char *text)
{
    char *copy = strdup(text ? text : "");

    if (!copy)
        return false;
    free(*to);
    *to = copy;
    return true;
}

static void ban_free(struct ban *ban)
{
    free(ban->who);
    free(ban->why);
    free(ban->by);
    free(ban);
}

static bool room(struct bans *b)
{
    uint32_t cap = b->cap ? b->cap * 2 : 256;
    struct ban **more;

    if (b->n >= b->most)
        return false;
    if (b->n < b->cap)
        return true;
    if (!(more = realloc(b->all, cap * sizeof *more)))
        return false;
    b->all = more;
    b->cap = cap;
    return true;
}

/* Milliseconds and a count: in the order of time, and exact as a number of JavaScript. */
static uint64_t new_id(struct bans *b, uint64_t now_ns)
{
    uint64_t id = now_ns / 1000000 << 10;

    if (id <= b->last_id)
        id = b->last_id + 1;
    return b->last_id = id;
}

struct ban *bans_add(struct bans *b, const struct net *n, uint64_t id, uint64_t now_ns, const char *who,
                     const char *why)
{
    struct ban *ban, **at;

    if (!room(b) || !(ban = calloc(1, sizeof *ban)))
        return NULL;
    if (!bans_text(&ban->who, who) || !bans_text(&ban->why, why)) {
        ban_free(ban);
        return NULL;
    }
    ban->net = *n;
    ban->since_ns = now_ns;
    ban->id = id ? id : new_id(b, now_ns);
    if (ban->id > b->last_id)
        b->last_id = ban->id;
    ban->at = b->n;
    b->all[b->n++] = ban;
    b->by_prefix[n->prefix]++;
    at = &b->net[bucket_of_net(n)];
    ban->next_net = *at;
    *at = ban;
    at = &b->id[bucket_of_id(ban->id)];
    ban->next_id = *at;
    *at = ban;
    return ban;
}

void bans_remove(struct bans *b, struct ban *ban)
{
    struct ban **at = &b->net[bucket_of_net(&ban->net)];

    while (*at != ban)
        at = &(*at)->next_net;
    *at = ban->next_net;
    at = &b->id[bucket_of_id(ban->id)];
    while (*at != ban)
        at = &(*at)->next_id;
    *at = ban->next_id;
    b->by_prefix[ban->net.prefix]--;
    b->all[ban->at] = b->all[--b->n];
    b->all[ban->at]->at = ban->at;
    ban_free(ban);
}

struct ban *bans_find(const struct bans *b, const struct net *n)
{
    struct ban *ban = b->net[bucket_of_net(n)];

    while (ban && (ban->net.prefix != n->prefix || memcmp(ban->net.addr, n->addr, sizeof n->addr) != 0))
        ban = ban->next_net;
    return ban;
}

struct ban *bans_by_id(const struct bans *b, uint64_t id)
{
    struct ban *ban = b->id[bucket_of_id(id)];

    while (ban && ban->id != id)
        ban = ban->next_id;
    return ban;
}

struct ban *bans_holding(const struct bans *b, const struct net *n)
{
    struct ban *best = NULL;

    for (uint32_t prefix = n->prefix; prefix; prefix--) {
        struct net outer = address_masked(n->addr, prefix);
        struct ban *ban = b->by_prefix[prefix] ? bans_find(b, &outer) : NULL;

        if (ban && ban->state != BAN_LEAVING && (!best || ban->until_ns > best->until_ns))
            best = ban;
    }
    return best;
}

void bans_clear(struct bans *b)
{
    for (uint32_t i = 0; i < b->n; i++)
        ban_free(b->all[i]);
    free(b->all);
    memset(b, 0, sizeof *b);
}
