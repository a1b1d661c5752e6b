/* Bans as documents of ec.store/1, kind "bans": put back after a restart. */
#include "plugins/firewall/firewall.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE 500u

struct document {
    struct ec_part part;
    uint64_t ban, since, until, cause;
    struct ec_span address, who, why;
};
static const struct ec_row rows[] = {
    EC_FIELD(U64, EC_R_COLUMN, struct document, ban, "ban", NULL, "its id, of the API"),
    EC_FIELD(TEXT, EC_R_COLUMN, struct document, address, "address", NULL, "address or network"),
    EC_FIELD(TIME, 0, struct document, since, "since", NULL, "when it was asked for"),
    EC_FIELD(TIME, EC_R_COLUMN, struct document, until, "until", NULL, "its end"),
    EC_FIELD(U64, 0, struct document, cause, "cause", NULL, "id of the event that caused it, 0: none"),
    EC_FIELD(TEXT, 0, struct document, who, "who", NULL, "who or what asked for it"),
    EC_FIELD(TEXT, 0, struct document, why, "why", NULL, "the reason that was given"),
};
static const struct ec_record record = EC_RECORD_PART(struct document, rows);
static const struct ec_kind kind = { sizeof kind, 1, "bans", &record, NULL };

static bool mark_path(const struct firewall *f, char *to, size_t n)
{
    const char *dir = f->host->state_dir(f->host);

    return dir && snprintf(to, n, "%s/kernel", dir) < (int)n;
}

static void mark_write(const struct firewall *f)
{
    char path[4200], text[64];
    int fd, n = snprintf(text, sizeof text, "%" PRIu64 " %" PRIu64 "\n", f->witness, f->witness_until);

    if (!mark_path(f, path, sizeof path))
        return;
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, text, (size_t)n) != n)
        EC_LOG(f->host, EC_LOG_WARNING, "%s cannot be written: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
}

/* Of a file that breaks off: nothing is claimed. */
static void mark_read(struct firewall *f)
{
    char path[4200], end = '\0';
    FILE *in = mark_path(f, path, sizeof path) ? fopen(path, "re") : NULL;

    if (!in || fscanf(in, "%" SCNu64 " %" SCNu64 "%c", &f->witness, &f->witness_until, &end) != 3 || end != '\n')
        f->witness = f->witness_until = 0;
    if (in)
        fclose(in);
}

void keep_mark(const struct firewall *f, bool set)
{
    char path[4200];

    if (set && !keep_marked(f))
        mark_write(f);
    else if (!set && mark_path(f, path, sizeof path))
        unlink(path);
}

int32_t keep_setup(struct firewall *f)
{
    return f->store ? f->store->kind(f->store_self, f->host, &kind, &f->kind) : EC_OK;
}

void keep_forget(struct firewall *f, struct ban *ban)
{
    struct keep_delete *d = ban->doc ? malloc(sizeof *d) : NULL;

    if (d) {
        *d = (struct keep_delete){ f->deletes, ban->doc };
        f->deletes = d;
        f->dirty = true;
    }
    ban->doc = 0;
    ban->dirty = false;
}

/* The copy that is written while the ban may change. */
struct copy {
    uint64_t id, doc;
    uint64_t block[320];            /* the event head that a build begins with, and the document */
    struct ec_build b;
};

static const struct ec_part *copy_part(const struct copy *c)
{
    return (const struct ec_part *)(const void *)(c->b.base + c->b.part);
}

static void copy_ban(struct copy *c, const struct ban *ban)
{
    char text[ADDRESS_TEXT];
    struct document *d;

    memset(c->block, 0, sizeof c->block);
    c->b = (struct ec_build){ .base = (uint8_t *)c->block, .used = sizeof(struct ec_event), .cap = sizeof c->block };
    c->id = ban->id;
    c->doc = ban->doc;
    d = ec_add(&c->b, 0, sizeof *d);
    d->ban = ban->id;
    d->since = ban->since_ns;
    d->until = ban->until_ns;
    d->cause = ban->cause;
    address_text(&ban->net, text);
    d->address = ec_puts(&c->b, text);
    d->who = ec_puts(&c->b, ban->who);
    d->why = ec_puts(&c->b, ban->why);
}

