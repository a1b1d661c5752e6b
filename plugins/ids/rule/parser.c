#include "plugins/ids/rule/parser.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char *const actions[] = {
    "alert", "pass", "drop", "reject", "rejectsrc", "rejectdst", "rejectboth", "log", "activate", "dynamic", "sdrop",
};

static bool is_action(struct token t)
{
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        if (token_is(t, actions[i]))
            return true;
    return false;
}

/* "#alert tcp … (…sid:1;)" is a rule that somebody switched off. */
static bool is_disabled_rule(const struct line *l)
{
    uint32_t at = 0;
    struct token t;

    while (at < l->len && (l->text[at] == '#' || l->text[at] == ' ' || l->text[at] == '\t'))
        at++;
    return lexer_word(l, &at, &t) && is_action(t) && memmem(l->text, l->len, "sid:", 4) &&
           memchr(l->text, '(', l->len);
}

enum line_kind parser_kind(const struct line *l, struct token *name)
{
    uint32_t at = 0;

    if (l->text[0] == '#')
        return is_disabled_rule(l) ? LINE_DISABLED : LINE_COMMENT;
    if (lexer_word(l, &at, name) && token_is(*name, "include")) {
        *name = token_trim((struct token){ l->text + at, l->len - at, at });
        if (name->len >= 2 && name->s[0] == '"' && name->s[name->len - 1] == '"')
            *name = token_sub(*name, 1, name->len - 2);
        return LINE_INCLUDE;
    }
    return LINE_RULE;
}

/* The sid is wanted for messages before the rule is known to be sound. */
static uint32_t parser_find_sid(const struct line *l)
{
    const char *p = l->text, *end = l->text + l->len;
    uint32_t sid = 0;

    while ((p = memmem(p, (size_t)(end - p), "sid:", 4))) {
        if (p > l->text && (isalnum((unsigned char)p[-1]) || p[-1] == '_')) {
            p += 4;
            continue;
        }
        p += 4;
        while (p < end && *p == ' ')
            p++;
        while (p < end && *p >= '0' && *p <= '9' && sid < UINT32_MAX / 10)
            sid = sid * 10 + (uint32_t)(*p++ - '0');
        return sid;
    }
    return 0;
}

static bool parser_header(const struct line *l, struct ast *a, uint32_t *at, uint32_t *off, char *why, size_t n)
{
    static const char *const what[] = {
        "an action (alert, pass, drop, reject)", "a protocol", "source addresses", "source ports", "'->' or '<>'",
        "destination addresses", "destination ports",
    };
    struct token *const t[] = { &a->action, &a->proto, &a->src, &a->sport, &a->arrow, &a->dst, &a->dport };

    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++)
        if (!lexer_word(l, at, t[i])) {
            *off = *at;
            snprintf(why, n, "%s expected in the rule's header", what[i]);
            return false;
        }
    return true;
}

/* The value of an option ends at the first ';' that no backslash protects. */
static bool parser_value(const struct line *l, uint32_t *at, struct token *value)
{
    uint32_t i = *at;

    while (i < l->len && l->text[i] != ';')
        i += l->text[i] == '\\' ? 2 : 1;
    if (i >= l->len)
        return false;
    *value = token_trim((struct token){ l->text + *at, i - *at, *at });
    *at = i + 1;
    return true;
}

/* A quote that opens a value closes it too. */
static bool parser_quotes(const struct ast_option *o, uint32_t *at, char *why, size_t n)
{
    struct token t = o->value;
    uint32_t i = t.len && t.s[0] == '!', slashes = 0;

    if (i >= t.len || t.s[i] != '"')
        return true;
    while (slashes + i + 2 < t.len && t.s[t.len - 2 - slashes] == '\\')
        slashes++;
    if (t.len > i + 1 && t.s[t.len - 1] == '"' && slashes % 2 == 0)
        return true;
    *at = t.off;
    snprintf(why, n, "the quotes are not closed; a ';' between them must be written as '\\;'");
    return false;
}

static bool is_name(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '-';
}

static bool parser_option(const struct line *l, uint32_t *at, struct ast_option *o, char *why, size_t n)
{
    uint32_t from = *at;

    while (*at < l->len && is_name(l->text[*at]))
        ++*at;
    o->name = (struct token){ l->text + from, *at - from, from };
    if (!o->name.len) {
        snprintf(why, n, "the name of an option expected, or ')' after the last one");
        return false;
    }
    lexer_blanks(l, at);
    o->has_value = *at < l->len && l->text[*at] == ':';
    if (o->has_value) {
        ++*at;
        if (parser_value(l, at, &o->value))
            return parser_quotes(o, at, why, n);
    } else if (*at < l->len && l->text[*at] == ';') {
        ++*at;
        o->value = (struct token){ l->text + *at, 0, *at };
        return true;
    }
    snprintf(why, n, "';' expected after the option '%.*s'", (int)(o->name.len > 40 ? 40 : o->name.len), o->name.s);
    return false;
}

static bool parser_options(const struct line *l, struct ast *a, uint32_t *at, char *why, size_t n)
{
    for (;;) {
        lexer_blanks(l, at);
        if (*at >= l->len) {
            snprintf(why, n, "the rule is not closed: ')' expected");
            return false;
        }
        if (l->text[*at] == ')') {
            ++*at;
            return true;
        }
        if (a->n_option == PARSER_OPTIONS_MAX) {
            snprintf(why, n, "more than %d options in one rule", PARSER_OPTIONS_MAX);
            return false;
        }
        if (!parser_option(l, at, &a->option[a->n_option], why, n))
            return false;
        a->n_option++;
    }
}

static bool parser_body(const struct line *l, struct ast *a, uint32_t *at, uint32_t *off, char *why, size_t n)
{
    if (!parser_header(l, a, at, off, why, n))
        return false;
    lexer_blanks(l, at);
    *off = *at;
    if (*at >= l->len || l->text[*at] != '(') {
        snprintf(why, n, "'(' expected after the rule's header");
        return false;
    }
    ++*at;
    if (!parser_options(l, a, at, why, n)) {
        *off = *at < l->len ? *at : l->len;
        return false;
    }
    lexer_blanks(l, at);
    *off = *at;
    if (*at < l->len && l->text[*at] != '#') {
        snprintf(why, n, "nothing may follow the rule's closing ')'");
        return false;
    }
    return true;
}

bool parser_rule(const struct line *l, struct ast *a, uint32_t *off, char *why, size_t n)
{
    const char *nul = memchr(l->text, 0, l->len);
    uint32_t at = 0;

    a->n_option = 0;
    a->sid = parser_find_sid(l);
    *off = 0;
    if (l->too_long) {
        *off = l->len;
        snprintf(why, n, "a rule may be at most %u bytes long", LEXER_LINE_MAX);
        return false;
    }
    if (nul) {
        *off = (uint32_t)(nul - l->text);
        snprintf(why, n, "a NUL byte; is this a text file?");
        return false;
    }
    if (!lexer_word(l, &at, &a->action) || !is_action(a->action)) {
        snprintf(why, n, "unknown action '%.*s': alert, pass, drop or reject expected",
                 (int)(a->action.len > 40 ? 40 : a->action.len), a->action.s);
        return false;
    }
    at = 0;
    return parser_body(l, a, &at, off, why, n);
}
