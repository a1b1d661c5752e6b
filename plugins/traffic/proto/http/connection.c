/* connection.c: one connection: bytes go to libhtp, and its callbacks become steps of transactions. */
#include "connection.h"

#include <stdlib.h>
#include <string.h>

#include "brotli.h"
#include "events.h"

#define FIELD_SOFT 9000             /* bytes of a header or line that libhtp flags, and refuses */
#define FIELD_HARD 18000
#define BOMB_LIMIT 1048576          /* bytes of decompressed body at a ratio over 2048 */
#define LAYERS 4                    /* of content codings that are undone */
#define LZMA_LAYERS 1               /* of these, and the memory for it */
#define LZMA_MEMORY 1048576

static htp_cfg_t *cfg;
static const struct ec_traffic *traffic;

static struct http_tx *of(const htp_tx_t *h) { return h ? htp_tx_get_user_data(h) : NULL; }

static void step(struct http_tx *t, uint32_t dir, uint32_t progress)
{
    traffic->tx_step(t->s->c, t->x, dir, progress);
}

static struct http_tx *begin(struct http_state *s, htp_tx_t *h)
{
    struct http_tx **last = &s->open, *t;
    struct ec_tx *x = s->c ? traffic->tx_begin(s->c) : NULL;

    if (!x)
        return NULL;
    t = x->mem;
    t->x = x;
    t->s = s;
    t->htp = h;
    t->body[0].wire = t->body[1].wire = -1;
    htp_tx_set_user_data(h, t);
    while (*last)
        last = &(*last)->next;
    *last = t;
    return t;
}

/* The transaction of h; libhtp makes up a request for a response that has none. */
static struct http_tx *get(htp_tx_t *h)
{
    struct http_tx *t = of(h);

    return t ? t : begin(htp_connp_get_user_data(h->connp), h);
}

static void report(struct http_tx *t, uint32_t event) { transaction_report(traffic, t, event); }

static void report_flags(struct http_tx *t)
{
    uint64_t bits = events_of_request(t->htp);

    for (uint32_t i = 0; bits >> i; i++)
        if (bits >> i & 1)
            report(t, i);
    for (uint32_t dir = 0; dir < 2; dir++)
        if (t->repeated[dir] &&
            events_repeated_odd(dir == EC_TO_SERVER ? t->htp->request_headers : t->htp->response_headers))
            report(t, events_repetition(dir));
}

static void body_step(struct http_tx *t, uint32_t dir, int whole)
{
    buffers_body(t, dir, whole);
    t->body[dir].unseen = 0;
    step(t, dir, HTTP_AT_BODY);
}

static void end(struct http_tx *t)
{
    struct http_tx **at = &t->s->open;

    for (uint32_t dir = 0; dir < 2; dir++) {
        if (t->body[dir].unseen)
            body_step(t, dir, 0);
        file_end(t, dir, false);
    }
    while (*at && *at != t)
        at = &(*at)->next;
    if (*at)
        *at = t->next;
    report_flags(t);
    htp_tx_set_user_data(t->htp, NULL);
    traffic->tx_end(t->s->c, t->x);
}

static int on_request_line(htp_tx_t *h)
{
    struct http_tx *t = get(h);

    if (t) {
        buffers_request_line(t);
        if (h->is_protocol_0_9)
            report(t, events_missing_protocol());
        step(t, EC_TO_SERVER, HTTP_AT_LINE);
    }
    return HTP_OK;
}

static int on_headers(htp_tx_t *h, uint32_t dir)
{
    struct http_tx *t = get(h);

    if (t) {
        buffers_headers(t, dir);
        step(t, dir, HTTP_AT_HEADERS);
    }
    return HTP_OK;
}

static int on_request_headers(htp_tx_t *h) { return on_headers(h, EC_TO_SERVER); }
static int on_response_headers(htp_tx_t *h) { return on_headers(h, EC_TO_CLIENT); }

