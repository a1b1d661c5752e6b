#include "core/progress.h"

#include "core/clock.h"
#include "core/log/log.h"
#include "core/worker.h"

#include <event2/event.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define SECOND UINT64_C(1000000000)
#define PERIOD_US 250000
#define FIRST_NS (SECOND / 2)       /* what is over before has no bar */
#define BAR_MAX 40u

static struct event *timer;
static uint64_t began;
static uint32_t files;

/* "1.23 GB" */
static void put_bytes(char *to, size_t n, uint64_t bytes)
{
    static const char *const unit[] = { "B", "kB", "MB", "GB", "TB", "PB" };
    double v = (double)bytes;
    uint32_t u = 0;

    for (; v >= 1000 && u < 5; u++)
        v /= 1000;
    snprintf(to, n, v < 10 && u ? "%.2f %s" : v < 100 && u ? "%.1f %s" : "%.0f %s", v, unit[u]);
}

static void put_time(char *to, size_t n, uint64_t seconds)
{
    if (seconds >= 3600)
        snprintf(to, n, "%llu:%02u:%02u", (unsigned long long)(seconds / 3600), (unsigned)(seconds / 60 % 60),
                 (unsigned)(seconds % 60));
    else
        snprintf(to, n, "%u:%02u", (unsigned)(seconds / 60), (unsigned)(seconds % 60));
}

static void put_bar(char *to, uint32_t cells, uint64_t done, uint64_t whole)
{
    uint32_t full = (uint32_t)((double)done / (double)whole * cells);

    *to++ = '[';
    for (uint32_t i = 0; i < cells; i++)
        *to++ = i < full ? '=' : i == full ? '>' : ' ';
    strcpy(to, "] ");
}

void progress_line(const struct progress_state *s, uint32_t width, char to[PROGRESS_WIDTH_MAX + 1])
{
    uint64_t done = s->whole && s->done > s->whole ? s->whole : s->done, rate = 0;
    char text[64], rest[160], bytes[32], each[32], left[40], bar[BAR_MAX + 8] = "", all[300];
    uint32_t n;

    if (s->elapsed_ns)
        rate = (uint64_t)((double)done / ((double)s->elapsed_ns / SECOND));
    put_bytes(bytes, sizeof bytes, done);
    put_bytes(each, sizeof each, rate);
    n = (uint32_t)snprintf(rest, sizeof rest, "%s, %llu packets, %s/s", bytes, (unsigned long long)s->packets, each);
    if (s->whole && rate && s->elapsed_ns >= SECOND / 2 && n < sizeof rest) {
        put_time(left, sizeof left, (s->whole - done + rate - 1) / rate);
        snprintf(rest + n, sizeof rest - n, ", %s left", left);
    }
    n = 0;
    *text = '\0';
    if (s->files > 1)
        n = (uint32_t)snprintf(text, sizeof text, "%u/%u ", s->file, s->files);
    if (s->whole)
        n += (uint32_t)snprintf(text + n, sizeof text - n, "%3u %% ", (unsigned)((double)done * 100 / (double)s->whole));
    width = width > PROGRESS_WIDTH_MAX ? PROGRESS_WIDTH_MAX : width;
    if (s->whole && n + strlen(rest) + 14 <= width) {       /* a bar of less than ten cells says nothing */
        uint32_t cells = width - n - (uint32_t)strlen(rest) - 3;
        put_bar(bar, cells > BAR_MAX ? BAR_MAX : cells, done, s->whole);
    }
    snprintf(all, sizeof all, "%s%s%s", text, bar, rest);
    n = (uint32_t)strlen(all);
    n = n > width ? width : n;
    memcpy(to, all, n);
    to[n] = '\0';
}

static uint32_t terminal_width(void)
{
    struct winsize size;

    return !ioctl(STDERR_FILENO, TIOCGWINSZ, &size) && size.ws_col >= 20 ? size.ws_col - 1u : 79;
}

static struct progress_state look(void)
{
    struct progress_state s = { .files = files, .elapsed_ns = clock_monotonic() - began };
    uint32_t at = 0;

    worker_progress(&s.done, &s.whole, &at);
    s.file = at + 1;
    for (uint32_t i = 0; i < worker_count(); i++) {
        struct worker_account a;
        worker_account_get(i, &a);
        s.packets += a.finished;
    }
    return s;
}

static void put(const char *line, const char *end)
{
    char all[PROGRESS_WIDTH_MAX + 16];
    int n = snprintf(all, sizeof all, "\r\033[K%s%s", line, end);

    if (write(STDERR_FILENO, all, (size_t)n) < 0)
        return;                     /* the terminal has gone */
}

static void on_time(evutil_socket_t fd, short what, void *arg)
{
    struct progress_state s = look();
    char line[PROGRESS_WIDTH_MAX + 1];

    (void)fd;
    (void)what;
    (void)arg;
    if (s.elapsed_ns < FIRST_NS)
        return;
    progress_line(&s, terminal_width(), line);
    put(line, "");
}

int progress_open(struct event_base *base, uint32_t n)
{
    struct timeval period = { 0, PERIOD_US };
    const char *term = getenv("TERM");

    if (!log_is_on_terminal() || !term || !strcmp(term, "dumb"))
        return EC_OK;
    timer = event_new(base, -1, EV_PERSIST, on_time, NULL);
    if (!timer || event_add(timer, &period))
        return EC_ENOMEM;
    files = n;
    began = clock_monotonic();
    log_status(true);
    return EC_OK;
}

void progress_close(void)
{
    struct progress_state s;
    char line[PROGRESS_WIDTH_MAX + 1], took[40], bytes[40] = "";

    if (!timer)
        return;
    event_free(timer);
    timer = NULL;
    s = look();
    if (s.elapsed_ns < 60 * SECOND)
        snprintf(took, sizeof took, "%.1f s", (double)s.elapsed_ns / SECOND);
    else
        put_time(took, sizeof took, s.elapsed_ns / SECOND);
    if (files == 1) {
        strcpy(bytes, ", ");
        put_bytes(bytes + 2, sizeof bytes - 2, s.done);
    }
    snprintf(line, sizeof line, "%llu packets%s in %s", (unsigned long long)s.packets, bytes, took);
    log_status(false);
    put(line, "\n");
}
