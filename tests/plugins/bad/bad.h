/* bad.h: what the bad plugins have in common. */
#ifndef BAD_H
#define BAD_H
#define EC_API_LEVEL 1
#include <ecyber/plugin.h>

/* A descriptor with nothing but names, uses and offers. */
#define BAD_DESCRIPTOR(id, name, uses, n_uses, offers, n_offers) \
    { EC_PLUGIN_HEAD, id, name, "1", "a plugin that is refused", "MIT", NULL, \
      n_uses, (uint32_t)sizeof(struct ec_use), n_offers, (uint32_t)sizeof(struct ec_offer), 0, 0, \
      uses, offers, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL }
#define BAD_USE(flags, id) { (uint32_t)sizeof(struct ec_use), flags, 4, 0, id }
#define BAD_OFFER(id, table) { (uint32_t)sizeof(struct ec_offer), 0, id, table }

struct bad_table { uint32_t size, reserved; };

#endif
