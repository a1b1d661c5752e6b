#include "core/helper/link.h"

#include "core/clock.h"
#include "core/folder.h"
#include "core/helper/spawn.h"
#include "core/log/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECOND UINT64_C(1000000000)
#define WAIT_FIRST (SECOND / 10)
#define WAIT_MOST (30 * SECOND)
#define STEADY (60 * SECOND)        /* a helper that lived so long did not die of its start */

/* The descriptor that the environment names, −1: none. A program that is started later must not find it. */
static int inherited(const char *variable)
{
    const char *text = getenv(variable);
    char *end = NULL;
    long n = text ? strtol(text, &end, 10) : -1;
    bool good = text && *text && !*end && n >= 3 && n <= 1000000;

    unsetenv(variable);
    return good && !fcntl((int)n, F_SETFD, FD_CLOEXEC) ? (int)n : -1;
}

void link_init(struct link *l, const char *program)
{
    *l = (struct link){ .program = program, .wait_ns = WAIT_FIRST };
    l->fd = inherited(HELPER_FD_VARIABLE);
    l->launcher = inherited(LAUNCHER_FD_VARIABLE);
    l->launched = l->fd >= 0 || l->launcher >= 0;
    if (l->fd >= 0)
        fcntl(l->fd, F_SETFL, O_NONBLOCK);
    l->up_ns = clock_monotonic();
}

bool link_possible(const struct link *l, char *why, uint32_t n)
{
    if (l->launched)
        return true;
    if (!helper_power()) {
        snprintf(why, n, "this daemon has no CAP_NET_ADMIN, so it cannot change the firewall: start it as root or as "
                         "the service");
        return false;
    }
    if (folder_access(l->program, X_OK)) {
        snprintf(why, n, "%s cannot be executed: %s; without it the firewall cannot be changed", l->program,
                 strerror(errno));
        return false;
    }
    return true;
}

uint32_t link_pid(const struct link *l)
{
    struct ucred peer = { 0, 0, 0 };
    socklen_t n = sizeof peer;

    if (l->pid)
        return (uint32_t)l->pid;
    /* Of a socket pair that is the process that made it: the launcher. */
    if (l->fd < 0 || getsockopt(l->fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) || peer.pid < 0)
        return 0;
    return (uint32_t)peer.pid;
}

static void connected(struct link *l, int fd)
{
    l->fd = fd;
    l->up_ns = clock_monotonic();
    fcntl(fd, F_SETFL, O_NONBLOCK);
}

bool link_get(struct link *l)
{
    int fd;

    if (l->fd >= 0)
        return true;
    if (l->launched || clock_monotonic() < l->next_ns)
        return false;
    l->next_ns = clock_monotonic() + l->wait_ns;
    if ((l->pid = helper_spawn(l->program, NULL, NULL, &fd)) > 0) {
        connected(l, fd);
        return true;
    }
    LOG(EC_LOG_ERROR, "%s cannot be started: %s", l->program, strerror(errno));
    l->pid = 0;
    l->wait_ns = l->wait_ns * 2 < WAIT_MOST ? l->wait_ns * 2 : WAIT_MOST;
    return false;
}

uint64_t link_due(const struct link *l)
{
    return l->launched ? UINT64_MAX : l->next_ns;
}

bool link_replace(struct link *l)
{
    union { char room[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control;
    char text[64];
    struct iovec io = { text, sizeof text };
    struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
    ssize_t n = recvmsg(l->launcher, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
    int fd;

    if (!n || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        LOG(EC_LOG_WARNING, "the launcher is gone: a helper that dies is not started again");
        close(l->launcher);
        l->launcher = -1;
    }
    if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(int)))
        return false;
    memcpy(&fd, CMSG_DATA(c), sizeof fd);
    link_drop(l);
    connected(l, fd);
    return true;
}

/* How a helper of our own ended. */
static void tell_end(int status)
{
    if (WIFSIGNALED(status))
        LOG(EC_LOG_WARNING, "the helper was ended by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else if (WEXITSTATUS(status))
        LOG(EC_LOG_WARNING, "the helper has failed, exit code %d", WEXITSTATUS(status));
}

static void reap(pid_t pid)
{
    int status = 0;
    pid_t end = 0;

    for (int k = 0; k < 100 && !(end = waitpid(pid, &status, WNOHANG)); k++)
        poll(NULL, 0, 10);
    if (!end) {
        LOG(EC_LOG_WARNING, "the helper does not end by itself and is killed");
        kill(pid, SIGKILL);
        end = waitpid(pid, &status, 0);
    }
    if (end == pid)
        tell_end(status);
}

void link_drop(struct link *l)
{
    uint64_t now = clock_monotonic();

    if (l->fd < 0)
        return;
    close(l->fd);
    l->fd = -1;
    if (l->pid)
        reap(l->pid);
    l->pid = 0;
    if (now - l->up_ns > STEADY)
        l->wait_ns = WAIT_FIRST;
    l->next_ns = now + l->wait_ns;
    l->wait_ns = l->wait_ns * 2 < WAIT_MOST ? l->wait_ns * 2 : WAIT_MOST;
}