/* libhtp takes what answers a request of HTTP/0.9 for a bare body. A status line says that the server read another
 * version. */
static int on_response_start(htp_tx_t *h)
{
    static const char version[] = "HTTP/1.";
    const struct http_state *s = htp_connp_get_user_data(h->connp);
    size_t at = htp_connp_res_data_consumed(h->connp);

    if (h->is_protocol_0_9 && s->k && s->k->dir == EC_TO_CLIENT && s->k->len >= at + sizeof version - 1
        && !memcmp(s->k->data + at, version, sizeof version - 1))
        htp_tx_req_set_protocol_0_9(h, 0);
    return HTP_OK;
}

static int on_response_line(htp_tx_t *h)
{
    struct http_tx *t = get(h);

    if (t) {
        buffers_response_line(t);
        step(t, EC_TO_CLIENT, HTTP_AT_LINE);
    }
    return HTP_OK;
}

/* p: NULL where bytes are missing. verbatim: they may stand on the wire like this. */
static void body_data(struct http_tx *t, uint32_t dir, const uint8_t *p, size_t len, bool verbatim)
{
    size_t left = p ? len : 0;

    file_data(t, dir, p, len);
    while (left) {
        struct http_body *b = &t->body[dir];
        uint32_t n = body_room(b);
        if (n > left)
            n = (uint32_t)left;
        body_add(b, p, n, verbatim ? transaction_wire(t->s, dir, p, n) : -1);
        p += n;
        left -= n;
        buffers_body(t, dir, 0);    /* the window may have moved */
        if (b->unseen >= BODY_STEP || !body_room(b))
            body_step(t, dir, 0);
        if (!body_room(b)) {
            body_slide(b);
            buffers_body(t, dir, 0);
        }
    }
}

static void decoded(void *arg, const uint8_t *p, size_t n)
{
    body_data(arg, EC_TO_CLIENT, p, n, false);
}

/* Is the body coded as libhtp does not undo it? */
static struct brotli *coding_open(const htp_tx_t *h)
{
    const htp_header_t *coding = NULL;

    if (h->response_content_encoding == HTP_COMPRESSION_NONE)
        coding = TEXT_HEADER(h->response_headers, "content-encoding");
    return coding && !bstr_cmp_c_nocase(coding->value, "br") ? brotli_open() : NULL;
}

/* False: the bytes are to be taken as they are. */
static bool undo_brotli(struct http_tx *t, const htp_tx_data_t *d)
{
    enum brotli_result result;

    if (!t->coding_known)
        t->brotli = coding_open(t->htp);
    t->coding_known = true;
    if (!t->brotli || !d->len)
        return false;
    result = d->data ? brotli_feed(t->brotli, d->data, d->len, decoded, t) : BROTLI_FINE;
    if (d->data && result == BROTLI_FINE)
        return true;
    if (result != BROTLI_FINE)
        report(t, result == BROTLI_BOMB ? events_bomb() : events_brotli());
    brotli_close(t->brotli);        /* behind a hole nothing can be read, either */
    t->brotli = NULL;
    return false;
}

static int on_body(htp_tx_data_t *d, uint32_t dir)
{
    struct http_tx *t = get(d->tx);

    if (t && !(dir == EC_TO_CLIENT && undo_brotli(t, d)))
        body_data(t, dir, d->data, d->len, true);
    return HTP_OK;
}

static int on_request_body(htp_tx_data_t *d) { return on_body(d, EC_TO_SERVER); }
static int on_response_body(htp_tx_data_t *d) { return on_body(d, EC_TO_CLIENT); }

/* The connection ended within the headers: what came of them is inspected all the same. */
static void late_headers(struct http_tx *t, uint32_t dir)
{
    const htp_table_t *table = dir == EC_TO_SERVER ? t->htp->request_headers : t->htp->response_headers;

    if (t->x->progress[dir] >= HTTP_AT_LINE && t->x->progress[dir] < HTTP_AT_HEADERS && htp_table_size(table))
        on_headers(t->htp, dir);
}

