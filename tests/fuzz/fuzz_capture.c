/* Any bytes as a capture file: replayed in batches of 7, with and without a filter. What was
 * fetched must lie in readable memory and be accounted for. */
/* covers: plugins/capture/savefile*.c plugins/capture/replay.c plugins/capture/stream.c plugins/capture/linktype.c */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "plugins/capture/replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void hear(void *arg, enum say_what what, const char *sentence)
{
    *(size_t *)arg += strlen(sentence) + (size_t)what;
}

static void replay_once(int fd, const char *filter, uint32_t share, uint32_t shares)
{
    static volatile uint32_t sum;
    size_t heard = 0;
    char path[64], why[4608];
    struct replay_config c = {path, filter, 0, share, shares, {hear, &heard}};
    struct ec_frame frame[7], *f[7];
    uint32_t reason = EC_SRC_MORE;
    uint64_t stats[EC_SRC_STATS];
    struct replay *r;

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (!(r = replay_open(&c, why, sizeof why)))
        return;
    for (int i = 0; i < 7; i++)
        f[i] = &frame[i];
    while (reason == EC_SRC_MORE) {
        uint32_t n = replay_fetch(r, f, 7, -1, 0, &reason);

        for (uint32_t i = 0; i < n; i++)
            for (uint32_t k = 0; k < f[i]->caplen; k++)
                sum = sum + f[i]->data[k];
        replay_finish(r, n);
    }
    replay_stats(r, stats, EC_SRC_STATS);
    if (reason != EC_SRC_END ||
        stats[EC_SRC_SEEN] != stats[EC_SRC_DELIVERED] + stats[EC_SRC_FILTERED] + stats[EC_SRC_BAD])
        abort();
    replay_close(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("capture", MFD_CLOEXEC);

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    replay_once(fd, NULL, 0, 1);
    replay_once(fd, size % 16 ? NULL : "ip or ip6", size % 2, 2); /* compiling a filter is slow */
    close(fd);
    return 0;
}
