/* PATCH /api/ids/alerts/{id} and POST /api/ids/alerts/bulk. */
#include "plugins/ids/states/alerts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BULK_MAX 1000

enum { HAS_STATE, HAS_NOTE };
struct one { struct ec_part part; uint64_t id; };
static const struct ec_row one_rows[] = {
    { EC_T_U64, 0, 0, 0, (uint32_t)offsetof(struct one, id), "id", NULL, NULL, NULL, NULL,
      "number of the alert's event", 0, INT64_MAX },
};
const struct ec_record one_param = EC_RECORD_PART(struct one, one_rows);

struct wish { struct ec_part part; uint32_t state, pad; struct ec_span note; struct ec_list ids; };
static const struct ec_row change_rows[] = {
    { EC_T_ENUM, EC_R_OPT, HAS_STATE, 0, (uint32_t)offsetof(struct wish, state), "state", NULL, STATE_WORDS, NULL, NULL,
      "what was made of it; absent: as it is", 0, 0 },
    { EC_T_TEXT, EC_R_OPT, HAS_NOTE, 0, (uint32_t)offsetof(struct wish, note), "note", NULL, NULL, NULL, NULL,
      "why, in words; \"\" takes it away; absent: as it is", 0, STATE_NOTE },
};
const struct ec_record change_body = EC_RECORD_PART(struct wish, change_rows);
static const struct ec_row bulk_rows[] = {
    { EC_T_TEXT, EC_R_LIST, 0, 0, (uint32_t)offsetof(struct wish, ids), "ids", NULL, NULL, NULL, NULL,
      "numbers of the alerts' events, as text: at most 1000", 1, 19 },
    { EC_T_ENUM, EC_R_OPT, HAS_STATE, 0, (uint32_t)offsetof(struct wish, state), "state", NULL, STATE_WORDS, NULL, NULL,
      "what was made of them", 0, 0 },
    { EC_T_TEXT, EC_R_OPT, HAS_NOTE, 0, (uint32_t)offsetof(struct wish, note), "note", NULL, NULL, NULL, NULL,
      "why, in words", 0, STATE_NOTE },
};
const struct ec_record bulk_body = EC_RECORD_PART(struct wish, bulk_rows);

struct reply { struct beside beside; struct ec_span id; };
static const struct ec_row reply_rows[] = {
    EC_FIELD(TEXT, 0, struct reply, id, "id", NULL, "number of the alert's event"),
    EC_FIELD_ENUM(0, struct reply, beside.state, "state", STATE_WORDS, "what people made of the alert"),
    EC_FIELD(U64, 0, struct reply, beside.version, "state_version", NULL, "for If-Match"),
    EC_FIELD_OPT(TEXT, 0, 0, struct reply, beside.note, "state_note", NULL, "why, in words"),
    EC_FIELD_OPT(TEXT, 0, 1, struct reply, beside.by, "state_by", NULL, "who changed it last"),
    EC_FIELD_OPT(TIME, 0, 2, struct reply, beside.at, "state_at", NULL, "when"),
};
const struct ec_record change_reply = EC_RECORD_PART(struct reply, reply_rows);

struct bulk_reply { struct ec_part part; uint64_t changed; struct ec_list failed; };
struct failed { struct ec_span id, why; };
static const struct ec_row failed_rows[] = {
    EC_FIELD(TEXT, 0, struct failed, id, "id", NULL, "number of the alert's event"),
    EC_FIELD(TEXT, 0, struct failed, why, "detail", NULL, "why it was not changed"),
};
static const struct ec_record failed_record = EC_RECORD_ELEMENT(struct failed, failed_rows);
static const struct ec_row bulk_reply_rows[] = {
    EC_FIELD(U64, 0, struct bulk_reply, changed, "changed", "alerts", "that are now as they were asked to be"),
    EC_FIELD_LIST(&failed_record, struct bulk_reply, failed, "failed", "those that are not"),
};
const struct ec_record bulk_reply = EC_RECORD_PART(struct bulk_reply, bulk_reply_rows);

/* What the body asks for. */
static void read_wish(struct alerts *a, struct ec_req *r, struct change *c)
{
    const struct wish *w = a->http->body(r);
    const struct ec_who *who = a->http->who(r);

    *c = (struct change){ .version = -1, .state = -1, .by = who ? who->name : "", .now_ns = a->host->now(a->host) };
    if (w->part.has >> HAS_STATE & 1)
        c->state = (int32_t)w->state;
    if (w->part.has >> HAS_NOTE & 1) {
        c->note = w->note.len ? (const char *)ec_bytes(&w->part, w->note) : "";
        c->n_note = w->note.len;
    }
}

/* If-Match: "3" or * (RFC 9110 §13.1.1). False: it is neither. */
static bool read_match(const char *header, int64_t *version)
{
    uint64_t v;
    size_t n = header ? strlen(header) : 0;

    if (!header || !strcmp(header, "*"))
        return true;
    if (n < 3 || *header != '"' || header[n - 1] != '"' || !event_number(header + 1, (uint32_t)n - 2, &v))
        return false;
    *version = v > INT64_MAX ? INT64_MAX : (int64_t)v;
    return true;
}

static const char *reason(int32_t err)
{
    switch (err) {
    case EC_ENOENT:
        return "there is no such alert";
    case EC_EPERM:
        return "the alert's state was changed by somebody else: read it again";
    case EC_EAGAIN:
    case EC_EEXIST:
        return "the alert's state is being changed by somebody else: read it again";
    case EC_ELIMIT:
        return "100000 alerts are acknowledged already; close some of them";
    default:
        return "the store cannot be written at the moment";
    }
}

