/* The thread that looks: it scans all paths now and then, and in between what inotify tells of. */
#include "plugins/fim/fim.h"

#include <dirent.h>
#include <ecyber/thread.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DEPTH_MAX  64u
#define SETTLE_MS  100              /* after a change, before it is looked at: more of it may come */
#define SAVE_NS    UINT64_C(5000000000)
#define SECOND     UINT64_C(1000000000)
#define KEPT       "baseline"
#define KEPT_MAX   (UINT64_C(1) << 30)

static uint64_t clock_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

static bool below(const char *path, const char *root)
{
    size_t n = strlen(root);

    return !strncmp(path, root, n) && (!path[n] || path[n] == '/' || !strcmp(root, "/"));
}

bool guard_wants(const struct fim *f, const char *path)
{
    const char *own = f->host->state_dir(f->host);
    bool in = false;

    for (uint32_t i = 0; i < f->s.path.n && !in; i++)
        in = below(path, f->s.path.text[i]);
    if (!in || (own && below(path, own)))
        return false;
    for (uint32_t i = 0; i < f->s.exclude.n; i++)
        if (!fnmatch(f->s.exclude.text[i], path, 0) || below(path, f->s.exclude.text[i]))
            return false;
    return true;
}

/* --- one path --- */
static void publish(struct fim *f, struct entry *e, const struct meta *now, uint32_t what, uint32_t found)
{
    if (f->baseline && what != META_SAME) {
        if (!tell(f, e, now, what, found)) {    /* e keeps what it was, so the next scan finds it again */
            f->host->metric(f->host, M_RETRIES, 1);
            atomic_store(&f->rescan, true);
            return;
        }
        f->host->metric(f->host, M_EVENTS, 1);
    }
    if (what != META_SAME || e->last.ctime_ns != now->ctime_ns || e->last.hashed != now->hashed)
        atomic_store(&f->dirty, true);
    pthread_mutex_lock(&f->lock);
    f->shown.events += f->baseline && what != META_SAME;
    e->last = *now;
    if (!f->baseline)
        e->base = *now;
    pthread_mutex_unlock(&f->lock);
}

/* Returns what it is now, as meta.type; 0: none, or it cannot be looked at. */
static char look_one(struct fim *f, const char *path, uint32_t found)
{
    const struct pace pace = { f->s.rate, f->s.hash_max, &f->stop };
    const struct meta none = { 0 };
    struct entry *e = table_find(&f->table, path);
    struct meta now;
    int err = meta_read(path, e ? &e->last : &none, &pace, &now);

    if (atomic_load(&f->stop))
        return 0;                   /* reading was given up: what was seen is not whole */
    if (err || (!e && !now.type)) {
        f->counting.unreadable += err != 0;
        return 0;
    }
    if (!e) {
        pthread_mutex_lock(&f->lock);
        e = table_make(&f->table, path);
        pthread_mutex_unlock(&f->lock);
    }
    if (!e) {
        f->counting.over++;
        return 0;                   /* not below it either: there is no room */
    }
    e->round = f->round;
    f->counting.unreadable += now.type == 'f' && !now.hashed && now.size <= f->s.hash_max;
    publish(f, e, &now, meta_compare(&e->last, &now), found);
    return now.type;
}

static void watch_it(struct fim *f, const char *folder)
{
    if (watch_add(&f->watch, folder))
        f->counting.unwatched++;
}

static void look_tree(struct fim *f, char *path, uint32_t depth, uint32_t found);

static void look_inside(struct fim *f, char *path, uint32_t depth, uint32_t found)
{
    size_t n = strlen(path), end = n == 1 ? 0 : n;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);

    if (!d) {
        f->counting.unreadable++;
        if (fd >= 0)
            close(fd);
        return;
    }
    for (struct dirent *e; !atomic_load(&f->stop) && (e = readdir(d));) {
        size_t len = strlen(e->d_name);

        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        if (end + 1 + len >= PATH_MAX) {
            f->counting.unreadable++;
            continue;
        }
        path[end] = '/';
        memcpy(path + end + 1, e->d_name, len + 1);
        look_tree(f, path, depth + 1, found);
    }
    closedir(d);
    path[n] = '\0';
}

