#define EC_API_LEVEL 1
#include "plugins/auth/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int32_t key_file_read(const struct ec_host *h, const char *where, const char *path, char *to, size_t n)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    ssize_t got = -1;
    int32_t rc = EC_EINVAL;

    if (fd < 0 || fstat(fd, &st) || (got = read(fd, to, n - 1)) <= 0) {
        ec_failf(h, rc, "%s: %s: %s", where, path, got ? strerror(errno) : "it is empty");
    } else if (st.st_mode & 027) {
        ec_failf(h, rc, "%s: %s may be %s (mode %03o): chmod 600 it, or 640", where, path,
                 st.st_mode & 07 ? "read or written by everybody" : "written by its group",
                 (unsigned)st.st_mode & 0777);
    } else {
        to[got] = '\0';
        rc = EC_OK;
    }
    if (fd >= 0)
        close(fd);
    return rc;
}
