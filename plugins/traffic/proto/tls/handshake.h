/* handshake.h: from TLS records to handshake messages (RFC 8446 §5.1): a message may be split over records, and a record
 * may hold several. */
#ifndef TRAFFIC_TLS_HANDSHAKE_H
#define TRAFFIC_TLS_HANDSHAKE_H

#include <stdbool.h>
#include <stdint.h>

#define TLS_RECORD_HEADER 5
#define TLS_RECORD_MAX (16384 + 2048)           /* RFC 5246 §6.2.3; RFC 8446 allows less */
#define TLS_HELLO_MAX 65536                     /* of a message that is put together */

enum { TLS_CHANGE_CIPHER = 20, TLS_ALERT = 21, TLS_HANDSHAKE = 22, TLS_APPLICATION = 23, TLS_HEARTBEAT = 24 };

struct tls_side {                               /* one direction */
    uint8_t *held;                              /* a message that is not whole yet; owned */
    uint32_t n_held, room;
    bool hello;                                 /* its hello was seen */
    bool closed;                                /* nothing more is readable: encrypted, or broken */
};

/* A record's header: known content type and version, sane length? */
bool tls_record_plausible(const uint8_t *d);
/* What is wrong with it. FORM: neither type nor version. */
enum tls_record_fault { TLS_RECORD_SOUND, TLS_RECORD_FORM, TLS_RECORD_TYPE, TLS_RECORD_VERSION, TLS_RECORD_LENGTH };
enum tls_record_fault tls_record_fault(const uint8_t *d);
/* Is it a type of message that IANA has assigned? */
bool tls_message_known(uint32_t type);
static inline uint32_t tls_record_length(const uint8_t *d) { return (uint32_t)d[3] << 8 | d[4]; }

/* Feed a record's content. Returns a whole message (its 4-byte header included) that starts in d or in what was held:
 * *len is its length and *used what it took of d; NULL: none yet (all of d is held) or, with *bad, too long. */
const uint8_t *tls_side_message(struct tls_side *s, const uint8_t *d, uint32_t n, uint32_t *len, uint32_t *used,
                                bool *bad);
void tls_side_drop(struct tls_side *s);

#endif
