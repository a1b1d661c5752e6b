/* folder.h: folders that the daemon makes for itself. */
#ifndef CORE_FOLDER_H
#define CORE_FOLDER_H

/* mkdir -p: the last one with mode 0750, those above it with 0755; then it must be writable. 0, or
 * −1 with errno. [any] */
int folder_make(const char *path);

#endif