/* The next thing to write. Under the lock. false: there is none. */
static bool next_dirty(struct firewall *f, uint32_t *at, struct copy *c)
{
    for (; *at < f->bans.n; (*at)++)
        if (f->bans.all[*at]->dirty) {
            f->bans.all[*at]->dirty = false;
            copy_ban(c, f->bans.all[*at]);
            return true;
        }
    return false;
}

static int32_t delete_all(struct firewall *f)
{
    struct keep_delete *all, *next;
    int32_t err, worst = EC_OK;

    pthread_mutex_lock(&f->lock);
    all = f->deletes;
    f->deletes = NULL;
    pthread_mutex_unlock(&f->lock);
    for (; all; all = next) {
        next = all->next;
        err = f->store->del(f->store_self, f->kind, all->doc, 0);
        if (!err || err == EC_ENOENT) {
            free(all);
            continue;
        }
        worst = err;
        pthread_mutex_lock(&f->lock);
        all->next = f->deletes;
        f->deletes = all;
        pthread_mutex_unlock(&f->lock);
    }
    return worst;
}

/* It is written; the ban may have gone meanwhile, or changed. */
static void written(struct firewall *f, const struct copy *c, int32_t err)
{
    struct ban *ban = bans_by_id(&f->bans, c->id);

    if (ban && ban->state != BAN_LEAVING) {
        ban->doc = err ? ban->doc : c->doc;
        ban->dirty |= err != EC_OK;
    } else if (!err) {
        struct ban gone = { .doc = c->doc };

        keep_forget(f, &gone);
    }
}

/* Before documents are deleted, and after they were written: so the mark never names what is not there. Under
 * keep_lock. */
static void mark_witness(struct firewall *f)
{
    uint64_t id = 0, until = 0;
    bool changed;

    pthread_mutex_lock(&f->lock);
    for (uint32_t i = 0; i < f->bans.n; i++) {
        const struct ban *ban = f->bans.all[i];

        if (ban->doc && (ban->until_ns > until || (ban->until_ns == until && ban->id > id))) {
            id = ban->id;
            until = ban->until_ns;
        }
    }
    changed = f->lively && !f->blind && (id != f->witness || until != f->witness_until);
    pthread_mutex_unlock(&f->lock);
    if (!changed)
        return;
    f->witness = id;
    f->witness_until = until;
    mark_write(f);
}

int32_t keep_now(struct firewall *f)
{
    int32_t err, was, worst = EC_OK;
    struct copy *c;
    uint32_t at = 0;

    if (!f->store)
        return EC_OK;
    if (!(c = malloc(sizeof *c)))
        return EC_ENOMEM;
    pthread_mutex_lock(&f->keep_lock);
    pthread_mutex_lock(&f->lock);
    f->dirty = false;
    while (!worst && next_dirty(f, &at, c)) {
        pthread_mutex_unlock(&f->lock);
        err = f->store->put(f->store_self, f->kind, &c->doc, 0, copy_part(c));
        pthread_mutex_lock(&f->lock);
        written(f, c, err);
        worst = err;
    }
    pthread_mutex_unlock(&f->lock);
    if (!worst)
        mark_witness(f);
    if (!worst)
        worst = delete_all(f);
    pthread_mutex_unlock(&f->keep_lock);
    free(c);
    pthread_mutex_lock(&f->lock);
    f->dirty |= worst != EC_OK;
    was = f->unkept;
    f->unkept = worst;
    pthread_mutex_unlock(&f->lock);
    if (worst && !was)
        EC_LOG(f->host, EC_LOG_WARNING, "bans cannot be kept: the store does not take them (error %d); it is tried "
                                        "again, and until then they last for this run", worst);
    if (!worst && was)
        EC_LOG(f->host, EC_LOG_INFO, "bans are kept again");
    return worst;
}

bool keep_has(struct firewall *f, uint64_t id)
{
    const struct ban *ban;
    bool has;

    pthread_mutex_lock(&f->lock);
    ban = bans_by_id(&f->bans, id);
    has = !ban || (ban->doc && !ban->dirty);
    pthread_mutex_unlock(&f->lock);
    return has;
}

static void keep_job(void *self, const void *state, void *arg)
{
    struct firewall *f = self;

    (void)state;
    (void)arg;
    pthread_mutex_lock(&f->lock);
    f->keeping = false;
    pthread_mutex_unlock(&f->lock);
    keep_now(f);
}

