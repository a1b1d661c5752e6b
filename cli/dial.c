#include "cli/dial.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/cli.h"

static int failed(const char *path, const char *who, const char *option, int err)
{
    switch (err) {
    case ENOENT:
    case ECONNREFUSED:
        fprintf(stderr, "ecyberctl: %s: %s: %s (another socket: %s)\n", who, path, strerror(err), option);
        return CLI_NOT_RUNNING;
    case EACCES:
    case EPERM:
        fprintf(stderr, "ecyberctl: %s: %s; only root and members of the group ecyber may\n", path, strerror(err));
        return CLI_REFUSED;
    default:
        fprintf(stderr, "ecyberctl: %s: %s\n", path, strerror(err));
        return CLI_FAILED;
    }
}

int dial(const char *path, const char *who, const char *option, int seconds, int *code)
{
    const struct timeval limit = {seconds, 0};
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(path) >= sizeof a.sun_path) {
        fprintf(stderr, "ecyberctl: a socket's path has at most %zu bytes: %s\n", sizeof a.sun_path - 1, path);
        *code = CLI_USAGE;
        return -1;
    }
    memcpy(a.sun_path, path, strlen(path));
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a)) {
        *code = failed(path, who, option, errno);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    return fd;
}
