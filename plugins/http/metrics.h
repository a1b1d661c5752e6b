/* metrics.h: what the server counts; the table stands in http.c. */
#ifndef HTTP_METRICS_H
#define HTTP_METRICS_H

enum {
    M_2XX, M_3XX, M_4XX, M_5XX,
    M_CONNECTIONS, M_OPEN, M_BYTES_IN, M_BYTES_OUT,
    M_MALFORMED, M_LATE, M_BODIES, M_TLS_FAILED,
    M_END_LEFT, M_END_IDLE, M_END_SLOW, M_END_STUCK, M_END_EVICTED,     /* as enum guard_end */
    M_GONE, M_TIMEOUT, M_FULL, M_ACCEPT,
    M_STREAMS, M_STREAM_EVENTS, M_STREAM_DROPPED, M_STREAM_REFUSED, M_STREAM_MISSED,
    M_UPGRADED, M_KEYS_FORGOTTEN,
    METRICS
};

#endif
