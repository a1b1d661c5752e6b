/* unpack.h: the rules in what a source sent: a text, compressed or not, or the *.rules files of an archive (tar or
 * zip), one behind the other (libarchive). */
#ifndef IDS_SOURCES_UNPACK_H
#define IDS_SOURCES_UNPACK_H
#include <stddef.h>
#include <stdint.h>

#define UNPACK_ENTRIES 4096u        /* of an archive, whatever their names */

struct unpacked {
    char *text;                     /* n bytes and a NUL, the last of them a line's end; to be freed */
    size_t n;
    uint32_t files;
};

/* [any] max: bytes of everything in an archive, of files that are no rules too. 0, or −1: a sentence stands in why, and
 * to is empty. */
int unpack(const void *p, size_t n, size_t max, struct unpacked *to, char *why, size_t m);

#endif
