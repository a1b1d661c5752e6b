/* handshake.c: from TLS records to handshake messages. */
#include "handshake.h"

#include <stdlib.h>
#include <string.h>

enum tls_record_fault tls_record_fault(const uint8_t *d)
{
    bool type = d[0] >= TLS_CHANGE_CIPHER && d[0] <= TLS_HEARTBEAT, version = d[1] == 3 && d[2] <= 4;

    if (!type)
        return version ? TLS_RECORD_TYPE : TLS_RECORD_FORM;
    if (!version)
        return TLS_RECORD_VERSION;
    return tls_record_length(d) <= TLS_RECORD_MAX ? TLS_RECORD_SOUND : TLS_RECORD_LENGTH;
}

bool tls_record_plausible(const uint8_t *d) { return !tls_record_fault(d); }

/* https://www.iana.org/assignments/tls-parameters: 0 to 6, 8, 11 to 16, 20 to 26, 67, 254 */
bool tls_message_known(uint32_t type)
{
    return type < 32 ? 0x07f1f97fu >> type & 1 : type == 67 || type == 254;
}

static uint32_t message_length(const uint8_t *d) { return 4 + ((uint32_t)d[1] << 16 | (uint32_t)d[2] << 8 | d[3]); }

static bool hold(struct tls_side *s, const uint8_t *d, uint32_t n)
{
    if (s->n_held + n > s->room) {
        uint32_t room = (s->n_held + n + 1023u) & ~1023u;
        uint8_t *p = realloc(s->held, room);
        if (!p)
            return false;
        s->held = p;
        s->room = room;
    }
    memcpy(s->held + s->n_held, d, n);
    s->n_held += n;
    return true;
}

/* Complete the held message with what it lacks. */
static const uint8_t *held_message(struct tls_side *s, const uint8_t *d, uint32_t n, uint32_t *len, uint32_t *used,
                                   bool *bad)
{
    uint32_t lack;

    *used = 0;
    while (s->n_held < 4 && *used < n)
        if (!hold(s, d + (*used)++, 1))
            return *bad = true, NULL;
    if (s->n_held < 4)
        return NULL;
    *len = message_length(s->held);
    if (*len > TLS_HELLO_MAX)
        return *bad = true, NULL;
    lack = *len - s->n_held;
    if (lack > n - *used)
        lack = n - *used;
    if (!hold(s, d + *used, lack))
        return *bad = true, NULL;
    *used += lack;
    if (s->n_held < *len)
        return NULL;
    s->n_held = 0;                              /* the bytes stay until the next call */
    return s->held;
}

const uint8_t *tls_side_message(struct tls_side *s, const uint8_t *d, uint32_t n, uint32_t *len, uint32_t *used,
                                bool *bad)
{
    *bad = false;
    if (!s->n_held && n >= 4 && message_length(d) <= n) {
        *len = *used = message_length(d);
        return d;
    }
    return held_message(s, d, n, len, used, bad);
}

void tls_side_drop(struct tls_side *s)
{
    free(s->held);
    s->held = NULL;
    s->n_held = s->room = 0;
}
