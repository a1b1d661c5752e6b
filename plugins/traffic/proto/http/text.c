/* text.c: a byte string that grows up to a bound. */
#include "text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool text_add(struct text *t, const void *p, uint32_t n)
{
    bool whole = n <= TEXT_MAX - t->n;

    if (!whole)
        n = TEXT_MAX - t->n;
    if (t->n + n > t->room) {
        uint32_t room = t->room ? t->room : 256;
        uint8_t *grown;
        while (room < t->n + n)
            room *= 2;
        if (!(grown = realloc(t->p, room)))
            return false;
        t->p = grown;
        t->room = room;
    }
    if (n)
        memcpy(t->p + t->n, p, n);
    t->n += n;
    return whole;
}

void text_shift(struct text *t, uint32_t n)
{
    if (n > t->n)
        n = t->n;
    if (n)
        memmove(t->p, t->p + n, t->n - n);
    t->n -= n;
}

void text_free(struct text *t)
{
    free(t->p);
    t->p = NULL;
    t->n = t->room = 0;
}

/* libhtp leaves NUL bytes of a name out of the comparison: only a longer one can still be the same. */
static bool is_name(const bstr *s, const char *name, size_t n)
{
    if (bstr_len(s) == n)
        return !strncasecmp((const char *)bstr_ptr(s), name, n);
    return bstr_len(s) > n && memchr(bstr_ptr(s), '\0', bstr_len(s)) && !bstr_cmp_c_nocasenorzero(s, name);
}

const htp_header_t *text_header(const htp_table_t *table, const char *name, size_t n)
{
    size_t headers = table ? htp_table_size(table) : 0;

    for (size_t i = 0; i < headers; i++) {
        bstr *key;
        const htp_header_t *h = htp_table_get_index(table, i, &key);
        if (is_name(key, name, n))
            return h;
    }
    return NULL;
}
