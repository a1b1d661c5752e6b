#include "core/signals.h"

#include "core/cmdline.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static const int handled[] = { SIGTERM, SIGINT, SIGHUP };
#define HANDLED (sizeof handled / sizeof handled[0])

static int fd = -1;
static struct event *readable;
static volatile sig_atomic_t pending[HANDLED], interrupted;
static void (*deliver)(int sig, void *arg);
static void *deliver_arg;

static void on_signal(int sig)
{
    static const char at_once[] = "ecyberd: interrupted twice: ends at once\n";
    uint64_t one = 1;
    int saved = errno;

    if (sig == SIGINT && interrupted++) {
        if (write(STDERR_FILENO, at_once, sizeof at_once - 1) < 0)
            _exit(EXIT_FAILED);
        _exit(EXIT_FAILED);
    }
    for (size_t i = 0; i < HANDLED; i++)
        if (handled[i] == sig)
            pending[i] = 1;
    if (write(fd, &one, sizeof one) < 0)
        errno = saved;              /* the counter is full: the loop wakes anyway */
}

static void on_readable(evutil_socket_t s, short what, void *arg)
{
    uint64_t n;

    (void)what;
    (void)arg;
    if (read(s, &n, sizeof n) < 0)
        return;
    for (size_t i = 0; i < HANDLED; i++)
        if (pending[i]) {
            pending[i] = 0;
            deliver(handled[i], deliver_arg);
        }
}

static void mask(int how)
{
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < HANDLED; i++)
        sigaddset(&set, handled[i]);
    pthread_sigmask(how, &set, NULL);
}

void signals_hold(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

void signals_block(void)
{
    mask(SIG_BLOCK);
    /* A reader that went away, a file at its limit: errors of a write, not the daemon's end. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}

int signals_open(struct event_base *base, void (*fn)(int sig, void *arg), void *arg)
{
    struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

    deliver = fn;
    deliver_arg = arg;
    interrupted = 0;
    fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    readable = fd < 0 ? NULL : event_new(base, fd, EV_READ | EV_PERSIST, on_readable, NULL);
    if (!readable || event_add(readable, NULL))
        return -1;
    sigfillset(&sa.sa_mask);
    for (size_t i = 0; i < HANDLED; i++)
        sigaction(handled[i], &sa, NULL);
    mask(SIG_UNBLOCK);
    return 0;
}

void signals_close(void)
{
    struct sigaction sa = { .sa_handler = SIG_DFL };

    for (size_t i = 0; i < HANDLED; i++) {
        sa.sa_handler = handled[i] == SIGHUP ? SIG_IGN : SIG_DFL;   /* nothing is left to reload */
        sigaction(handled[i], &sa, NULL);
    }
    mask(SIG_UNBLOCK);
    if (readable)
        event_free(readable);
    if (fd >= 0)
        close(fd);
    readable = NULL;
    fd = -1;
}
