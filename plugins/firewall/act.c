/* Bans on their way into the kernel and out of it. What is desired stands in f->bans; the helper is told each change,
 * and whenever somebody may have lost it (a new helper, a table that is gone, a refusal) the whole state goes
 * again. */
#include "plugins/firewall/firewall.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* One ban on its way; of a sync: up to which operation, and the allow-list of which configuration. */
struct change { struct firewall *f; uint64_t id, op, serial; };

#define BAN_LONGEST_NS (UINT64_C(100) * 366 * 86400 * SECOND_NS)  /* the helper takes 126 years */

static const char silent[] = "the helper that changes the firewall does not answer";

/* Seconds until the end, rounded up: the kernel must not be earlier than we are. */
static uint64_t seconds_left(const struct firewall *f, const struct ban *ban)
{
    uint64_t now = f->host->now(f->host), left = ban->until_ns > now ? ban->until_ns - now : 0;

    if (left > BAN_LONGEST_NS)      /* asked for before the clock was set back, or kept by an earlier version */
        left = BAN_LONGEST_NS;
    left = (left + SECOND_NS - 1) / SECOND_NS;
    return left ? left : 1;
}

static struct ec_helper_entry block_entry(const struct firewall *f, const struct ban *ban)
{
    struct ec_helper_entry e = { .prefix = ban->net.prefix, .list = EC_HELPER_BLOCK, .seconds = seconds_left(f, ban) };

    memcpy(e.addr, ban->net.addr, sizeof e.addr);
    return e;
}

static void gauge(struct firewall *f)
{
    f->host->gauge(f->host, METRIC_BANS, f->bans.n);
}

/* The kernel has confirmed the last operation on this ban. Under the lock; it may be gone afterwards. */
static void confirmed(struct firewall *f, struct ban *ban)
{
    if (ban->state == BAN_LEAVING) {
        tell_ban(f, ban, TELL_UNBANNED, ban->by);
        bans_remove(&f->bans, ban);
        gauge(f);
    } else {
        ban->state = BAN_ACTIVE;
        if (!ban->told)
            tell_ban(f, ban, TELL_BANNED, NULL);
        ban->told = true;
    }
}

/* Something went wrong: say it once for each new reason. Under the lock. */
static void in_trouble(struct firewall *f, const char *text)
{
    if (strcmp(f->trouble, text) != 0 && text[0])
        EC_LOG(f->host, EC_LOG_WARNING, "the firewall is not as desired: %s", text);
    else if (!text[0] && f->trouble[0])
        EC_LOG(f->host, EC_LOG_INFO, "the firewall is as desired again");
    snprintf(f->trouble, sizeof f->trouble, "%.200s", text);
    f->stale = text[0] != '\0';
    pthread_cond_broadcast(&f->changed);
}

static void on_sync(void *arg, int32_t err, const char *text, uint64_t len)
{
    struct change *c = arg;
    struct firewall *f = c->f;

    (void)len;
    pthread_mutex_lock(&f->lock);
    f->syncing = false;
    in_trouble(f, err ? text : "");
    f->stale |= f->unsent_op > c->op || f->guard->serial != c->serial;
    for (uint32_t i = f->bans.n; !err && i--; )
        if (f->bans.all[i]->op <= c->op && f->bans.all[i]->state != BAN_ACTIVE)
            confirmed(f, f->bans.all[i]);
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
    f->host->metric(f->host, err ? METRIC_FAILED : METRIC_SYNCS, 1);
    free(c);
}

static void send_unconfirmed(struct firewall *f);
static void sync_locked(struct firewall *f);

/* The table is as we left it, or it is gone: then nothing is left that could be lost. */
static void on_take(void *arg, int32_t err, const char *text, uint64_t len)
{
    struct firewall *f = arg;

    (void)len;
    pthread_mutex_lock(&f->lock);
    f->taking = false;
    f->taken = !err;
    if (!err) {
        in_trouble(f, "");
        send_unconfirmed(f);
    } else if (err == EC_ENOENT) {
        f->blind = false;
        sync_locked(f);
    } else if (err != EC_EAGAIN) {
        in_trouble(f, text);        /* the next tick asks again */
    }
    pthread_mutex_unlock(&f->lock);
}

/* The helper did not take a request. What goes by itself (no helper just now) is no trouble. Under the lock. */
static void not_taken(struct firewall *f, int32_t err, const char *invalid)
{
    if (err == EC_ENOMEM)
        in_trouble(f, "out of memory");
    else if (err != EC_EAGAIN)
        in_trouble(f, err == EC_EINVAL ? invalid : "the helper does not take what it is asked");
    f->stale = true;                /* act_ready() or the next tick */
}

