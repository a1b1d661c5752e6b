/* http: the HTTP server. This file is the glue: options, metrics, and the service that other plugins declare their
 * routes with. */
#include "plugins/http/config.h"
#include "plugins/http/own.h"
#include "plugins/http/request.h"
#include "plugins/http/server.h"
#include "plugins/http/tls.h"
#include "plugins/http/upgrade.h"
#include "plugins/http/visible.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define SECOND INT64_C(1000000000)
#define KIB INT64_C(1024)
#define BEAT_NS (15 * (uint64_t)SECOND)

static const struct ec_row option_rows[] = {
    EC_OPTION(TEXT, 0, "listen", "127.0.0.1:8000", 1, 60, NULL, "address and port; none: only the Unix socket"),
    EC_OPTION(BOOL, 0, "plain", "false", 0, 0, NULL,
              "allow http.listen off loopback, though passwords then cross the network in the clear"),
    EC_OPTION(TEXT, EC_R_PATH, "tls_cert", NULL, 1, 511, NULL,
              "certificate chain (PEM): http.listen then speaks HTTPS. A new file is taken within 15 s"),
    EC_OPTION(TEXT, EC_R_PATH, "tls_key", NULL, 1, 511, NULL, "its private key (PEM), readable by the daemon"),
    EC_OPTION(TEXT, EC_R_PATH, "client_ca", NULL, 1, 511, NULL,
              "authorities (PEM) whose certificates clients may show; the audit log then has their names"),
    EC_OPTION_ENUM(0, "client_cert", "optional,required", "optional",
                   "required: who shows none is not answered by HTTPS; it replaces no log-in"),
    EC_OPTION(TEXT, 0, "redirect", NULL, 1, 60, NULL,
              "address and port where plain HTTP is answered with the place of HTTPS (308), such as 0.0.0.0:80"),
    EC_OPTION(DURATION, 0, "hsts", "0s", 0, 63072000 * SECOND, NULL,
              "Strict-Transport-Security: for so long browsers use HTTPS only; 0: it is not said"),
    EC_OPTION(TEXT, EC_R_LIST, "cors_origins", NULL, 1, 255, NULL,
              "pages of these origins may use the API, such as https://desk.example; '*': of any"),
    EC_OPTION(TEXT, EC_R_PATH, "socket", NULL, 1, 107, NULL,
              "Unix socket for ecyberctl; unset: " ECYBER_RUNDIR "/api.sock"),
    EC_OPTION(U32, 0, "connections", "1024", 8, 100000, "connections", "at once; more wait in the kernel"),
    EC_OPTION(U32, 0, "connections_per_client", "256", 0, 100000, "connections",
              "of one address (IPv6: of one /64), except loopback and trusted proxies; 0: as many as there are"),
    EC_OPTION(TEXT, EC_R_LIST, "trusted_proxies", NULL, 1, 49, NULL,
              "addresses and networks whose word about their clients is taken"),
    EC_OPTION_ENUM(0, "proxy_header", "x-forwarded-for,forwarded", "x-forwarded-for",
                   "where they say it; the other one is not looked at, for a client may have written it"),
    EC_OPTION(SIZE, 0, "head_max", "16KiB", KIB, 1024 * KIB, "bytes", "request line and headers"),
    EC_OPTION(SIZE, 0, "body_max", "1MiB", KIB, 64 * KIB * KIB, "bytes", "body of a request"),
    EC_OPTION(SIZE, 0, "bodies_max", "64MiB", 64 * KIB, 64 * KIB * KIB * KIB, "bytes",
              "of bodies over 16 KiB on their way at once; then 503. Such a body needs a valid token"),
    EC_OPTION(DURATION, 0, "request_timeout", "10s", SECOND / 10, 600 * SECOND, NULL,
              "for a whole request to arrive, from its first byte on"),
    EC_OPTION(DURATION, 0, "idle_timeout", "60s", SECOND / 10, 3600 * SECOND, NULL,
              "between two requests of a connection"),
    EC_OPTION(DURATION, 0, "write_timeout", "20s", SECOND / 10, 600 * SECOND, NULL,
              "in which a client has to take 64 KiB of a reply, or the rest of it"),
    EC_OPTION(DURATION, 0, "answer_timeout", "30s", SECOND / 10, 3600 * SECOND, NULL,
              "for a plugin to answer, where its route does not say; then 503"),
    EC_OPTION(U32, 0, "stream_clients", "64", 0, 10000, "clients", "that follow live events"),
    EC_OPTION(U32, 0, "streams_per_user", "8", 1, 10000, "clients", "of one user among them"),
    EC_OPTION(SIZE, 0, "stream_buffer", "1MiB", 64 * KIB, 64 * KIB * KIB, "bytes",
              "that may wait for one of them; then its events are dropped, and it is told how many"),
};
static const struct ec_record options = EC_RECORD_OPTIONS(option_rows);

