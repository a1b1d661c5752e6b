/* rig.h: a bus without plugins, for the tests and the bench of the event lane: topics, subscribers that count for
 * themselves, and publishers. */
#ifndef ECYBER_TESTS_RIG_H
#define ECYBER_TESTS_RIG_H
#include "core/bus/bus.h"
#include "core/instance.h"

#include <stdatomic.h>

#define RIG_PUBLISHERS 8u           /* the last one stands for the mailbox */
#define RIG_SINKS 8u
#define RIG_NOTES 4096u

struct rig_note {                   /* the record of every topic */
    struct ec_part part;
    uint64_t n;
    struct ec_span pad;
};

struct rig_sink {
    struct instance instance;
    _Atomic uint64_t got[RIG_PUBLISHERS], gaps[RIG_PUBLISHERS];
    _Atomic uint64_t last[RIG_PUBLISHERS];  /* seq */
    _Atomic uint64_t disorder;      /* events whose seq did not rise */
    _Atomic uint64_t idles;
    _Atomic uint32_t slow_us;
    atomic_bool stall;              /* its callback does not return while this is set */
    atomic_bool inside;
    uint64_t note[RIG_NOTES];       /* what came, n of each event */
    _Atomic uint32_t notes;         /* may be more than there is room for */
    void (*then)(struct rig_sink *s, const struct ec_event *ev);    /* called last; may publish */
};

struct rig {
    struct instance source;
    struct rig_sink sink[RIG_SINKS];
    uint32_t a, b, reserved, wall;  /* topics "t.a/1" "t.b/1" "t.reserved/1" "t.wall/1" */
    uint32_t look;                  /* attribute topic "t.look/1" */
};
extern struct rig rig;

/* Begin anew: registries, one topic each, the bus with these bounds. */
void rig_open(const struct bus_config *c);
void rig_start(void);               /* metrics' cells, then bus_start() */
void rig_close(void);               /* bus_free() and the registries; bus_stop() is the test's */
/* Sink i subscribes; capacity, bytes, overflow: as struct ec_sub. */
void rig_subscribe(uint32_t i, const char *topic, uint32_t mode, uint32_t capacity, uint32_t bytes, uint32_t overflow);
/* Publish one event with pad bytes in its tail. What bus_open() or bus_publish() returned. */
int32_t rig_publish(uint32_t worker, uint32_t topic, uint64_t n, uint32_t pad);
uint64_t rig_got(const struct rig_sink *s);         /* over all publishers */
void rig_sleep_us(uint32_t us);

#endif