/* Where the whole state may not be sent, a new helper first takes over the table as it stands. Under the lock. */
static void take_locked(struct firewall *f)
{
    if (f->taking || !f->open || f->powerless[0])
        return;
    f->taking = f->helper->request(f->helper_self, EC_HELPER_TAKE, NULL, 0, 0, on_take, f) == EC_OK;
    f->stale |= !f->taking;         /* act_ready() or the next tick */
}

/* The allow-list and every ban. Under the lock. NULL: out of memory. */
static struct ec_helper_entry *whole_state(const struct firewall *f, uint32_t *n)
{
    struct ec_helper_entry *all = calloc(f->guard->n_allow + f->bans.n + 1, sizeof *all);

    *n = 0;
    for (uint32_t i = 0; all && i < f->guard->n_allow; i++) {
        all[*n].prefix = f->guard->allow[i].prefix;
        all[*n].list = EC_HELPER_ALLOW;
        memcpy(all[(*n)++].addr, f->guard->allow[i].addr, 16);
    }
    for (uint32_t i = 0; all && i < f->bans.n; i++)
        if (f->bans.all[i]->state != BAN_LEAVING)
            all[(*n)++] = block_entry(f, f->bans.all[i]);
    return all;
}

/* Under the lock. */
static void sync_locked(struct firewall *f)
{
    struct change *c;
    struct ec_helper_entry *all;
    int32_t err = EC_ENOMEM;
    uint32_t n;

    if (!f->open || f->powerless[0] || f->syncing || f->blind || (!f->bans.n && !f->lively))
        return;
    c = malloc(sizeof *c);
    all = c ? whole_state(f, &n) : NULL;
    keep_mark(f, true);
    f->lively = true;
    if (all) {
        *c = (struct change){ f, 0, f->op, f->guard->serial };
        err = f->helper->request(f->helper_self, EC_HELPER_SYNC, all, n, sizeof *all, on_sync, c);
    }
    f->syncing = !err;
    if (err) {
        not_taken(f, err, "firewall.allow and the bans together are more than 131,072 entries: shorten the list");
        free(c);
    }
    free(all);
}

void act_sync(struct firewall *f)
{
    pthread_mutex_lock(&f->lock);
    if (f->blind && f->lively)
        send_unconfirmed(f);
    else
        sync_locked(f);
    pthread_mutex_unlock(&f->lock);
}

static void on_change(void *arg, int32_t err, const char *text, uint64_t len)
{
    struct change *c = arg;
    struct firewall *f = c->f;
    struct ban *ban;

    (void)len;
    pthread_mutex_lock(&f->lock);
    ban = bans_by_id(&f->bans, c->id);
    if (!err && ban && ban->op == c->op)
        confirmed(f, ban);
    else if (err && err != EC_EAGAIN)
        in_trouble(f, text);        /* the next tick sends everything */
    if (err == EC_ENOENT) {
        f->blind = false;           /* nothing is left that could be lost */
        sync_locked(f);
    }
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
    if (err && err != EC_EAGAIN && err != EC_ENOENT)
        f->host->metric(f->host, METRIC_FAILED, 1);
    free(c);
}

/* Send one change; what cannot be sent now goes with the next whole state. Under the lock. */
static void send_change(struct firewall *f, const struct ban *ban, uint32_t what)
{
    struct ec_helper_entry e = block_entry(f, ban);
    struct change *c = malloc(sizeof *c);
    int32_t err = EC_ENOMEM;

    if (!f->lively)
        keep_mark(f, true);
    f->lively = true;
    if (f->blind && !f->taken) {    /* on_take() sends it */
        free(c);
        take_locked(f);
        return;
    }
    if (c) {
        *c = (struct change){ f, ban->id, ban->op, 0 };
        err = f->helper->request(f->helper_self, what, &e, 1, sizeof e, on_change, c);
    }
    if (err) {
        free(c);
        not_taken(f, err, "the helper takes no such ban: restart the daemon, so that both are of one version");
        f->unsent_op = ban->op;
    }
}

/* Where the whole state may not be sent: what the kernel has not confirmed, one by one. Under the lock. */
static void send_unconfirmed(struct firewall *f)
{
    f->stale = false;
    if (!f->taken)
        take_locked(f);
    for (uint32_t i = 0; i < f->bans.n && f->taken && f->open && !f->powerless[0]; i++)
        if (f->bans.all[i]->state != BAN_ACTIVE)
            send_change(f, f->bans.all[i], f->bans.all[i]->state == BAN_LEAVING ? EC_HELPER_UNBAN : EC_HELPER_BAN);
}

