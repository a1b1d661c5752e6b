#include "plugins/ids/keyword/keyword.h"

#include "plugins/ids/keyword/external.h"
#include "plugins/ids/keyword/sticky.h"

#include <string.h>

static const struct keyword_family *const families[] = {
    &keyword_content, &keyword_modifier, &keyword_pcre, &keyword_flow, &keyword_dsize, &keyword_event,
    &keyword_flowbits, &keyword_flowint, &keyword_threshold, &keyword_meta, &keyword_sticky,
};

const struct keyword *keyword_find(struct token name)
{
    for (size_t f = 0; f < sizeof families / sizeof families[0]; f++)
        for (size_t i = 0; i < families[f]->n; i++) {
            const struct keyword *k = &families[f]->row[i];

            if (token_is(name, k->name) || (k->alias && token_is(name, k->alias)))
                return k;
        }
    return NULL;
}

int keyword_fallback(struct build *b, const char *name)
{
    if (external_known(b->env->external, name))
        return external_parse(b, name);
    return sticky_open(b, name);
}

void keyword_each(void (*fn)(void *arg, const struct keyword *k), void *arg)
{
    for (size_t f = 0; f < sizeof families / sizeof families[0]; f++)
        for (size_t i = 0; i < families[f]->n; i++)
            fn(arg, &families[f]->row[i]);
}
