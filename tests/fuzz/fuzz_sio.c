/* Any bytes as what a client of Socket.IO may send: a polling payload with its packets, a text packet, a filter. What
 * is read is whole, within its bounds and valid; what goes out can be read again. */
/* covers: plugins/socketio/eio_packet.c plugins/socketio/filter.c plugins/socketio/since.c
 * plugins/socketio/sio_packet.c */
#include "plugins/socketio/eio_packet.h"
#include "plugins/socketio/filter.h"
#include "plugins/socketio/since.h"
#include "plugins/socketio/sio_packet.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void one_packet(const char *p, size_t n)
{
    struct sio_packet k, again;
    struct text t = { 0 };
    const char *why = NULL;

    if (!sio_read(&k, p, n, &why)) {
        if (k.blobs > SIO_BLOBS_MAX || !k.args.n || !text_utf8(k.args.p, k.args.n) ||
            (k.type != SIO_CONNECT && k.type != SIO_DISCONNECT && !sio_is_array(k.args.p, k.args.n)))
            abort();
        sio_head(&t, k.type, k.space, k.blobs, k.has_id, k.id);
        if (k.type == SIO_ACK || k.type == SIO_BINARY_ACK) {
            text_add(&t, k.args.p, k.args.n);
            if (!strpbrk(k.space, ",") && sio_read(&again, t.p, t.n, &why))
                abort();
            if (!strpbrk(k.space, ","))
                sio_free(&again);
        }
        text_free(&t);
    } else if (!why) {
        abort();
    }
    sio_free(&k);
}

static void payload(const char *p, size_t n)
{
    const char *end = p + n;
    struct text room = { 0 }, out = { 0 }, back = { 0 };
    struct eio_packet k;

    while (eio_next(&k, &p, end, &room) == 1) {
        if (!k.binary && !text_utf8(k.p, k.n))
            abort();
        if (!k.binary && k.type == EIO_MESSAGE)
            one_packet(k.p, k.n);
        if (!k.binary)
            continue;
        out.n = back.n = 0;
        eio_base64(&out, k.p, k.n);
        if (eio_unbase64(&back, out.p ? out.p : "", out.n) || back.n != k.n || (k.n && memcmp(back.p, k.p, k.n) != 0))
            abort();
    }
    text_free(&room);
    text_free(&out);
    text_free(&back);
}

static void filter(const char *text)
{
    struct json_object *o = json_tokener_parse(text);
    struct ec_filter to[FILTER_MAX];
    const char *why = NULL;
    struct filter *f = filter_new(o, &why);

    if (f) {
        if (filter_store(f, to) > FILTER_MAX)
            abort();
        filter_match(f, o);
    } else if (!why) {
        abort();
    }
    filter_drop(f);
    json_object_put(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct eio_query q;
    uint64_t ns;

    if (!text || size > 65536) {
        free(text);
        return 0;
    }
    memcpy(text, data, size);
    text[size] = '\0';
    payload(text, size);
    one_packet(text, size);
    eio_query(&q, text);
    filter(text);
    since_read(text, UINT64_C(1700000000000000000), &ns);
    free(text);
    return 0;
}
