#include "plugins/ml/export.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int write_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t did = write(fd, p, n);
        if (did < 0 && errno == EINTR)
            continue;
        if (did <= 0)
            return -EIO;
        p += did;
        n -= (size_t)did;
    }
    return 0;
}

int export_open(struct export *x, const char *path)
{
    char line[EXPORT_ROW];
    int n = snprintf(line, sizeof line, "flow_id,src_ip,dest_ip,proto,dest_port,start");

    x->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0640);
    if (x->fd < 0)
        return -errno;
    for (int i = 0; i < FEATURES; i++)
        n += snprintf(line + n, sizeof line - (size_t)n, ",%s", feature_table[i].name);
    line[n++] = '\n';
    return write_all(x->fd, line, (size_t)n);
}

void export_close(struct export *x)
{
    if (x->fd >= 0)
        close(x->fd);
    x->fd = -1;
}

void export_flush(const struct export *x, struct export_buffer *b)
{
    if (x->fd >= 0 && b->used && write_all(x->fd, b->text, b->used))
        b->lost++;
    b->used = 0;
}

static const char *address_text(const uint8_t *a, char *to, size_t n)
{
    static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255 };
    bool v4 = !memcmp(a, mapped, sizeof mapped);

    return inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? a + 12 : a, to, (socklen_t)n);
}

void export_row(const struct export *x, struct export_buffer *b, const struct ec_flow *f, const float *features)
{
    char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN], *to;
    int n;

    if (EXPORT_BUFFER - b->used < EXPORT_ROW)
        export_flush(x, b);
    to = b->text + b->used;
    n = snprintf(to, EXPORT_ROW, "%llu,%s,%s,%u,%u,%.6f", (unsigned long long)f->id,
                 address_text(f->src, src, sizeof src), address_text(f->dst, dst, sizeof dst), f->ip_proto, f->dport,
                 (double)f->first_ns * 1e-9);
    for (int i = 0; i < FEATURES; i++)
        n += isnan(features[i]) ? snprintf(to + n, EXPORT_ROW - (size_t)n, ",")
                                : snprintf(to + n, EXPORT_ROW - (size_t)n, ",%.9g", (double)features[i]);
    to[n++] = '\n';
    b->used += (uint32_t)n;
}
