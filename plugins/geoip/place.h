/* place.h: what one record of a database says of its addresses, in either schema that is in use. */
#ifndef GEOIP_PLACE_H
#define GEOIP_PLACE_H
#include <maxminddb.h>
#include <stdbool.h>
#include <stdint.h>

#define PLACE_ORG_MAX 96u           /* bytes; with it the part of an event stays below what the bus remembers */

struct place {
    uint32_t asn;                   /* 0: unknown */
    uint32_t org, org_len;          /* where the name stands in the strings of its database; length 0: unknown */
    char country[3], continent[3];  /* two letters and NUL; "": unknown */
};

/* What stands in a record: country.iso_code, country_code, country (as text), registered_country.iso_code where the
 * others are missing; continent.code, continent_code; autonomous_system_number or asn (also "AS64500"), at the top or
 * below traits; autonomous_system_organization or as_name. *org points into the database, *org_len: what of it is valid
 * UTF-8 without control characters, at most PLACE_ORG_MAX. A field of an unexpected type is absent. Returns a code of
 * libmaxminddb where the record is damaged. */
int place_read(MMDB_entry_s *entry, struct place *p, const char **org);

static inline bool place_known(const struct place *p)
{
    return p->asn || p->org_len || *p->country || *p->continent;
}

#endif
