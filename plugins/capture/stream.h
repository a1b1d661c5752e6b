/* stream.h: a file read through one large buffer, so that records can be used where they lie. Read,
 * never mapped: a file that is cut while it is mapped would be a SIGBUS. One thread. */
#ifndef CAPTURE_STREAM_H
#define CAPTURE_STREAM_H
#include <stdbool.h>
#include <stdint.h>

#define STREAM_SIZE (512u * 1024)   /* bytes; the longest record that can be asked for */

enum stream_status {
    STREAM_OK,
    STREAM_PINNED,                  /* the buffer has to move, but records in it are in use */
    STREAM_IDLE,                    /* a pipe: nothing came within timeout_ms */
    STREAM_WOKEN,                   /* a pipe: wake_fd became readable */
    STREAM_END,                     /* fewer bytes are left */
    STREAM_ERROR                    /* read failed: error is its errno */
};

struct stream {
    int fd, error, wake_fd;         /* wake_fd −1: none */
    bool regular, eof;
    bool pinned;                    /* set by the user while pointers into the buffer are in use */
    uint32_t timeout_ms;
    uint32_t pos, len;              /* next byte, end of the bytes in buf */
    uint64_t base, skip;            /* offset of buf[0] in the file; bytes still to be skipped */
    uint8_t *buf;                   /* STREAM_SIZE bytes, the caller's */
};

void stream_open(struct stream *s, int fd, uint8_t *buf);
void stream_close(struct stream *s);
/* Makes n (≤ STREAM_SIZE) bytes available at *p. Nothing is consumed: on any other status than OK
 * call again later. */
enum stream_status stream_need(struct stream *s, uint32_t n, const uint8_t **p);
static inline void stream_take(struct stream *s, uint32_t n)
{
    s->pos += n;
} /* consume what need() gave */
static inline void stream_skip(struct stream *s, uint64_t n)
{
    s->skip += n;
} /* done by the next need() */
static inline uint64_t stream_offset(const struct stream *s) { return s->base + s->pos; }
static inline uint32_t stream_left(const struct stream *s)
{
    return s->len - s->pos;
} /* in the buffer */

#endif
