#include "plugins/http/decode.h"

#include <stdlib.h>
#include <string.h>

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int64_t decode_text(const char *p, size_t n, int form, char *to)
{
    size_t used = 0;

    for (size_t i = 0; i < n; i++) {
        char c = p[i];

        if (c == '%') {
            int high = i + 2 < n ? digit(p[i + 1]) : -1, low = i + 2 < n ? digit(p[i + 2]) : -1;

            if (high < 0 || low < 0)
                return -1;
            c = (char)(high * 16 + low);
            i += 2;
        } else if (form && c == '+') {
            c = ' ';
        }
        if (!c)
            return -1;
        to[used++] = c;
    }
    to[used] = '\0';
    return text_utf8(to, used) ? (int64_t)used : -1;
}

static int decode_pair(struct decode *d, const char *p, size_t n, char **to, const char **why)
{
    const char *eq = memchr(p, '=', n);
    size_t len = eq ? (size_t)(eq - p) : n;
    struct decode_field *f = &d->field[d->n];
    int64_t name, value;

    if (d->n == DECODE_FIELDS) {
        *why = "there are too many fields";
        return -1;
    }
    name = decode_text(p, len, 1, *to);
    f->name = *to;
    *to += name + 1;
    value = name < 0 ? -1 : decode_text(eq ? eq + 1 : p + n, eq ? n - len - 1 : 0, 1, *to);
    if (value < 0) {
        *why = "a field is not percent-encoded UTF-8";
        return -1;
    }
    f->value = *to;
    *to += value + 1;
    f->name_len = (uint32_t)name;
    f->value_len = (uint32_t)value;
    d->n++;
    return 0;
}

int decode_query(struct decode *d, const char *p, size_t n, const char **why)
{
    char *to;

    d->n = 0;
    /* Each field takes its decoded bytes and two NULs in place of '=' and '&'. */
    if (!(d->room = to = malloc(n + 2 * DECODE_FIELDS + 2))) {
        *why = "out of memory";
        return -1;
    }
    while (n) {
        const char *amp = memchr(p, '&', n);
        size_t len = amp ? (size_t)(amp - p) : n;

        if (len && decode_pair(d, p, len, &to, why))
            return -1;
        p += len + (amp != NULL);
        n -= len + (amp != NULL);
    }
    return 0;
}

void decode_free(struct decode *d)
{
    free(d->room);
    d->room = NULL;
    d->n = 0;
}

const struct decode_field *decode_find(const struct decode *d, const char *name)
{
    for (uint32_t i = d->n; i--; )
        if (!strcmp(d->field[i].name, name))
            return &d->field[i];
    return NULL;
}
