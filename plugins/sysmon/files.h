/* files.h: the files below a root folder ("/", in tests another one), opened once and read again and again. */
#ifndef SYSMON_FILES_H
#define SYSMON_FILES_H
#include "plugins/sysmon/text.h"

#define FILES_BYTES (1u << 19)      /* of one file; what is longer is cut at a line */

enum file { FILE_STAT, FILE_MEMINFO, FILE_LOADAVG, FILE_UPTIME, FILE_DISKSTATS, FILE_MOUNTS, FILE_NET, FILE_COUNT };

struct files {
    int root, proc, net;            /* folders: the root, proc, sys/class/net; −1: not there */
    int fd[FILE_COUNT];
    bool told[FILE_COUNT];          /* that it cannot be read */
    char *buffer;
};

/* false: the root is no folder, or no memory; errno. Files that are not there are tried again at each read. */
bool files_open(struct files *f, const char *root);
void files_close(struct files *f);
/* Its text, which stays until the next read; false: it cannot be read, errno. */
bool files_read(struct files *f, enum file which, struct text *t);
/* A short file below a folder of ours, at most n bytes into `to`. */
bool files_short(int folder, const char *name, char *to, uint32_t n, struct text *t);
const char *files_name(enum file which);

#endif
