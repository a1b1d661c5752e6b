/* keyfile.h: files with a key or a password that an option names. */
#ifndef AUTH_KEYFILE_H
#define AUTH_KEYFILE_H
#include <ecyber/plugin.h>

/* [cfg] Read it into `to` (n bytes, with a NUL): mode 0600, or 0640 for the daemon's group. EC_OK, or EC_EINVAL and why
 * was said. where: of the option. */
int32_t key_file_read(const struct ec_host *h, const char *where, const char *path, char *to, size_t n);

#endif
