#include "plugins/ids/keyword/external.h"
#include "plugins/ids/keyword/keyword.h"
#include "plugins/ids/load.h"
#include "plugins/ids/match/scope.h"

struct listing { void (*row)(void *arg, const char *const *cell); void *arg; };

static void listing_keyword(void *arg, const struct keyword *k)
{
    const struct listing *l = arg;
    const char *cell[] = { k->name, k->flags & KW_META ? "describes the rule" : "supported", k->help };

    l->row(l->arg, cell);
}

void load_list(const struct engine_port *p, const struct keyword_list *external,
               void (*row)(void *arg, const char *const *cell), void *arg)
{
    struct listing l = { row, arg };
    const char *name, *help;

    keyword_each(listing_keyword, &l);
    for (uint32_t i = 0; i < external->n; i++) {
        const char *cell[] = { external->list[i].k->name, "of another plugin", external->list[i].k->help };

        row(arg, cell);
    }
    for (uint32_t i = 0; !p->traffic->slot_at(p->traffic_self, i, &name, &help); i++) {
        const char *cell[] = { name, "buffer", help };

        row(arg, cell);
    }
}
