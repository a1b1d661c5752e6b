/* testhost.h: a fake host for the tests of one plugin. It runs the plugin's life cycle on the calling thread, keeps what
 * the plugin publishes, and hands it events, timers and services that the test makes up. Compile testhost.c into your
 * test; it links to nothing.
 *
 *   struct testhost *t = testhost_new(ec_plugin_entry_1());
 *   testhost_option(t, "greeting", "good morning");
 *   ck_assert(testhost_start(t) == 0);
 *   testhost_tick(t, 1000000000);
 *   ck_assert(testhost_count(t, "org.example.hello/1") == 1);
 *   testhost_free(t);
 */
#ifndef EC_TESTHOST_H
#define EC_TESTHOST_H

#ifndef EC_API_LEVEL
# define EC_API_LEVEL 1
#endif
#include <ecyber/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

struct testhost;

struct testhost *testhost_new(const struct ec_plugin *d);      /* aborts where memory ends */
void testhost_free(struct testhost *t);                         /* stops it first where it runs */

/* Before testhost_start() or testhost_reload(). The value as it stands in YAML; lists: a, b; maps: k=v, k=v. Returns 0,
 * or EC_ENOENT: there is no such option, EC_EINVAL: not a value of its type or out of its range. */
int testhost_option(struct testhost *t, const char *name, const char *value);
/* A service or an event source that the plugin may use; the vtable starts with its size. What the daemon itself offers
 * is provided like that, too: for ec.json/1 the daemon's tree has the real one, which needs nothing but a host:
 *
 *   #include "core/record/service.h"                                    // and link $(RECORD_LIBS)
 *   struct record_service *json = record_service_new(testhost_host(t));
 *   testhost_provide(t, EC_JSON_ID, &record_json, json);                // before testhost_start()
 *   …
 *   testhost_free(t);
 *   record_service_free(json);
 *
 * Outside of that tree a test brings a table of its own with what its plugin calls. */
void testhost_provide(struct testhost *t, const char *id, const void *vtable, void *self);
/* A topic that somebody else would declare. Returns its id. */
uint32_t testhost_topic(struct testhost *t, const struct ec_topic *topic);

/* create, setup, configure, start, worker_init(0). 0, or what the plugin returned: testhost_why() says why. */
int testhost_start(struct testhost *t);
int testhost_reload(struct testhost *t);                        /* configure anew, swap, free the old state */
void testhost_stop(struct testhost *t);
const char *testhost_why(const struct testhost *t);             /* the last sentence of host->fail() */

const struct ec_host *testhost_host(struct testhost *t);
void *testhost_self(struct testhost *t);
void *testhost_worker(struct testhost *t);                      /* of worker 0 */
const void *testhost_state(struct testhost *t);
const void *testhost_offer(struct testhost *t, const char *id); /* what the plugin offers, NULL: not that */

/* Move the clock and run every timer that is due. */
void testhost_tick(struct testhost *t, uint64_t ns);
/* Hand an event to the plugin's subscriptions. Build it with testhost_host(t)->open() and deliver it here in place of
 * publish(). */
void testhost_deliver(struct testhost *t, struct ec_build *b);

/* What the plugin published. i counts from 0 over the events of that topic; NULL name: all of them. */
uint32_t testhost_count(const struct testhost *t, const char *topic);
const struct ec_event *testhost_event(const struct testhost *t, const char *topic, uint32_t i);
void testhost_forget(struct testhost *t);                       /* what was published so far */
int64_t testhost_metric(const struct testhost *t, const char *name);    /* −1: there is no such metric */
/* The text of a span, NUL-terminated, in a static buffer of 4 KiB. */
const char *testhost_text(const struct ec_part *p, struct ec_span s);

#ifdef __cplusplus
}
#endif
#endif
