/* extension.h: who uses what of whom. An extension is an interface, which the core itself calls and
 * many may offer, or a service, which one plugin, or the daemon itself, offers and others use. All
 * [ctl]. */
#ifndef CORE_EXTENSION_H
#define CORE_EXTENSION_H
#include <stdbool.h>
#include <stdint.h>
struct instance;

bool extension_is_interface(const char *id);
/* Are the offers of an interface whole: long enough, and no function missing? 0, or EC_E* and
 * i->why. */
int extension_check(struct instance *i);

/* Bind the uses of every instance that is not refused. Those whose needs are not met, who stand in
 * a cycle of RUN uses or who offer what another offers as well are refused, with a sentence each,
 * and then those who need them. The rest is put into order[] (room for n), providers before their
 * users, otherwise as they came; returns how many. choose(id, arg): the name of the plugin that the
 * configuration wants for a service, NULL: it does not say. core: what the daemon itself offers, and
 * no plugin may; it is always there, so it stands in no order. NULL: nothing. */
typedef const char *extension_choose_fn(const char *id, const void *arg);
uint32_t extension_resolve(struct instance *const *all, uint32_t n, struct instance *core,
                           extension_choose_fn *choose, const void *arg, struct instance **order);

/* The table of the nth offer of this id, counted from 0; NULL: it has none. */
const void *extension_offer(const struct instance *i, const char *id, uint32_t nth);
/* Every offer of an interface by the instances order[0…n), in that order: fn(instance, vtable,
 * arg). */
void extension_each(struct instance *const *order, uint32_t n, const char *id,
                    void (*fn)(struct instance *i, const void *vtable, void *arg), void *arg);

#endif
