/* replay.h: a capture file or a folder of them as a source of frames. One thread a handle. */
#ifndef CAPTURE_REPLAY_H
#define CAPTURE_REPLAY_H
#include <stdint.h>

#define EC_API_LEVEL 1
#include <ecyber/ext/source.h>

#include "plugins/capture/say.h"

struct replay;
struct replay_config {
    const char *path;               /* "-": standard input */
    const char *filter;             /* NULL or "": none. Copied */
    double pace;                    /* times as fast as the packets were captured; 0: as fast as they are taken */
    uint32_t share, shares;
    struct say say; /* only share 0 speaks and counts what is the file's, not the share's */
};

/* As the functions of struct ec_source; NULL and a sentence where nothing can be replayed. */
struct replay *replay_open(const struct replay_config *c, char *why, uint32_t n);
uint32_t replay_fetch(struct replay *r, struct ec_frame *const *f, uint32_t max, int32_t wake_fd,
                      uint32_t timeout_ms, uint32_t *why);
void replay_finish(struct replay *r, uint32_t n);
void replay_stats(const struct replay *r, uint64_t *c, uint32_t n);
void replay_close(struct replay *r);

#endif
