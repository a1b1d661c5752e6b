/* since.h: from when on a client wants events again. Pure. */
#ifndef SOCKETIO_SINCE_H
#define SOCKETIO_SINCE_H
#include <stdint.h>

/* RFC 3339, seconds since 1970, or how long ago ("90s", "15m", "24h", "7d"), as in the API. 0, or -1. */
int since_read(const char *text, uint64_t now_ns, uint64_t *ns);

#endif