static int on_complete(htp_tx_t *h, uint32_t dir)
{
    struct http_tx *t = of(h);

    if (!t)
        return HTP_OK;
    late_headers(t, dir);
    if (t->body[dir].unseen)
        body_step(t, dir, 1);
    step(t, dir, HTTP_AT_END);
    file_end(t, dir, !t->s->cut);
    return HTP_OK;
}

static int on_request_complete(htp_tx_t *h) { return on_complete(h, EC_TO_SERVER); }

static int on_response_complete(htp_tx_t *h)
{
    struct http_state *s = htp_connp_get_user_data(h->connp);

    on_complete(h, EC_TO_CLIENT);
    /* RFC 9110 §9.3.6: what follows is a tunnel, whatever it may look like. */
    s->tunnel = h->request_method_number == HTP_M_CONNECT && h->response_status_number / 100 == 2;
    return s->tunnel ? HTP_STOP : HTP_OK;
}

static int on_transaction_complete(htp_tx_t *h)
{
    struct http_tx *t = of(h);

    if (t)
        end(t);
    return HTP_OK;
}

static int on_log(htp_log_t *log)
{
    struct http_state *s = htp_connp_get_user_data(log->connp);
    struct http_tx *t;
    int event;

    if (!s || !s->c || s->tunnel || !log->msg)
        return HTP_OK;
    if ((event = events_of_message(log->msg, (int)log->level, s->k->dir)) < 0)
        return HTP_OK;
    /* It does not say itself of which. */
    t = of(s->k->dir == EC_TO_SERVER ? htp_connp_get_in_tx(s->connp) : htp_connp_get_out_tx(s->connp));
    s->told |= log->level == HTP_LOG_ERROR;
    if (events_repeated(event)) {
        if (t)
            t->repeated[s->k->dir] = true;      /* of which, is known when it is entered */
        return HTP_OK;
    }
    if (t)
        report(t, (uint32_t)event);
    else
        traffic->anomaly(s->c, NULL, (uint32_t)event);
    return HTP_OK;
}

/* libhtp keeps what it has said until the connection ends, however long that goes on. */
static void forget_messages(const struct http_state *s)
{
    htp_conn_t *conn = htp_connp_get_connection(s->connp);
    htp_log_t *log;

    while (conn && conn->messages && (log = htp_list_pop(conn->messages))) {
        free((void *)(uintptr_t)log->msg);
        free(log);
    }
}

static void set_limits(void)
{
    htp_config_set_tx_auto_destroy(cfg, 1);
    htp_config_set_field_limits(cfg, FIELD_SOFT, FIELD_HARD);
    htp_config_set_compression_bomb_limit(cfg, BOMB_LIMIT);
    htp_config_set_response_decompression_layer_limit(cfg, LAYERS);
    htp_config_set_lzma_layers(cfg, LZMA_LAYERS);
    htp_config_set_lzma_memlimit(cfg, LZMA_MEMORY);
    htp_config_set_parse_request_auth(cfg, 0);
    htp_config_set_parse_request_cookies(cfg, 0);
    htp_config_set_plusspace_decode(cfg, HTP_DECODER_URLENCODED, 0);
    /* The IDS personality writes paths in small letters, but rules tell /SFX from /sfx. */
    htp_config_set_convert_lowercase(cfg, HTP_DECODER_URL_PATH, 0);
    htp_config_set_log_level(cfg, HTP_LOG_WARNING);
}

int32_t connection_setup(const struct ec_traffic *t)
{
    traffic = t;
    file_setup(t);
    if (cfg)
        return EC_OK;
    if (!(cfg = htp_config_create()))
        return EC_ENOMEM;
    htp_config_set_server_personality(cfg, HTP_SERVER_IDS);
    set_limits();
    htp_config_register_request_line(cfg, on_request_line);
    htp_config_register_request_headers(cfg, on_request_headers);
    htp_config_register_request_body_data(cfg, on_request_body);
    htp_config_register_request_complete(cfg, on_request_complete);
    htp_config_register_response_start(cfg, on_response_start);
    htp_config_register_response_line(cfg, on_response_line);
    htp_config_register_response_headers(cfg, on_response_headers);
    htp_config_register_response_body_data(cfg, on_response_body);
    htp_config_register_response_complete(cfg, on_response_complete);
    htp_config_register_transaction_complete(cfg, on_transaction_complete);
    htp_config_register_log(cfg, on_log);
    return EC_OK;
}

