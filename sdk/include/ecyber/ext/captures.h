/* captures.h: ec.captures/1, packets that are kept, as files to read. STATUS: draft 1.
 * One plugin keeps packets and offers it; others read what a capture or an alert has, without knowing where it is. */
#ifndef EC_EXT_CAPTURES_H
#define EC_EXT_CAPTURES_H
#include "../plugin.h"
#ifdef __cplusplus
extern "C" {
#endif

#define EC_CAPTURES_ID "ec.captures/1-draft.1"

struct ec_captures {
    uint32_t size, reserved;
    /* [pool] A descriptor of the pcapng file of a capture that has ended, or of the packets of an alert that are still
     * in memory, at its start; the caller closes it. Below 0, EC_E*: none, and why (n bytes) is a sentence. EC_ENOENT:
     * there is no such capture or alert, or nothing is left of it; EC_EAGAIN: it still runs. */
    int32_t (*capture)(void *self, uint64_t id, char *why, uint32_t n);
    int32_t (*alert)(void *self, uint64_t event, char *why, uint32_t n);
};

#ifdef __cplusplus
}
#endif
#endif
