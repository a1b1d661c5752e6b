/* frame.h: one packet on its way out, shared by all who get it; and queues of them. One thread. */
#ifndef SOCKETIO_FRAME_H
#define SOCKETIO_FRAME_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct frame {
    uint32_t refs;
    bool binary;
    size_t n;
    char p[];                       /* of text: with the digit of its type; NUL-terminated */
};
struct frame_link;
struct frames { struct frame_link *first, **last; uint32_t n; size_t bytes; };      /* bytes: with what a link costs */

#define FRAME_COST 64u              /* bytes that each waiting packet counts beside its own */

struct frame *frame_new(bool binary, const char *prefix, const void *p, size_t n);  /* refs 1; NULL: no memory */
struct frame *frame_hold(struct frame *f);
void frame_drop(struct frame *f);                   /* NULL: nothing */
bool frames_put(struct frames *q, struct frame *f); /* holds it; false: no memory */
struct frame *frames_take(struct frames *q);        /* to be dropped; NULL: none */
void frames_free(struct frames *q);

#endif
