/* transaction.h: one request and its response. */
#ifndef TRAFFIC_HTTP_TRANSACTION_H
#define TRAFFIC_HTTP_TRANSACTION_H

#include <htp/htp.h>

#include "body.h"
#include "brotli.h"
#include "buffers.h"
#include "file.h"
#include "text.h"

struct http_state {                 /* one connection */
    htp_connp_t *connp;
    struct ec_pctx *c;              /* within parse() */
    const struct ec_chunk *k;
    struct http_tx *open;           /* transactions that have not ended, oldest first */
    struct http_whole *whole;       /* owned; NULL: no range was seen */
    uint32_t searched[2];           /* how far into the current chunk messages have been found */
    bool closed[2], tunnel, told;   /* CONNECT has succeeded; an error was reported */
    bool cut;                       /* nobody looks at the rest: what ends now is not whole */
};

struct http_tx {                    /* memory of traffic's transaction; freed by tx_drop */
    struct ec_tx *x;
    struct http_state *s;
    htp_tx_t *htp;                  /* NULL once libhtp has let it go */
    struct http_tx *next;
    struct text uri, host, line[2], header[2], cookie[2], names[2];
    struct ec_buf *item[2];         /* one for each header, pointing into header[] */
    struct http_body body[2];
    struct http_file file[2];
    struct multipart *form;         /* owned; NULL: the request's body is none */
    struct brotli *brotli;          /* owned; NULL: the response's body is not coded like that */
    bool coding_known;
    bool repeated[2];               /* a header was, by direction */
    uint64_t events;                /* bits of anomalies that were reported */
};

/* Where bytes stand in the stream of direction dir: exactly, when they are part of the current chunk; by searching the
 * chunk when libhtp has copied them. −1: not found. */
int64_t transaction_wire(const struct http_state *s, uint32_t dir, const uint8_t *p, uint32_t n);
/* Each kind once a transaction: libhtp says some things for every header. Within parse(). */
void transaction_report(const struct ec_traffic *traffic, struct http_tx *t, uint32_t event);
void transaction_drop(struct http_tx *t);

#endif
