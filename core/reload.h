/* reload.h: a new generation while the old one runs: the configuration is read anew and every
 * plugin's configure() runs on a pool thread; the plan is swapped by the control thread; after a
 * grace period the old states are freed. Any failure keeps the old plan and says why. At most two
 * generations live: a request meanwhile is served afterwards, once. */
#ifndef CORE_RELOAD_H
#define CORE_RELOAD_H
#include <stdbool.h>
#include <stdint.h>
struct conf;
struct daemon;
struct plan;

/* How the last one ended. */
struct reload_result {
    bool running;
    uint32_t done, failed;          /* counts */
    char why[1024];                 /* of the last failure; empty: the last one succeeded */
};

int reload_open(struct daemon *d);              /* [ctl] 0 or −1 */
/* [ctl] who asked: "SIGHUP", "the control socket" */
void reload_request(const char *who);
/* [ctl] fn is called once, [ctl], when the next reload that begins has ended: why: its first error, NULL where fine or where
 * the daemon ends. 0, or −1: out of memory, or the daemon ends. */
int reload_then(void (*fn)(bool fine, const char *why, void *arg), void *arg);
const struct reload_result *reload_last(void);  /* [ctl] */
/* [ctl] Workers and pool have ended: drop what a reload left half done. */
void reload_close(void);

#endif
