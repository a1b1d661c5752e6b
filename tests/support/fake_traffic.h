/* fake_traffic.h: a traffic engine of a page, for the tests and fuzz targets of one protocol parser: no packets, no flows,
 * just bytes by direction. What the parser does not eat is offered again with what follows, as the real engine does. */
#ifndef TESTS_FAKE_TRAFFIC_H
#define TESTS_FAKE_TRAFFIC_H

#include <stdbool.h>

#include "testhost.h"
#include <ecyber/ext/traffic.h>

#define FAKE_TX_MAX 4096
#define FAKE_HELD_MAX 65536
#define FAKE_PROTOS_MAX 128

struct fake_traffic {
    struct testhost *host;
    const struct ec_proto *proto;
    void *proto_self;
    const struct ec_proto *all[FAKE_PROTOS_MAX];    /* that were registered; proto is the last one */
    void *all_self[FAKE_PROTOS_MAX];
    uint32_t n_all;
    uint32_t topic;                 /* id of the parser's record */
    /* One conversation. */
    void *state;
    uint8_t *held[2];
    uint32_t n_held[2];
    uint64_t offset[2];
    struct ec_tx *open[64];
    uint32_t n_open, n_begun, n_ended, n_step;
    uint64_t next_id;
    const struct ec_packet *packet; /* of the chunks that are fed; NULL: the flow has ended */
    uint32_t anomaly[64];           /* how often each was reported */
    bool gave_up, upgraded, opaque; /* opaque: it said so, and is fed all the same */
    uint32_t n_file;                /* files that ended; the last one, and its name (cut) */
    struct ec_file file;
    char file_name[64];
    /* What a test wants to see of each step: x as an inspector would see it. */
    void (*on_step)(struct fake_traffic *f, struct ec_tx *x, void *arg);
    void *on_step_arg;
};

typedef int32_t fake_register_fn(const struct ec_host *h, const struct ec_traffic *t, void *t_self);

/* Registers the parser once; conversations follow. Aborts where memory ends or the parser refuses. */
struct fake_traffic *fake_new(fake_register_fn *reg);
/* Of several that were registered, none with transactions: talk to this one. Aborts where there is none. */
void fake_use(struct fake_traffic *f, const char *name);
void fake_begin(struct fake_traffic *f);
/* Feed n bytes of direction dir, with EC_CH_* flags. */
void fake_feed(struct fake_traffic *f, uint32_t dir, const void *d, uint32_t n, uint32_t flags);
void fake_gap(struct fake_traffic *f, uint32_t dir, uint64_t missing);
/* End both directions and drop everything. Published records stay in f->host. */
void fake_end(struct fake_traffic *f);
void fake_free(struct fake_traffic *f);
/* How often the anomaly of that name was reported. Aborts where the parser has none. */
uint32_t fake_told(const struct fake_traffic *f, const char *name);
/* The buffer of that name and direction, NULL: absent. */
const struct ec_buf *fake_buffer(struct fake_traffic *f, struct ec_tx *x, const char *name, uint32_t dir);

#endif
