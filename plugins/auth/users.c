#define EC_API_LEVEL 1
#include "plugins/auth/users.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>
#include <strings.h>

#include "plugins/auth/document.h"
#include "plugins/auth/jwt.h"
#include "plugins/auth/roles.h"

struct document {
    struct ec_part part;
    struct ec_span name, email, full_name, hash, roles;
    uint64_t created, updated, stamp;
    uint8_t active, must_change, two_factor, pad;
    uint32_t once;
    uint64_t totp_step;
    struct ec_span totp, recovery, sealed;
};

static const struct ec_row rows[] = {
    DOCUMENT_TEXT(EC_R_COLUMN | EC_R_INDEX, name, "username", USER_NAME - 1, "unique, in small letters"),
    DOCUMENT_TEXT(0, email, "email", USER_EMAIL - 1, "where to write to"),
    DOCUMENT_TEXT(0, full_name, "full_name", USER_FULL - 1, "as people say it"),
    DOCUMENT_TEXT(EC_R_SECRET, hash, "password", PASSWORD_HASH - 1, "hash of the password"),
    DOCUMENT_TEXT(0, roles, "roles", 63, "names, separated by commas"),
    EC_FIELD(BOOL, EC_R_COLUMN, struct document, active, "is_active", NULL, "may log in"),
    EC_FIELD(BOOL, 0, struct document, must_change, "must_change", NULL, "the password was given by somebody else"),
    EC_FIELD(U64, EC_R_SECRET, struct document, stamp, "stamp", NULL, "tokens with another one have ended"),
    EC_FIELD(TIME, 0, struct document, created, "created_at", NULL, "when it was made"),
    EC_FIELD(TIME, 0, struct document, updated, "updated_at", NULL, "when it was last changed"),
    EC_FIELD(U32, 0, struct document, once, "one_time", NULL, "1: the password logs in once; 2: it has"),
    EC_FIELD(BOOL, 0, struct document, two_factor, "two_factor", NULL, "a code is asked for, beside the password"),
    EC_FIELD(U64, EC_R_SECRET, struct document, totp_step, "totp_step", NULL, "of the last code that was taken"),
    DOCUMENT_TEXT(EC_R_SECRET, totp, "totp", TOTP_SECRET - 1, "secret of the codes, in base32, before it was sealed"),
    DOCUMENT_TEXT(EC_R_SECRET, recovery, "recovery", RECOVERY * RECOVERY_HASH - 1, "hashes of codes in place of them"),
    DOCUMENT_TEXT(EC_R_SECRET, sealed, "totp_sealed", SEAL_TEXT - 1, "secret of the codes, encrypted"),
};
static const struct ec_record record = EC_RECORD_PART(struct document, rows);
const struct ec_kind users_kind = {sizeof users_kind, 4, "users", &record, "username"};

struct users {
    pthread_rwlock_t lock; /* of the list; held for copies only */
    pthread_mutex_t edit;  /* one change at a time, from the store to the list */
    const struct ec_store *store;
    void *store_self;
    uint32_t kind, n, room;
    struct seal seal;
    struct user *list; /* in the order of their ids */
};

struct users *users_new(void)
{
    struct users *u = calloc(1, sizeof *u);

    if (!u)
        return NULL;
    pthread_rwlock_init(&u->lock, NULL);
    pthread_mutex_init(&u->edit, NULL);
    return u;
}

void users_free(struct users *u)
{
    if (!u)
        return;
    if (u->list)
        OPENSSL_cleanse(u->list, u->n * sizeof *u->list);
    OPENSSL_cleanse(&u->seal, sizeof u->seal);
    free(u->list);
    pthread_rwlock_destroy(&u->lock);
    pthread_mutex_destroy(&u->edit);
    free(u);
}

