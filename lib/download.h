/* download.h: a file as the reply of an EC_RT_STREAM route, in pieces, each when the client has read the one before. */
#ifndef LIB_DOWNLOAD_H
#define LIB_DOWNLOAD_H
#include <ecyber/ext/http.h>

/* [pool] Answers r with the bytes of fd from its start, which it closes. name: what a browser saves it as, [A-Za-z0-9._-].
 * A file that turns out to be shorter than it was, or cannot be read on, is cut off (ec_http.cut) with a warning. h and
 * http live until the host's stop. */
void download(const struct ec_host *h, const struct ec_http *http, struct ec_req *r, int fd, const char *name);

#endif
