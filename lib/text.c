#include "lib/text.h"

#include "lib/utf8.h"

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
    char line[1024];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    if (n > 0)
        text_add(t, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
}

bool text_utf8(const char *s, size_t n)
{
    for (size_t i = 0, len; i < n; i += len)
        if (!(len = utf8_length((const unsigned char *)s + i, n - i)))
            return false;
    return true;
}

void text_json(struct text *t, const char *s, size_t n)
{
    static const char escapes[] = "btnvfr";
    const unsigned char *p = (const unsigned char *)s;

    if (!s) {
        text_puts(t, "null");
        return;
    }
    text_add(t, "\"", 1);
    for (size_t i = 0, len; i < n; i += len) {
        len = utf8_length(p + i, n - i);
        if (!len) {
            text_puts(t, "\xef\xbf\xbd");
            len = 1;
        } else if (p[i] == '"' || p[i] == '\\') {
            text_add(t, (char[]){ '\\', (char)p[i] }, 2);
        } else if (p[i] >= 8 && p[i] <= 13 && p[i] != 11) {
            text_add(t, (char[]){ '\\', escapes[p[i] - 8] }, 2);
        } else if (p[i] < 0x20 || p[i] == 0x7f) {
            text_printf(t, "\\u%04x", p[i]);
        } else {
            text_add(t, p + i, len);
        }
    }
    text_add(t, "\"", 1);
}

void text_jsons(struct text *t, const char *s)
{
    text_json(t, s, s ? strlen(s) : 0);
}

void text_comma(struct text *t)
{
    if (t->n && !strchr("{[:,", t->p[t->n - 1]))
        text_add(t, ",", 1);
}

void text_key(struct text *t, const char *key)
{
    text_comma(t);
    text_jsons(t, key);
    text_add(t, ":", 1);
}

void text_pair(struct text *t, const char *key, const char *value)
{
    if (!value)
        return;
    text_key(t, key);
    text_jsons(t, value);
}
