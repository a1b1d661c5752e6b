/* checksum.h: is a file what its publisher says it is? */
#ifndef IDS_SOURCES_CHECKSUM_H
#define IDS_SOURCES_CHECKSUM_H
#include <stdbool.h>
#include <stddef.h>

/* said: the first word of hexadecimal digits counts, as md5sum(1) and sha256sum(1) write it: 32 digits are MD5's, 64
 * SHA-256's, 128 SHA-512's. False: a sentence stands in why. */
bool checksum_holds(const char *said, size_t n, const void *p, size_t m, char *why, size_t why_n);
/* SHA-256; "": out of memory. */
void digest_text(const void *p, size_t n, char to[65]);

#endif
