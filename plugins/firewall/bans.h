/* bans.h: the bans that are desired, by network and by id. Not locked. */
#ifndef FIREWALL_BANS_H
#define FIREWALL_BANS_H
#include "plugins/firewall/address.h"

enum ban_state {
    BAN_PENDING,                    /* desired; the kernel has not confirmed it, or not its newest end */
    BAN_ACTIVE,                     /* in the kernel */
    BAN_LEAVING                     /* taken back; the kernel has not confirmed it */
};

struct ban {
    struct ban *next_net, *next_id; /* of the same bucket */
    struct net net;
    uint64_t id;                    /* time-led, less than 2^53 */
    uint64_t since_ns, until_ns;    /* ns since 1970 UTC */
    uint64_t cause;                 /* id of an event, 0: none */
    uint64_t op;                    /* the last operation on it */
    uint64_t doc;                   /* its document's id, 0: not kept yet */
    uint32_t at;                    /* place in bans.all */
    enum ban_state state;
    bool told;                      /* the event that it is banned has been published */
    bool dirty;                     /* its document is not what it is */
    char *who, *why;
    char *by;                       /* who took it back, NULL: nobody */
};

#define BANS_BUCKETS 16384u
struct bans {
    struct ban **all;
    uint32_t n, cap, most;          /* most: bans_add() takes none beyond it */
    uint32_t by_prefix[129];        /* how many have that prefix */
    uint64_t last_id;
    struct ban *net[BANS_BUCKETS], *id[BANS_BUCKETS];
};

/* A new one, PENDING, with an id made from the time now_ns, or `id` where it is not 0. NULL: there are `most`, or
 * memory ended. who and why are copied. */
struct ban *bans_add(struct bans *b, const struct net *n, uint64_t id, uint64_t now_ns, const char *who,
                     const char *why);
void bans_remove(struct bans *b, struct ban *ban);          /* and free it */
struct ban *bans_find(const struct bans *b, const struct net *n);           /* exactly this network */
struct ban *bans_by_id(const struct bans *b, uint64_t id);
/* The ban that ends last of those that hold this network and are not leaving, NULL: none. */
struct ban *bans_holding(const struct bans *b, const struct net *n);
bool bans_text(char **to, const char *text);                /* put a copy in its place; false: out of memory */
void bans_clear(struct bans *b);

#endif
