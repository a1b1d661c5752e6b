#include "core/conf/conf_mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 16384

struct conf_block {
    struct conf_block *next;
    size_t used, size;
    _Alignas(16) char data[];
};

void *conf_alloc(struct conf_mem *m, size_t n)
{
    struct conf_block *b = m->head;
    void *p;

    n = (n + 15) & ~(size_t)15;
    if (!b || b->size - b->used < n) {
        size_t size = n > BLOCK ? n : BLOCK;

        b = calloc(1, sizeof *b + size);
        if (!b)
            return NULL;
        b->size = size;
        b->next = m->head;
        m->head = b;
    }
    p = b->data + b->used;
    b->used += n;
    return p;
}

char *conf_strndup(struct conf_mem *m, const char *s, size_t n)
{
    char *to = conf_alloc(m, n + 1);

    if (to)
        memcpy(to, s, n);
    return to;
}

char *conf_strdup(struct conf_mem *m, const char *s)
{
    return conf_strndup(m, s, strlen(s));
}

char *conf_printf(struct conf_mem *m, const char *fmt, ...)
{
    va_list ap;
    char *text = NULL, *to;
    int len;

    va_start(ap, fmt);
    len = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (len < 0)
        return NULL;
    to = conf_strndup(m, text, (size_t)len);
    free(text);
    return to;
}

void conf_mem_free(struct conf_mem *m)
{
    while (m->head) {
        struct conf_block *next = m->head->next;

        free(m->head);
        m->head = next;
    }
}