#define COUNTER(name, unit, help) { (uint32_t)sizeof(struct ec_metric), EC_METRIC_COUNTER, (name), (unit), (help) }
#define GAUGE(name, unit, help) { (uint32_t)sizeof(struct ec_metric), EC_METRIC_GAUGE, (name), (unit), (help) }
static const struct ec_metric metrics[METRICS] = {
    [M_2XX] = COUNTER("requests.2xx", "requests", "answered with success"),
    [M_3XX] = COUNTER("requests.3xx", "requests", "answered with a redirection, or 'not modified'"),
    [M_4XX] = COUNTER("requests.4xx", "requests", "answered with an error of the client"),
    [M_5XX] = COUNTER("requests.5xx", "requests", "answered with an error of the server"),
    [M_CONNECTIONS] = COUNTER("connections", "connections", "taken"),
    [M_OPEN] = GAUGE("connections_open", "connections", "open now"),
    [M_BYTES_IN] = COUNTER("bytes_in", "bytes", "of whole requests"),
    [M_BYTES_OUT] = COUNTER("bytes_out", "bytes", "written"),
    [M_MALFORMED] = COUNTER("refused.malformed", "requests", "refused, because they are no HTTP or too large"),
    [M_LATE] = COUNTER("refused.late", "requests", "refused, because they did not arrive in time"),
    [M_BODIES] = COUNTER("refused.bodies", "requests",
                         "with a large body refused: nobody known sent it, or too many were on their way"),
    [M_TLS_FAILED] = COUNTER("tls_failed", "connections",
                             "closed, because what came was no TLS, or none that is taken"),
    [M_END_LEFT] = COUNTER("closed.client", "connections", "closed by the client, or after its last request"),
    [M_END_IDLE] = COUNTER("closed.idle", "connections", "closed, because no further request came"),
    [M_END_SLOW] = COUNTER("closed.slow", "connections", "closed, because a request did not arrive in time"),
    [M_END_STUCK] = COUNTER("closed.stuck", "connections", "closed, because the client did not take its reply"),
    [M_END_CROWDED] = COUNTER("closed.crowded", "connections", "closed at once: their client has too many"),
    [M_END_EVICTED] = COUNTER("closed.evicted", "connections", "closed while idle, to make room for a new one"),
    [M_UPGRADED] = COUNTER("upgraded", "connections", "taken over by another protocol, such as WebSocket"),
    [M_GONE] = COUNTER("gone", "requests", "whose client left before the reply"),
    [M_CUT] = COUNTER("cut", "replies", "that broke off, for their plugin could not go on"),
    [M_TIMEOUT] = COUNTER("unanswered", "requests", "answered with 503, because their plugin took too long"),
    [M_FULL] = COUNTER("full", "times", "that new connections had to wait for others to end"),
    [M_ACCEPT] = COUNTER("accept_errors", "connections",
                         "that could not be taken, most likely for want of descriptors"),
    [M_STREAMS] = GAUGE("stream_clients", "clients", "that follow live events now"),
    [M_STREAM_EVENTS] = COUNTER("stream_events", "events", "sent to clients that follow"),
    [M_STREAM_DROPPED] = COUNTER("stream_dropped", "events", "not sent, because the client did not read fast enough"),
    [M_STREAM_REFUSED] = COUNTER("stream_refused", "clients", "that were one too many"),
    [M_STREAM_MISSED] = COUNTER("stream_missed", "events",
                                "that the bus dropped ahead of the streams: each client is told"),
    [M_KEYS_FORGOTTEN] = COUNTER("keys_forgotten", "answers",
                                 "to an Idempotency-Key that had to go before their day was over"),
};

