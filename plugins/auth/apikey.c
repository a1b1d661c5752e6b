#define EC_API_LEVEL 1
#include "plugins/auth/apikey.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdlib.h>

#include "plugins/auth/digest.h"
#include "plugins/auth/document.h"
#include "plugins/auth/roles.h"

#define SECRET_HEX 64
#define PREFIX     "eck_"
#define SECOND     UINT64_C(1000000000)

struct document {
    struct ec_part part;
    struct ec_span name, digest, roles;
    uint64_t user, created, expires, used;
    struct ec_span address;
};
static const struct ec_row rows[] = {
    EC_FIELD(U64, EC_R_COLUMN, struct document, user, "user", NULL, "number of the user"),
    DOCUMENT_TEXT(0, name, "name", APIKEY_NAME - 1, "what it is for"),
    DOCUMENT_TEXT(EC_R_SECRET, digest, "digest", APIKEY_DIGEST - 1, "hash of the key"),
    DOCUMENT_TEXT(0, roles, "roles", 63, "names, separated by commas"),
    EC_FIELD(TIME, 0, struct document, created, "created_at", NULL, "when it was made"),
    EC_FIELD(TIME, 0, struct document, expires, "expires_at", NULL, "when it ends; 0: never"),
    EC_FIELD(TIME, 0, struct document, used, "used_at", NULL, "when it was used last, some minutes late; 0: never"),
    DOCUMENT_TEXT(0, address, "address", APIKEY_ADDRESS - 1, "from where"),
};
static const struct ec_record record = EC_RECORD_PART(struct document, rows);
static const struct ec_kind kind = {sizeof kind, 2, "api_keys", &record, NULL};

static void document_read(const struct ec_part *p, void *item)
{
    const struct document *d = (const struct document *)(const void *)p;
    struct apikey *one = item;
    char roles[64];

    document_text(p, d->name, one->name, sizeof one->name);
    document_text(p, d->digest, one->digest, sizeof one->digest);
    document_text(p, d->roles, roles, sizeof roles);
    roles_parse(roles, strlen(roles), &one->roles);
    one->user = d->user;
    one->created = d->created;
    one->expires = d->expires;
    one->used = one->written = d->used;
    document_text(p, d->address, one->address, sizeof one->address);
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
    d->used = one->used;
    d->address = ec_puts(b, one->address);
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

struct use { uint64_t now; const char *address; };

static void note_use(void *item, void *arg)
{
    const struct use *u = arg;
    struct apikey *one = item;

    one->used = u->now;
    snprintf(one->address, sizeof one->address, "%s", u->address);
}

static bool is_unwritten(const void *item, void *arg)
{
    const struct apikey *one = item;

    (void)arg;
    return one->used != one->written;
}

static int32_t note_written(void *item, void *arg)
{
    struct apikey *one = item;

    (void)arg;
    one->written = one->used;
    return EC_OK;
}

void apikey_flush(struct shelf *s)
{
    struct apikey one = {.id = 0}, kept;

    while (shelf_find(s, is_unwritten, NULL, one.id, &one, 1))
        shelf_change(s, one.id, note_written, NULL, &kept); /* else the next time */
}

int32_t apikey_judge(struct shelf *s, struct users *users, const char *text, uint32_t len, uint64_t now_ns,
                     const char *address, struct ec_who *who, char *why, uint32_t n)
{
    char digest[APIKEY_DIGEST];
    const char *secret, *no = NULL;
    struct apikey one;
    struct user user;
    uint64_t id;

    if (ticket_parse(text, len, PREFIX, SECRET_HEX, &id, &secret))
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
    if (address && (now_ns - one.used > SECOND || strcmp(address, one.address)))
        shelf_touch(s, id, note_use, &(struct use){now_ns, address});
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
