/* cache.h: what the rules of one set share: compiled address and port expressions, views of buffers. */
#ifndef IDS_RULE_CACHE_H
#define IDS_RULE_CACHE_H
#include "plugins/ids/rule/address.h"

struct env;
struct view;
struct build_cache;

/* As address_parse(), remembering results by kind and text. */
bool cache_address(struct build_cache *c, struct arena *a, const struct vars *v, enum expr_kind kind, struct token t,
                   const struct rangeset **set, uint32_t *off, char *why, size_t n);
/* NULL: no parser offers a buffer of that name (or no memory). */
const struct view *cache_view(struct build_cache *c, struct arena *a, const struct env *env, const char *name);
/* Every view that was asked for, in order. NULL: no i-th. */
const struct view *cache_view_at(const struct build_cache *c, size_t i);

#endif
