#define EC_API_LEVEL 1
#include "plugins/auth/session.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdlib.h>

#include "plugins/auth/digest.h"
#include "plugins/auth/document.h"

#define FAMILY_HEX 32
#define SECRET_HEX 64
#define PREFIX     "ecr_"

struct document {
    struct ec_part part;
    struct ec_span family, secret, address, agent;
    uint64_t user, stamp, created, used, expires;
};
static const struct ec_row rows[] = {
    EC_FIELD(U64, EC_R_COLUMN, struct document, user, "user", NULL, "number of the user"),
    EC_FIELD(U64, EC_R_SECRET, struct document, stamp, "stamp", NULL, "of the user when it began"),
    DOCUMENT_TEXT(EC_R_SECRET, family, "family", SESSION_DIGEST - 1, "hash of what its refresh tokens have in common"),
    DOCUMENT_TEXT(EC_R_SECRET, secret, "secret", SESSION_DIGEST - 1, "hash of what the newest one has alone"),
    DOCUMENT_TEXT(0, address, "address", SESSION_ADDRESS - 1, "from where it was used last"),
    DOCUMENT_TEXT(0, agent, "agent", SESSION_AGENT - 1, "and by which program"),
    EC_FIELD(TIME, 0, struct document, created, "created_at", NULL, "when it began"),
    EC_FIELD(TIME, 0, struct document, used, "used_at", NULL, "when a token was made of it last"),
    EC_FIELD(TIME, EC_R_COLUMN, struct document, expires, "expires_at", NULL, "when it ends by itself"),
};
static const struct ec_record record = EC_RECORD_PART(struct document, rows);
static const struct ec_kind kind = {sizeof kind, 1, "sessions", &record, NULL};

static void document_read(const struct ec_part *p, void *item)
{
    const struct document *d = (const struct document *)(const void *)p;
    struct session *one = item;

    document_text(p, d->family, one->family, sizeof one->family);
    document_text(p, d->secret, one->secret, sizeof one->secret);
    document_text(p, d->address, one->address, sizeof one->address);
    document_text(p, d->agent, one->agent, sizeof one->agent);
    one->user = d->user;
    one->stamp = d->stamp;
    one->created = d->created;
    one->used = d->used;
    one->expires = d->expires;
}

static struct ec_part *document_write(const void *item, struct ec_build *b)
{
    const struct session *one = item;
    struct document *d = ec_add(b, 0, sizeof *d);

    if (!d)
        return NULL;
    d->family = ec_puts(b, one->family);
    d->secret = ec_puts(b, one->secret);
    d->address = ec_puts(b, one->address);
    d->agent = ec_puts(b, one->agent);
    d->user = one->user;
    d->stamp = one->stamp;
    d->created = one->created;
    d->used = one->used;
    d->expires = one->expires;
    return &d->part;
}

const struct shelf_form session_form = {&kind, sizeof(struct session), SESSIONS_MAX, document_read, document_write};

struct oldest { uint64_t user, id, used; uint32_t n; };

/* For shelf_find(), which keeps nothing: the one used least recently, of a user or (0) of all. */
static bool note_oldest(const void *item, void *arg)
{
    const struct session *one = item;
    struct oldest *o = arg;

    if (o->user && one->user != o->user)
        return false;
    if (!o->n++ || one->used < o->used) {
        o->id = one->id;
        o->used = one->used;
    }
    return false;
}

static void make_room(struct shelf *s, uint64_t user)
{
    struct oldest of_user = {.user = user}, of_all = {.user = 0};
    struct session none;

    shelf_find(s, note_oldest, &of_user, 0, &none, 1);
    if (of_user.n >= SESSIONS_USER)
        shelf_remove(s, of_user.id);
    if (shelf_count(s) < SESSIONS_MAX)
        return;
    shelf_find(s, note_oldest, &of_all, 0, &none, 1);
    shelf_remove(s, of_all.id);
}

