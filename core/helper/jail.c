#include "core/helper/jail.h"

#include <cap-ng.h>
#include <errno.h>
#include <linux/netlink.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

/* Seen with strace on Debian 12, for each operation, with 1 and with 100,000 entries; what another C library may use in
 * their place is named as well. Nothing here opens a file, starts a process or makes memory executable. */
static const int calls[] = {
    SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(recvmsg), SCMP_SYS(recvfrom), SCMP_SYS(sendmsg),
    SCMP_SYS(sendto), SCMP_SYS(bind), SCMP_SYS(getsockname), SCMP_SYS(setsockopt), SCMP_SYS(getsockopt),
    SCMP_SYS(close), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(pselect6),
    SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex),
    SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom), SCMP_SYS(sysinfo),
    SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(tgkill), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn), SCMP_SYS(sigreturn), SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group),
};

#define EXECUTABLE 4                /* PROT_EXEC */

static const struct scmp_arg_cmp not_executable = {
    .arg = 2, .op = SCMP_CMP_MASKED_EQ, .datum_a = EXECUTABLE, .datum_b = 0};
static const struct scmp_arg_cmp netlink = { .arg = 0, .op = SCMP_CMP_EQ, .datum_a = AF_NETLINK, .datum_b = 0 };

static int filter(void)
{
    scmp_filter_ctx c = seccomp_init(SCMP_ACT_KILL_PROCESS);
    int rc = c ? 0 : -ENOMEM;

    for (size_t k = 0; k < sizeof calls / sizeof calls[0] && !rc; k++)
        rc = seccomp_rule_add(c, SCMP_ACT_ALLOW, calls[k], 0);
    if (!rc)
        rc = seccomp_rule_add_array(c, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, &not_executable);
    if (!rc)
        rc = seccomp_rule_add_array(c, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, &netlink);
    if (!rc)
        rc = seccomp_load(c);
    if (c)
        seccomp_release(c);
    return rc;
}

static int capabilities(void)
{
    capng_select_t which = CAPNG_SELECT_CAPS | CAPNG_SELECT_AMBIENT;

    if (capng_get_caps_process() || !capng_have_capability(CAPNG_PERMITTED, CAP_NET_ADMIN))
        return -1;
    /* Without this one the bounding set stays; it has no meaning where nothing can be executed. */
    if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP))
        which = CAPNG_SELECT_ALL;
    capng_clear(CAPNG_SELECT_ALL);
    if (capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_NET_ADMIN))
        return -1;
    return capng_apply(which);
}

int jail_enter(char *why, size_t n)
{
    int rc;

    if (capabilities()) {
        snprintf(why, n, "capabilities other than CAP_NET_ADMIN cannot be given up, or that one is not there: start it "
                         "with CAP_NET_ADMIN");
        return -1;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)) {
        snprintf(why, n, "privileges cannot be locked: %s", strerror(errno));
        return -1;
    }
    if (JAIL_FILTERS && (rc = filter())) {
        snprintf(why, n, "the system call filter cannot be set: %s", strerror(-rc));
        return -1;
    }
    return 0;
}
