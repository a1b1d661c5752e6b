/* The API: /api/network/capture, declared through ec.http/1. */
#include "plugins/capture/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct start_body { struct ec_part part; struct ec_span interface; };
static const struct ec_row start_rows[] = {
    { EC_T_TEXT, 0, 0, 0, (uint32_t)offsetof(struct start_body, interface), "interface", NULL, NULL, NULL, NULL,
      "name of the interface, or any", 1, DEMAND_NAME - 1 },
};
static const struct ec_record start_body = EC_RECORD_PART(struct start_body, start_rows);

struct state_reply { struct ec_part part; struct ec_span interface; uint64_t since; uint8_t on_demand, running, pad[6]; };
enum { HAS_SINCE };
static const struct ec_row state_rows[] = {
    EC_FIELD(BOOL, 0, struct state_reply, on_demand, "on_demand", NULL,
             "a capture can be started and stopped while the daemon runs (capture.on_demand)"),
    EC_FIELD(BOOL, 0, struct state_reply, running, "running", NULL, "one runs that can be stopped"),
    EC_FIELD(TEXT, 0, struct state_reply, interface, "interface", NULL,
             "where it runs; of a dry run where it would, or would not any more"),
    EC_FIELD_OPT(TIME, 0, HAS_SINCE, struct state_reply, since, "since", NULL, "when it was started"),
};
static const struct ec_record state_reply = EC_RECORD_PART(struct state_reply, state_rows);

/* interface: NULL: the state's. */
static void answer(struct capture *c, struct ec_req *r, const char *interface)
{
    uint64_t room[64] = { 0 };
    struct ec_build b = { .base = (uint8_t *)room, .used = sizeof(struct ec_event), .cap = sizeof room };
    struct ec_capture_state s = { .size = sizeof s };
    struct state_reply *to = ec_add(&b, 0, sizeof *to);

    capture_service.state(c, &s);
    to->on_demand = s.on_demand != 0;
    to->running = s.running != 0;
    to->since = s.since_ns;
    to->part.has = (uint64_t)(s.since_ns != 0) << HAS_SINCE;
    to->interface = ec_puts(&b, interface ? interface : s.running ? s.interface : NULL);
    c->http->reply(r, 200, ec_part_open(&b));
}

static void refuse(const struct capture *c, struct ec_req *r, int32_t err, bool starts, const char *why)
{
    if (err == EC_EINVAL)
        c->http->invalid(r, "body.interface", "value_error", why);
    else
        c->http->error(r, err == EC_EIO ? 503 : err == EC_ENOENT && starts ? 404 : 409, why);
}

/* [pool] */
static void start_job(struct ec_req *r, void *arg)
{
    struct capture *c = arg;
    const struct start_body *body = c->http->body(r);
    char name[64], object[96], why[1024] = "";
    uint32_t dry = c->http->dry_run(r);
    int32_t err;

    snprintf(name, sizeof name, "%.*s", (int)body->interface.len,
             (const char *)ec_bytes(&body->part, body->interface));
    err = strlen(name) == body->interface.len ? capture_service.start(c, name, dry, why, sizeof why)
                                              : capture_service.start(c, "", dry, why, sizeof why);
    snprintf(object, sizeof object, "network/interfaces/%s", name);
    if (!dry)
        c->http->audit(r, "network.capture.start", err ? "failure" : "success", err == EC_EINVAL ? NULL : object,
                       err ? why : "before: none runs; after: it runs");
    if (err)
        refuse(c, r, err, true, why);
    else
        answer(c, r, name);
}

/* [pool] */
static void stop_job(struct ec_req *r, void *arg)
{
    struct capture *c = arg;
    char name[64] = "", object[96], why[1024] = "";
    uint32_t dry = c->http->dry_run(r);
    int32_t err = capture_service.stop(c, dry, name, why, sizeof why);

    snprintf(object, sizeof object, "network/interfaces/%s", name);
    if (!dry)
        c->http->audit(r, "network.capture.stop", err ? "failure" : "success", *name ? object : NULL,
                       err ? why : "before: it runs; after: none runs");
    if (err)
        refuse(c, r, err, false, why);
    else
        answer(c, r, name);
}

/* A change waits for the workers. */
static int32_t post_start(void *self, const void *state, struct ec_req *r)
{
    struct capture *c = self;

    (void)state;
    c->http->work(r, start_job, c);
    return EC_EAGAIN;
}

static int32_t post_stop(void *self, const void *state, struct ec_req *r)
{
    struct capture *c = self;

    (void)state;
    c->http->work(r, stop_job, c);
    return EC_EAGAIN;
}

static int32_t get_state(void *self, const void *state, struct ec_req *r)
{
    (void)state;
    answer(self, r, NULL);
    return EC_OK;
}

const struct ec_route capture_routes[] = {
    { .size = sizeof(struct ec_route), .method = "GET", .path = "/api/network/capture", .opid = "network_capture",
      .summary = "Does a live capture on demand run, and where?", .roles = "admin,operator,analyst,viewer",
      .reply = &state_reply, .run = get_state },
    { .size = sizeof(struct ec_route), .flags = EC_RT_ENFORCES, .method = "POST", .path = "/api/network/capture/start",
      .opid = "network_capture_start", .summary = "Capture on an interface", .roles = "admin,operator",
      .body = &start_body, .reply = &state_reply, .run = post_start, .errors = "404,409",
      .description = "Answered when every worker has opened the interface. 404: there is no such interface; 409: one runs "
                     "already, or the option capture.on_demand is off; 503: it cannot be opened. Each says why.",
      .example = "{\"interface\":\"eth0\"}" },
    { .size = sizeof(struct ec_route), .flags = EC_RT_ENFORCES, .method = "POST", .path = "/api/network/capture/stop",
      .opid = "network_capture_stop", .summary = "End the capture on demand", .roles = "admin,operator",
      .reply = &state_reply, .run = post_stop, .errors = "409",
      .description = "Answered when every worker has closed the interface. 409: none runs, or the option capture.on_demand "
                     "is off." },
};
const uint32_t capture_n_route = sizeof capture_routes / sizeof capture_routes[0];
