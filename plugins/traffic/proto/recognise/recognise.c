/* recognise.c: protocols that have a name here and no parser, by family. Those that a magic number tells come before
 * those
 * whose lengths add up; where a port is hinted, it decides who is asked first. */
#include "recognise.h"

#include "family.h"

static const struct family *const families[] = {
    &family_files, &family_remote, &family_vpn, &family_databases, &family_network, &family_messages,
    &family_industrial, &family_routing, &family_media };

int32_t recognise_register(const struct ec_host *h, const struct ec_traffic *t, void *t_self)
{
    int32_t err = EC_OK;
    uint32_t id;

    for (uint32_t i = 0; i < sizeof families / sizeof families[0]; i++)
        for (uint32_t k = 0; !err && k < families[i]->n; k++) {
            err = t->proto(t_self, h, &families[i]->proto[k], NULL, &id);
            err = err == EC_EEXIST ? EC_OK : err;
        }
    return err;
}
