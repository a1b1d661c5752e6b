#include "plugins/bridge/offload.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define FEATURES_MAX 256u           /* Linux 6.18 knows 66 */
#define LINE_MAX_BYTES 4096u

struct features {
    uint32_t n;
    char name[FEATURES_MAX][ETH_GSTRING_LEN + 1];
    bool on[FEATURES_MAX], fixed[FEATURES_MAX];
};

static int ethtool(const char *interface, void *command)
{
    struct ifreq q;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = -1, error;

    memset(&q, 0, sizeof q);
    snprintf(q.ifr_name, sizeof q.ifr_name, "%s", interface);
    q.ifr_data = command;
    if (fd >= 0)
        err = ioctl(fd, SIOCETHTOOL, &q);
    error = errno;
    if (fd >= 0)
        close(fd);
    errno = error;
    return err;
}

static int names_read(const char *interface, struct features *f)
{
    struct { struct ethtool_sset_info head; uint32_t n; } info;
    struct ethtool_gstrings *names;
    int err;

    memset(&info, 0, sizeof info);
    info.head.cmd = ETHTOOL_GSSET_INFO;
    info.head.sset_mask = 1u << ETH_SS_FEATURES;
    if (ethtool(interface, &info))
        return -1;
    f->n = info.n < FEATURES_MAX ? info.n : FEATURES_MAX;
    if (!(names = calloc(1, sizeof *names + (size_t)info.n * ETH_GSTRING_LEN)))
        return -1;
    names->cmd = ETHTOOL_GSTRINGS;
    names->string_set = ETH_SS_FEATURES;
    names->len = info.n;
    err = ethtool(interface, names);
    for (uint32_t i = 0; i < f->n && !err; i++)
        memcpy(f->name[i], names->data + (size_t)i * ETH_GSTRING_LEN, ETH_GSTRING_LEN);
    free(names);
    return err;
}

static int features_read(const char *interface, struct features *f)
{
    struct { struct ethtool_gfeatures head; struct ethtool_get_features_block b[FEATURES_MAX / 32]; } g;

    memset(f, 0, sizeof *f);
    memset(&g, 0, sizeof g);
    if (names_read(interface, f))
        return -1;
    g.head.cmd = ETHTOOL_GFEATURES;
    g.head.size = FEATURES_MAX / 32;
    if (ethtool(interface, &g))
        return -1;
    for (uint32_t i = 0; i < f->n; i++) {
        f->on[i] = g.b[i / 32].active >> i % 32 & 1;
        f->fixed[i] = !(g.b[i / 32].available >> i % 32 & 1) || (g.b[i / 32].never_changed >> i % 32 & 1);
    }
    return 0;
}

/* Sets those that `wanted` chooses. */
static int features_set(const char *interface, const struct features *f, const bool *wanted, bool on)
{
    struct { struct ethtool_sfeatures head; struct ethtool_set_features_block b[FEATURES_MAX / 32]; } s;

    memset(&s, 0, sizeof s);
    s.head.cmd = ETHTOOL_SFEATURES;
    s.head.size = (f->n + 31) / 32;
    for (uint32_t i = 0; i < f->n; i++)
        if (wanted[i]) {
            s.b[i / 32].valid |= 1u << i % 32;
            s.b[i / 32].requested |= (uint32_t)on << i % 32;
        }
    return ethtool(interface, &s) < 0 ? -1 : 0;
}

static bool puts_together(const char *name)
{
    static const char end[] = "-segmentation";
    size_t n = strlen(name);

    return !strncmp(name, "rx-gro", 6) || !strncmp(name, "rx-lro", 6) || !strncmp(name, "rx-udp-gro", 10) ||
           (n > sizeof end && !strcmp(name + n - (sizeof end - 1), end));
}

static void path_of(const char *folder, const char *suffix, char *path, size_t n)
{
    snprintf(path, n, "%s/offloads%s", folder, suffix);
}

