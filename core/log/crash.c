#include "core/log/crash.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/log/crash_row.h"
#include "core/log/crash_text.h"
#include "core/log/log.h"
#include "core/log/mark.h"

#define STACK_SIZE (64u * 1024)

static const struct {
    int number;
    const char *name;
    bool address;                   /* si_addr says where */
} signals[] = {{SIGSEGV, "SIGSEGV", true},
               {SIGBUS, "SIGBUS", true},
               {SIGILL, "SIGILL", true},
               {SIGFPE, "SIGFPE", true},
               {SIGABRT, "SIGABRT", false}};
#define SIGNALS (sizeof signals / sizeof *signals)

static pthread_key_t stack_key;
static bool stack_key_made;
static int handling;                /* thread id of the first one that crashed */
static struct mark_thread blamed;
static const char *blame_reason;

static void sentence_signal(struct crash_text *t, int number, const siginfo_t *info)
{
    for (size_t i = 0; i < SIGNALS; i++) {
        if (signals[i].number != number)
            continue;
        crash_put(t, signals[i].name);
        if (signals[i].address && info->si_code > 0) {      /* not sent by kill() */
            crash_put(t, " at 0x");
            crash_put_number(t, (uint64_t)(uintptr_t)info->si_addr, 16);
        }
    }
}

/* "ecyberd: crashed (SIGSEGV at 0x0) in plugin ids, callback packet, thread W0; it is the 2nd crash
 * in a row …" */
static void sentence_make(struct crash_text *t, int number, const siginfo_t *info,
                          const struct mark_thread *at)
{
    const char *plugin = at->mark.plugin;
    uint32_t count = crash_row_add(plugin ? plugin : "core");

    crash_put(t, "ecyberd: crashed (");
    if (blame_reason)
        crash_put(t, blame_reason);
    else
        sentence_signal(t, number, info);
    crash_put(t, plugin ? ") in plugin " : ") in the core");
    if (plugin) {
        crash_put(t, plugin);
        crash_put(t, ", callback ");
        crash_put(t, at->mark.callback ? at->mark.callback : "?");
    }
    crash_put(t, ", thread ");
    crash_put(t, at->name[0] ? at->name : "?");
    crash_put(t, "; crash ");
    crash_put_number(t, count, 10);
    crash_put(t, plugin ? " in a row of this plugin" : " in a row");
    if (plugin)
        crash_put(t, count < CRASH_LIMIT ? ", which is left out after 3"
                                         : ", which is left out at the next start");
    crash_put(t, "\n");
}

static void sentence_send(const char *s, uint32_t n)
{
    static const char before[] = "{\"level\":\"CRITICAL\",\"plugin\":\"core\",\"message\":\"",
                      after[] = "\"}\n";
    int fd = log_fd();

    if (write(STDERR_FILENO, s, n) < 0 && fd == STDERR_FILENO)
        return;
    if (fd == STDERR_FILENO)
        return;
    if (!log_is_json()) {
        if (write(fd, s, n) < 0)
            return;
    } else if (write(fd, before, sizeof before - 1) < 0 || write(fd, s, n - 1) < 0 ||
               write(fd, after, sizeof after - 1) < 0) {
        return;
    }
}

static void on_crash(int number, siginfo_t *info, void *context)
{
    int none = 0, self = (int)syscall(SYS_gettid);
    struct crash_text t;

    (void)context;
    if (!__atomic_compare_exchange_n(&handling, &none, self, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE)) {
        while (none != self)        /* another thread is at it and will end us */
            pause();
        _exit(128 + number);        /* the handler itself crashed */
    }
    t.n = 0;
    sentence_make(&t, number, info, blame_reason ? &blamed : mark_self);
    sentence_send(t.b, t.n);
    crash_row_write(t.b, t.n);
    signal(number, SIG_DFL);
    /* Delivered on return: the exit status is the signal's. */
    syscall(SYS_tgkill, getpid(), self, number);
}

static void stack_free(void *stack)
{
    stack_t off = {.ss_flags = SS_DISABLE};

    sigaltstack(&off, NULL);
    munmap(stack, STACK_SIZE);
}

/* A fault while its signal is blocked would end the process without a word. */
static void signals_unblock(void)
{
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < SIGNALS; i++)
        sigaddset(&set, signals[i].number);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

int crash_thread(void)
{
    stack_t s = {.ss_size = STACK_SIZE}, old;

    signals_unblock();
    if (!stack_key_made || pthread_getspecific(stack_key) ||
        (!sigaltstack(NULL, &old) && !(old.ss_flags & SS_DISABLE)))
        return 0;                   /* it has one: of ours, or of a sanitizer */
    s.ss_sp = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (s.ss_sp == MAP_FAILED)
        return -1;
    if (sigaltstack(&s, NULL) || pthread_setspecific(stack_key, s.ss_sp)) {
        stack_free(s.ss_sp);
        return -1;
    }
    return 0;
}

int crash_install(const char *state_dir)
{
    struct sigaction a;
    int err = crash_row_open(state_dir);

    if (!stack_key_made && !pthread_key_create(&stack_key, stack_free))
        stack_key_made = true;
    if (crash_thread())
        err = -1;
    memset(&a, 0, sizeof a);
    a.sa_sigaction = on_crash;
    a.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&a.sa_mask);
    for (size_t i = 0; i < SIGNALS; i++)
        if (sigaction(signals[i].number, &a, NULL))
            err = -1;
    return err;
}

uint32_t crash_count(const char *plugin)
{
    return crash_row_count(plugin);
}

void crash_survived(void)
{
    crash_row_forget(CRASH_LIMIT);
}

_Noreturn void crash_blame(const struct mark_thread *t, const char *reason)
{
    blamed = *t;
    blame_reason = reason;
    abort();
}