void act_ready(void *arg)
{
    struct firewall *f = arg;

    pthread_mutex_lock(&f->lock);
    f->syncing = f->taken = f->taking = false;
    if (f->blind)
        send_unconfirmed(f);
    else
        sync_locked(f);
    pthread_mutex_unlock(&f->lock);
}

/* May it be asked at all? EC_OK, or why not. */
static int32_t well_formed(const struct ec_ban *b, const struct net *net, uint64_t now, char *why, uint32_t n)
{
    const char *bad = address_check(net);

    if (!bad && (!b->who || !b->who[0] || strlen(b->who) >= WHO_MAX))
        bad = "a ban needs to say who asks for it, in less than 128 bytes";
    if (!bad && (!b->why || !b->why[0] || strlen(b->why) >= WHY_MAX))
        bad = "a ban needs a reason, in less than 512 bytes";
    if (!bad && (!b->until_ns || b->until_ns > INT64_MAX))
        bad = "a ban needs an end";
    if (!bad && b->until_ns <= now)
        bad = "the end of a ban lies ahead";
    if (!bad && b->until_ns - now > BAN_LONGEST_NS)
        bad = "a ban ends within a hundred years";
    if (bad)
        snprintf(why, n, "%s", bad);
    return bad ? EC_EINVAL : EC_OK;
}

/* Is it forbidden? Under the lock. */
static int32_t permitted(const struct firewall *f, const struct ec_ban *b, const struct net *net, char *why, uint32_t n)
{
    if ((b->flags & EC_BAN_REPLAY) && !(b->flags & EC_BAN_PERSON)) {
        snprintf(why, n,
                 "its cause is an event of a replay, and no response acts on a replay; a person may ask for it");
        return EC_EPERM;
    }
    if (guard_refuses(f->guard, f->own, net, why, n))
        return EC_EPERM;
    if (f->powerless[0]) {
        snprintf(why, n, "%s", f->powerless);
        return EC_EPERM;
    }
    return EC_OK;
}

/* A program may ask for the same ban with each packet, and has no say over an end that is later: a person has. */
static bool idle(const struct ban *ban, const struct ec_ban *b)
{
    return ban->state != BAN_LEAVING && !(b->flags & EC_BAN_PERSON) && b->until_ns < ban->until_ns + SECOND_NS;
}

static int32_t put(struct firewall *f, const struct ec_ban *b, const struct net *net, uint64_t now, char *why,
                   uint32_t n, uint64_t *id)
{
    struct ban *ban = bans_find(&f->bans, net);

    if (ban && idle(ban, b)) {
        *id = ban->id;
        return EC_OK;
    }
    if (!ban && !(ban = bans_add(&f->bans, net, 0, now, b->who, b->why))) {
        f->host->metric(f->host, METRIC_FULL, 1);
        snprintf(why, n, "there are %u bans already (firewall.max_bans)", f->bans.n);
        return EC_EAGAIN;
    }
    if (!bans_text(&ban->who, b->who) || !bans_text(&ban->why, b->why)) {
        snprintf(why, n, "out of memory");
        return EC_ENOMEM;
    }
    ban->until_ns = b->until_ns;
    ban->cause = b->cause;
    ban->op = ++f->op;
    ban->state = BAN_PENDING;
    ban->told = false;
    ban->dirty = f->dirty = true;
    *id = ban->id;
    gauge(f);
    send_change(f, ban, EC_HELPER_BAN);
    return EC_OK;
}

int32_t act_ban(struct firewall *f, const struct ec_ban *b, char *why, uint32_t n, uint64_t *id)
{
    struct net net = { .prefix = b->prefix };
    uint64_t now = f->host->now(f->host), made = 0;
    struct tell t = { .action = TELL_REFUSED, .dry_run = b->flags & EC_BAN_DRY_RUN, .net = &net,
                      .until_ns = b->until_ns, .cause = b->cause, .who = b->who, .why = b->why };
    char own_why[512] = "";
    int32_t err;

    memcpy(net.addr, b->addr, sizeof net.addr);
    if (!(err = well_formed(b, &net, now, own_why, sizeof own_why))) {
        pthread_mutex_lock(&f->lock);
        err = permitted(f, b, &net, own_why, sizeof own_why);
        if (!err && !t.dry_run)
            err = put(f, b, &net, now, own_why, sizeof own_why, &made);
        pthread_mutex_unlock(&f->lock);
        t.problem = own_why;
        if (!err && t.dry_run) {
            t.action = TELL_BANNED;
            t.problem = NULL;
            snprintf(own_why, sizeof own_why, "it would be banned; this was a dry run");
        }
        if (err || t.dry_run)
            tell(f, &t);
    }
    if (made)
        keep_later(f);
    if (n)
        snprintf(why, n, "%s", own_why);
    if (id)
        *id = made;
    return err;
}