static bool open_connection(struct http_state *s)
{
    if (s->connp)
        return true;
    if (!(s->connp = htp_connp_create(cfg)))
        return false;
    htp_connp_set_user_data(s->connp, s);
    htp_connp_open(s->connp, NULL, 0, NULL, 0, NULL);
    return true;
}

static int feed(struct http_state *s, uint32_t dir, const uint8_t *d, size_t n)
{
    return dir == EC_TO_SERVER ? htp_connp_req_data(s->connp, NULL, d, n) : htp_connp_res_data(s->connp, NULL, d, n);
}

static void finish_all(struct http_state *s)
{
    while (s->open)
        end(s->open);
}

/* What libhtp took of the chunk, and the line ends behind it, which no protocol begins with. */
static int64_t consumed(const struct http_state *s, const struct ec_chunk *k)
{
    size_t n = k->dir == EC_TO_SERVER ? htp_connp_req_data_consumed(s->connp) : htp_connp_res_data_consumed(s->connp);

    while (n < k->len && (k->data[n] == '\r' || k->data[n] == '\n'))
        n++;
    return (int64_t)n;
}

/* What follows belongs to another protocol. */
static int64_t leave(struct http_state *s, const struct ec_chunk *k)
{
    finish_all(s);
    traffic->upgrade(s->c, NULL);
    return consumed(s, k);
}

static int64_t verdict(struct http_state *s, int status, const struct ec_chunk *k)
{
    if (s->tunnel)
        return leave(s, k);
    switch (status) {
    case HTP_STREAM_DATA_OTHER:
        return consumed(s, k);
    case HTP_STREAM_TUNNEL:
        return leave(s, k);
    case HTP_STREAM_ERROR: case HTP_STREAM_STOP:
        if (!s->told)
            traffic->anomaly(s->c, s->open ? s->open->x : NULL, events_unknown());
        finish_all(s);
        return EC_EINVAL;
    default:
        return k->len;
    }
}

static void close_side(struct http_state *s, const struct ec_chunk *k)
{
    s->closed[k->dir] = true;
    s->cut = k->flags & EC_CH_CUT;
    if (k->dir == EC_TO_SERVER)
        htp_connp_req_close(s->connp, NULL);
    else
        htp_connp_close(s->connp, NULL);
    s->cut = false;
    if (s->closed[EC_TO_CLIENT])
        finish_all(s);
}

int64_t connection_data(struct http_state *s, struct ec_pctx *c, const struct ec_chunk *k)
{
    int64_t eaten = 0;

    if (!open_connection(s))
        return EC_ENOMEM;
    s->c = c;
    s->k = k;
    s->searched[k->dir] = 0;
    if ((k->flags & EC_CH_GAP) && k->missing)
        eaten = verdict(s, feed(s, k->dir, NULL, (size_t)k->missing), k);
    if (eaten >= 0 && k->len && !s->tunnel)
        eaten = verdict(s, feed(s, k->dir, k->data, k->len), k);
    if (eaten >= 0 && (k->flags & EC_CH_END) && !s->tunnel)
        close_side(s, k);
    forget_messages(s);
    s->c = NULL;
    s->k = NULL;
    return eaten > (int64_t)k->len ? (int64_t)k->len : eaten;
}

void connection_drop(struct http_state *s)
{
    if (s->connp)
        htp_connp_destroy_all(s->connp);
    s->connp = NULL;
    free(s->whole);
    s->whole = NULL;
}
