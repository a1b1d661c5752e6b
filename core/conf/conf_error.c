#include "core/conf/conf_impl.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define SENTENCE 1024
#define SHOWN    120

/* The value on one line and not too long. */
static void quote(const char *text, char *to)
{
    size_t n = 0;

    for (; n < SHOWN && text[n]; n++)
        to[n] = iscntrl((unsigned char)text[n]) ? '?' : text[n];
    if (text[n]) {
        while (n && ((unsigned char)text[n] & 0xc0) == 0x80)
            n--;
        memcpy(to + n, "…", sizeof "…");
    } else {
        to[n] = '\0';
    }
}

static void place_text(const struct conf_place *p, bool secret, char *to, size_t n)
{
    char value[SHOWN + 8];

    quote(secret ? ROW_MASK : p->value ? p->value : "", value);
    switch (p->from) {
    case CONF_DEFAULT:
        snprintf(to, n, "option %s", p->name);
        break;
    case CONF_FILE:
        if (p->line)
            snprintf(to, n, "%s:%u:%u", p->file, p->line, p->col);
        else
            snprintf(to, n, "%s", p->file);
        break;
    case CONF_ENV_FILE:
        if (p->name)
            snprintf(to, n, "%s:%u:%u: %s=%s", p->file, p->line, p->col, p->name, value);
        else
            snprintf(to, n, "%s:%u:%u", p->file, p->line, p->col);
        break;
    case CONF_ENVIRONMENT:
        snprintf(to, n, "environment variable %s=%s", p->name, value);
        break;
    case CONF_SET:
        snprintf(to, n, p->value ? "--set %s=%s" : "--set %s", p->name, value);
        break;
    }
}

void conf_error(struct conf_loader *l, const struct conf_place *p, bool secret, const char *fmt,
                ...)
{
    char sentence[SENTENCE + 8], place[SENTENCE / 2], what[SENTENCE / 2];
    va_list ap;

    if (l->errors++ >= CONF_ERRORS_MAX)
        return;
    place_text(p, secret, place, sizeof place);
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    snprintf(sentence, sizeof sentence, "%s: %s", place, what);
    l->err(sentence, l->arg);
}

void conf_warn(struct conf_loader *l, const struct conf_place *p, const char *fmt, ...)
{
    char sentence[SENTENCE + 8], place[SENTENCE / 2], what[SENTENCE / 2];
    va_list ap;

    if (!l->in->warn)
        return;
    place_text(p, true, place, sizeof place);
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    snprintf(sentence, sizeof sentence, "%s: %s", place, what);
    l->in->warn(sentence, l->arg);
}

void conf_no_memory(struct conf_loader *l)
{
    if (l->errors++ < CONF_ERRORS_MAX)
        l->err("the configuration: out of memory", l->arg);
}

void conf_error_end(struct conf_loader *l)
{
    char sentence[128];

    if (l->errors <= CONF_ERRORS_MAX)
        return;
    snprintf(sentence, sizeof sentence, "the configuration: %u more errors",
             l->errors - CONF_ERRORS_MAX);
    l->err(sentence, l->arg);
}

const char *conf_origin(struct conf_loader *l, const struct conf_place *p)
{
    const char *where = "default";

    if (p->from == CONF_FILE || p->from == CONF_ENV_FILE)
        where = conf_printf(&l->c->mem, "%s:%u:%u", p->file, p->line, p->col);
    else if (p->from == CONF_ENVIRONMENT)
        where = conf_printf(&l->c->mem, "environment variable %s", p->name);
    else if (p->from == CONF_SET)
        where = conf_printf(&l->c->mem, "--set %s", p->name);
    return where ? where : "?";
}
