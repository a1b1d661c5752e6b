#include "plugins/socketio/websocket.h"

#include "plugins/socketio/eio_packet.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/types.h>
#include <wslay/wslay.h>

#define MAGIC "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

#define WAITING_MAX (64u << 20)      /* bytes of answers to pings, should their sender not read */

struct websocket {
    const struct ec_http *http;
    struct ec_conn *conn;           /* NULL: closed */
    wslay_event_context_ptr frames;
    const struct websocket_ops *ops;
    void *arg;
    const uint8_t *in;              /* what has come and is being read */
    size_t in_n;
};

/* Is the word one of a header's comma-separated ones? */
static bool has_token(const char *list, const char *word)
{
    size_t n = strlen(word);

    for (; list && *list; list += strcspn(list, ","), list += *list == ',') {
        list += strspn(list, " \t");
        if (!strncasecmp(list, word, n) && strchr(", \t", list[n]))
            return true;
    }
    return false;
}

bool websocket_wanted(const struct ec_http *http, struct ec_req *r)
{
    const char *key = http->header(r, "Sec-WebSocket-Key"), *version = http->header(r, "Sec-WebSocket-Version");

    return !strcmp(http->raw(r)->method, "GET") && has_token(http->header(r, "Upgrade"), "websocket") &&
           has_token(http->header(r, "Connection"), "upgrade") && key && strlen(key) == 24 && version &&
           !strcmp(version, "13");
}

static bool set_accept(const struct ec_http *http, struct ec_req *r)
{
    struct text key = { 0 }, accept = { 0 };
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    bool good;

    text_puts(&key, http->header(r, "Sec-WebSocket-Key"));
    text_puts(&key, MAGIC);
    good = !key.bad && EVP_Digest(key.p, key.n, digest, &n, EVP_sha1(), NULL);
    if (good)
        eio_base64(&accept, digest, n);
    text_add(&accept, "", 1);
    good = good && !accept.bad && http->set_header(r, "Sec-WebSocket-Accept", accept.p) == EC_OK;
    text_free(&key);
    text_free(&accept);
    return good;
}

static ssize_t on_recv(wslay_event_context_ptr ctx, uint8_t *to, size_t n, int flags, void *arg)
{
    struct websocket *w = arg;

    (void)flags;
    if (!w->in_n) {
        wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    n = n < w->in_n ? n : w->in_n;
    memcpy(to, w->in, n);
    w->in += n;
    w->in_n -= n;
    return (ssize_t)n;
}

static ssize_t on_send(wslay_event_context_ptr ctx, const uint8_t *p, size_t n, int flags, void *arg)
{
    struct websocket *w = arg;

    (void)flags;
    if (!w->conn || w->http->conn_write(w->conn, p, (uint32_t)n) != EC_OK) {
        wslay_event_set_error(ctx, WSLAY_ERR_CALLBACK_FAILURE);
        return -1;
    }
    return (ssize_t)n;
}

static void on_message(wslay_event_context_ptr ctx, const struct wslay_event_on_msg_recv_arg *m, void *arg)
{
    struct websocket *w = arg;

    (void)ctx;
    if (w->conn && !wslay_is_ctrl_frame(m->opcode))
        w->ops->message(w->arg, m->opcode == WSLAY_BINARY_FRAME, m->msg_length ? (const char *)m->msg : "",
                        m->msg_length);
}

/* The other side is not heard any more, and nothing is said to it. */
static void end(struct websocket *w)
{
    if (!w->conn)
        return;
    w->http->conn_close(w->conn);
    w->conn = NULL;
    w->ops->closed(w->arg);
}

static void on_data(void *arg, const void *p, uint32_t n)
{
    struct websocket *w = arg;
    bool bad;

    w->in = p;
    w->in_n = n;
    bad = wslay_event_recv(w->frames) != 0;
    w->in_n = 0;
    if (!w->conn)
        return;
    bad |= wslay_event_send(w->frames) != 0;        /* pongs, and the answer to a close */
    if (bad || wslay_event_get_close_received(w->frames) || !wslay_event_get_read_enabled(w->frames) ||
        websocket_waiting(w) > WAITING_MAX)
        end(w);
}

static void on_drained(void *arg)
{
    struct websocket *w = arg;

    if (w->ops->drained)
        w->ops->drained(w->arg);
}

static void on_closed(void *arg)
{
    struct websocket *w = arg;

    w->conn = NULL;
    w->ops->closed(w->arg);
}

struct websocket *websocket_open(const struct ec_http *http, struct ec_req *r, size_t max,
                                 const struct websocket_ops *ops, void *arg)
{
    static const struct ec_conn_ops conn_ops = { sizeof conn_ops, 0, on_data, on_drained, on_closed };
    static const struct wslay_event_callbacks callbacks = {
        .recv_callback = on_recv, .send_callback = on_send, .on_msg_recv_callback = on_message };
    struct websocket *w = calloc(1, sizeof *w);

    if (!w)
        return NULL;
    w->http = http;
    w->ops = ops;
    w->arg = arg;
    if (!set_accept(http, r) || wslay_event_context_server_init(&w->frames, &callbacks, w)) {
        free(w);
        return NULL;
    }
    wslay_event_config_set_max_recv_msg_length(w->frames, max);
    if (http->upgrade(r, "websocket", &conn_ops, w, &w->conn) != EC_OK) {
        wslay_event_context_free(w->frames);
        free(w);
        return NULL;
    }
    return w;
}

void websocket_max(struct websocket *w, size_t max)
{
    wslay_event_config_set_max_recv_msg_length(w->frames, max);
}

bool websocket_send(struct websocket *w, bool binary, const char *p, size_t n)
{
    struct wslay_event_msg m = { binary ? WSLAY_BINARY_FRAME : WSLAY_TEXT_FRAME, (const uint8_t *)p, n };

    return w->conn && !wslay_event_queue_msg(w->frames, &m) && !wslay_event_send(w->frames);
}

size_t websocket_waiting(const struct websocket *w)
{
    return w->conn ? w->http->conn_waiting(w->conn) : 0;
}

void websocket_close(struct websocket *w, unsigned code)
{
    if (!w->conn)
        return;
    if (!wslay_event_queue_close(w->frames, (uint16_t)code, NULL, 0))
        wslay_event_send(w->frames);
    w->http->conn_close(w->conn);
    w->conn = NULL;
}

void websocket_reap(struct websocket *w)
{
    wslay_event_context_free(w->frames);
    free(w);
}
