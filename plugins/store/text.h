/* text.h: values of a record as text, the way their JSON has them, for columns; and text as values, for filters. */
#ifndef STORE_TEXT_H
#define STORE_TEXT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {                       /* grows; NUL-terminated once anything was added */
    char *base;
    size_t len, cap;
    bool failed;                    /* out of memory: what it holds is void */
};

void text_free(struct text *t);
void text_clear(struct text *t);    /* keeps the room */
void text_add(struct text *t, const void *s, size_t n);
void text_put(struct text *t, const char *s);
__attribute__((format(printf, 2, 3))) void text_printf(struct text *t, const char *fmt, ...);

/* Bytes of the wire: NUL and what is not UTF-8 (RFC 3629) becomes the four characters \xHH. */
void text_wire(struct text *t, const uint8_t *s, size_t n);
void text_base64(struct text *t, const uint8_t *s, size_t n);       /* RFC 4648, padded */
void text_hex(struct text *t, const uint8_t *s, size_t n);          /* lower case */
void text_mac(struct text *t, const uint8_t mac[6]);
void text_ip(struct text *t, const uint8_t ip[16]);                 /* IPv4 where mapped, else RFC 5952 */
void text_sql_name(struct text *t, const char *name);               /* "name", quotes doubled */
void text_sql_string(struct text *t, const char *s);                /* 'text', quotes doubled */

/* The next word at or behind *s, which is moved to it: its length, 0: none. Letters and digits make a word, and every
 * byte of a longer character. */
size_t text_word(const char **s);
void text_lower(struct text *t, const char *s, size_t n);           /* A to Z only */

/* An address, or a network with "/bits", as its first and last 16-byte value. False: neither. */
bool text_to_ip(const char *s, uint8_t first[16], uint8_t last[16]);
/* "2026-11-22T14:30:00", with a fraction, with Z, +HH:MM or +HHMM; UTC where no zone stands. ns since 1970. */
bool text_to_time(const char *s, int64_t *ns);
/* A whole number in decimal from INT64_MIN to UINT64_MAX; above INT64_MAX *v wraps, as in a column. */
bool text_to_integer(const char *s, int64_t *v);
bool text_to_real(const char *s, double *v);                        /* decimal, finite */

#endif