/* Appends a line to what is remembered. The file is another one until it is whole. */
static int remember(const char *folder, const char *line)
{
    char path[1024], next[1024], old[LINE_MAX_BYTES];
    FILE *from, *to;
    bool good;

    path_of(folder, "", path, sizeof path);
    path_of(folder, ".new", next, sizeof next);
    if (!(to = fopen(next, "we")))
        return -1;
    if ((from = fopen(path, "re"))) {
        while (fgets(old, sizeof old, from))
            fputs(old, to);
        fclose(from);
    }
    good = fputs(line, to) >= 0 && !fflush(to) && !fsync(fileno(to));
    return fclose(to) || !good || rename(next, path) ? -1 : 0;
}

static int one_off(const char *folder, const char *interface, char *why, uint32_t size)
{
    struct features f;
    bool off[FEATURES_MAX] = { false };
    char line[LINE_MAX_BYTES];
    int n = snprintf(line, sizeof line, "%s", interface), before = n;

    if (features_read(interface, &f)) {
        snprintf(why, size, "which offloads %s has cannot be read: %s", interface, strerror(errno));
        return -1;
    }
    for (uint32_t i = 0; i < f.n; i++)
        if (f.on[i] && !f.fixed[i] && puts_together(f.name[i]) && n + ETH_GSTRING_LEN + 2 < (int)sizeof line) {
            n += snprintf(line + n, sizeof line - (size_t)n, " %s", f.name[i]);
            off[i] = true;
        }
    if (n == before)
        return 0;
    snprintf(line + n, sizeof line - (size_t)n, "\n");
    if (remember(folder, line)) {
        snprintf(why, size, "the offloads of %s stay on, for they could not be remembered in %s: %s", interface, folder,
                 strerror(errno));
        return -1;
    }
    if (!features_set(interface, &f, off, false))
        return 0;
    snprintf(why, size, "the offloads of %s stay on: %s", interface, errno == EPERM ? "CAP_NET_ADMIN is missing" :
             strerror(errno));
    return -1;
}

int offload_off(const char *folder, const char *const *interface, uint32_t n, char *why, uint32_t size)
{
    int err = 0;

    if (!folder) {
        snprintf(why, size, "offloads stay on, for there is no state folder to remember them in");
        return -1;
    }
    for (uint32_t i = 0; i < n && !err; i++)
        err = one_off(folder, interface[i], why, size);
    return err;
}

/* "eth1 rx-gro …" */
enum { GONE = 1, BUSY = 2 };

static int line_back(char *line, const char **interface, int (*busy)(const char *interface))
{
    struct features f;
    bool on[FEATURES_MAX] = { false };
    char *save = NULL, *word;

    *interface = strtok_r(line, " \n", &save);
    if (!*interface)
        return GONE;
    if (busy && busy(*interface))
        return BUSY;
    if (features_read(*interface, &f))
        return errno == ENODEV ? GONE : -1;        /* it is gone, and its settings with it */
    while ((word = strtok_r(NULL, " \n", &save)))
        for (uint32_t i = 0; i < f.n; i++)
            on[i] |= !strcmp(word, f.name[i]);
    return features_set(*interface, &f, on, true);
}

int offload_back(const char *folder, int (*busy)(const char *interface), char *names, char *why, uint32_t size)
{
    char path[1024], line[LINE_MAX_BYTES];
    const char *interface;
    uint32_t at = 0;
    int n = 0, done;
    bool failed = false, kept = false;
    FILE *from;

    *names = '\0';
    if (!folder)
        return 0;
    path_of(folder, "", path, sizeof path);
    if (!(from = fopen(path, "re")))
        return 0;
    while (fgets(line, sizeof line, from)) {
        done = line_back(line, &interface, busy);
        if (done < 0) {
            failed = true;
            snprintf(why, size, "the offloads of %s cannot be put back: %s", interface, strerror(errno));
        }
        kept |= done == BUSY;
        if (!done && at < size)
            at += (uint32_t)snprintf(names + at, size - at, "%s%s", n++ ? ", " : "", interface);
    }
    fclose(from);
    if (!failed && !kept)
        unlink(path);
    return failed ? -1 : n;
}