/* Where it stands, or would stand. */
static uint32_t place(const struct users *u, uint64_t id)
{
    uint32_t low = 0, high = u->n;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;

        if (u->list[mid].id < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static struct user *by_id(const struct users *u, uint64_t id)
{
    uint32_t i = place(u, id);

    return i < u->n && u->list[i].id == id ? &u->list[i] : NULL;
}

static struct user *by_name(const struct users *u, const char *name)
{
    for (uint32_t i = 0; i < u->n; i++)
        if (!strcmp(u->list[i].name, name))
            return &u->list[i];
    return NULL;
}

static struct user *by_email(const struct users *u, const char *email)
{
    for (uint32_t i = 0; *email && i < u->n; i++)
        if (!strcasecmp(u->list[i].email, email))
            return &u->list[i];
    return NULL;
}

/* Room for one more, before the store is written. */
static int32_t reserve(struct users *u)
{
    uint32_t room = u->room ? 2 * u->room : 16;
    struct user *list;

    if (u->n < u->room)
        return EC_OK;
    if (u->n >= USERS_MAX)
        return EC_ELIMIT;
    list = calloc(room, sizeof *list);
    if (!list)
        return EC_ENOMEM;
    pthread_rwlock_wrlock(&u->lock);
    if (u->list) {
        memcpy(list, u->list, u->n * sizeof *list);
        OPENSSL_cleanse(u->list, u->n * sizeof *list);
    }
    free(u->list);
    u->list = list;
    u->room = room;
    pthread_rwlock_unlock(&u->lock);
    return EC_OK;
}

static void insert(struct users *u, const struct user *one)
{
    uint32_t i;

    pthread_rwlock_wrlock(&u->lock);
    i = place(u, one->id);
    if (i == u->n || u->list[i].id != one->id) {
        memmove(u->list + i + 1, u->list + i, (u->n - i) * sizeof *u->list);
        u->n++;
    }
    u->list[i] = *one;
    pthread_rwlock_unlock(&u->lock);
}

struct loading {
    struct users *u;
    uint64_t last;
    uint32_t n;
    int32_t err;
};

static int32_t on_document(void *arg, uint64_t id, uint64_t version, const struct ec_part *p)
{
    const struct document *d = (const struct document *)(const void *)p;
    struct loading *l = arg;
    struct user one = {.id = id, .version = version};
    char roles[64];

    l->last = id;
    l->n++;
    document_text(p, d->name, one.name, sizeof one.name);
    document_text(p, d->email, one.email, sizeof one.email);
    document_text(p, d->full_name, one.full_name, sizeof one.full_name);
    document_text(p, d->hash, one.hash, sizeof one.hash);
    document_text(p, d->roles, roles, sizeof roles);
    roles_parse(roles, strlen(roles), &one.roles);
    one.active = d->active;
    one.must_change = d->must_change;
    one.once = d->once;
    one.two_factor = d->two_factor;
    one.totp_step = d->totp_step;
    document_text(p, d->totp, one.totp, sizeof one.totp);
    one.plain = *one.totp;
    document_text(p, d->sealed, one.sealed, sizeof one.sealed);
    if (*one.sealed && !seal_open(&l->u->seal, one.name, one.sealed, one.totp, sizeof one.totp))
        *one.sealed = '\0';
    document_text(p, d->recovery, one.recovery, sizeof one.recovery);
    one.stamp = d->stamp;
    one.created = d->created;
    one.updated = d->updated;
    l->err = reserve(l->u);
    if (!l->err)
        insert(l->u, &one);
    OPENSSL_cleanse(&one, sizeof one);
    return l->err;
}

int32_t users_load(struct users *u, const struct seal *seal, const struct ec_store *store, void *store_self,
                   uint32_t kind)
{
    struct loading l = {.u = u};
    int32_t err;

    u->seal = *seal;
    u->store = store;
    u->store_self = store_self;
    u->kind = kind;
    do {
        l.n = 0;
        err = store->find(store_self, kind, NULL, 0, l.last, 1000, on_document, &l);
    } while (!err && !l.err && l.n == 1000);
    return l.err ? l.err : err;
}

uint32_t users_count(struct users *u)
{
    uint32_t n;

    pthread_rwlock_rdlock(&u->lock);
    n = u->n;
    pthread_rwlock_unlock(&u->lock);
    return n;
}

int32_t users_get(struct users *u, uint64_t id, struct user *to)
{
    const struct user *one;

    pthread_rwlock_rdlock(&u->lock);
    one = by_id(u, id);
    if (one)
        *to = *one;
    pthread_rwlock_unlock(&u->lock);
    return one ? EC_OK : EC_ENOENT;
}

int32_t users_named(struct users *u, const char *name, struct user *to)
{
    const struct user *one;

    pthread_rwlock_rdlock(&u->lock);
    one = by_name(u, name);
    if (one)
        *to = *one;
    pthread_rwlock_unlock(&u->lock);
    return one ? EC_OK : EC_ENOENT;
}

int32_t users_mailed(struct users *u, const char *email, struct user *to)
{
    const struct user *one;

    pthread_rwlock_rdlock(&u->lock);
    one = by_email(u, email);
    if (one)
        *to = *one;
    pthread_rwlock_unlock(&u->lock);
    return one ? EC_OK : EC_ENOENT;
}

void users_each(struct users *u, void (*fn)(const struct user *one, void *arg), void *arg)
{
    pthread_rwlock_rdlock(&u->lock);
    for (uint32_t i = 0; i < u->n; i++)
        fn(&u->list[i], arg);
    pthread_rwlock_unlock(&u->lock);
}

uint32_t users_page(struct users *u, uint64_t after, struct user *to, uint32_t n)
{
    uint32_t i, got = 0;

    pthread_rwlock_rdlock(&u->lock);
    for (i = place(u, after + 1); i < u->n && got < n; i++)
        to[got++] = u->list[i];
    pthread_rwlock_unlock(&u->lock);
    return got;
}

int32_t users_judge(struct users *u, const struct token *t, struct ec_who *who, char *why, uint32_t n)
{
    const struct user *one;
    const char *no = NULL;

    pthread_rwlock_rdlock(&u->lock);
    one = by_id(u, t->user);
    if (!one || strcmp(one->name, t->name))
        no = "its user is gone";
    else if (!one->active)
        no = "its user is disabled";
    else if (one->stamp != t->stamp)
        no = "it is older than a change of the user's password or roles";
    else {
        memset(who, 0, sizeof *who);
        who->size = sizeof *who;
        who->flags = one->must_change ? EC_WHO_MUST_CHANGE : 0;
        who->user = one->id;
        who->session = t->session;
        who->until_ns = (uint64_t)t->expires * UINT64_C(1000000000);
        strcpy(who->name, one->name);
        roles_print(one->roles, who->roles, sizeof who->roles);
    }
    pthread_rwlock_unlock(&u->lock);
    if (no)
        snprintf(why, n, "%s", no);
    return no ? EC_EPERM : EC_OK;
}

/* Would there be an active administrator without this one? Only `edit` is held: nobody else writes the list. */
static bool last_admin(const struct users *u, uint64_t without)
{
    for (uint32_t i = 0; i < u->n; i++)
        if (u->list[i].id != without && u->list[i].active && (u->list[i].roles & ROLE_ADMIN))
            return false;
    return true;
}

static int32_t store_write(struct users *u, struct user *one)
{
    char sealed[SEAL_TEXT];
    union {
        uint64_t align;
        uint8_t bytes[4096];
    } room = {.bytes = {0}};
    struct ec_build b = {.base = room.bytes, .cap = sizeof room};
    struct document *d;
    char roles[64];
    int32_t err;

    strcpy(sealed, one->sealed);
    if (*one->totp && seal_close(&u->seal, one->name, one->totp, sealed))
        return EC_ENOMEM;
    ec_grow(&b, sizeof(struct ec_event));
    d = ec_add(&b, 0, sizeof *d);
    d->name = ec_puts(&b, one->name);
    d->email = ec_puts(&b, one->email);
    d->full_name = ec_puts(&b, one->full_name);
    d->hash = ec_puts(&b, one->hash);
    roles_print(one->roles, roles, sizeof roles);
    d->roles = ec_puts(&b, roles);
    d->active = one->active;
    d->must_change = one->must_change;
    d->once = one->once;
    d->two_factor = one->two_factor;
    d->totp_step = one->totp_step;
    d->sealed = ec_puts(&b, sealed);
    d->recovery = ec_puts(&b, one->recovery);
    d->stamp = one->stamp;
    d->created = one->created;
    d->updated = one->updated;
    err = u->store->put(u->store_self, u->kind, &one->id, one->version, &d->part);
    OPENSSL_cleanse(&room, sizeof room);
    return err;
}

static int32_t version_seen(void *arg, uint64_t id, uint64_t version, const struct ec_part *p)
{
    (void)id;
    (void)p;
    *(uint64_t *)arg = version;
    return EC_OK;
}

static int32_t put(struct users *u, struct user *one)
{
    const struct user *old = one->id ? by_id(u, one->id) : NULL, *same = by_name(u, one->name);
    const struct user *mailed = by_email(u, one->email);
    int32_t err;

    if (one->id && !old)
        return EC_ENOENT;
    if (same && same != old)
        return EC_EEXIST;
    /* who shares one from before that was seen to keeps it */
    if (mailed && mailed != old && (!old || strcasecmp(old->email, one->email)))
        return USERS_EMAIL;
    if (old && old->version != one->version)
        return EC_EAGAIN;
    if (old && old->active && (old->roles & ROLE_ADMIN) && !(one->active && (one->roles & ROLE_ADMIN)) &&
        last_admin(u, one->id))
        return EC_EPERM;
    err = old ? EC_OK : reserve(u);
    if (!err)
        err = store_write(u, one);
    if (err)
        return err;
    /* It is on disk; should its version not be read, the next change of this user says that it was changed meanwhile.
     * */
    u->store->get(u->store_self, u->kind, one->id, version_seen, &one->version);
    one->plain = false;
    if (*one->totp)
        *one->sealed = '\0';
    insert(u, one);
    return EC_OK;
}

uint32_t users_seal(struct users *u, uint32_t *closed)
{
    uint32_t n = 0;

    *closed = 0;
    pthread_mutex_lock(&u->edit);
    for (uint32_t i = 0; i < u->n; i++) {
        struct user one = u->list[i];

        *closed += *one.sealed != '\0';
        n += one.plain && !put(u, &one);
        OPENSSL_cleanse(&one, sizeof one);
    }
    pthread_mutex_unlock(&u->edit);
    return n;
}

int32_t users_put(struct users *u, struct user *one, uint64_t now_ns)
{
    int32_t err;

    pthread_mutex_lock(&u->edit);
    one->updated = now_ns;
    if (!one->id)
        one->created = now_ns;
    err = put(u, one);
    pthread_mutex_unlock(&u->edit);
    return err;
}

static int32_t take_away(struct users *u, uint64_t id)
{
    struct user *old = by_id(u, id);
    int32_t err;

    if (!old)
        return EC_ENOENT;
    if (old->active && (old->roles & ROLE_ADMIN) && last_admin(u, id))
        return EC_EPERM;
    err = u->store->del(u->store_self, u->kind, id, 0);
    if (err && err != EC_ENOENT)
        return err;
    pthread_rwlock_wrlock(&u->lock);
    u->n--;
    memmove(old, old + 1, (size_t)(u->list + u->n - old) * sizeof *old);
    OPENSSL_cleanse(u->list + u->n, sizeof *old);
    pthread_rwlock_unlock(&u->lock);
    return EC_OK;
}

int32_t users_remove(struct users *u, uint64_t id)
{
    int32_t err;

    pthread_mutex_lock(&u->edit);
    err = take_away(u, id);
    pthread_mutex_unlock(&u->edit);
    return err;
}

int users_stamp(struct user *one)
{
    uint64_t r;

    if (RAND_bytes((unsigned char *)&r, sizeof r) != 1)
        return -1;
    one->stamp = r & TOKEN_EXACT;
    return 0;
}

int user_name(const char *text, size_t len, char to[USER_NAME])
{
    if (!len || len >= USER_NAME)
        return -1;
    for (size_t i = 0; i < len; i++) {
        char c = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] + 32) : text[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (i && c && strchr("._@-", c))))
            return -1;
        to[i] = c;
    }
    to[len] = '\0';
    return 0;
}

bool user_email(const char *text, size_t len)
{
    const char *at = memchr(text, '@', len);
    size_t host = at ? len - (size_t)(at - text) - 1 : 0;

    if (!at || at == text || !host || len >= USER_EMAIL || memchr(at + 1, '@', host) || *text == '-')
        return false;
    for (size_t i = 0; i < len; i++)
        if (text[i] <= ' ' || text[i] > '~' || strchr("\"<>,;:\\()[]", text[i]))
            return false;
    for (size_t i = 0; i < host; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-", at[1 + i]))
            return false;
    return at[1] != '.' && at[1] != '-' && at[host] != '.' && at[host] != '-';
}
