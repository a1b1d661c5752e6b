#define EC_API_LEVEL 1
#include "plugins/auth/recovery.h"

#include <inttypes.h>
#include <openssl/crypto.h>

#include "plugins/auth/digest.h"
#include "plugins/auth/document.h"

#define PREFIX     "ecp_"
#define SECRET_HEX 64

struct document {
    struct ec_part part;
    struct ec_span digest;
    uint64_t user, stamp, expires;
};
static const struct ec_row rows[] = {
    EC_FIELD(U64, EC_R_COLUMN, struct document, user, "user", NULL, "number of the user"),
    EC_FIELD(U64, EC_R_SECRET, struct document, stamp, "stamp", NULL, "of the user when it was made"),
    EC_FIELD(TIME, 0, struct document, expires, "expires_at", NULL, "when it ends"),
    EC_FIELD(TEXT, EC_R_SECRET, struct document, digest, "digest", NULL, "hash of the token"),
};
static const struct ec_record record = EC_RECORD_PART(struct document, rows);
static const struct ec_kind kind = {sizeof kind, 1, "recoveries", &record, NULL};

static void document_read(const struct ec_part *p, void *item)
{
    const struct document *d = (const struct document *)(const void *)p;
    struct recovery *one = item;

    document_text(p, d->digest, one->digest, sizeof one->digest);
    one->user = d->user;
    one->stamp = d->stamp;
    one->expires = d->expires;
}

static struct ec_part *document_write(const void *item, struct ec_build *b)
{
    const struct recovery *one = item;
    struct document *d = ec_add(b, 0, sizeof *d);

    if (!d)
        return NULL;
    d->digest = ec_puts(b, one->digest);
    d->user = one->user;
    d->stamp = one->stamp;
    d->expires = one->expires;
    return &d->part;
}

const struct shelf_form recovery_form = {&kind, sizeof(struct recovery), RECOVERIES_MAX, document_read, document_write};

static bool of_user(const void *item, void *arg)
{
    return ((const struct recovery *)item)->user == *(const uint64_t *)arg;
}

struct sweeping { uint64_t user, now; };

static bool is_over(const void *item, void *arg)
{
    const struct recovery *one = item;
    const struct sweeping *w = arg;

    return one->user == w->user || one->expires <= w->now;
}

void recovery_sweep(struct shelf *s, uint64_t user, uint64_t now_ns)
{
    struct sweeping w = {user, now_ns};

    shelf_sweep(s, is_over, &w);
}

int32_t recovery_make(struct shelf *s, const struct user *user, uint64_t now_ns, char text[RECOVERY_TEXT])
{
    struct recovery one = {.user = user->id, .stamp = user->stamp, .expires = now_ns + RECOVERY_LIFE};
    struct recovery own[RECOVERIES_USER];
    char secret[SECRET_HEX + 1];
    int32_t err;

    recovery_sweep(s, 0, now_ns);
    if (shelf_find(s, of_user, &one.user, 0, own, RECOVERIES_USER) == RECOVERIES_USER)
        shelf_remove(s, own[0].id);
    if (random_hex(secret, SECRET_HEX))
        return EC_ENOMEM;
    digest_of(secret, SECRET_HEX, one.digest);
    err = shelf_add(s, &one, false);
    if (!err)
        snprintf(text, RECOVERY_TEXT, PREFIX "%" PRIu64 "_%s", one.id, secret);
    OPENSSL_cleanse(secret, sizeof secret);
    return err;
}

int32_t recovery_judge(struct shelf *s, struct users *users, const char *text, uint32_t len, uint64_t now_ns,
                       struct user *user)
{
    struct recovery one;
    char digest[DIGEST_HEX];
    const char *secret;
    uint64_t id;

    if (ticket_parse(text, len, PREFIX, SECRET_HEX, &id, &secret) || shelf_get(s, id, &one))
        return EC_EPERM;
    digest_of(secret, SECRET_HEX, digest);
    if (CRYPTO_memcmp(digest, one.digest, sizeof digest) || one.expires <= now_ns ||
        users_get(users, one.user, user) || !user->active || user->stamp != one.stamp) {
        OPENSSL_cleanse(user, sizeof *user);
        return EC_EPERM;
    }
    return EC_OK;
}