/* [ctl] setup() of the others */
static int32_t http_route(void *self, const struct ec_host *h, const struct ec_route *r, void *route_self)
{
    struct server *s = self;
    char why[512];
    int32_t err = routes_add(&s->routes, h, r, route_self, why, sizeof why);

    return err ? h->fail(h, err, why) : EC_OK;
}

static int32_t http_asset(void *self, const struct ec_host *h, const struct ec_asset *a)
{
    struct server *s = self;
    char why[512];
    int32_t err = assets_add(&s->assets, a, why, sizeof why);

    return err ? h->fail(h, err, why) : EC_OK;
}

static void *http_loop(void *self)
{
    return ((struct server *)self)->base;
}

static int32_t http_visible(void *self, const char *type, const char *roles)
{
    return visible_type(&((struct server *)self)->routes, type, roles);
}

static const struct ec_http service = {
    .size = sizeof service, .route = http_route, .asset = http_asset,
    .param = request_param, .body = request_body, .who = request_who, .peer = request_peer,
    .certificate = request_certificate, .header = request_header, .set_header = request_set_header,
    .reply = request_part, .json = request_json, .json_take = request_json_take, .error = request_error,
    .invalid = request_invalid_at, .work = request_work, .chunk = request_chunk, .cut = request_cut,
    .raw = upgrade_raw, .bytes = upgrade_bytes, .watch = upgrade_watch, .upgrade = upgrade_take,
    .conn_write = upgrade_write, .conn_waiting = upgrade_waiting, .conn_close = upgrade_close, .loop = http_loop,
    .visible = http_visible, .query = request_query,
    .etag = request_etag, .match = request_match, .dry_run = request_dry_run, .audit = request_audit,
    .upload = request_upload,
};
static const struct ec_offer offers[] = { { sizeof(struct ec_offer), 0, EC_HTTP_ID, &service } };

static const struct ec_use uses[] = {
    { sizeof(struct ec_use), EC_USE_SETUP, sizeof(struct ec_json), 0, EC_JSON_ID },
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_OPTIONAL, sizeof(struct ec_daemon), 0, EC_DAEMON_ID },
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_OPTIONAL, sizeof(struct ec_auth), 0, EC_AUTH_ID },
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_OPTIONAL, sizeof(struct ec_store), 0, EC_STORE_ID },
};

static int32_t http_create(const struct ec_host *h, void **self)
{
    struct server *s = calloc(1, sizeof *s);
    char why[512];
    int32_t err;

    if (!s)
        return h->fail(h, EC_ENOMEM, "out of memory");
    s->host = h;
    pthread_mutex_init(&s->lock, NULL);
    if ((err = own_routes(s, why, sizeof why)) || (err = config_routes(s, why, sizeof why))) {
        routes_free(&s->routes);
        free(s);
        return h->fail(h, err, why);
    }
    *self = s;
    return EC_OK;
}

