/* keep.h: the API's suppressions and thresholds on disk: limits.conf in the plugin's state folder. */
#ifndef IDS_LIMITS_KEEP_H
#define IDS_LIMITS_KEEP_H
#include "plugins/ids/limits/tuning.h"

#define LIMITS_NAME "limits.conf"

enum limits_found {
    LIMITS_FINE,                    /* also: there are none yet */
    LIMITS_DAMAGED,                 /* it was moved to limits.conf.bad: none are in force */
    LIMITS_NEWER,                   /* a later eCyber wrote it: none are in force, and it must not be written */
    LIMITS_UNREAD                   /* it cannot be read now, and may well be sound: as with LIMITS_NEWER */
};
/* dir: an absolute folder. NULL: out of memory. Where it is not LIMITS_FINE, why says what happened. */
struct tuning *limits_keep_read(const char *dir, enum limits_found *found, char *why, size_t n);
/* 0, or −1 with errno: then what was there before is still there. dir NULL: ENOENT. */
int limits_keep_write(const char *dir, const struct tuning *t);

#endif
