/* folder.h: the capture files that a path stands for: itself, or the captures of a folder in the
 * order of their first packet, then by name. One thread. */
#ifndef CAPTURE_FOLDER_H
#define CAPTURE_FOLDER_H
#include <stdint.h>

#define FOLDER_FILES 65536u

struct folder_file {
    char *path;
    uint64_t first_ns, bytes;       /* bytes: 0: no regular file */
};
struct folder {
    uint32_t n, skipped;            /* skipped: regular files that are no readable capture */
    struct folder_file *file;
};

/* buf: STREAM_SIZE bytes to read the first records with. skip: called with a sentence for each
 * skipped file. 0, or −1 and a sentence: cannot be read, or there is no capture in it. */
int folder_open(struct folder *d, const char *path, uint8_t *buf,
                void (*skip)(void *arg, const char *why), void *arg, char *why, uint32_t n);
void folder_close(struct folder *d);

#endif
