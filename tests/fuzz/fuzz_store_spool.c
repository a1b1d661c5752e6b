/* The reader of the spool's files. The first byte says how the rest comes: as a file; or as frames, whose sums are made
 * good, so that what stands behind them is reached, too. Whatever it is: blocks that come out lie within their bounds,
 * of topics that are known. */
/* covers: plugins/store/spool_file.c:frame_next plugins/store/spool_file.c:head_good
 * plugins/store/spool_file.c:map_* plugins/store/spool_file.c:spool_file_map
 * plugins/store/spool_file.c:spool_map_free plugins/store/spool_file.c:read_name
 * plugins/store/spool_file.c:take_block plugins/store/spool_file.c:copy_block
 * plugins/store/spool_file.c:spool_file_read plugins/store/spool_file.c:visit_*
 * plugins/store/spool_file.c:number_at plugins/store/spool_file.c:inside */
#include "plugins/store/spool_file.h"
#include "testhost.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct element {
    uint32_t name, pad;
};
static const struct ec_row element_rows[] = {EC_FIELD_NAME(0, struct element, name, "name", "iface", "")};
static const struct ec_record element_record = EC_RECORD_ELEMENT(struct element, element_rows);
struct thing {
    struct ec_part part;
    struct ec_list list;
    uint32_t name, pad;
};
static const struct ec_row thing_rows[] = {
    EC_FIELD_NAME(EC_R_COLUMN, struct thing, name, "name", "app_proto", ""),
    EC_FIELD_LIST(&element_record, struct thing, list, "list", ""),
};
static const struct ec_record thing_record = EC_RECORD_PART(struct thing, thing_rows);
static const struct ec_topic topic = {
    (uint32_t)sizeof(struct ec_topic), EC_TOPIC_EVENT, "t.thing/1", "thing", &thing_record, NULL, ""};
static const struct ec_plugin nobody = {EC_PLUGIN_HEAD, .id = "t.nobody", .name = "nobody", .version = "1"};

static uint64_t sum(uint64_t h, const uint8_t *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        h = (h ^ s[i]) * UINT64_C(0x100000001b3);
    return h;
}

/* Makes the sums of frames good, as far as their lengths go. */
static void mend(uint8_t *file, size_t n)
{
    for (size_t at = 24; n >= at + 16;) {
        uint32_t len;
        uint64_t s;

        memcpy(&len, file + at, sizeof len);
        if (len > n - at - 16)
            return;
        s = sum(sum(UINT64_C(0xcbf29ce484222325), file + at + 4, 4), file + at + 16, len);
        memcpy(file + at + 8, &s, sizeof s);
        at += 16 + ((len + 7u) & ~7u);
    }
}

static void look(const struct ec_host *h, const uint8_t *blocks, uint32_t used, uint32_t events)
{
    uint32_t n = 0;

    for (uint32_t at = 0; at < used; n++) {
        const struct ec_event *ev = (const void *)(blocks + at);
        uint32_t part = ev->first;

        if (ev->total > used - at)
            abort();
        for (uint32_t i = 0; i < ev->parts; i++) {
            const struct ec_part *p = (const void *)(blocks + at + part);

            if (part > ev->total || p->total > ev->total - part || !h->topic_get(h, p->topic))
                abort();
            part += p->total;
        }
        at += (ev->total + 7u) & ~7u;
    }
    if (n != events)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct testhost *host;
    struct spool_map map;
    uint8_t *file, *blocks;
    uint32_t used, events;
    uint64_t lost = 0;

    if (!host) {
        host = testhost_new(&nobody);
        testhost_topic(host, &topic);
        if (testhost_start(host))
            abort();
    }
    if (!size || size > 65536 || !(file = aligned_alloc(8, (size + 8) & ~(size_t)7)))
        return 0;
    memcpy(file, data + 1, size - 1);
    if (data[0] & 1)
        mend(file, size - 1);
    if (spool_file_map(testhost_host(host), file, size - 1, &map) &&
        (blocks = spool_file_read(testhost_host(host), file, size - 1, &map, &used, &events, &lost))) {
        look(testhost_host(host), blocks, used, events);
        free(blocks);
    }
    spool_map_free(&map);
    free(file);
    return 0;
}
