/* watch.h: folders that the kernel tells changes of (inotify), and which path each watch is. One thread. */
#ifndef FIM_WATCH_H
#define FIM_WATCH_H
#include <stdbool.h>
#include <stdint.h>

struct watch { int fd; uint32_t n, room; char **path; };       /* path: by watch descriptor; NULL: none */

/* false: errno; then nothing is watched, and the scans alone find changes. */
bool watch_open(struct watch *w);
void watch_close(struct watch *w);
/* 0, or an errno: this folder cannot be watched. One that is watched already stays so. */
int watch_add(struct watch *w, const char *folder);

/* path: the folder's, or the folder's and a name. It is valid until the call returns. */
typedef void watch_fn(void *arg, const char *path);
/* Everything that waits. Returns true where the kernel had to drop some: all has to be looked at. */
bool watch_read(struct watch *w, watch_fn *fn, void *arg);

#endif