void keep_later(struct firewall *f)
{
    bool ask;

    if (!f->store)
        return;
    pthread_mutex_lock(&f->lock);
    ask = f->open && !f->keeping && f->dirty;
    f->keeping |= ask;
    pthread_mutex_unlock(&f->lock);
    if (ask && f->host->work(f->host, keep_job, NULL) != EC_OK) {
        pthread_mutex_lock(&f->lock);
        f->keeping = false;         /* the next tick asks again */
        pthread_mutex_unlock(&f->lock);
    }
}

struct restore { struct firewall *f; uint64_t last; uint32_t rows, restored, expired; bool witness, no_memory; };

static const char *text_of(const struct ec_part *p, struct ec_span s, char *to, size_t n)
{
    snprintf(to, n, "%.*s", (int)s.len, s.off ? (const char *)ec_bytes(p, s) : "");
    return to;
}

static int32_t restore_row(void *arg, uint64_t id, uint64_t version, const struct ec_part *p)
{
    const struct document *d = (const struct document *)(const void *)p;
    char address[ADDRESS_TEXT + 8], who[WHO_MAX], why[WHY_MAX];
    struct restore *r = arg;
    struct ban *ban, old = { .doc = id };
    struct net net;

    (void)version;
    r->last = id;
    r->rows++;
    r->witness |= d->ban == r->f->witness;
    if (address_parse(text_of(p, d->address, address, sizeof address), &net) || bans_find(&r->f->bans, &net) ||
        d->until <= r->f->host->now(r->f->host)) {
        keep_forget(r->f, &old);
        r->expired++;
        return 0;
    }
    ban = bans_add(&r->f->bans, &net, d->ban, d->since, text_of(p, d->who, who, sizeof who),
                   text_of(p, d->why, why, sizeof why));
    if (!ban) {
        r->no_memory = true;
        return 1;
    }
    ban->doc = id;
    ban->until_ns = d->until;
    ban->cause = d->cause;
    ban->op = ++r->f->op;
    ban->told = true;
    r->restored++;
    return 0;
}

/* Whatever number there may be of new ones: these have been promised, and the kernel holds them. */
static int32_t restore_all(struct firewall *f, struct restore *r)
{
    uint32_t most = f->bans.most, n;
    int32_t err;

    pthread_mutex_lock(&f->lock);
    f->bans.most = UINT32_MAX;
    do {
        r->rows = 0;
        err = f->store->find(f->store_self, f->kind, NULL, 0, r->last, PAGE, restore_row, r);
    } while (!err && !r->no_memory && r->rows == PAGE);
    f->bans.most = most;
    n = f->bans.n;
    pthread_mutex_unlock(&f->lock);
    if (n > most)
        EC_LOG(f->host, EC_LOG_WARNING, "%u bans of earlier runs stay until they end, more than the %u of "
                                        "firewall.max_bans: until there are fewer, no new one is taken", n, most);
    return err ? err : r->no_memory ? EC_ENOMEM : EC_OK;
}

int32_t keep_restore(struct firewall *f)
{
    struct restore r = { .f = f };
    int32_t err;

    if (!f->store)
        return EC_ENOENT;
    mark_read(f);
    err = restore_all(f, &r);
    if (r.no_memory)
        EC_LOG(f->host, EC_LOG_ERROR, "out of memory: only %u bans of earlier runs could be put back", r.restored);
    else if (err)
        EC_LOG(f->host, EC_LOG_ERROR, "bans of earlier runs cannot be read from the store (error %d)", err);
    if (!err && !r.witness && f->witness_until > f->host->now(f->host)) {
        err = EC_EIO;
        EC_LOG(f->host, EC_LOG_ERROR, "the store lacks bans that were kept: its documents began anew, or are of an "
                                      "earlier time");
    }
    if (r.restored || r.expired)
        EC_LOG(f->host, EC_LOG_INFO, "%u bans of earlier runs are put back, %u have ended meanwhile", r.restored,
               r.expired);
    return err;
}

bool keep_marked(const struct firewall *f)
{
    char path[4200];

    return mark_path(f, path, sizeof path) && !faccessat(AT_FDCWD, path, F_OK, AT_EACCESS);
}
