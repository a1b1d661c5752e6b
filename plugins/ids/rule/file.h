/* file.h: a whole file in memory. */
#ifndef IDS_RULE_FILE_H
#define IDS_RULE_FILE_H
#include <stddef.h>

#define FILE_MAX_BYTES ((size_t)256 << 20)

/* malloc'ed; NULL and "PATH: why" in why where it cannot be read, is a folder or longer than FILE_MAX_BYTES. */
char *file_read(const char *path, size_t *len, char *why, size_t n);

#endif
