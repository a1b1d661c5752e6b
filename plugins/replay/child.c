#include "plugins/replay/child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CHILD_FILES 256u            /* descriptors */
#define CHILD_NICE 10

/* A sanitizer reserves terabytes of addresses. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define SANITIZED 1
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#if defined __x86_64__
#define CHILD_ARCH AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define CHILD_ARCH AUDIT_ARCH_AARCH64
#endif

#ifdef CHILD_ARCH
/* No socket but a Unix one (socket(2) with another family: EACCES), none by another way (io_uring: ENOSYS), no system
 * calls of another architecture. Without a library: it is set between fork and exec. */
static struct sock_filter no_network[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CHILD_ARCH, 1, 0),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_setup, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
    BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000u, 0, 1),         /* x32 */
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_socket, 0, 3),
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 1, 0),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};
static const struct sock_fprog program = { sizeof no_network / sizeof no_network[0], no_network };

static bool close_network(void)
{
    return !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}
#else
static bool close_network(void) { return true; }
#endif

static void limit(int what, uint64_t most)
{
    struct rlimit r;

    if (getrlimit(what, &r))
        return;
    if (r.rlim_max == RLIM_INFINITY || r.rlim_max > most)
        r.rlim_max = most;
    r.rlim_cur = r.rlim_max;
    setrlimit(what, &r);
}

static void limits(const struct child *c)
{
    if (!SANITIZED)
        limit(RLIMIT_AS, c->memory);
    limit(RLIMIT_FSIZE, c->output);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NOFILE, CHILD_FILES);
    setpriority(PRIO_PROCESS, 0, CHILD_NICE);
}

/* What it executes gets no capability, also where the daemon is root; that one keeps what reaches its own files. */
static bool no_power(void)
{
    for (unsigned long cap = 0; cap < 64; cap++)
        if (cap != CAP_DAC_OVERRIDE)
            prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
    return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* From here to exec only what is async-signal-safe: the daemon has many threads. */
static _Noreturn void become(const struct child *c, pid_t parent)
{
    char *const env[] = { (char[]){ "PATH=/usr/bin:/bin" }, (char[]){ "LC_ALL=C" }, NULL };
    int null = open("/dev/null", O_RDWR), log = -1;
    sigset_t none;

    for (int sig = 1; sig < 32; sig++)
        signal(sig, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (setpgid(0, 0) || prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent || chdir(c->folder) || null < 0 ||
        (log = open("log", O_WRONLY | O_CREAT | O_TRUNC, 0600)) < 0)
        _exit(126);
    /* Above what they become, so that none is written over. */
    null = fcntl(null, F_DUPFD, 10);
    log = fcntl(log, F_DUPFD, 10);
    if (dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(log, 2) < 0 || dup2(c->capture < 0 ? null : c->capture, 3) < 0 ||
        fcntl(3, F_SETFD, 0) || syscall(__NR_close_range, 4u, ~0u, 0u))
        _exit(126);
    limits(c);
    if (!no_power() || !close_network())
        _exit(126);
    execve("/proc/self/exe", c->argv, env);
    _exit(127);
}

pid_t child_start(const struct child *c)
{
    pid_t parent = getpid(), pid = fork();

    if (!pid)
        become(c, parent);
    if (pid > 0)
        setpgid(pid, pid);          /* whoever comes first */
    return pid;
}

void child_kill(pid_t pid)
{
    if (pid > 0 && kill(-pid, SIGKILL))
        kill(pid, SIGKILL);
}

static uint64_t position_of(pid_t pid, const char *name)
{
    unsigned long long at = 0;
    char path[64];
    FILE *in;

    snprintf(path, sizeof path, "/proc/%d/fdinfo/%.10s", (int)pid, name);
    if (!(in = fopen(path, "re")))
        return 0;
    if (fscanf(in, "pos: %llu", &at) != 1)
        at = 0;
    fclose(in);
    return at;
}

uint64_t child_position(pid_t pid, int capture)
{
    struct stat of, here;
    char path[64];
    uint64_t far = 0;
    DIR *d;

    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    if (fstat(capture, &of) || !(d = opendir(path)))
        return 0;
    for (const struct dirent *e; (e = readdir(d)); ) {
        uint64_t at;

        if (e->d_name[0] == '.' || fstatat(dirfd(d), e->d_name, &here, 0) || here.st_ino != of.st_ino ||
            here.st_dev != of.st_dev)
            continue;
        at = position_of(pid, e->d_name);
        far = at > far ? at : far;
    }
    closedir(d);
    return far;
}
