#include "plugins/sysmon/sockets.h"

#include "plugins/sysmon/files.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FILE_BYTES (4u << 20)

static int hex_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool hex(const char *at, uint32_t digits, uint32_t *v)
{
    *v = 0;
    for (uint32_t i = 0; i < digits; i++) {
        int h = hex_of(at[i]);

        if (h < 0)
            return false;
        *v = *v << 4 | (uint32_t)h;
    }
    return true;
}

/* "0100007F:1F90": words of 32 bits as the host has them in memory, then the port. */
static bool address(struct text word, bool six, uint8_t to[16], uint16_t *port)
{
    uint32_t n = six ? 4 : 1, v;

    if (text_len(word) != n * 8 + 5 || word.at[n * 8] != ':')
        return false;
    memset(to, 0, 16);
    if (!six)
        to[10] = to[11] = 0xff;
    for (uint32_t i = 0; i < n; i++) {
        if (!hex(word.at + i * 8, 8, &v))
            return false;
        memcpy(to + (six ? i * 4 : 12), &v, 4);
    }
    if (!hex(word.at + n * 8 + 1, 4, &v))
        return false;
    *port = (uint16_t)v;
    return true;
}

/* "sl local remote state queues timers retransmitted uid timeout inode …" */
static bool line_parse(struct text line, enum socket_kind kind, struct sock *s)
{
    bool six = kind == SOCKET_TCP6 || kind == SOCKET_UDP6;
    struct text word;
    uint64_t v[3];
    uint32_t state;

    *s = (struct sock){ .kind = (uint8_t)kind };
    if (!text_word(&line, &word) || !text_word(&line, &word) || !address(word, six, s->local, &s->local_port) ||
        !text_word(&line, &word) || !address(word, six, s->remote, &s->remote_port) || !text_word(&line, &word) ||
        text_len(word) != 2 || !hex(word.at, 2, &state))
        return false;
    for (uint32_t i = 0; i < 3; i++)                /* queues, timers, retransmitted */
        if (!text_word(&line, &word))
            return false;
    if (!text_u64s(&line, v, 3))
        return false;
    s->state = state <= 12 ? (uint8_t)state : 0;
    s->uid = v[0] <= UINT32_MAX ? (uint32_t)v[0] : UINT32_MAX;
    s->inode = v[2];
    return true;
}

void sockets_parse(struct text t, enum socket_kind kind, struct sockets *s)
{
    struct text line;
    struct sock one;

    while (text_line(&t, &line)) {
        if (!line_parse(line, kind, &one))
            continue;
        if (s->n == SOCKETS_MAX)
            s->over++;
        else
            s->sock[s->n++] = one;
    }
}

/* false: it may not be seen. */
static bool descriptor_take(struct sockets *s, int folder, const char *name, uint32_t pid)
{
    char to[64];
    ssize_t n = readlinkat(folder, name, to, sizeof to - 1);
    unsigned long long inode;

    if (n <= 0)
        return n == 0 || (errno != EACCES && errno != EPERM);
    to[n] = 0;
    if (sscanf(to, "socket:[%llu]", &inode) != 1)
        return true;
    if (s->owners == OWNERS_MAX)
        s->owners_over++;
    else
        s->owner[s->owners++] = (struct owner){ inode, pid };
    return true;
}

static void process_take(struct sockets *s, int proc, const char *pid)
{
    char name[300];
    bool seen = true;
    int fd;
    DIR *d;

    snprintf(name, sizeof name, "%s/fd", pid);
    fd = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        s->hidden += errno == EACCES || errno == EPERM;
        return;
    }
    if (!(d = fdopendir(fd))) {
        close(fd);
        return;
    }
    for (struct dirent *e; seen && (e = readdir(d));)
        if (e->d_name[0] != '.')
            seen = descriptor_take(s, fd, e->d_name, (uint32_t)strtoul(pid, NULL, 10));
    s->hidden += !seen;
    closedir(d);
}

static int by_inode(const void *a, const void *b)
{
    const struct owner *x = a, *y = b;

    if (x->inode != y->inode)
        return x->inode < y->inode ? -1 : 1;
    return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static void owners_read(struct sockets *s, int proc)
{
    int fd = openat(proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);

    if (!d) {
        if (fd >= 0)
            close(fd);
        return;
    }
    for (struct dirent *e; (e = readdir(d));)
        if (*e->d_name >= '1' && *e->d_name <= '9')
            process_take(s, proc, e->d_name);
    closedir(d);
    qsort(s->owner, s->owners, sizeof *s->owner, by_inode);
}

/* The first of those that share it. */
static uint32_t owner_of(const struct sockets *s, uint64_t inode)
{
    uint32_t low = 0, high = s->owners;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;

        if (s->owner[mid].inode < inode)
            low = mid + 1;
        else
            high = mid;
    }
    return inode && low < s->owners && s->owner[low].inode == inode ? s->owner[low].pid : 0;
}

bool sockets_read(struct sockets *s, int proc)
{
    static const char *const names[SOCKET_KINDS] = { "net/tcp", "net/tcp6", "net/udp", "net/udp6" };
    char *bytes = malloc(FILE_BYTES);
    struct text t;

    memset(s, 0, sizeof *s);
    s->sock = malloc(SOCKETS_MAX * sizeof *s->sock);
    s->owner = malloc(OWNERS_MAX * sizeof *s->owner);
    if (!bytes || !s->sock || !s->owner) {
        free(bytes);
        sockets_free(s);
        return false;
    }
    for (uint32_t i = 0; i < SOCKET_KINDS; i++) {
        if (!files_short(proc, names[i], bytes, FILE_BYTES, &t)) {
            s->unreadable++;
            continue;
        }
        s->cut += text_len(t) == FILE_BYTES;
        sockets_parse(t, (enum socket_kind)i, s);
    }
    free(bytes);
    if (proc >= 0)
        owners_read(s, proc);
    for (uint32_t i = 0; i < s->n; i++)
        s->sock[i].pid = owner_of(s, s->sock[i].inode);
    return true;
}

void sockets_free(struct sockets *s)
{
    free(s->sock);
    free(s->owner);
    s->sock = NULL;
    s->owner = NULL;
}
