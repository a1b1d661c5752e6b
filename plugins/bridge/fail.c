#include "plugins/bridge/fail.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "plugins/bridge/guard.h"

/* One line: the first interface, then those that this made promiscuous. */
#define LINE (3 * IFNAMSIZ + 4)

static void path_of(const char *folder, char *path, size_t n)
{
    snprintf(path, n, "%s/open", folder);
}

static int promiscuous(const char *interface, bool on, bool *was)
{
    struct ifreq q;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;

    memset(&q, 0, sizeof q);
    snprintf(q.ifr_name, sizeof q.ifr_name, "%s", interface);
    err = fd < 0 || ioctl(fd, SIOCGIFFLAGS, &q) ? -1 : 0;
    if (!err) {
        *was = q.ifr_flags & IFF_PROMISC;
        q.ifr_flags = (short)(on ? q.ifr_flags | IFF_PROMISC : q.ifr_flags & ~IFF_PROMISC);
        if (*was != on)
            err = ioctl(fd, SIOCSIFFLAGS, &q);
    }
    if (fd >= 0)
        close(fd);
    return err;
}

/* false: nothing is remembered. */
static bool recall(const char *folder, char *line)
{
    char path[1024];
    FILE *from;
    bool got;

    if (!folder)
        return false;
    path_of(folder, path, sizeof path);
    if (!(from = fopen(path, "re")))
        return false;
    got = fgets(line, LINE, from);
    fclose(from);
    return got;
}

static int remember(const char *folder, const char *line)
{
    char path[1024];
    FILE *to;
    bool good;

    path_of(folder, path, sizeof path);
    if (!(to = fopen(path, "we")))
        return -1;
    good = fputs(line, to) >= 0 && !fflush(to) && !fsync(fileno(to));
    return fclose(to) || !good ? -1 : 0;
}

int fail_open(const char *folder, const struct link *const l[2], int *hold, char *why, uint32_t n)
{
    char line[LINE], old[LINE] = "";
    int at = snprintf(line, sizeof line, "%s", l[0]->name);
    bool was;

    if (!folder) {
        snprintf(why, n, "bridge.fail: open needs a state folder, to be taken back later");
        return -1;
    }
    recall(folder, old);
    if (guard_set(hold, l, why, n))
        return -1;
    for (uint32_t i = 0; i < 2; i++) {
        char word[IFNAMSIZ + 2];

        snprintf(word, sizeof word, " %s", l[i]->name);
        if (promiscuous(l[i]->name, true, &was)) {
            snprintf(why, n, "bridge.fail: open: %s cannot stay promiscuous: %s", l[i]->name, strerror(errno));
            return -1;
        }
        if (!was || strstr(old, word))          /* an earlier run of ours may have done it */
            at += snprintf(line + at, sizeof line - (size_t)at, "%s", word);
    }
    if (!remember(folder, line))
        return 0;
    snprintf(why, n, "bridge.fail: open cannot be remembered in %s: %s", folder, strerror(errno));
    return -1;
}

int fail_closed(const char *folder, int (*busy)(const char *interface), const char *but, char *why, uint32_t n)
{
    char line[LINE], path[1024], *save = NULL, *first, *word;
    bool was;

    if (!recall(folder, line) || !(first = strtok_r(line, " \n", &save)) || (but && !strcmp(first, but)) ||
        (busy && busy(first)))
        return 0;
    if (guard_remove(first, why, n))
        return -1;
    while ((word = strtok_r(NULL, " \n", &save)))
        promiscuous(word, false, &was);         /* one that is gone needs nothing */
    path_of(folder, path, sizeof path);
    unlink(path);
    return 0;
}
