#include "plugins/sysmon/host.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void *answer_open(struct ec_build *b, uint32_t bytes, uint32_t tail)
{
    uint32_t cap = ((uint32_t)sizeof(struct ec_event) + bytes + tail + 2048u) & ~7u;

    *b = (struct ec_build){ .base = calloc(1, cap), .used = sizeof(struct ec_event), .cap = cap };
    return b->base ? ec_add(b, 0, bytes) : NULL;
}

void answer_send(const struct looker *l, struct ec_req *r, struct ec_build *b)
{
    if (b->base)
        l->http->reply(r, 200, ec_part_open(b));
    else
        l->http->error(r, 503, "out of memory");
    free(b->base);
}

void note(struct notes *n, const char *fmt, ...)
{
    va_list ap;

    if (n->n == NOTES_MAX)
        return;
    va_start(ap, fmt);
    vsnprintf(n->text[n->n++], sizeof n->text[0], fmt, ap);
    va_end(ap);
}

void notes_put(struct ec_build *b, struct ec_list *to, const struct notes *n)
{
    struct ec_span *row = ec_rows(b, to, n->n, sizeof *row);

    for (uint32_t i = 0; row && i < n->n; i++)
        row[i] = ec_puts(b, n->text[i]);
}

void host_declare(struct looker *l)
{
    const struct ec_route *const all[] = { &process_route, &connections_route, &services_route, &users_route,
                                           &health_route };

    l->root = l->proc = -1;
    for (uint32_t i = 0; l->http && i < sizeof all / sizeof all[0]; i++)
        if (l->http->route(l->http_self, l->host, all[i], l))
            EC_LOG(l->host, EC_LOG_WARNING, "the HTTP server did not take %s: it is not served", all[i]->path);
}

static int folder(int at, const char *name)
{
    return openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

void host_open(struct looker *l, const char *root)
{
    l->root = folder(AT_FDCWD, root);
    l->proc = l->root < 0 ? -1 : folder(l->root, "proc");
}

void host_close(struct looker *l)
{
    if (l->proc >= 0)
        close(l->proc);
    if (l->root >= 0)
        close(l->root);
    l->root = l->proc = -1;
}
