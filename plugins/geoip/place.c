#include "plugins/geoip/place.h"

#include <string.h>

typedef const char *const path[4];

/* Does the record hold this? Absence is no error. */
static int value_get(MMDB_entry_s *entry, const char *const *at, MMDB_entry_data_s *v)
{
    int err = MMDB_aget_value(entry, v, at);

    if (err == MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR || err == MMDB_INVALID_LOOKUP_PATH_ERROR) {
        v->has_data = false;
        return MMDB_SUCCESS;
    }
    return err;
}

/* Two letters, as ISO 3166-1 writes them; all else ("ZZ" and "None" too) says nothing. */
static bool letters_take(char to[3], const MMDB_entry_data_s *v)
{
    const char *s = v->utf8_string;

    if (!v->has_data || v->type != MMDB_DATA_TYPE_UTF8_STRING || v->data_size != 2 || s[0] < 'A' || s[0] > 'Z' ||
        s[1] < 'A' || s[1] > 'Z' || (s[0] == 'Z' && s[1] == 'Z'))
        return false;
    memcpy(to, s, 2);
    to[2] = 0;
    return true;
}

static int letters_read(MMDB_entry_s *entry, const path *at, uint32_t n, char to[3])
{
    MMDB_entry_data_s v;
    int err = MMDB_SUCCESS;

    for (uint32_t i = 0; i < n && !err; i++)
        if (!(err = value_get(entry, at[i], &v)) && letters_take(to, &v))
            break;
    return err;
}

/* "AS64500" */
static uint32_t asn_of(const char *s, uint32_t n)
{
    uint64_t v = 0;

    if (n < 3 || n > 12 || memcmp(s, "AS", 2))
        return 0;
    for (uint32_t i = 2; i < n; i++) {
        if (s[i] < '0' || s[i] > '9')
            return 0;
        v = v * 10 + (uint64_t)(s[i] - '0');
    }
    return v <= UINT32_MAX ? (uint32_t)v : 0;
}

static int asn_read(MMDB_entry_s *entry, struct place *p)
{
    static const path at[] = {
        { "autonomous_system_number" }, { "asn" }, { "traits", "autonomous_system_number" } };
    MMDB_entry_data_s v;
    int err = MMDB_SUCCESS;

    for (uint32_t i = 0; i < sizeof at / sizeof at[0] && !p->asn; i++) {
        if ((err = value_get(entry, at[i], &v)))
            break;
        if (v.has_data && v.type == MMDB_DATA_TYPE_UINT32)
            p->asn = v.uint32;
        else if (v.has_data && v.type == MMDB_DATA_TYPE_UINT16)
            p->asn = v.uint16;
        else if (v.has_data && v.type == MMDB_DATA_TYPE_UTF8_STRING)
            p->asn = asn_of(v.utf8_string, v.data_size);
    }
    return err;
}

/* What the first byte of a character says of its length; 0: it is none. */
static uint32_t character_length(uint8_t first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xf0)
        return first < 0xf5 ? 4 : 0;
    if (first >= 0xe0)
        return 3;
    return first >= 0xc2 ? 2 : 0;
}

/* Length of the character at s (RFC 3629); 0: none, or a control character. */
static uint32_t character(const uint8_t *s, uint32_t n)
{
    uint32_t len = character_length(*s);

    if (!len || len > n || *s < 0x20 || *s == 0x7f)
        return 0;
    for (uint32_t i = 1; i < len; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] >= 0xa0) || (*s == 0xf0 && s[1] < 0x90) ||
        (*s == 0xf4 && s[1] >= 0x90))
        return 0;
    return len;
}

static uint32_t text_valid(const char *s, uint32_t n)
{
    uint32_t at = 0, len;

    while (at < n && (len = character((const uint8_t *)s + at, n - at)) && at + len <= PLACE_ORG_MAX)
        at += len;
    return at;
}

static int org_read(MMDB_entry_s *entry, struct place *p, const char **org)
{
    static const path at[] = {
        { "autonomous_system_organization" }, { "as_name" }, { "traits", "autonomous_system_organization" } };
    MMDB_entry_data_s v;
    int err = MMDB_SUCCESS;

    for (uint32_t i = 0; i < sizeof at / sizeof at[0] && !p->org_len; i++) {
        if ((err = value_get(entry, at[i], &v)))
            break;
        if (!v.has_data || v.type != MMDB_DATA_TYPE_UTF8_STRING)
            continue;
        *org = v.utf8_string;
        p->org_len = text_valid(v.utf8_string, v.data_size);
    }
    return err;
}

int place_read(MMDB_entry_s *entry, struct place *p, const char **org)
{
    static const path country[] = {
        { "country", "iso_code" }, { "country_code" }, { "country" }, { "registered_country", "iso_code" } };
    static const path continent[] = { { "continent", "code" }, { "continent_code" } };
    int err;

    memset(p, 0, sizeof *p);
    if ((err = letters_read(entry, country, 4, p->country)))
        return err;
    if ((err = letters_read(entry, continent, 2, p->continent)))
        return err;
    if ((err = asn_read(entry, p)))
        return err;
    return org_read(entry, p, org);
}
