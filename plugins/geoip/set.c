#include "plugins/geoip/set.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct set {
    atomic_uint refs;
    uint32_t n, count, failed;
    struct {
        struct database *db;        /* NULL: none could be read */
        struct version tried;       /* what the file was then; all 0: it was not there */
    } file[SET_MAX];
};

static bool version_same(const struct version *a, const struct version *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->size == b->size && a->mtime_ns == b->mtime_ns &&
           a->ctime_ns == b->ctime_ns;
}

/* Of the same file in the old set. */
static struct database *old_database(const struct set *old, const char *path)
{
    for (uint32_t i = 0; old && i < old->n; i++)
        if (old->file[i].db && !strcmp(database_info(old->file[i].db)->path, path))
            return old->file[i].db;
    return NULL;
}

static void file_open(struct set *s, uint32_t i, const struct set_source *from, struct database *old, bool keep_missing)
{
    char why[512], sentence[640];
    bool missing = false;

    if (version_of(from->path[i], &s->file[i].tried) && old &&
        version_same(&s->file[i].tried, &database_info(old)->version)) {
        s->file[i].db = database_ref(old);
        return;
    }
    if ((s->file[i].db = database_open(from->path[i], from->max, &missing, why, sizeof why)))
        return;
    s->failed++;
    if (old && (!missing || keep_missing)) {
        s->file[i].db = database_ref(old);
        snprintf(sentence, sizeof sentence, "%s; what was read before stays in use", why);
    } else {
        snprintf(sentence, sizeof sentence, "%s; events go without what it knows", why);
    }
    from->say(from->say_arg, sentence);
}

struct set *set_open(const struct set_source *from, const struct set *old, bool keep_missing)
{
    struct set *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    atomic_init(&s->refs, 1);
    s->n = from->n < SET_MAX ? from->n : SET_MAX;
    for (uint32_t i = 0; i < s->n; i++) {
        file_open(s, i, from, old_database(old, from->path[i]), keep_missing);
        s->count += s->file[i].db != NULL;
    }
    return s;
}

struct set *set_ref(struct set *s)
{
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

void set_unref(struct set *s)
{
    if (!s || atomic_fetch_sub(&s->refs, 1) != 1)
        return;
    for (uint32_t i = 0; i < s->n; i++)
        database_unref(s->file[i].db);
    free(s);
}

bool set_changed(const struct set *s, const struct set_source *from)
{
    for (uint32_t i = 0; i < s->n && i < from->n; i++) {
        struct version now = { 0 };

        version_of(from->path[i], &now);
        if (!version_same(&now, &s->file[i].tried))
            return true;
    }
    return false;
}

uint32_t set_count(const struct set *s)
{
    return s->count;
}

uint32_t set_failed(const struct set *s)
{
    return s->failed;
}

uint64_t set_bytes(const struct set *s)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < s->n; i++)
        sum += s->file[i].db ? database_info(s->file[i].db)->bytes : 0;
    return sum;
}

uint32_t set_bad(const struct set *s)
{
    uint32_t sum = 0;

    for (uint32_t i = 0; i < s->n; i++)
        sum += s->file[i].db ? database_info(s->file[i].db)->bad : 0;
    return sum;
}

/* Unspecified and "this network", loopback, link-local, multicast, reserved and broadcast: in no place at all. Private
 * networks are looked up: public databases hold nothing of them, one of one's own may. */
static bool special(const uint8_t *a)
{
    static const uint8_t zero[15], mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

    if (!memcmp(a, mapped, sizeof mapped))
        return a[12] == 0 || a[12] == 127 || a[12] >= 224 || (a[12] == 169 && a[13] == 254);
    return (!memcmp(a, zero, sizeof zero) && a[15] <= 1) || a[0] == 0xff || (a[0] == 0xfe && (a[1] & 0xc0) == 0x80);
}

bool set_find(const struct set *s, const uint8_t *addr16, struct found *f, uint32_t *bad)
{
    *f = (struct found){ { NULL, NULL }, NULL };
    *bad = 0;
    if (!s->count || special(addr16))
        return false;
    for (uint32_t i = 0; i < s->n && !(f->place[0] && f->place[1]); i++) {
        const struct place *p;
        enum lookup got = s->file[i].db ? database_find(s->file[i].db, addr16, &p) : LOOKUP_NONE;

        *bad += got == LOOKUP_BAD;
        if (got != LOOKUP_FOUND)
            continue;
        if (!f->place[0] && (*p->country || *p->continent))
            f->place[0] = p;
        if (!f->place[1] && (p->asn || p->org_len)) {
            f->place[1] = p;
            f->org = database_org(s->file[i].db, p);
        }
    }
    return f->place[0] || f->place[1];
}
