/* events.h: what is wrong with a message: libhtp's sentences and flags as anomalies, with EVE's names. */
#ifndef TRAFFIC_HTTP_EVENTS_H
#define TRAFFIC_HTTP_EVENTS_H

#include <htp/htp.h>
#include <stdbool.h>
#include <stdint.h>

enum { HTTP_EVENTS = 56 };
extern const char *const http_events[HTTP_EVENTS];

/* Index of an anomaly by a sentence of libhtp about bytes of direction dir; −1: none is meant. */
int events_of_message(const char *text, int level, uint32_t dir);
/* Is it one of those of repeated headers? They are meant where events_repeated_odd(). */
bool events_repeated(int event);
/* Do headers stand there again that may stand only once (RFC 9110 §5.3)? */
bool events_repeated_odd(const htp_table_t *headers);
/* The anomalies of a request that stand in its flags and headers, as bits by index. */
uint64_t events_of_request(const htp_tx_t *tx);
/* Of a request line without one; of bytes that could not be parsed at all. */
uint32_t events_missing_protocol(void);
uint32_t events_unknown(void);
/* Of headers that are repeated in direction dir. */
uint32_t events_repetition(uint32_t dir);
/* Of a body that gets far larger than it came; of one that is no brotli, or needs too much memory. */
uint32_t events_bomb(void);
uint32_t events_brotli(void);
/* Of a file's name over HTTP_FILE_NAME_MAX bytes; of a Content-Range that says nothing, or what cannot be. */
uint32_t events_file_name(void);
uint32_t events_range(void);
/* Of a part of a form: a header without a colon or a value; a file behind whose headers the next delimiter stands. */
uint32_t events_part_header(void);
uint32_t events_part_empty(void);

#endif