int32_t session_begin(struct shelf *s, struct session *one, uint64_t now_ns, uint64_t life_ns, char *refresh)
{
    char family[FAMILY_HEX + 1] = "", secret[SECRET_HEX + 1] = "";
    int32_t err;

    one->id = 0;
    one->created = one->used = now_ns;
    one->expires = now_ns + life_ns;
    one->family[0] = one->secret[0] = '\0';
    if (refresh) {
        if (random_hex(family, FAMILY_HEX) || random_hex(secret, SECRET_HEX))
            return EC_ENOMEM;
        digest_of(family, FAMILY_HEX, one->family);
        digest_of(secret, SECRET_HEX, one->secret);
    }
    make_room(s, one->user);
    err = shelf_add(s, one, true);
    if (!err && refresh) {
        *refresh = '\0';
        if (one->id < SHELF_BRIEF)
            snprintf(refresh, SESSION_TEXT, PREFIX "%" PRIu64 "_%s_%s", one->id, family, secret);
    }
    OPENSSL_cleanse(secret, sizeof secret);
    return err;
}

struct turning { const struct session *by; const char *shown, *next; uint64_t now, life; };

static int32_t turn(void *item, void *arg)
{
    const struct turning *t = arg;
    struct session *one = item;

    if (one->expires <= t->now)
        return EC_EPERM;
    if (CRYPTO_memcmp(one->secret, t->shown, SESSION_DIGEST))
        return EC_EEXIST;
    memcpy(one->secret, t->next, SESSION_DIGEST);
    one->used = t->now;
    one->expires = t->now + t->life;
    snprintf(one->address, sizeof one->address, "%s", t->by->address);
    snprintf(one->agent, sizeof one->agent, "%s", t->by->agent);
    return EC_OK;
}

int32_t session_refresh(struct shelf *s, const char *text, uint32_t len, const struct session *by, uint64_t now_ns,
                        uint64_t life_ns, struct session *one, char next[SESSION_TEXT])
{
    char shown_family[SESSION_DIGEST], shown[SESSION_DIGEST], fresh[SESSION_DIGEST], secret_text[SECRET_HEX + 1];
    struct turning t = {by, shown, fresh, now_ns, life_ns};
    const char *family, *secret;
    uint64_t id;
    int32_t err;

    /* "ecr_ID_FAMILY_SECRET" */
    if (ticket_parse(text, len, PREFIX, FAMILY_HEX + 1 + SECRET_HEX, &id, &family) || family[FAMILY_HEX] != '_' ||
        shelf_get(s, id, one))
        return EC_EPERM;
    secret = family + FAMILY_HEX + 1;
    digest_of(family, FAMILY_HEX, shown_family);
    if (!*one->family || CRYPTO_memcmp(one->family, shown_family, SESSION_DIGEST))
        return EC_EPERM;
    digest_of(secret, SECRET_HEX, shown);
    if (random_hex(secret_text, SECRET_HEX))
        return EC_ENOMEM;
    digest_of(secret_text, SECRET_HEX, fresh);
    err = shelf_change(s, id, turn, &t, one);
    if (!err)
        snprintf(next, SESSION_TEXT, PREFIX "%" PRIu64 "_%.*s_%s", id, FAMILY_HEX, family, secret_text);
    else if (err == EC_EEXIST)
        shelf_remove(s, id);
    OPENSSL_cleanse(secret_text, sizeof secret_text);
    return err == EC_ENOENT ? EC_EPERM : err;
}

int32_t session_judge(struct shelf *s, uint64_t id, uint64_t user, uint64_t stamp, uint64_t now_ns)
{
    struct session one;

    if (shelf_get(s, id, &one) || one.user != user || one.stamp != stamp || one.expires <= now_ns)
        return EC_EPERM;
    return EC_OK;
}

struct ending { uint64_t user, but; };

static bool to_end(const void *item, void *arg)
{
    const struct session *one = item;
    const struct ending *e = arg;

    return one->user == e->user && one->id != e->but;
}

uint32_t session_end_all(struct shelf *s, uint64_t user, uint64_t but)
{
    struct ending e = {user, but};

    return shelf_sweep(s, to_end, &e);
}

struct sweeping { struct users *users; uint64_t now; };

static bool has_ended(const void *item, void *arg)
{
    const struct session *one = item;
    const struct sweeping *w = arg;
    struct user user;
    bool ended = one->expires <= w->now || users_get(w->users, one->user, &user) || user.stamp != one->stamp;

    return ended;
}

void session_sweep(struct shelf *s, struct users *users, uint64_t now_ns)
{
    struct sweeping w = {users, now_ns};

    shelf_sweep(s, has_ended, &w);
}
