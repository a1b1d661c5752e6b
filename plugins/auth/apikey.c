#define EC_API_LEVEL 1
#include "plugins/auth/apikey.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdlib.h>

#include "plugins/auth/digest.h"
#include "plugins/auth/roles.h"

#define SECRET_HEX 64
#define PREFIX     "eck_"

struct document {
    struct ec_part part;
    struct ec_span name, digest, roles;
    uint64_t user, created, expires;
};
#define TEXT(flags, member, max, help) \
    { EC_T_TEXT, (flags), 0, 0, (uint32_t)offsetof(struct document, member), #member, NULL, NULL, NULL, NULL, (help), \
      0, (max) }
static const struct ec_row rows[] = {
    EC_FIELD(U64, EC_R_COLUMN, struct document, user, "user", NULL, "number of the user"),
    TEXT(0, name, APIKEY_NAME - 1, "what it is for"),
    TEXT(EC_R_SECRET, digest, APIKEY_DIGEST - 1, "hash of the key"),
    TEXT(0, roles, 63, "names, separated by commas"),
    EC_FIELD(TIME, 0, struct document, created, "created_at", NULL, "when it was made"),
    EC_FIELD(TIME, 0, struct document, expires, "expires_at", NULL, "when it ends; 0: never"),
};
static const struct ec_record record = EC_RECORD_PART(struct document, rows);
static const struct ec_kind kind = {sizeof kind, 1, "api_keys", &record, NULL};

static void text_get(const struct ec_part *p, struct ec_span s, char *to, size_t n)
{
    size_t len = s.off && s.len < n ? s.len : 0;

    if (len)
        memcpy(to, ec_bytes(p, s), len);
    to[len] = '\0';
}

static void document_read(const struct ec_part *p, void *item)
{
    const struct document *d = (const struct document *)(const void *)p;
    struct apikey *one = item;
    char roles[64];

    text_get(p, d->name, one->name, sizeof one->name);
    text_get(p, d->digest, one->digest, sizeof one->digest);
    text_get(p, d->roles, roles, sizeof roles);
    roles_parse(roles, strlen(roles), &one->roles);
    one->user = d->user;
    one->created = d->created;
    one->expires = d->expires;
}

static struct ec_part *document_write(const void *item, struct ec_build *b)
{
    const struct apikey *one = item;
    struct document *d = ec_add(b, 0, sizeof *d);
    char roles[64];

    if (!d)
        return NULL;
    roles_print(one->roles, roles, sizeof roles);
    d->name = ec_puts(b, one->name);
    d->digest = ec_puts(b, one->digest);
    d->roles = ec_puts(b, roles);
    d->user = one->user;
    d->created = one->created;
    d->expires = one->expires;
    return &d->part;
}

const struct shelf_form apikey_form = {&kind, sizeof(struct apikey), APIKEYS_MAX, document_read, document_write};

static bool of_user(const void *item, void *arg)
{
    return ((const struct apikey *)item)->user == *(const uint64_t *)arg;
}

int32_t apikey_make(struct shelf *s, struct apikey *one, char text[APIKEY_TEXT])
{
    struct apikey *others = calloc(APIKEYS_USER, sizeof *others);
    char secret[SECRET_HEX + 1];
    uint32_t n = others ? shelf_find(s, of_user, &one->user, 0, others, APIKEYS_USER) : 0;
    int32_t err = !others || random_hex(secret, SECRET_HEX) ? EC_ENOMEM : n == APIKEYS_USER ? EC_ELIMIT : EC_OK;

    free(others);
    if (!err) {
        digest_of(secret, SECRET_HEX, one->digest);
        err = shelf_add(s, one, false);
    }
    if (!err)
        snprintf(text, APIKEY_TEXT, PREFIX "%" PRIu64 "_%s", one->id, secret);
    OPENSSL_cleanse(secret, sizeof secret);
    return err;
}

/* "eck_ID_SECRET", taken apart. 0, or −1. */
static int parse(const char *text, uint32_t len, uint64_t *id, const char **secret)
{
    uint32_t digits = len - 4 - 1 - SECRET_HEX;
    char number[20];

    if (len < 4 + 1 + 1 + SECRET_HEX || len >= APIKEY_TEXT || memcmp(text, PREFIX, 4) || digits > 18)
        return -1;
    memcpy(number, text + 4, digits);
    number[digits] = '\0';
    if (strspn(number, "0123456789") != digits || text[4 + digits] != '_')
        return -1;
    *id = strtoull(number, NULL, 10);
    *secret = text + 4 + digits + 1;
    return 0;
}

int32_t apikey_judge(struct shelf *s, struct users *users, const char *text, uint32_t len, uint64_t now_ns,
                     struct ec_who *who, char *why, uint32_t n)
{
    char digest[APIKEY_DIGEST];
    const char *secret, *no = NULL;
    struct apikey one;
    struct user user;
    uint64_t id;

    if (parse(text, len, &id, &secret))
        no = "it is not of the form of a key";
    else if (shelf_get(s, id, &one))
        no = "there is no key of its number";
    else {
        digest_of(secret, SECRET_HEX, digest);
        if (CRYPTO_memcmp(digest, one.digest, sizeof digest))
            no = "it is not the key of its number";
        else if (one.expires && one.expires <= now_ns)
            no = "it has expired";
        else if (users_get(users, one.user, &user) || !user.active)
            no = "its user is gone or disabled";
        else if (!(user.roles & one.roles))
            no = "its user has none of its roles any more";
    }
    if (no) {
        snprintf(why, n, "%s", no);
        return EC_EPERM;
    }
    memset(who, 0, sizeof *who);
    who->size = sizeof *who;
    who->flags = EC_WHO_KEY | (user.must_change ? EC_WHO_MUST_CHANGE : 0);
    who->user = user.id;
    who->until_ns = one.expires;
    snprintf(who->name, sizeof who->name, "%s", user.name);
    roles_print(user.roles & one.roles, who->roles, sizeof who->roles);
    OPENSSL_cleanse(&user, sizeof user);
    return EC_OK;
}

uint32_t apikey_end_all(struct shelf *s, uint64_t user)
{
    return shelf_sweep(s, of_user, &user);
}
