/* alerts.h: what the routes of alerts share. */
#ifndef IDS_STATES_ALERTS_H
#define IDS_STATES_ALERTS_H
#include "plugins/ids/states/grown.h"
#include "plugins/ids/states/states.h"

#include <ecyber/ext/auth.h>
#include <ecyber/ext/daemon.h>
#include <ecyber/ext/http.h>
#include <ecyber/ext/json.h>

struct alerts {
    const struct ec_host *host;
    const struct ec_http *http;
    const struct ec_store *store;   /* NULL: nobody keeps events */
    const struct ec_json *json;
    const struct ec_daemon *daemon; /* NULL: a host without one */
    void *http_self, *store_self, *json_self, *daemon_self;
    struct states *states;          /* NULL without a store */
    uint32_t topic;                 /* of changes */
};

/* The rows that stand beside an event's own, in its object. */
struct beside {
    struct ec_part part;
    uint32_t state, pad;
    uint64_t version, at;
    struct ec_span note, by;
};
extern const struct ec_record beside_record;
/* From a state (NULL: nobody changed the alert) into the open part. */
void beside_fill(struct ec_build *b, struct beside *to, const struct alert_state *from);
/* [pool] The same as members and a closing brace, `"state":"open","state_version":0}`, at the end of `to`. False:
 * there are none. */
bool beside_members(struct alerts *a, struct grown *to, const struct alert_state *from);
/* An event's object with these members in front of its last brace. */
void beside_add(struct grown *to, const char *json, uint32_t n, const struct grown *members);

/* [sub] Handlers. */
int32_t alerts_list(void *self, const void *state, struct ec_req *r);
int32_t alerts_show(void *self, const void *state, struct ec_req *r);
int32_t alerts_explain(void *self, const void *state, struct ec_req *r);
extern const char explain_schema[];
int32_t alerts_change(void *self, const void *state, struct ec_req *r);
int32_t alerts_bulk(void *self, const void *state, struct ec_req *r);
int32_t alerts_histogram(void *self, const void *state, struct ec_req *r);
int32_t ids_status(void *self, const void *state, struct ec_req *r);
int32_t ids_stats(void *self, const void *state, struct ec_req *r);
extern const struct ec_record histogram_param, histogram_reply, status_reply, stats_reply;
extern const struct ec_record list_param, one_param, change_body, bulk_body, change_reply, bulk_reply;

/* [any] 503, or a status that fits a fault of the store. */
int32_t alerts_failed(struct alerts *a, struct ec_req *r, int32_t err);
/* "open,closed" as bits; 0: one of the words is none. */
uint32_t state_words(const char *words, uint32_t n);
const char *state_word(uint32_t state);
/* "12345" with at most 19 digits. False: it is no number. */
bool event_number(const char *text, uint32_t n, uint64_t *to);

/* A changed state as an event of its own, so that streams see it. */
#define STATE_TOPIC "ec.alert_state/1"
extern const struct ec_topic state_topic;
void state_tell(struct alerts *a, uint64_t event, const struct changed *done, const char *note, uint32_t n_note,
                const char *by);
/* Into the audit log, before r is answered. */
void state_audit(struct alerts *a, struct ec_req *r, uint64_t event, const struct changed *done, const char *note,
                 uint32_t n_note);

#endif
