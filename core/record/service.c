#include "core/record/service.h"

#include "core/record/read.h"
#include "core/record/shape.h"
#include "core/record/writer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct record_service {
    const struct ec_host *host;
    struct shapes *shapes;
    pthread_mutex_t lock;
    struct writer *writer; /* atomic; made with the first event, when all topics are there */
};

struct record_service *record_service_new(const struct ec_host *h)
{
    struct record_service *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->host = h;
    pthread_mutex_init(&s->lock, NULL);
    s->shapes = shapes_new(h);
    if (s->shapes)
        return s;
    record_service_free(s);
    return NULL;
}

void record_service_reset(struct record_service *s)
{
    writer_free(s->writer);
    s->writer = NULL;
}

void record_service_free(struct record_service *s)
{
    if (!s)
        return;
    record_service_reset(s);
    shapes_free(s->shapes);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static const struct writer *writer_make(struct record_service *s)
{
    const char *topic;
    struct writer *w;

    pthread_mutex_lock(&s->lock);
    if (!(w = s->writer) && (w = writer_new(s->host, s->shapes, &topic)))
        __atomic_store_n(&s->writer, w, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&s->lock);
    return w;
}

/* What stands in j is what `to` is to get. */
static int64_t hand_over(struct json *j, char *to, uint64_t cap)
{
    size_t n = json_length(j);

    if (j->base != to && cap)
        memcpy(to, j->base, n < cap ? n : cap);
    json_free(j);
    return (int64_t)n;
}

static int64_t service_event(void *self, const struct ec_event *ev, uint32_t flags, char *to,
                             uint64_t cap, uint32_t *bad)
{
    struct record_service *s = self;
    const struct writer *w = __atomic_load_n(&s->writer, __ATOMIC_ACQUIRE);
    enum writer_result result;
    struct json j;

    if (!w && !(w = writer_make(s)))
        return EC_ENOMEM;
    json_lend(&j, to, cap);
    j.secrets = flags & EC_JSON_SECRETS;
    result = writer_event(w, &j, ev);
    if (bad)
        *bad = result == WRITER_MALFORMED;
    if (result != WRITER_FAILED)
        return hand_over(&j, to, cap);
    json_free(&j);
    return EC_EINVAL;
}

static int64_t service_part(void *self, const struct ec_shape *s, const struct ec_part *p,
                            uint32_t flags, char *to, uint64_t cap)
{
    struct json j;

    (void)self;
    if (p->size < s->tree->bytes || p->total < p->size)
        return EC_EINVAL;
    json_lend(&j, to, cap);
    j.secrets = flags & EC_JSON_SECRETS;
    j.lists = flags & EC_JSON_LISTS;
    json_open(&j, "", 0, '{');
    program_run(s->program, &j, p);
    json_close(&j, 0, '}', true);
    if (j.failed) {
        json_free(&j);
        return EC_ENOMEM;
    }
    j.at--; /* the comma behind it */
    return hand_over(&j, to, cap);
}

static const struct ec_shape *service_shape(void *self, const struct ec_record *r)
{
    struct record_service *s = self;

    return shapes_get(s->shapes, r);
}

static int32_t service_read(void *self, const struct ec_shape *s, const char *json, uint64_t len,
                            uint32_t flags, struct ec_part *to, uint32_t cap,
                            ec_json_error_fn *error, void *arg)
{
    struct record_service *service = self;

    return read_document(service->host, s, json, len, flags, to, cap, error, arg);
}

const struct ec_json record_json = {
    .size = sizeof record_json,
    .shape = service_shape,
    .event = service_event,
    .part = service_part,
    .read = service_read,
};