/* path: in a room of PATH_MAX. A folder is watched before it is listed, so nothing that comes is missed. */
static void look_tree(struct fim *f, char *path, uint32_t depth, uint32_t found)
{
    if (!guard_wants(f, path) || look_one(f, path, found) != 'd')
        return;
    watch_it(f, path);
    f->counting.folders++;
    if (depth < DEPTH_MAX)
        look_inside(f, path, depth, found);
    else
        f->counting.unreadable++;
}

/* --- all of it --- */
struct sweep { struct fim *f; const char *root; };

static int gone(void *arg, struct entry *e)
{
    struct sweep *s = arg;

    if (e->last.type && e->round != s->f->round && (!s->root || below(e->path, s->root)))
        look_one(s->f, e->path, s->root ? BY_INOTIFY : BY_SCAN);
    return atomic_load(&s->f->stop);
}

static void roots(struct fim *f)
{
    char path[PATH_MAX], *slash;

    for (uint32_t i = 0; i < f->s.path.n && !atomic_load(&f->stop); i++) {
        snprintf(path, sizeof path, "%s", f->s.path.text[i]);
        if ((slash = strrchr(path, '/'))) {     /* its folder, so that it is seen when it comes back */
            *slash = '\0';
            watch_add(&f->watch, slash == path ? "/" : path);
        }
        snprintf(path, sizeof path, "%s", f->s.path.text[i]);
        f->counting.missing += access(path, F_OK) != 0;
        look_tree(f, path, 0, BY_SCAN);
    }
}

static void counted(struct fim *f, uint64_t took_ns)
{
    const struct shown *c = &f->counting;
    const struct ec_host *h = f->host;

    pthread_mutex_lock(&f->lock);
    f->shown.files = f->table.n;
    f->shown.folders = f->watch.n;
    f->shown.over = c->over;
    f->shown.unreadable = c->unreadable;
    f->shown.unwatched = c->unwatched;
    f->shown.missing = c->missing;
    f->shown.scan_ns = h->now(h);
    f->shown.scan_took_ns = took_ns;
    f->shown.scans++;
    f->shown.scanning = 0;
    pthread_mutex_unlock(&f->lock);
    h->metric(h, M_SCANS, 1);
    h->gauge(h, M_FILES, f->table.n);
    h->gauge(h, M_FOLDERS, f->watch.n);
    h->gauge(h, M_OVER, c->over);
    h->gauge(h, M_UNREADABLE, c->unreadable);
    h->gauge(h, M_UNWATCHED, c->unwatched);
    if (c->over)
        EC_LOG(h, EC_LOG_WARNING, "%u files are beyond fim.max_files (%u) and are not watched", c->over,
               f->s.max_files);
    if (c->unwatched)
        EC_LOG(h, EC_LOG_WARNING, "%u folders cannot be watched by inotify (fs.inotify.max_user_watches): only scans "
               "look at them", c->unwatched);
}

static void scan(struct fim *f)
{
    struct sweep all = { f, NULL };
    uint64_t start = clock_ns();

    atomic_store(&f->rescan, false);
    f->round++;
    f->counting = (struct shown){ 0 };
    pthread_mutex_lock(&f->lock);
    f->shown.scanning = 1;
    pthread_mutex_unlock(&f->lock);
    roots(f);
    table_each(&f->table, gone, &all);
    if (atomic_load(&f->stop))
        return;
    if (!f->baseline) {
        f->baseline = true;
        pthread_mutex_lock(&f->lock);
        f->shown.baseline_ns = f->host->now(f->host);
        f->shown.fresh = true;
        pthread_mutex_unlock(&f->lock);
        EC_LOG(f->host, EC_LOG_INFO, "the baseline was made: %u files", f->table.n);
        f->saved_ns = 0;            /* keep it now */
        f->save_took_ns = 0;
    }
    counted(f, clock_ns() - start);
}

/* --- what inotify tells --- */
static void pending_add(void *arg, const char *path)
{
    struct fim *f = arg;

    if (!guard_wants(f, path))
        return;
    for (uint32_t i = 0; i < f->n_pending; i++)
        if (!strcmp(f->pending[i], path))
            return;
    if (f->n_pending == PENDING_MAX || !(f->pending[f->n_pending] = strdup(path)))
        atomic_store(&f->rescan, true);         /* too many to keep apart: look at all */
    else
        f->n_pending++;
}