int32_t alerts_failed(struct alerts *a, struct ec_req *r, int32_t err)
{
    static const struct { int32_t err; uint32_t status; } known[] = {
        { EC_ENOENT, 404 }, { EC_EPERM, 412 }, { EC_EAGAIN, 409 }, { EC_EEXIST, 409 }, { EC_ELIMIT, 409 },
    };

    for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].err == err)
            return a->http->error(r, known[i].status, reason(err));
    EC_LOG(a->host, EC_LOG_ERROR, "the state of an alert could not be written (error %d)", (int)err);
    return a->http->error(r, 503, reason(err));
}

static int32_t change_one(struct alerts *a, struct ec_req *r, const struct change *c)
{
    struct changed done;
    int32_t err = states_change(a->states, c, &done);

    if (!err) {
        state_tell(a, c->event, &done, c->note, c->n_note, c->by);
        state_audit(a, r, c->event, &done, c->note, c->n_note);
    }
    return err;
}

static void reply_one(struct alerts *a, struct ec_req *r, uint64_t event)
{
    union { uint64_t align; uint8_t bytes[8192]; } room = { .bytes = { 0 } };
    struct ec_build b = { .base = room.bytes, .cap = sizeof room };
    char id[24], tag[24];
    struct reply *to;

    ec_grow(&b, sizeof(struct ec_event));
    to = ec_add(&b, 0, sizeof *to);
    snprintf(id, sizeof id, "%" PRIu64, event);
    to->id = ec_puts(&b, id);
    beside_fill(&b, &to->beside, states_hold(a->states, event));
    states_release(a->states);
    snprintf(tag, sizeof tag, "\"%" PRIu64 "\"", to->beside.version);
    a->http->set_header(r, "ETag", tag);
    a->http->reply(r, 200, &to->beside.part);
}

static void change_work(struct ec_req *r, void *arg)
{
    struct alerts *a = arg;
    struct change c;
    int32_t err;

    read_wish(a, r, &c);
    c.event = ((const struct one *)a->http->param(r))->id;
    if (!read_match(a->http->header(r, "If-Match"), &c.version)) {
        a->http->invalid(r, "header.If-Match", "value_error", "It has to be an alert's ETag, such as \"3\", or *");
        return;
    }
    if ((err = change_one(a, r, &c)))
        alerts_failed(a, r, err);
    else
        reply_one(a, r, c.event);
}

static const struct ec_span *bulk_id(const struct wish *w, uint32_t i)
{
    return (const struct ec_span *)(const void *)((const char *)w + w->ids.off + (size_t)i * w->ids.stride);
}

static void note_failed(struct ec_build *b, struct failed *f, const char *id, uint32_t n, int32_t err)
{
    f->id = ec_put(b, id, n);
    f->why = ec_puts(b, reason(err));
}

static void bulk_work(struct ec_req *r, void *arg)
{
    struct alerts *a = arg;
    const struct wish *w = a->http->body(r);
    uint32_t n = w->ids.n, cap = 4096 + n * 160, bad = 0;
    struct ec_build b = { .base = calloc(1, cap), .cap = cap };
    struct bulk_reply *to;
    struct failed *failed;
    struct change c;

    if (!b.base) {
        a->http->error(r, 503, "out of memory");
        return;
    }
    ec_grow(&b, sizeof(struct ec_event));
    to = ec_add(&b, 0, sizeof *to);
    failed = ec_rows(&b, &to->failed, n, sizeof *failed);
    read_wish(a, r, &c);
    for (uint32_t i = 0; i < n; i++) {
        const char *id = (const char *)ec_bytes(&w->part, *bulk_id(w, i));
        int32_t err = event_number(id, bulk_id(w, i)->len, &c.event) ? change_one(a, r, &c) : EC_ENOENT;

        if (err)
            note_failed(&b, &failed[bad++], id, bulk_id(w, i)->len, err);
    }
    to->changed = n - bad;
    to->failed.n = bad;
    a->http->reply(r, 200, &to->part);
    free(b.base);
}

/* 0; else it was answered. */
static int refused(struct alerts *a, struct ec_req *r)
{
    const struct wish *w = a->http->body(r);

    if (!a->states || !states_ready(a->states))
        return a->http->error(r, 503, "no states of alerts are kept: there is no store, or it could not be read"), 1;
    if (!(w->part.has & (1u << HAS_STATE | 1u << HAS_NOTE)))
        return a->http->invalid(r, "body", "missing", "A state or a note is required"), 1;
    return 0;
}

int32_t alerts_change(void *self, const void *state, struct ec_req *r)
{
    struct alerts *a = self;

    (void)state;
    if (refused(a, r))
        return EC_OK;
    return a->http->work(r, change_work, a) ? EC_OK : EC_EAGAIN;
}

int32_t alerts_bulk(void *self, const void *state, struct ec_req *r)
{
    struct alerts *a = self;
    const struct wish *w = a->http->body(r);

    (void)state;
    if (refused(a, r))
        return EC_OK;
    if (!w->ids.n)
        return a->http->invalid(r, "body.ids", "too_short", "List should have at least 1 item after validation, not 0");
    if (w->ids.n > BULK_MAX)
        return a->http->invalid(r, "body.ids", "too_long", "List should have at most 1000 items after validation");
    return a->http->work(r, bulk_work, a) ? EC_OK : EC_EAGAIN;
}
