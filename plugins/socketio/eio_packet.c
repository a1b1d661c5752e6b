#include "plugins/socketio/eio_packet.h"

#include <stdint.h>
#include <string.h>

int eio_text(struct eio_packet *k, const char *p, size_t n)
{
    if (!n || *p < '0' || *p > '6' || !text_utf8(p, n))
        return -1;
    *k = (struct eio_packet){ .type = (enum eio_type)(*p - '0'), .p = p + 1, .n = n - 1 };
    return 0;
}

int eio_next(struct eio_packet *k, const char **p, const char *end, struct text *room)
{
    const char *from = *p, *stop;

    if (!from || from > end)
        return 0;
    stop = memchr(from, EIO_SEPARATOR, (size_t)(end - from));
    *p = stop ? stop + 1 : NULL;
    if (!stop)
        stop = end;
    if (from < stop && *from == 'b') {
        room->n = 0;
        if (eio_unbase64(room, from + 1, (size_t)(stop - from - 1)))
            return -1;
        *k = (struct eio_packet){ .type = EIO_MESSAGE, .binary = true, .p = room->p ? room->p : "", .n = room->n };
        return 1;
    }
    return eio_text(k, from, (size_t)(stop - from)) ? -1 : 1;
}

void eio_base64(struct text *t, const void *from, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p = from;
    char *to = text_room(t, (n + 2) / 3 * 4);

    if (!to)
        return;
    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)p[i] << 16 | (i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0) | (i + 2 < n ? p[i + 2] : 0);

        *to++ = digits[v >> 18];
        *to++ = digits[v >> 12 & 63];
        *to++ = i + 1 < n ? digits[v >> 6 & 63] : '=';
        *to++ = i + 2 < n ? digits[v & 63] : '=';
    }
    t->n += (n + 2) / 3 * 4;
}

static int digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int eio_unbase64(struct text *t, const char *p, size_t n)
{
    uint32_t v = 0;
    char *to;

    for (int i = 0; i < 2 && n && p[n - 1] == '='; i++)
        n--;
    if (n % 4 == 1 || !(to = text_room(t, n / 4 * 3 + 3)))
        return -1;
    for (size_t i = 0; i < n; i++) {
        int d = digit(p[i]);

        if (d < 0)
            return -1;
        v = v << 6 | (uint32_t)d;
        if (i % 4) {
            *to++ = (char)(v >> (6 - i % 4 * 2));
            t->n++;
        }
    }
    return 0;
}

static bool is(const char *p, size_t n, const char *word)
{
    return n == strlen(word) && !memcmp(p, word, n);
}

void eio_query(struct eio_query *q, const char *p)
{
    *q = (struct eio_query){ 0 };
    while (*p) {
        size_t n = strcspn(p, "&"), name = strcspn(p, "=&"), len = name < n ? n - name - 1 : 0;
        const char *value = p + name + 1;

        if (is(p, name, "EIO")) {
            q->eio = len == 1 && *value >= '0' && *value <= '9' ? *value - '0' : 0;
        } else if (is(p, name, "transport")) {
            q->transport = is(value, len, "polling") ? EIO_POLLING :
                           is(value, len, "websocket") ? EIO_WEBSOCKET : EIO_NO_TRANSPORT;
        } else if (is(p, name, "sid")) {
            q->has_sid = true;
            memset(q->sid, 0, sizeof q->sid);
            if (len < sizeof q->sid)
                memcpy(q->sid, value, len);
        }
        p += n + (p[n] == '&');
    }
}
