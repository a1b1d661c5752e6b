/* Sources as the API shows them. */
#include "plugins/ids/sources/sources.h"

#include <stdlib.h>
#include <string.h>

enum { SEEN_CHECKSUM, SEEN_LOOKED, SEEN_UPDATED, SEEN_WHY, SEEN_DIGEST };
struct shown {
    struct ec_part part;
    struct ec_span name, url, checksum_url, by, why, digest;
    uint64_t interval, version, at, looked, updated, bytes;
    uint32_t id, rules, failed;
    uint8_t enabled, busy, pad[2];
};
static const struct ec_row shown_rows[] = {
    EC_FIELD(U32, 0, struct shown, id, "id", NULL, "its number"),
    EC_FIELD(TEXT, 0, struct shown, name, "name", NULL, "of the source, and of its file NAME.rules"),
    EC_FIELD(TEXT, 0, struct shown, url, "url", NULL,
             "a text of rules, compressed or not, or an archive of *.rules files"),
    EC_FIELD_OPT(TEXT, 0, SEEN_CHECKSUM, struct shown, checksum_url, "checksum_url", NULL,
                 "of a file with its checksum"),
    EC_FIELD(BOOL, 0, struct shown, enabled, "enabled", NULL, "its rules are loaded, and it is updated by itself"),
    EC_FIELD(DURATION, 0, struct shown, interval, "interval", "ns", "between updates; 0: only when somebody asks"),
    EC_FIELD(BOOL, 0, struct shown, busy, "busy", NULL, "it is updated or changed at the moment"),
    EC_FIELD(U32, 0, struct shown, rules, "rules", "rules", "of the last update that went well"),
    EC_FIELD(U32, 0, struct shown, failed, "failed", "lines", "of it with an error: see /api/rules/failed"),
    EC_FIELD(U64, 0, struct shown, bytes, "bytes", "bytes", "that came"),
    EC_FIELD_OPT(TEXT, 0, SEEN_DIGEST, struct shown, digest, "sha256", NULL, "of what came"),
    EC_FIELD_OPT(TIME, 0, SEEN_LOOKED, struct shown, looked, "checked_at", NULL, "when it was looked at last"),
    EC_FIELD_OPT(TIME, 0, SEEN_UPDATED, struct shown, updated, "updated_at", NULL, "when there were new rules last"),
    EC_FIELD_OPT(TEXT, 0, SEEN_WHY, struct shown, why, "error", NULL,
                 "why the last look failed; the rules before it stay"),
    EC_FIELD(U64, 0, struct shown, version, "version", NULL, "of its ETag"),
    EC_FIELD(TEXT, 0, struct shown, by, "changed_by", NULL, "who changed it last"),
    EC_FIELD(TIME, 0, struct shown, at, "changed_at", NULL, "when"),
};
const struct ec_record source_view = EC_RECORD_PART(struct shown, shown_rows);

struct many { struct ec_part part; struct ec_list items; uint64_t total; };
static const struct ec_row many_rows[] = {
    EC_FIELD_LIST(&source_view, struct many, items, "items", "sources, the oldest first"),
    EC_FIELD(U64, 0, struct many, total, "total", "sources", "there are at most 64"),
};
const struct ec_record sources_view = EC_RECORD_PART(struct many, many_rows);

static void fill(struct ec_build *b, struct shown *to, const struct source *e, bool busy)
{
    to->id = e->id;
    to->name = ec_puts(b, e->name);
    to->url = ec_puts(b, e->url);
    to->by = ec_puts(b, e->by);
    to->enabled = e->enabled;
    to->busy = busy;
    to->interval = e->interval_ns;
    to->rules = e->rules;
    to->failed = e->failed;
    to->bytes = e->bytes;
    to->version = e->version;
    to->at = e->at_ns;
    to->looked = e->looked_ns;
    to->updated = e->updated_ns;
    to->part.has |= (uint64_t)(e->looked_ns != 0) << SEEN_LOOKED | (uint64_t)(e->updated_ns != 0) << SEEN_UPDATED;
    if (*e->checksum_url) {
        to->checksum_url = ec_puts(b, e->checksum_url);
        to->part.has |= 1u << SEEN_CHECKSUM;
    }
    if (*e->why) {
        to->why = ec_puts(b, e->why);
        to->part.has |= 1u << SEEN_WHY;
    }
    if (*e->digest) {
        to->digest = ec_puts(b, e->digest);
        to->part.has |= 1u << SEEN_DIGEST;
    }
}

void source_reply(struct sources *s, struct ec_req *r, uint32_t status, const struct source *e)
{
    uint64_t room[1024] = { 0 };
    struct ec_build b = { .base = (uint8_t *)room, .cap = sizeof room };
    struct shown *to;

    ec_grow(&b, sizeof(struct ec_event));
    to = ec_add(&b, 0, sizeof *to);
    fill(&b, to, e, s->busy == e->id);
    s->http->etag(r, e->version);
    s->http->reply(r, status, &to->part);
}

void sources_reply(struct sources *s, struct ec_req *r)
{
    struct ec_build b = { .cap = SOURCES_MAX * 8192 };
    struct shown *to;
    struct many *all;

    if (!(b.base = calloc(1, b.cap))) {
        s->http->error(r, 503, "out of memory");
        return;
    }
    ec_grow(&b, sizeof(struct ec_event));
    all = ec_add(&b, 0, sizeof *all);
    pthread_mutex_lock(&s->lock);
    all->total = s->list->n;
    to = ec_rows(&b, &all->items, s->list->n, sizeof *to);
    for (uint32_t i = 0; to && i < s->list->n; i++)
        fill(&b, &to[i], s->list->source[i], s->busy == s->list->source[i]->id);
    pthread_mutex_unlock(&s->lock);
    s->http->reply(r, 200, &all->part);
    free(b.base);
}
