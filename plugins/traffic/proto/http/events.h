/* events.h: what is wrong with a message: libhtp's sentences and flags as anomalies, with EVE's names. */
#ifndef TRAFFIC_HTTP_EVENTS_H
#define TRAFFIC_HTTP_EVENTS_H

#include <htp/htp.h>
#include <stdint.h>

enum { HTTP_EVENTS = 49 };
extern const char *const http_events[HTTP_EVENTS];

/* Index of an anomaly by a sentence of libhtp; −1: none is meant. */
int events_of_message(const char *text, int level);
/* The anomalies of a request that stand in its flags, as bits by index. */
uint64_t events_of_request(const htp_tx_t *tx);
/* Of a request line without one; of bytes that could not be parsed at all. */
uint32_t events_missing_protocol(void);
uint32_t events_unknown(void);
/* Of a body that gets far larger than it came; of one that is no brotli, or needs too much memory. */
uint32_t events_bomb(void);
uint32_t events_brotli(void);

#endif