static void http_destroy(void *self)
{
    struct server *s = self;

    routes_free(&s->routes);
    assets_free(&s->assets);
    text_free(&s->openapi);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static void on_event(void *self, const void *state, const struct ec_event *ev)
{
    (void)state;
    stream_event(self, ev);
}

static void on_beat(void *self, const void *state, uint64_t now_ns)
{
    (void)state;
    (void)now_ns;
    stream_beat(self);
    server_look(self);
}

static int32_t http_setup(void *self)
{
    static const struct ec_sub everything = {
        .size = sizeof everything, .mode = EC_SUB_QUEUED, .capacity = 16384, .overflow = EC_OVF_DROP_OLD, .topic = "*",
        .fn = on_event,
    };
    static const struct ec_timer beat = { sizeof beat, EC_TIMER_WALL, BEAT_NS, on_beat };
    struct server *s = self;
    const struct ec_host *h = s->host;
    int32_t err;

    s->json = h->use(h, EC_JSON_ID, &s->json_self);
    s->daemon = h->use(h, EC_DAEMON_ID, &s->daemon_self);
    s->auth = h->use(h, EC_AUTH_ID, &s->auth_self);
    s->store = h->use(h, EC_STORE_ID, &s->store_self);
    if ((err = h->subscribe(h, &everything)))
        return err;
    return h->timer(h, &beat);
}

static int64_t number(const struct ec_host *h, const struct ec_conf *c, const char *name)
{
    int64_t v = 0;

    h->conf_num(c, name, 0, &v);
    return v;
}

static uint32_t milliseconds(const struct ec_host *h, const struct ec_conf *c, const char *name)
{
    return (uint32_t)(number(h, c, name) / 1000000);
}

static bool is_loopback(const struct sockaddr_storage *a)
{
    const struct sockaddr_in *four = (const void *)a;
    const struct sockaddr_in6 *six = (const void *)a;

    if (a->ss_family == AF_INET)
        return ntohl(four->sin_addr.s_addr) >> 24 == 127;
    return a->ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
}

static int32_t read_listen(const struct ec_host *h, const struct ec_conf *c, struct server_config *o)
{
    const char *listen = h->conf_text(c, "listen", 0), *colon = listen ? strrchr(listen, ':') : NULL;
    struct sockaddr_storage a = { 0 };
    int len = sizeof a;

    if (!listen || !strcmp(listen, "none"))
        return EC_OK;
    if (!colon || evutil_parse_sockaddr_port(listen, (struct sockaddr *)&a, &len) || !atoi(colon + 1))
        return ec_failf(h, EC_EINVAL, "%s: http.listen: '%s' is not ADDRESS:PORT, such as 127.0.0.1:8000 or [::1]:8000",
                        h->conf_where(c, "listen", 0), listen);
    if (!is_loopback(&a) && !*o->tls_cert && !number(h, c, "plain"))
        return ec_failf(h, EC_EINVAL,
                        "%s: http.listen: %s is not on loopback: set http.tls_cert and http.tls_key ('ecyberctl tls "
                        "self-signed' makes both), or http.plain: true and passwords cross the network in the clear",
                        h->conf_where(c, "listen", 0), listen);
    snprintf(o->listen, sizeof o->listen, "%s", listen);
    return EC_OK;
}

static int32_t read_redirect(const struct ec_host *h, const struct ec_conf *c, struct server_config *o)
{
    const char *where = h->conf_text(c, "redirect", 0), *colon = where ? strrchr(where, ':') : NULL;
    struct sockaddr_storage a = { 0 };
    int len = sizeof a;

    if (!where || !strcmp(where, "none"))
        return EC_OK;
    if (!colon || evutil_parse_sockaddr_port(where, (struct sockaddr *)&a, &len) || !atoi(colon + 1))
        return ec_failf(h, EC_EINVAL, "%s: http.redirect: '%s' is not ADDRESS:PORT, such as 0.0.0.0:80 or [::]:80",
                        h->conf_where(c, "redirect", 0), where);
    if (!*o->tls_cert || !*o->listen)
        return ec_failf(h, EC_EINVAL, "%s: http.redirect leads to HTTPS: set http.tls_cert, http.tls_key, http.listen",
                        h->conf_where(c, "redirect", 0));
    snprintf(o->redirect, sizeof o->redirect, "%s", where);
    return EC_OK;
}

static int32_t read_cors(const struct ec_host *h, const struct ec_conf *c, struct cors *o)
{
    for (uint32_t i = 0; i < h->conf_count(c, "cors_origins"); i++) {
        const char *origin = h->conf_text(c, "cors_origins", i);

        if (!cors_is_origin(origin) || o->n == CORS_ORIGINS)
            return ec_failf(h, EC_EINVAL, "%s: http.cors_origins: '%s' %s", h->conf_where(c, "cors_origins", i), origin,
                            o->n == CORS_ORIGINS ? "is one too many: 32 at most"
                                                 : "is no origin, such as https://desk.example or "
                                                   "http://10.0.0.7:3000");
        if (!strcmp(origin, "*"))
            o->any = true;
        else if (!(o->origin[o->n++] = strdup(origin)))
            return h->fail(h, EC_ENOMEM, "out of memory");
    }
    return EC_OK;
}

static int32_t read_proxies(const struct ec_host *h, const struct ec_conf *c, struct proxies *o)
{
    for (uint32_t i = 0; i < h->conf_count(c, "trusted_proxies"); i++) {
        const char *text = h->conf_text(c, "trusted_proxies", i);

        if (o->n == PROXIES || !net_read(text, &o->net[o->n]))
            return ec_failf(h, EC_EINVAL, "%s: http.trusted_proxies: '%s' %s", h->conf_where(c, "trusted_proxies", i),
                            text, o->n == PROXIES ? "is one too many: 32 at most"
                                                  : "is no address and no network, such as 10.0.0.7 or fd00::/8");
        o->n++;
    }
    o->forwarded = number(h, c, "proxy_header") == 1;
    return EC_OK;
}

static int32_t read_tls(const struct ec_host *h, const struct ec_conf *c, struct server_config *o)
{
    const char *cert = h->conf_text(c, "tls_cert", 0), *key = h->conf_text(c, "tls_key", 0);
    const struct tls_files files = { cert, key, h->conf_text(c, "client_ca", 0), number(h, c, "client_cert") == 1 };
    struct tls *tls;
    char why[1200];

    if (!cert != !key)
        return ec_failf(h, EC_EINVAL, "%s: http.%s is missing: TLS needs a certificate and its key",
                        h->conf_where(c, cert ? "tls_cert" : "tls_key", 0), cert ? "tls_key" : "tls_cert");
    snprintf(o->tls_cert, sizeof o->tls_cert, "%s", cert ? cert : "");
    snprintf(o->tls_key, sizeof o->tls_key, "%s", key ? key : "");
    snprintf(o->client_ca, sizeof o->client_ca, "%s", files.client_ca ? files.client_ca : "");
    o->client_must = files.client_must;
    if (files.client_must && !files.client_ca)
        return ec_failf(h, EC_EINVAL, "%s: http.client_cert: required needs http.client_ca",
                        h->conf_where(c, "client_cert", 0));
    if (files.client_ca && !cert)
        return ec_failf(h, EC_EINVAL, "%s: http.client_ca is for HTTPS: set http.tls_cert and http.tls_key",
                        h->conf_where(c, "client_ca", 0));
    o->hsts_s = cert ? (uint64_t)(number(h, c, "hsts") / SECOND) : 0;
    if (!cert)
        return EC_OK;
    if (!(tls = tls_new(&files, why, sizeof why)))
        return ec_failf(h, EC_EINVAL, "%s: %s", h->conf_where(c, "tls_cert", 0), why);
    tls_free(tls);
    return EC_OK;
}

static void config_free(struct server_config *o)
{
    cors_free(&o->cors);
    free(o);
}

static int32_t http_configure(void *self, const struct ec_conf *c, void **state)
{
    struct server *s = self;
    const struct ec_host *h = s->host;
    struct server_config *o = calloc(1, sizeof *o);
    const char *socket = h->conf_text(c, "socket", 0);
    int32_t err;

    if (!o)
        return h->fail(h, EC_ENOMEM, "out of memory");
    if ((err = read_tls(h, c, o)) || (err = read_listen(h, c, o)) || (err = read_redirect(h, c, o)) ||
        (err = read_cors(h, c, &o->cors)) ||
        (err = read_proxies(h, c, &o->guard.proxies))) {
        config_free(o);
        return err;
    }
    o->socket_given = socket != NULL;
    snprintf(o->socket, sizeof o->socket, "%s", socket ? socket : ECYBER_RUNDIR "/api.sock");
    o->guard.limits = (struct head_limits){ .head = (uint32_t)number(h, c, "head_max"), .target = 8192, .fields = 100,
                                            .body = (uint64_t)number(h, c, "body_max") };
    o->guard.bodies = (uint64_t)number(h, c, "bodies_max");
    o->guard.body = o->guard.limits.body;
    if (o->guard.bodies < o->guard.body)
        o->guard.bodies = o->guard.body;
    o->guard.connections = (uint32_t)number(h, c, "connections");
    o->guard.per_client = (uint32_t)number(h, c, "connections_per_client");
    o->guard.request_ms = milliseconds(h, c, "request_timeout");
    o->guard.idle_ms = milliseconds(h, c, "idle_timeout");
    o->guard.write_ms = milliseconds(h, c, "write_timeout");
    o->deadline_ms = milliseconds(h, c, "answer_timeout");
    o->stream_clients = (uint32_t)number(h, c, "stream_clients");
    o->streams_per_user = (uint32_t)number(h, c, "streams_per_user");
    o->stream_buffer = (uint64_t)number(h, c, "stream_buffer");
    *state = o;
    return EC_OK;
}

static void http_state_free(void *self, void *state)
{
    (void)self;
    config_free(state);
}

static int32_t http_start(void *self, const void *state)
{
    struct server *s = self;
    char why[512];
    int32_t err;

    s->c = *(const struct server_config *)state;
    if (s->daemon && s->daemon->passing(s->daemon_self)) {
        EC_LOG(s->host, EC_LOG_DEBUG, "a replay that ends by itself serves nothing; --stay serves what it found");
        return EC_OK;
    }
    s->base = s->host->loop(s->host);
    if (!s->base) {
        EC_LOG(s->host, EC_LOG_DEBUG, "there is no loop with --workers 0, so nothing is served");
        return EC_OK;
    }
    if ((err = server_start(s, why, sizeof why))) {
        server_stop(s);
        return s->host->fail(s->host, err, why);
    }
    if (*s->c.listen)
        EC_LOG(s->host, EC_LOG_INFO, "serves http%s://%s/", s->tls ? "s" : "", s->c.listen);
    if (!s->auth)
        EC_LOG(s->host, EC_LOG_WARNING,
               "no plugin offers ec.auth/1: only public routes and the local socket (root, this user) are answered");
    return EC_OK;
}

static void http_stop(void *self)
{
    server_stop(self);
}

static const struct ec_plugin http = {
    EC_PLUGIN_HEAD,
    .id = "ecyber.http",
    .name = "http",
    .version = "0.1.0",
    .summary = "serves the API, the page, metrics and live events",
    .license = "MIT",
    .n_use = sizeof uses / sizeof uses[0],
    .use_stride = sizeof uses[0],
    .use = uses,
    .n_offer = 1,
    .offer_stride = sizeof offers[0],
    .offer = offers,
    .n_metric = METRICS,
    .metric_stride = sizeof metrics[0],
    .metric = metrics,
    .options = &options,
    .create = http_create,
    .setup = http_setup,
    .configure = http_configure,
    .state_free = http_state_free,
    .start = http_start,
    .stop = http_stop,
    .destroy = http_destroy,
};
EC_PLUGIN(http)
