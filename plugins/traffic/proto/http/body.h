/* body.h: a window over a message body, so that inspectors see content that spans chunks. */
#ifndef TRAFFIC_HTTP_BODY_H
#define TRAFFIC_HTTP_BODY_H

#include <stdbool.h>
#include <stdint.h>

#include "text.h"

#define BODY_WINDOW 32768           /* bytes in sight; half of it slides out when it is full */
#define BODY_STEP 4096              /* inspectors look again after so many new bytes */

struct http_body {
    struct text window;
    uint64_t base;                  /* of the window in the body */
    uint32_t unseen;                /* bytes that no inspector has seen */
    int64_t wire;                   /* of the window's first byte, −1: decoded, or not in one piece */
};

/* How many of n bytes the window takes now. At least 1 where n is not 0 after body_slide(). */
uint32_t body_room(const struct http_body *b);
/* wire: where p stands in the stream, −1: nowhere. */
void body_add(struct http_body *b, const uint8_t *p, uint32_t n, int64_t wire);
/* Make room: keep the second half. */
void body_slide(struct http_body *b);

#endif
