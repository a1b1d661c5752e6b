/* Names, values, texts and cursors of queries as anybody may write them, against a segment with events in it. Whatever
 * they are, the answer is a page or a sentence; a cursor that comes back is taken; SQLite never finds an error in a
 * statement. */
/* covers: plugins/store/filter.c plugins/store/field.c plugins/store/pages.c plugins/store/count.c
 * plugins/store/text.c plugins/store/value.c */
#include "plugins/store/files.h"
#include "plugins/store/pages.h"
#include "testhost.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct element { struct ec_span name; uint32_t n, pad; };
static const struct ec_row element_rows[] = {
    EC_FIELD(TEXT, 0, struct element, name, "name", NULL, ""),
    EC_FIELD(U32, 0, struct element, n, "n", NULL, ""),
};
static const struct ec_record element_record = EC_RECORD_ELEMENT(struct element, element_rows);
struct thing {
    struct ec_part part;
    struct ec_span text, wire;
    struct ec_list list, tags, map;
    uint64_t time;
    double real;
    uint32_t n, word;
    uint8_t ip[16], ip2[16], yes, mac[6], pad;
};
static const struct ec_row thing_rows[] = {
    EC_FIELD(TEXT, EC_R_COLUMN | EC_R_FTS | EC_R_INDEX, struct thing, text, "text", NULL, ""),
    EC_FIELD(WIRE, EC_R_COLUMN, struct thing, wire, "a.wire", NULL, ""),
    EC_FIELD_LIST(&element_record, struct thing, list, "list", ""),
    EC_FIELD(TEXT, EC_R_LIST, struct thing, tags, "tags", NULL, ""),
    EC_FIELD(MAP, 0, struct thing, map, "map", NULL, ""),
    EC_FIELD(TIME, EC_R_COLUMN, struct thing, time, "time", NULL, ""),
    EC_FIELD(F64, 0, struct thing, real, "real", NULL, ""),
    EC_FIELD(U32, EC_R_COLUMN, struct thing, n, "n", NULL, ""),
    EC_FIELD_ENUM(EC_R_COLUMN, struct thing, word, "word", "zero,one", ""),
    EC_FIELD(IP, EC_R_COLUMN, struct thing, ip, "ip", NULL, ""),
    EC_FIELD(IP, 0, struct thing, ip2, "ip2", NULL, ""),
    EC_FIELD(BOOL, 0, struct thing, yes, "yes", NULL, ""),
    EC_FIELD(MAC, EC_R_COLUMN, struct thing, mac, "mac", NULL, ""),
};
static const struct ec_record thing_record = EC_RECORD_PART(struct thing, thing_rows);
static const struct ec_topic topics[] = {
    { (uint32_t)sizeof(struct ec_topic), EC_TOPIC_EVENT, "t.thing/1", "thing", &thing_record, NULL, "" },
};
static const struct ec_plugin nobody = { EC_PLUGIN_HEAD, .id = "t.nobody", .name = "nobody", .version = "1" };

static struct schema *schema;
static struct segments segments;
static struct readers readers;
static struct files files;
static char folder[] = "/tmp/ecyber-fuzz-store-XXXXXX";

static int64_t text_of(void *arg, const struct ec_event *ev, const char **s)
{
    (void)arg;
    (void)ev;
    *s = "{\"event_type\":\"thing\",\"proto\":\"TCP\",\"thing\":{\"text\":\"a "
         "b\",\"a\":{\"wire\":\"x\"},\"list\":[{\"name\":\"e\","
         "\"n\":5}],\"tags\":[\"red\"],\"map\":{\"k\":\"v\"},\"time\":\"2026-11-22T14:30:00.000000+0000\",\"real\":0.5,"
         "\"n\":7,"
         "\"word\":\"one\",\"ip\":\"10.0.0.1\",\"ip2\":\"::1\",\"yes\":true}}";
    return (int64_t)strlen(*s);
}

static void remove_folder(void)
{
    char command[128];

    readers_close(&readers);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    if (system(command))
        abort();
}

