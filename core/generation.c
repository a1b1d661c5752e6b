#include "core/generation.h"

#include "core/conf/conf.h"
#include "core/instance.h"
#include "core/plan.h"

#include <stdio.h>

struct plan *generation_build(struct instance *const *order, uint32_t n, struct conf *conf,
                              uint32_t gen, char *why, uint32_t why_n)
{
    struct plan *p = plan_new(gen, n);

    if (!p) {
        snprintf(why, why_n, "out of memory");
        return NULL;
    }
    for (uint32_t k = 0; k < n; k++)
        if (instance_configure(order[k], conf_of(conf, order[k]->d.name), &p->state[k], why,
                               why_n)) {
            generation_free(order, p);
            return NULL;
        }
    p->conf = conf;
    return p;
}

void generation_free(struct instance *const *order, struct plan *p)
{
    if (!p)
        return;
    for (uint32_t k = p->n; k--; )
        instance_state_free(order[k], p->state[k]);
    if (p->conf)
        conf_free(p->conf);
    plan_free(p);
}
