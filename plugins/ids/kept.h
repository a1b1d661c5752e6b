/* kept.h: what the API made, in files of the plugin's state folder: read whole, and replaced whole. */
#ifndef IDS_KEPT_H
#define IDS_KEPT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All of a file, malloc'ed, with a NUL behind it. NULL: errno says why; EFBIG: it is longer than max, or no regular
 * file. */
char *kept_read(int dir, const char *name, size_t max, size_t *len);
/* Of that errno, 0: it was read. It may well be sound, and can only not be read now. */
bool kept_unread(int err);
/* Written to NAME.new, synced, and renamed: it is there whole, or not. old: what was there before becomes NAME.old.
 * 0, or −1 with errno. */
int kept_write(int dir, const char *name, const char *text, size_t len, bool old);
/* FNV-1a, 64 bits: what such a file ends with. */
uint64_t kept_sum(const char *text, size_t len);

#endif
