/* json.h: writes JSON text into a buffer that grows. Routines whose names start with json_put_ need
 * room for what they write: json_need() first; the others make room themselves.
 *
 * Members and elements are written with a comma behind them; json_close() takes the last one back. */
#ifndef RECORD_JSON_H
#define RECORD_JSON_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define JSON_BYTES_MAX (16u << 20) /* of one buffer */

struct json {
    char *base, *at, *end; /* end: of the room */
    char *lent;            /* the caller's room, left for one of its own where it is too small */
    bool failed;           /* no room or no memory: what was written since the last mark is void */
    bool secrets;          /* EC_R_SECRET rows are written as they are */
    bool lists;            /* lists and maps are written though they are empty */
};

/* Write into to[0…cap) first. to may be NULL where cap is 0. */
static inline void json_lend(struct json *j, char *to, size_t cap)
{
    *j = (struct json){to, to, cap ? to + cap : to, to, false, false, false};
}
void json_free(struct json *j);
bool json_grow(struct json *j, size_t n);
static inline bool json_need(struct json *j, size_t n)
{
    return (size_t)(j->end - j->at) >= n || json_grow(j, n);
}
static inline size_t json_length(const struct json *j)
{
    return (size_t)(j->at - j->base);
}

static inline void json_put_raw(struct json *j, const char *s, size_t n)
{
    memcpy(j->at, s, n);
    j->at += n;
}
#define JSON_PUT(j, literal) json_put_raw((j), (literal), sizeof(literal) - 1)
static inline void json_put_char(struct json *j, char c)
{
    *j->at++ = c;
}

/* Most that each json_put_ writes. */
#define JSON_NUMBER_MAX 26
#define JSON_IP_MAX     48
#define JSON_TIME_MAX   40
#define JSON_MAC_MAX    20
void json_put_u64(struct json *j, uint64_t v);
void json_put_i64(struct json *j, int64_t v);
/* The shortest that reads back the same; null where it is not finite. */
void json_put_f64(struct json *j, double v);
/* Quoted: IPv4 where mapped, else as RFC 5952 says; with colons; "2026-11-22T14:30:00.123456+0000". */
void json_put_ip(struct json *j, const uint8_t ip[16]);
void json_put_mac(struct json *j, const uint8_t mac[6]);
void json_put_time(struct json *j, uint64_t ns);
/* 4 bytes for each 3, the last ones padded; returns how many. */
size_t json_base64(char *to, const uint8_t *s, size_t n);

/* Quoted texts. What is no valid UTF-8, and NUL, becomes the four characters \xHH (RFC 8259, RFC
 * 3629). */
void json_text(struct json *j, const uint8_t *s, size_t n);
void json_bytes(struct json *j, const uint8_t *s, size_t n); /* base64, RFC 4648 */
void json_hex(struct json *j, const uint8_t *s, size_t n);

/* "key":{ … }, and "key":[ … ],: key is written as it is (with quotes and colon). json_close()
 * removes the whole where nothing stands in it, unless keep. */
size_t json_open(struct json *j, const char *key, size_t n, char bracket); /* returns the mark */
void json_close(struct json *j, size_t mark, char bracket, bool keep);

#endif
