/* Any bytes as a request: cut anywhere it ends the same, and a whole one lies within the bytes; values lie within the
 * head, and without its body it is whole where it ends. */
/* covers: plugins/http/head.c */
#include "plugins/http/head.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_into(char *p, const struct head *h, const struct head_limits *limits)
{
    static const char *const names[] = { "Content-Length", "Authorization", "host" };
    struct head again = { 0 };

    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t len = 0;
        const char *v = head_value(p, h->head, names[i], &len);

        if (v && (v < p || v + len > p + h->head))
            abort();
    }
    if (h->chunked)
        return;
    head_no_body(p, h->head);
    if (head_scan(&again, limits, p, h->head) != HEAD_DONE || again.total != h->head)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct head_limits limits = { .head = 2048, .target = 512, .fields = 20, .body = 4096 };
    struct head at_once = { 0 }, slow = { 0 };
    char *exact;
    int rc, slowly = HEAD_MORE;

    if (!size || size > 16384 || !(exact = malloc(size)))
        return 0;
    memcpy(exact, data, size);
    rc = head_scan(&at_once, &limits, exact, size);
    for (size_t n = 1; n <= size && slowly == HEAD_MORE; n += n < 64 ? 1 : 37)
        slowly = head_scan(&slow, &limits, exact, n);
    if (slowly == HEAD_MORE)
        slowly = head_scan(&slow, &limits, exact, size);
    if ((rc == HEAD_DONE && (!at_once.total || at_once.total > size)) || (rc > HEAD_DONE && !at_once.why))
        abort();
    if ((rc == HEAD_DONE) != (slowly == HEAD_DONE) || (rc == HEAD_DONE && slow.total != at_once.total))
        abort();
    if (rc == HEAD_DONE)
        look_into(exact, &at_once, &limits);
    free(exact);
    return 0;
}
