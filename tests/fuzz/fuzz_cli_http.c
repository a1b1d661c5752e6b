/* Any bytes as an answer of HTTP, in pieces of a length that the first byte says; and its body on a terminal. */
/* covers: cli/http.c cli/safe.c */
#include "cli/http.h"
#include "cli/safe.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct source {
    const uint8_t *p;
    size_t n, step;
};

static ssize_t source_fill(void *arg, void *to, size_t n)
{
    struct source *s = arg;

    n = n < s->step ? n : s->step;
    n = n < s->n ? n : s->n;
    memcpy(to, s->p, n);
    s->p += n;
    s->n -= n;
    return (ssize_t)n;
}

static void terminal(const char *text)
{
    char *shown = safe_text(text);

    for (const unsigned char *s = (const unsigned char *)shown; s && *s; s++)
        if (*s < 0x20 || *s == 0x7f || (*s == 0xc2 && s[1] < 0xa0))
            abort();
    free(shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct http_in in;
    struct source s;
    char why[128], *body;
    size_t len;

    if (!size)
        return 0;
    s = (struct source){data + 1, size - 1, (size_t)*data + 1};
    memset(&in, 0, sizeof in);
    in.fill = source_fill;
    in.arg = &s;
    if (http_head(&in, why, sizeof why))
        return 0;
    body = http_body_whole(&in, &len);
    if (body) {
        if (len > size)
            abort();
        terminal(body);
    }
    free(body);
    return 0;
}