static void prepare(void)
{
    struct testhost *t = testhost_new(&nobody);
    uint32_t topic = testhost_topic(t, &topics[0]), stored;
    char path[SEGMENT_PATH], why[4600];
    struct segment_writer *w;
    struct segment_id id;
    enum db_fault fault;
    struct ec_build b;
    uint8_t bad[1] = { 0 };

    if (testhost_start(t) || !mkdtemp(folder) || segments_open(&segments, folder) ||
        !(schema = schema_new(testhost_host(t))))
        abort();
    segments_current(&segments, 20261122, false, &id);
    segments_path(&segments, id, path);
    w = segment_writer_open(schema, path, text_of, NULL, &fault, why, sizeof why);
    for (uint32_t i = 0; w && i < 3; i++) {
        const struct ec_event *ev;
        struct thing *p;

        if (testhost_host(t)->open(testhost_host(t), 0, topic, &b))
            abort();
        p = ec_add(&b, topic, sizeof *p);
        p->n = 7;
        p->text = ec_puts(&b, "a b");
        ec_head(&b)->total = b.used;
        ec_head(&b)->flags = EC_EV_IP | EC_EV_PORTS;
        ev = ec_head(&b);
        if (segment_writer_add(w, &ev, 1, bad, &stored, why, sizeof why) || !stored)
            abort();
        testhost_host(t)->discard(testhost_host(t), &b);
    }
    if (!w)
        abort();
    segment_writer_close(w);
    files = (struct files){ .backend = { .ops = &files_ops, .schema = schema, .segments = &segments,
                                         .readers = &readers } };
    readers_open(&readers, &files.backend);
    atexit(remove_folder);
}

static void on_damaged(void *arg, struct segment_id id, const char *why)
{
    (void)arg;
    (void)id;
    (void)why;
    abort();
}

static void on_unreadable(void *arg, const char *why)
{
    (void)arg;
    (void)why;
    abort();
}

static int32_t on_event(void *arg, uint64_t id, const char *json, uint32_t len)
{
    (void)arg;
    (void)id;
    if (strlen(json) != len)
        abort();
    return 0;
}

static int32_t on_count(void *arg, const char *value, uint64_t n)
{
    (void)arg;
    if (!value || !n)
        abort();
    return 0;
}

/* The next line of the input; NULL: there is none. */
static char *line(char **at)
{
    char *s = *at, *end;

    if (!s)
        return NULL;
    end = strchr(s, '\n');
    *at = end ? end + 1 : NULL;
    if (end)
        *end = '\0';
    return s;
}

/* Lines: flags and limit; type; text; cursor; field to count; then pairs of (operator and field), value. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    static struct pages pages;
    struct query_host h = {
        schema, &segments, &readers, UINT64_C(1000000000), on_damaged, on_unreadable, NULL, &pages };
    struct ec_filter filter[8];
    struct ec_query q = { .size = sizeof q, .filter = filter, .filter_stride = sizeof filter[0] };
    struct ec_page page = { .size = sizeof page };
    char *copy = strndup((const char *)data, size), *at = copy, *s, *field, why[4600];
    int32_t err;

    if (!ready) {
        prepare();
        pages_open(&pages);
        h.schema = schema;
        ready = true;
    }
    if (!copy || size > 4096) {
        free(copy);
        return -1;
    }
    s = line(&at);
    q.flags = s && *s ? (uint32_t)s[0] & 1 : 0;
    q.limit = s && *s ? (uint32_t)(uint8_t)s[strlen(s) - 1] : 1;
    q.type = (s = line(&at)) && *s ? s : NULL;
    q.text = (s = line(&at)) && *s ? s : NULL;
    q.cursor = line(&at);
    field = line(&at);
    while (q.n_filter < 8 && (s = line(&at)) && *s) {
        char *value = line(&at);

        filter[q.n_filter++] = (struct ec_filter){ sizeof filter[0], (uint32_t)(s[0] & 7), s + 1, value };
    }
    err = query_events(&h, &q, on_event, NULL, &page, why, sizeof why);
    if ((err && err != EC_EINVAL) || (err && !*why))
        abort();
    for (uint32_t i = 0; i < 2; i++)            /* it is kept, and comes from memory */
        if (query_events(&h, &q, on_event, NULL, &page, why, sizeof why) != err)
            abort();
    if (!err && *page.next) {
        q.cursor = page.next;
        if (query_events(&h, &q, on_event, NULL, &page, why, sizeof why))
            abort();
    }
    q.cursor = NULL;
    err = query_count(&h, &q, field ? field : "", 5, on_count, NULL, &page, why, sizeof why);
    if (err && err != EC_EINVAL)
        abort();
    free(copy);
    return 0;
}
