/* head.h: where does a request end, and is it well formed? evhttp takes bare LF, NUL, empty names and lengths that
 * contradict each other, so whole requests are looked at here before it sees them (RFC 9112 §2…7). */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct head_limits {
    uint32_t head;                  /* bytes of request line and headers */
    uint32_t target, fields;        /* bytes of the target; number of header lines */
    uint64_t body;                  /* bytes */
};

enum { HEAD_MORE = 0, HEAD_DONE = 1 };      /* else the status of the reply: 400, 405, 408 … */

struct head {                       /* zeroed: a new request */
    /* bytes of the head with its empty line, 0: not there yet; of the whole, once done */
    size_t head, total;
    size_t scanned, at;             /* of the head; of a chunked body: where the next line or chunk begins */
    uint64_t length, sum;           /* Content-Length; bytes of chunks so far */
    bool has_length, chunked, trailer, expects, old, host;  /* old: HTTP/1.0; expects: 100-continue */
    const char *why;                /* a sentence where it is wrong */
};

/* p: n bytes from the start of the request, the same as before and more. HEAD_MORE, HEAD_DONE (h->total bytes), or a
 * status with h->why. */
int head_scan(struct head *h, const struct head_limits *l, const char *p, size_t n);
/* The value of a header line of a well-formed head; NULL: there is none. */
const char *head_value(const char *p, size_t n, const char *name, size_t *len);
/* Make the Content-Length of a well-formed head 0. */
void head_no_body(char *p, size_t n);

#endif
