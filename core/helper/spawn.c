#include "core/helper/spawn.h"

#include "core/folder.h"
#include "core/helper/message.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Noreturn void become(const char *program, bool (*before)(void *arg), void *arg, int end)
{
    char *const argv[] = { (char *)"ecyber-helper", NULL };
    char *const env[] = { (char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (before && !before(arg))
        _exit(127);
    if (end == HELPER_FD ? !fcntl(end, F_SETFD, 0) : dup2(end, HELPER_FD) == HELPER_FD)
        execve(program, argv, env);
    _exit(127);
}

pid_t helper_spawn(const char *program, bool (*before)(void *arg), void *arg, int *fd)
{
    int pair[2], err;
    pid_t pid;

    if (folder_access(program, X_OK) || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
        return -1;
    pid = fork();
    if (!pid)
        become(program, before, arg, pair[1]);
    err = errno;
    close(pair[1]);
    if (pid < 0)
        close(pair[0]);
    else
        *fd = pair[0];
    errno = err;
    return pid;
}

bool helper_power(void)
{
    struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

    memset(data, 0, sizeof data);
    return !syscall(SYS_capget, &head, data) && (data[0].permitted & data[0].effective & (1u << CAP_NET_ADMIN));
}