static void pending_look(struct fim *f)
{
    char path[PATH_MAX];

    for (uint32_t i = 0; i < f->n_pending; i++) {
        struct sweep sub = { f, f->pending[i] };
        const struct entry *e = table_find(&f->table, f->pending[i]);
        bool folder = e && e->last.type == 'd';

        snprintf(path, sizeof path, "%s", f->pending[i]);
        f->round++;
        look_tree(f, path, 0, BY_INOTIFY);
        if (folder)
            table_each(&f->table, gone, &sub);
        free(f->pending[i]);
    }
    f->n_pending = 0;
}

static void take(struct fim *f)
{
    if (watch_read(&f->watch, pending_add, f)) {
        f->host->metric(f->host, M_OVERFLOWS, 1);
        pthread_mutex_lock(&f->lock);
        f->shown.overflows++;
        pthread_mutex_unlock(&f->lock);
        atomic_store(&f->rescan, true);
        EC_LOG(f->host, EC_LOG_WARNING, "inotify had more changes than it could keep: all files are looked at");
    }
}

/* --- the kept file --- */
static bool kept_path(const struct fim *f, const char *name, char *to, size_t n)
{
    const char *folder = f->host->state_dir(f->host);

    return folder && snprintf(to, n, "%s/%s", folder, name) < (int)n;
}

static int write_all(struct fim *f, const char *draft)
{
    int fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600), err;
    FILE *to = fd < 0 ? NULL : fdopen(fd, "w");

    if (!to) {
        err = errno;
        if (fd >= 0)
            close(fd);
        return err;
    }
    pthread_mutex_lock(&f->lock);   /* somebody may accept meanwhile */
    err = table_write(&f->table, to);
    pthread_mutex_unlock(&f->lock);
    if (!err && fsync(fd))
        err = errno;
    return fclose(to) && !err ? errno : err;
}

int guard_keep(struct fim *f)
{
    char path[PATH_MAX], draft[PATH_MAX];
    int err = ENOENT;

    pthread_mutex_lock(&f->keep_lock);
    if (kept_path(f, KEPT, path, sizeof path) && kept_path(f, KEPT ".new", draft, sizeof draft)) {
        err = write_all(f, draft);
        if (!err && rename(draft, path))
            err = errno;
    }
    pthread_mutex_unlock(&f->keep_lock);
    return err;
}

static void save(struct fim *f)
{
    uint64_t start = clock_ns();
    int err;

    atomic_store(&f->dirty, false);
    pthread_mutex_lock(&f->lock);
    table_prune(&f->table);
    pthread_mutex_unlock(&f->lock);
    err = guard_keep(f);
    if (err) {
        atomic_store(&f->dirty, true);
        EC_LOG(f->host, EC_LOG_ERROR, "the baseline cannot be kept: %s; after a restart what changed until now is told "
               "again", strerror(err));
    }
    pthread_mutex_lock(&f->lock);
    snprintf(f->shown.unsaved, sizeof f->shown.unsaved, "%s", err ? strerror(err) : "");
    pthread_mutex_unlock(&f->lock);
    f->saved_ns = clock_ns();
    f->save_took_ns = f->saved_ns - start;
}

/* The whole file; NULL: errno. */
static char *slurp(const char *path, size_t *len, struct stat *s)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    FILE *from = fd < 0 ? NULL : fdopen(fd, "r");
    char *text = NULL;

    if (from && !fstat(fd, s) && (uint64_t)s->st_size <= KEPT_MAX && (text = malloc((size_t)s->st_size + 1)))
        *len = fread(text, 1, (size_t)s->st_size, from);
    if (from)
        fclose(from);
    else if (fd >= 0)
        close(fd);
    return text;
}

