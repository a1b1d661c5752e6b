/* http.c: the HTTP/1 protocol. */
#include "http.h"

#include <string.h>

#include "connection.h"
#include "events.h"
#include "record.h"

#define PROBE_MAX 1024              /* a request line that is longer is judged by its method */

static bool is_token(uint8_t ch) { return (ch >= 'A' && ch <= 'Z') || ch == '-' || ch == '_'; }

static bool known_method(const uint8_t *d, uint32_t n)
{
    static const char *const methods[] = { "GET", "POST", "HEAD", "PUT", "OPTIONS", "DELETE", "CONNECT", "TRACE",
                                           "PATCH", "PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK",
                                           "REPORT", "SEARCH", "SUBSCRIBE", "NOTIFY", "M-SEARCH" };

    for (unsigned i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (strlen(methods[i]) == n && !memcmp(methods[i], d, n))
            return true;
    return false;
}

static int32_t probe_request(const uint8_t *d, uint32_t n)
{
    const uint8_t *eol = memchr(d, '\n', n), *version;
    uint32_t method = 0;

    while (method < n && method < 32 && is_token(d[method]))
        method++;
    if (method == n && n < 32)
        return EC_MORE;
    if (!method || method == 32 || d[method] != ' ')
        return EC_NO;
    if (!eol)
        return known_method(d, method) && n > method + 1 ? EC_YES : n < PROBE_MAX ? EC_MORE : EC_NO;
    version = memmem(d + method, (size_t)(eol - d) - method, " HTTP/", 6);
    /* Without a version it is HTTP/0.9, or somebody hopes that we do not look. */
    return version || (known_method(d, method) && d[method + 1] == '/') ? EC_YES : EC_NO;
}

static int32_t http_probe(const uint8_t *d, uint32_t n, uint32_t dir)
{
    static const char status[] = "HTTP/1.";
    uint32_t have = n < sizeof status - 1 ? n : (uint32_t)sizeof status - 1;

    if (!n)
        return EC_MORE;
    if (dir == EC_TO_SERVER)
        return probe_request(d, n);
    if (memcmp(d, status, have))
        return EC_NO;
    return have == sizeof status - 1 ? EC_YES : EC_MORE;
}

static int64_t http_parse(void *self, struct ec_pctx *c, void *state, const struct ec_chunk *k)
{
    (void)self;
    return connection_data(state, c, k);
}

static int32_t http_tx_record(void *self, const struct ec_tx *x, uint32_t topic, struct ec_build *b)
{
    (void)self;
    return http_record(x->mem, topic, b);
}

static void http_tx_drop(void *self, void *tx)
{
    (void)self;
    transaction_drop(tx);
}

static void http_state_drop(void *self, void *state)
{
    (void)self;
    connection_drop(state);
}

static const struct ec_proto http = {
    .size = sizeof(struct ec_proto),
    .flags = EC_PROTO_CLIENT_FIRST,
    .name = "http",
    .hints = "tcp/80,8080,8000,3128",
    .topic = "ec.http/1",
    .state_bytes = sizeof(struct http_state),
    .tx_bytes = sizeof(struct http_tx),
    .n_buf = HTTP_SLOTS,
    .buf_stride = sizeof(struct ec_bufdef),
    .buf = http_buffers,
    .n_anomaly = HTTP_EVENTS,
    .anomaly = http_events,
    .probe = http_probe,
    .parse = http_parse,
    .record = http_tx_record,
    .tx_drop = http_tx_drop,
    .state_drop = http_state_drop,
};

int32_t http_register(const struct ec_host *h, const struct ec_traffic *t, void *t_self)
{
    uint32_t topic, id;
    int32_t err = connection_setup(t);

    if (!err)
        err = h->topic(h, &http_topic, &topic);
    return err ? err : t->proto(t_self, h, &http, NULL, &id);
}
