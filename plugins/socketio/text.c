#include "plugins/socketio/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_free(struct text *t)
{
    free(t->p);
    *t = (struct text){ 0 };
}

char *text_room(struct text *t, size_t n)
{
    size_t cap = t->cap ? t->cap : 256;
    char *p;

    if (t->bad)
        return NULL;
    while (cap - t->n < n && cap < SIZE_MAX / 4)
        cap *= 2;
    if (cap == t->cap)
        return t->p + t->n;
    if (cap - t->n < n || !(p = realloc(t->p, cap))) {
        t->bad = true;
        return NULL;
    }
    t->p = p;
    t->cap = cap;
    return t->p + t->n;
}

void text_add(struct text *t, const void *p, size_t n)
{
    char *to = n ? text_room(t, n) : NULL;

    if (!to)
        return;
    memcpy(to, p, n);
    t->n += n;
}

void text_puts(struct text *t, const char *s)
{
    text_add(t, s, strlen(s));
}

void text_printf(struct text *t, const char *fmt, ...)
{
    char line[512];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    if (n > 0)
        text_add(t, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
}

void text_json(struct text *t, const char *s)
{
    text_puts(t, "\"");
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            text_add(t, (char[]){ '\\', *s }, 2);
        else if ((unsigned char)*s < 0x20)
            text_printf(t, "\\u%04x", (unsigned)*s);
        else
            text_add(t, s, 1);
    }
    text_puts(t, "\"");
}

bool text_utf8(const char *text, size_t n)
{
    const unsigned char *s = (const unsigned char *)text;

    for (size_t i = 0; i < n; ) {
        unsigned char c = s[i];
        size_t len = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : (c & 0xf0) == 0xe0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;

        if (!len || len > n - i)
            return false;
        for (size_t k = 1; k < len; k++)
            if ((s[i + k] & 0xc0) != 0x80)
                return false;
        if ((c == 0xe0 && s[i + 1] < 0xa0) || (c == 0xed && s[i + 1] > 0x9f) || (c == 0xf0 && s[i + 1] < 0x90) ||
            (c == 0xf4 && s[i + 1] > 0x8f))
            return false;
        i += len;
    }
    return true;
}