int32_t act_unban(struct firewall *f, const struct net *net, const char *who)
{
    struct ban *ban;

    pthread_mutex_lock(&f->lock);
    ban = bans_find(&f->bans, net);
    if (!ban || ban->state == BAN_LEAVING) {
        pthread_mutex_unlock(&f->lock);
        return EC_ENOENT;
    }
    bans_text(&ban->by, who);
    ban->state = BAN_LEAVING;
    ban->op = ++f->op;
    keep_forget(f, ban);
    if (!f->powerless[0]) {
        send_change(f, ban, EC_HELPER_UNBAN);
    } else {
        confirmed(f, ban);
    }
    pthread_mutex_unlock(&f->lock);
    keep_later(f);
    return EC_OK;
}

int32_t act_settle(struct firewall *f, uint64_t id, uint64_t wait_ns, char *why, uint32_t n)
{
    struct timespec until;
    const struct ban *ban;
    int rc = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(wait_ns / SECOND_NS);
    pthread_mutex_lock(&f->lock);
    while ((ban = bans_by_id(&f->bans, id)) && ban->state != BAN_ACTIVE && !rc)
        rc = pthread_cond_timedwait(&f->changed, &f->lock, &until);
    rc = ban && ban->state != BAN_ACTIVE;
    if (rc)
        snprintf(why, n, "%s; it is tried again until it is done", f->trouble[0] ? f->trouble : silent);
    pthread_mutex_unlock(&f->lock);
    return rc ? EC_EAGAIN : EC_OK;
}

/* Those whose time is over: the kernel has dropped them by itself. Under the lock. */
static void expire(struct firewall *f, uint64_t now)
{
    for (uint32_t i = f->bans.n; i--; ) {
        struct ban *ban = f->bans.all[i];

        if (ban->until_ns > now || ban->state == BAN_LEAVING)
            continue;
        tell_ban(f, ban, TELL_EXPIRED, NULL);
        keep_forget(f, ban);
        bans_remove(&f->bans, ban);
    }
    gauge(f);
}

static void on_check(void *arg, int32_t err, const char *text, uint64_t len)
{
    struct firewall *f = arg;

    (void)len;
    if (err != EC_ENOENT)
        return;
    pthread_mutex_lock(&f->lock);
    in_trouble(f, text);
    f->blind = false;               /* nothing is left that could be lost */
    sync_locked(f);
    pthread_mutex_unlock(&f->lock);
}

#define CHECK_SECONDS 5             /* how soon we see that somebody flushed the rule set, or that an address is ours */

/* A reload has brought another allow-list: bans that it forbids go, and the kernel gets it. */
static void adopt(struct firewall *f, const struct guard *next)
{
    size_t bytes = sizeof *next + next->n_allow * sizeof next->allow[0];
    struct guard *copy = malloc(bytes);

    if (!copy)
        return;                     /* the next tick tries again */
    memcpy(copy, next, bytes);
    pthread_mutex_lock(&f->lock);
    free(f->guard);
    f->guard = copy;
    f->stale = true;
    pthread_mutex_unlock(&f->lock);
    act_revise(f);
}

void act_tick(struct firewall *f, const struct guard *guard, uint64_t now_ns)
{
    struct own *own = f->own && now_ns / SECOND_NS % CHECK_SECONDS ? NULL : own_read();

    if (guard->serial != f->guard->serial)
        adopt(f, guard);
    pthread_mutex_lock(&f->lock);
    if (own) {
        free(f->own);
        f->own = own;
    }
    expire(f, now_ns);
    if (f->stale && f->blind)
        send_unconfirmed(f);
    else if (f->stale)
        sync_locked(f);
    else if (own && f->lively && f->open)
        f->helper->request(f->helper_self, EC_HELPER_CHECK, NULL, 0, 0, on_check, f);
    pthread_mutex_unlock(&f->lock);
    keep_later(f);
}

void act_revise(struct firewall *f)
{
    char why[512];

    pthread_mutex_lock(&f->lock);
    for (uint32_t i = f->bans.n; i--; ) {
        struct ban *ban = f->bans.all[i];
        struct tell t = { .action = TELL_REFUSED, .net = &ban->net, .id = ban->id, .until_ns = ban->until_ns,
                          .cause = ban->cause, .who = ban->who, .why = ban->why, .problem = why };

        if (!guard_refuses(f->guard, f->own, &ban->net, why, sizeof why))
            continue;
        EC_LOG(f->host, EC_LOG_WARNING, "a ban is taken back: %s", why);
        tell(f, &t);
        keep_forget(f, ban);
        bans_remove(&f->bans, ban);
    }
    gauge(f);
    pthread_mutex_unlock(&f->lock);
    keep_later(f);
}
