#include "plugins/ids/tell.h"

#include "plugins/ids/host.h"
#include "plugins/ids/rule/set.h"

#include <stdio.h>

enum { TELL_ERRORS = 100, TELL_WORDS = 30 };

struct tell { const struct ec_host *host; uint32_t words, more, rules; };

__attribute__((format(printf, 3, 4)))
static void tell(const struct ec_host *h, int32_t level, const char *fmt, ...)
{
    char msg[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    h->log(h, level, NULL, msg);
}

static void tell_word(void *arg, const char *word, uint32_t n, const struct problem *first)
{
    struct tell *t = arg;
    char text[700];

    if (t->words == TELL_WORDS) {
        t->more++;
        t->rules += n;
        return;
    }
    t->words++;
    problem_print(first, text, sizeof text);
    if (n == 1)
        tell(t->host, EC_LOG_WARNING, "1 rule left out for '%s': %s", word, text);
    else
        tell(t->host, EC_LOG_WARNING, "%u rules left out for '%s', the first: %s", n, word, text);
}

static void tell_each(const struct ec_host *h, const struct problems *ps)
{
    static const int32_t level[] = { EC_LOG_ERROR, EC_LOG_DEBUG, EC_LOG_DEBUG };
    uint32_t errors = 0;
    char text[700];

    for (size_t i = 0; i < ps->n; i++) {
        const struct problem *p = &ps->list[i];

        if ((p->kind == PROBLEM_ERROR && errors++ >= TELL_ERRORS) || !h->log_on(h, level[p->kind]))
            continue;
        problem_print(p, text, sizeof text);
        h->log(h, level[p->kind], NULL, text);
    }
    if (errors > TELL_ERRORS)
        tell(h, EC_LOG_ERROR, "and %u more errors in rules", errors - TELL_ERRORS);
}

void tell_problems(const struct ec_host *h, const struct ruleset *s)
{
    const struct problems *ps = ruleset_problems(s);
    struct tell t = { .host = h };
    struct ruleset_counts c;

    tell_each(h, ps);
    problem_words(ps, tell_word, &t);
    if (t.more)
        tell(h, EC_LOG_WARNING, "%u rules left out for %u other words", t.rules, t.more);
    ruleset_count(s, &c);
    tell(h, c.errors || c.unsupported ? EC_LOG_WARNING : EC_LOG_INFO,
         "%u rules of %u files are in use; %u have errors, %u ask for what is not supported, %u were replaced by a "
         "newer revision, %u are switched off", c.loaded, c.files, c.errors, c.unsupported, c.replaced, c.disabled);
}

void tell_first(const struct ec_host *h, const struct ruleset *s)
{
    const struct problems *ps = ruleset_problems(s);
    char text[700];

    for (size_t i = 0; i < ps->n; i++)
        if (ps->list[i].kind == PROBLEM_ERROR) {
            problem_print(&ps->list[i], text, sizeof text);
            ec_failf(h, EC_EINVAL, "%s", text);
            return;
        }
}
