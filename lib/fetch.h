/* fetch.h: what another host has, by HTTPS (RFC 9110), bounded in bytes and time, and only from where a guard lets
 * it. */
#ifndef LIB_FETCH_H
#define LIB_FETCH_H
#include "lib/guard.h"

#include <stddef.h>

struct fetch {
    const char *url, *agent;        /* agent: User-Agent */
    const char *ca_file;            /* PEM, instead of the system's authorities; NULL: those */
    const char *tag, *modified;     /* ETag and Last-Modified of what is there already; "": none */
    size_t max;                     /* bytes */
    uint32_t timeout_ms;            /* of everything */
    bool plain;                     /* http:// is taken as well */
    const struct guard *guard;
    bool (*stop)(void *arg);        /* asked about each second; true: give up. NULL: never */
    void *arg;
};
struct fetched {
    char *data;                     /* n bytes and a NUL; to be freed */
    size_t n;
    char tag[256], modified[64];    /* "": none, or too long */
};
enum fetch_result { FETCH_DONE, FETCH_SAME, FETCH_FAILED };     /* SAME: what is there already is the newest */

/* [any] Blocks. At most five redirects, each judged as the first. FAILED: a sentence in why; to is empty. */
enum fetch_result fetch(const struct fetch *f, struct fetched *to, char *why, size_t n);

#endif
