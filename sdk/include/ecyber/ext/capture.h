/* capture.h: ec.capture/1, a live capture that is started and stopped while the daemon runs. STATUS: draft 1.
 * One plugin implements it; where its option is off, start() says which one that is. Who may ask is the caller's to see
 * to, and what was done is the caller's to write into the audit log. */
#ifndef EC_EXT_CAPTURE_H
#define EC_EXT_CAPTURE_H
#include "../plugin.h"
#ifdef __cplusplus
extern "C" {
#endif

#define EC_CAPTURE_ID "ec.capture/1-draft.1"

struct ec_capture_state {
    uint32_t size, on_demand;       /* on_demand: 1 where start() and stop() can do something */
    uint32_t running, reserved;
    uint64_t since_ns;              /* wall clock, of the one that runs */
    char interface[64];             /* its name; "": none runs */
};

struct ec_capture {
    uint32_t size, reserved;
    /* [pool] Both wait until every worker has opened, or closed, the interface: as a rule a tenth of a second, at most
     * five. why (n bytes): a sentence for people where it is not EC_OK. dry: 1: only look whether it would be tried.
     * EC_EINVAL: no name of an interface; EC_ENOENT: there is no such interface, and of stop(), none runs; EC_EEXIST: one
     * runs; EC_EPERM: the option is off, or there is no worker; EC_EAGAIN: another request is being done; EC_EIO: it cannot
     * be opened (it is down, CAP_NET_RAW is missing). */
    int32_t (*start)(void *self, const char *interface, uint32_t dry, char *why, uint32_t n);
    /* interface (64 bytes, NULL: not wanted): the one that was, or with dry would be, closed. */
    int32_t (*stop)(void *self, uint32_t dry, char *interface, char *why, uint32_t n);
    void (*state)(void *self, struct ec_capture_state *s);  /* [any]; s->size is the caller's */
};

#ifdef __cplusplus
}
#endif
#endif
