#include "plugins/ids/rule/lexer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

void lexer_open(struct lexer *x, const char *text, size_t len)
{
    memset(x, 0, sizeof *x);
    /* A byte order mark is no part of the first rule. */
    if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
        text += 3;
        len -= 3;
    }
    x->at = text;
    x->end = text + len;
}

void lexer_close(struct lexer *x)
{
    free(x->joined);
    x->joined = NULL;
}

static int lexer_append(struct lexer *x, struct line *l, const char *s, size_t n, uint32_t column)
{
    uint32_t parts = sizeof x->part / sizeof x->part[0];

    if (n > LEXER_LINE_MAX - l->len) {
        n = LEXER_LINE_MAX - l->len;
        l->too_long = true;
    }
    if (l->len + n > x->cap) {
        size_t cap = l->len + n > 2048 ? LEXER_LINE_MAX : 2048;
        char *p = realloc(x->joined, cap);
        if (!p)
            return -1;
        x->joined = p;
        x->cap = cap;
    }
    if (n)
        memcpy(x->joined + l->len, s, n);
    if (l->n_part < parts)
        x->part[l->n_part++] = (struct line_part){ l->len, x->number, column };
    l->len += (uint32_t)n;
    return 0;
}

/* One physical line joins l. Returns 1: the next one belongs to it as well, 0: it is complete, -1: no memory. */
static int lexer_physical(struct lexer *x, struct line *l)
{
    const char *s = x->at, *nl = memchr(s, '\n', (size_t)(x->end - s));
    const char *e = nl ? nl : x->end;
    uint32_t column = 1;
    bool more;

    x->at = nl ? nl + 1 : x->end;
    x->number++;
    while (e > s && is_blank(e[-1]))
        e--;
    if (!l->n_part)
        while (s < e && is_blank(*s)) {
            s++;
            column++;
        }
    more = e > s && e[-1] == '\\' && nl && (e - s < 2 || e[-2] != '\\');
    if (lexer_append(x, l, s, (size_t)(e - s) - more, column))
        return -1;
    /* A comment ends with its line. */
    return more && !(l->len && x->joined[0] == '#');
}

int lexer_next(struct lexer *x, struct line *l)
{
    int more;

    while (x->at < x->end) {
        memset(l, 0, sizeof *l);
        l->text = "";
        l->number = x->number + 1;
        do {
            more = lexer_physical(x, l);
            if (x->joined)
                l->text = x->joined;
        } while (more > 0 && x->at < x->end && !l->too_long);
        if (more < 0)
            return -1;
        l->part = x->part;
        if (l->len)
            return 1;
    }
    return 0;
}

void line_place(const struct line *l, uint32_t off, uint32_t *line, uint32_t *column)
{
    uint32_t i = l->n_part;

    while (i > 1 && l->part[i - 1].off > off)
        i--;
    *line = i ? l->part[i - 1].line : l->number;
    *column = i ? off - l->part[i - 1].off + l->part[i - 1].column : off + 1;
}

void lexer_blanks(const struct line *l, uint32_t *at)
{
    while (*at < l->len && is_blank(l->text[*at]))
        ++*at;
}

bool lexer_word(const struct line *l, uint32_t *at, struct token *t)
{
    uint32_t i, depth = 0;

    lexer_blanks(l, at);
    for (i = *at; i < l->len; i++) {
        char c = l->text[i];

        if (c == '[')
            depth++;
        else if (c == ']' && depth)
            depth--;
        else if (!depth && (is_blank(c) || c == '('))
            break;
    }
    *t = (struct token){ l->text + *at, i - *at, *at };
    *at = i;
    return t->len > 0;
}

bool token_is(struct token t, const char *word)
{
    return t.len == strlen(word) && !strncasecmp(t.s, word, t.len);
}

struct token token_sub(struct token t, uint32_t from, uint32_t len)
{
    return (struct token){ t.s + from, len, t.off + from };
}

struct token token_trim(struct token t)
{
    while (t.len && is_blank(t.s[0]))
        t = token_sub(t, 1, t.len - 1);
    while (t.len && is_blank(t.s[t.len - 1]))
        t.len--;
    return t;
}

bool token_cut(struct token *rest, char sep, struct token *piece)
{
    const char *p;
    uint32_t n;

    *piece = *rest;
    if (!rest->len)
        return false;
    p = memchr(rest->s, sep, rest->len);
    n = p ? (uint32_t)(p - rest->s) : rest->len;
    *piece = token_trim(token_sub(*rest, 0, n));
    *rest = token_sub(*rest, n + (p != NULL), rest->len - n - (p != NULL));
    return true;
}

bool token_number(struct token t, int64_t min, int64_t max, int64_t *v)
{
    bool minus = t.len && t.s[0] == '-';
    uint32_t i = minus || (t.len && t.s[0] == '+');
    int64_t n = 0;

    if (i == t.len || t.len - i > 18)
        return false;
    for (; i < t.len; i++) {
        if (t.s[i] < '0' || t.s[i] > '9')
            return false;
        n = n * 10 + (t.s[i] - '0');
    }
    *v = minus ? -n : n;
    return *v >= min && *v <= max;
}
