/* http.h: reads one answer of HTTP/1.1 (RFC 9112) from wherever its bytes come. Nothing in it is trusted: each line,
 * the head and the body have a limit. */
#ifndef CLI_HTTP_H
#define CLI_HTTP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define HTTP_LINE  8192        /* bytes of a line of the head */
#define HTTP_LINES 100         /* of the head */
#define HTTP_BODY  (64u << 20) /* bytes of a body that is read whole */

struct http_in {
    ssize_t (*fill)(void *arg, void *to, size_t n); /* as read(2) */
    void *arg;
    size_t at, n;
    char buf[16384];
    /* The head. */
    int status;
    bool chunked, event_stream;
    uint32_t retry_after;
    /* Of the body: bytes left, of the whole or of a chunk; −1: up to the end of the connection. */
    int64_t left;
    bool begun, ended;
};

/* 0, or −1 and why (n bytes): what came is no answer of HTTP/1.1. fill and arg are set, the rest is zero. */
int http_head(struct http_in *in, char *why, size_t n);
/* At most n bytes of the body; 0: its end; −1: it is cut or malformed. */
ssize_t http_body(struct http_in *in, void *to, size_t n);
/* All of it, with a NUL behind, to be freed; *len: without the NUL. NULL: cut, malformed, too long, out of memory. */
char *http_body_whole(struct http_in *in, size_t *len);

#endif
