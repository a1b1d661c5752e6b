#include "buildconf.h"

#include "core/launcher/process.h"

#include "core/cmdline.h"
#include "core/helper/spawn.h"
#include "core/launcher/privilege.h"
#include "core/log/log.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Whoever kills the launcher kills its children. A parent that died before is seen by its pid. */
static void follow(pid_t launcher)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != launcher)
        _exit(EXIT_FAILED);
}

/* In the child: less than the launcher has. */
static bool become_helper(void *launcher)
{
    char why[256];

    if (privilege_helper(why, sizeof why)) {
        LOG(EC_LOG_ERROR, "no helper: %s", why);
        return false;
    }
    follow(*(const pid_t *)launcher);
    return true;
}

/* To the engine that runs: this is its end of a new helper's socket. */
static void send_end(int to, int end)
{
    union { struct cmsghdr align; char room[CMSG_SPACE(sizeof(int))]; } control;
    char byte = 'h';
    struct iovec iov = { &byte, 1 };
    struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control };
    struct cmsghdr *c;

    memset(&control, 0, sizeof control);
    c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &end, sizeof end);
    if (sendmsg(to, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        LOG(EC_LOG_WARNING, "the engine cannot be given the new helper: %s", strerror(errno));
}

pid_t process_helper(struct process_pipes *p)
{
    pid_t self = getpid(), pid;
    int end;

    pid = helper_spawn(HELPER_PROGRAM, become_helper, &self, &end);
    if (pid < 0)
        return -1;
    close_fd(&p->engine);
    if (p->launcher[0] >= 0) {
        send_end(p->launcher[0], end);
        close(end);
    } else {
        p->engine = end;        /* no engine yet: it will inherit it */
    }
    return pid;
}

static void set_number(const char *name, int n)
{
    char text[16];

    snprintf(text, sizeof text, "%d", n);
    setenv(name, text, 1);
}

static void become_engine(struct process_pipes *p, const struct identity *id, pid_t launcher)
{
    char why[256];

    close_fd(&p->launcher[0]);
    if (privilege_engine(id, why, sizeof why)) {
        LOG(EC_LOG_CRITICAL, "%s", why);
        _exit(EXIT_FAILED);
    }
    follow(launcher);               /* after the change of the user, which takes it back */
    setpgid(0, 0);                  /* a key on the terminal comes from the launcher, and once */
    set_number("ECYBER_LAUNCHER_FD", p->launcher[1]);
    if (p->engine >= 0)
        set_number("ECYBER_HELPER_FD", p->engine);
}

pid_t process_engine(struct process_pipes *p, const struct identity *id)
{
    pid_t pid, self = getpid();

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, p->launcher))
        return -1;
    pid = fork();
    if (!pid) {
        become_engine(p, id, self);
        return 0;
    }
    close_fd(&p->launcher[1]);
    close_fd(&p->engine);
    if (pid < 0)
        close_fd(&p->launcher[0]);
    return pid;
}

void process_engine_gone(struct process_pipes *p)
{
    close_fd(&p->launcher[0]);
    close_fd(&p->engine);
}

bool process_helper_exists(void)
{
    return !access(HELPER_PROGRAM, X_OK);
}

void process_helper_stop(struct process_pipes *p, pid_t pid)
{
    static const struct timespec tick = { 0, 10000000 };

    process_engine_gone(p);
    if (pid <= 0)
        return;
    for (int i = 0; i < 100; i++) {
        if (waitpid(pid, NULL, WNOHANG))
            return;
        nanosleep(&tick, NULL);
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}
