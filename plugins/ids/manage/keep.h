/* keep.h: the managed rules on disk: managed.rules in the plugin's state folder, and what it was before the last change
 * beside it (managed.rules.old). Each change is written to a new file, synced, and renamed: it is there
 * whole, or not. */
#ifndef IDS_MANAGE_KEEP_H
#define IDS_MANAGE_KEEP_H
#include "plugins/ids/manage/managed.h"

#define KEEP_NAME "managed.rules"

enum keep_found {
    KEEP_FINE,                      /* also: there is none yet */
    KEEP_OLDER,                     /* it is damaged, and moved to managed.rules.bad: the one before it is used */
    KEEP_NOTHING,                   /* both are damaged: none are in force */
    KEEP_NEWER,                     /* a later eCyber wrote it: none are in force, and it must not be written */
    KEEP_UNREAD                     /* it cannot be read now, and may well be sound: as with KEEP_NEWER */
};
/* dir: an absolute folder. Never NULL but out of memory. Where it is not KEEP_FINE, why says what happened. */
struct managed *keep_read(const char *dir, enum keep_found *found, char *why, size_t n);
/* 0, or −1 and a sentence; then what was there before is still there. */
int keep_write(const char *dir, const struct managed *m, char *why, size_t n);

#endif
