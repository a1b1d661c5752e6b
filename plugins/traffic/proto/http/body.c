/* body.c: a window over a message body. */
#include "body.h"

uint32_t body_room(const struct http_body *b) { return BODY_WINDOW - b->window.n; }

void body_add(struct http_body *b, const uint8_t *p, uint32_t n, int64_t wire)
{
    if (!b->window.n)
        b->wire = wire;
    else if (b->wire < 0 || wire != b->wire + (int64_t)b->window.n)
        b->wire = -1;
    text_add(&b->window, p, n);
    b->unseen += n;
}

void body_slide(struct http_body *b)
{
    uint32_t half = b->window.n / 2;

    text_shift(&b->window, half);
    b->base += half;
    if (b->wire >= 0)
        b->wire += half;
}