/* One that cannot be read is put aside, said, and a new one is made. */
static void load(struct fim *f)
{
    char path[PATH_MAX], aside[PATH_MAX], why[200] = "it cannot be read";
    struct stat s = { 0 };
    size_t len = 0;
    uint32_t over = 0;
    char *text;

    if (!kept_path(f, KEPT, path, sizeof path) || !kept_path(f, KEPT ".damaged", aside, sizeof aside) ||
        access(path, F_OK))
        return;
    text = slurp(path, &len, &s);
    if (text && table_read(&f->table, text, len, &over, why, sizeof why)) {
        f->baseline = true;
        f->shown.baseline_ns = (uint64_t)s.st_mtim.tv_sec * SECOND;
        if (over)
            EC_LOG(f->host, EC_LOG_WARNING, "%u files of the baseline are beyond fim.max_files: they are forgotten",
                   over);
    } else {
        rename(path, aside);
        f->host->metric(f->host, M_DAMAGED, 1);
        snprintf(f->shown.damaged, sizeof f->shown.damaged, "%s", why);
        EC_LOG(f->host, EC_LOG_ERROR, "%s: %s; it is now %s, and a new baseline is made: changes since the last run are "
               "not known", path, why, aside);
    }
    free(text);
}

/* --- the thread --- */
static void wait_for(struct fim *f, uint64_t ns)
{
    struct pollfd p[2] = { { f->wake, POLLIN, 0 }, { f->watch.fd, POLLIN, 0 } };
    uint64_t ms = ns / 1000000 + 1, drain;

    poll(p, f->watch.fd < 0 ? 1 : 2, ms > 3600000 ? 3600000 : (int)ms);
    if (p[0].revents)
        (void)!read(f->wake, &drain, sizeof drain);
}

static void settle(struct fim *f)
{
    struct pollfd p = { f->wake, POLLIN, 0 };

    if (f->n_pending && !atomic_load(&f->stop)) {
        poll(&p, 1, SETTLE_MS);
        take(f);
    }
}

static uint64_t save_at(const struct fim *f)
{
    return atomic_load(&f->dirty) ? f->saved_ns + SAVE_NS + 20 * f->save_took_ns : UINT64_MAX;
}

/* Also where all has to be looked at again: a second passes between two scans. */
static uint64_t scan_at(const struct fim *f)
{
    return f->scanned_ns + (atomic_load(&f->rescan) && f->s.every_ns > SECOND ? SECOND : f->s.every_ns);
}

static void *run(void *arg)
{
    struct fim *f = arg;
    uint64_t now, at;

    ec_thread_plain();
    while (!atomic_load(&f->heard) && !atomic_load(&f->stop))
        wait_for(f, SECOND);
    while (!atomic_load(&f->stop)) {
        if (!f->scanned_ns || clock_ns() >= scan_at(f)) {
            scan(f);
            f->scanned_ns = clock_ns();
        }
        take(f);
        settle(f);
        pending_look(f);
        now = clock_ns();
        if (f->baseline && now >= save_at(f))
            save(f);
        at = save_at(f) < scan_at(f) ? save_at(f) : scan_at(f);
        wait_for(f, at > now ? at - now : 0);
    }
    if (f->baseline && atomic_load(&f->dirty))
        save(f);
    return NULL;
}

int32_t guard_start(struct fim *f)
{
    if (!table_open(&f->table, f->s.max_files))
        return f->host->fail(f->host, EC_ENOMEM, "out of memory");
    f->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (!watch_open(&f->watch))
        EC_LOG(f->host, EC_LOG_WARNING, "there is no inotify (%s): only scans find changes", strerror(errno));
    load(f);
    if (f->wake < 0 || pthread_create(&f->thread, NULL, run, f))
        return f->host->fail(f->host, EC_EIO, "no thread can be started");
    f->runs = true;
    return EC_OK;
}

void guard_go(struct fim *f)
{
    uint64_t one = 1;

    if (f->runs && !atomic_exchange(&f->heard, true))
        (void)!write(f->wake, &one, sizeof one);
}

void guard_stop(struct fim *f)
{
    uint64_t one = 1;

    if (f->runs) {
        atomic_store(&f->stop, true);
        (void)!write(f->wake, &one, sizeof one);
        pthread_join(f->thread, NULL);
        f->runs = false;
    }
    for (uint32_t i = 0; i < f->n_pending; i++)
        free(f->pending[i]);
    f->n_pending = 0;
    watch_close(&f->watch);
    if (f->wake >= 0)
        close(f->wake);
    f->wake = -1;
}
