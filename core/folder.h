/* folder.h: folders that the daemon makes for itself. */
#ifndef CORE_FOLDER_H
#define CORE_FOLDER_H

/* mkdir -p: the last one with mode 0750, those above it with 0755; then it must be writable. 0, or
 * −1 with errno. [any] */
int folder_make(const char *path);
/* Could folder_make() make this folder, or use it? Nothing is made. 0, or −1 with errno. [any] */
int folder_check(const char *path);
/* access(2), but by what this process may do: access() forgets the capabilities of who is not root. [any] */
int folder_access(const char *path, int mode);

#endif
