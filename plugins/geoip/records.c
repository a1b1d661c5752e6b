#include "plugins/geoip/records.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SLOTS_MIN 256u
#define V4_FIRST  65536u            /* values of the first 16 bits */

static const char no_memory[] = "there is no memory for its records";

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Which records have been read: their places by their offsets. Only while a database is opened. */
struct seen {
    struct slot { uint32_t offset, place; } *slot;      /* open addressing; place 0: empty */
    uint32_t mask, n;               /* slots − 1; in use, at most half */
};

static struct slot *slot_of(const struct seen *s, uint32_t offset)
{
    uint32_t i = ((offset * UINT32_C(0x9e3779b1)) >> 7) & s->mask;

    while (s->slot[i].place && s->slot[i].offset != offset)
        i = (i + 1) & s->mask;
    return &s->slot[i];
}

static bool seen_grow(struct seen *s)
{
    struct seen old = *s;
    uint32_t n = old.slot ? old.mask + 1 : 0, more = n ? n * 2 : SLOTS_MIN;

    if (old.slot && s->n < n / 2)
        return true;
    if (more <= n || !(s->slot = calloc(more, sizeof *s->slot))) {
        s->slot = old.slot;
        return false;
    }
    s->mask = more - 1;
    for (uint32_t i = 0; i < n; i++)
        if (old.slot[i].place)
            *slot_of(s, old.slot[i].offset) = old.slot[i];
    free(old.slot);
    return true;
}

static void *room(void *p, uint32_t used, uint32_t need, uint32_t *cap, size_t each)
{
    uint64_t want = (uint64_t)used + need;
    uint32_t more = *cap ? *cap : 64;

    if (want <= *cap)
        return p;
    while (more < want)
        if (more > UINT32_MAX / 2)
            return NULL;
        else
            more *= 2;
    if ((p = realloc(p, more * each)))
        *cap = more;
    return p;
}

static bool place_add(struct records *r, struct place *p, const char *org)
{
    void *to = room(r->place, r->places, 1, &r->cap, sizeof *r->place);

    if (!to)
        return false;
    r->place = to;
    if (p->org_len) {
        if (!(to = room(r->text, r->text_len, p->org_len, &r->text_cap, 1)))
            return false;
        r->text = to;
        memcpy(r->text + r->text_len, org, p->org_len);
        p->org = r->text_len;
        r->text_len += p->org_len;
    }
    r->place[r->places++] = *p;
    return true;
}

/* The place of a record, read when it is met for the first time; 0: out of memory. */
static uint32_t record_add(struct records *r, struct seen *seen, MMDB_entry_s *entry)
{
    struct slot *at = slot_of(seen, entry->offset);
    const char *org = NULL;
    uint32_t place = r->places;
    struct place p;

    if (at->place)
        return at->place;
    if (place_read(entry, &p, &org)) {
        r->bad++;
        place = RECORDS_BAD;
    } else if (!place_known(&p)) {
        place = RECORDS_NONE;
    } else if (!place_add(r, &p, org)) {
        return 0;
    }
    *at = (struct slot){ entry->offset, RECORDS_PLACE | place };
    seen->n++;
    return seen_grow(seen) ? RECORDS_PLACE | place : 0;
}

static const char *side_add(struct records *r, struct seen *seen, uint32_t *to, uint8_t type, uint64_t node,
                            MMDB_entry_s *entry)
{
    *to = RECORDS_PLACE | RECORDS_NONE;
    if (type == MMDB_RECORD_TYPE_SEARCH_NODE && node < r->nodes)
        *to = (uint32_t)node;
    else if (type == MMDB_RECORD_TYPE_DATA)
        *to = record_add(r, seen, entry);
    else if (type != MMDB_RECORD_TYPE_EMPTY)
        *to = RECORDS_PLACE | RECORDS_BAD;
    return *to || type == MMDB_RECORD_TYPE_SEARCH_NODE ? NULL : no_memory;
}

static const char *node_add(struct records *r, struct seen *seen, const MMDB_s *db, uint32_t i)
{
    MMDB_search_node_s n;
    const char *why;

    if (MMDB_read_node(db, i, &n))
        return "its search tree is damaged";
    why = side_add(r, seen, &r->node[i][0], n.left_record_type, n.left_record, &n.left_record_entry);
    return why ? why : side_add(r, seen, &r->node[i][1], n.right_record_type, n.right_record, &n.right_record_entry);
}

/* IPv4 stands below 96 zero bits. */
static uint32_t v4_start(const struct records *r, const MMDB_s *db)
{
    uint32_t at = 0;

    for (uint32_t i = 0; i < 96 && db->metadata.ip_version == 6 && !(at & RECORDS_PLACE); i++)
        at = r->node[at][0];
    return at;
}

/* All values from `first` on, n of them, lead through `at`. */
static void v4_fill(struct records *r, uint32_t at, uint32_t first, uint32_t n)
{
    if (n > 1 && !(at & RECORDS_PLACE)) {
        v4_fill(r, r->node[at][0], first, n / 2);
        v4_fill(r, r->node[at][1], first + n / 2, n / 2);
        return;
    }
    for (uint32_t i = 0; i < n; i++)
        r->v4[first + i] = at;
}

const char *records_build(struct records *r, const MMDB_s *db, uint64_t until_ns)
{
    struct place none = { 0 };
    struct seen seen = { 0 };
    const char *why = NULL;

    memset(r, 0, sizeof *r);
    r->nodes = db->metadata.node_count;
    r->node = calloc(r->nodes, sizeof *r->node);
    r->v4 = calloc(V4_FIRST, sizeof *r->v4);
    if (!r->node || !r->v4 || !seen_grow(&seen) || !place_add(r, &none, NULL) || !place_add(r, &none, NULL))
        why = no_memory;
    for (uint32_t i = 0; i < r->nodes && !why; i++)
        if (!(why = node_add(r, &seen, db, i)) && i % 64 == 0 && now_ns() > until_ns)
            why = "reading its records takes too long";
    if (!why && r->bad && r->bad == seen.n)
        why = "all of its records are damaged";
    free(seen.slot);
    if (why)
        records_free(r);
    else
        v4_fill(r, v4_start(r, db), 0, V4_FIRST);
    return why;
}

void records_free(struct records *r)
{
    free(r->node);
    free(r->v4);
    free(r->place);
    free(r->text);
    memset(r, 0, sizeof *r);
}

uint64_t records_bytes(const struct records *r)
{
    return (uint64_t)r->nodes * sizeof *r->node + V4_FIRST * sizeof *r->v4 +
           (uint64_t)r->cap * sizeof *r->place + r->text_cap;
}
