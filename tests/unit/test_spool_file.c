/* Files of the spool that another version wrote. */
#include "plugins/store/spool_file.h"
#include "testhost.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD_BEFORE 152u            /* bytes of struct ec_event in the first version */
#define HEAD_AT 16                  /* of the file: where it says so */

struct thing {
    struct ec_part part;
    uint32_t name, n;
};
static const struct ec_row thing_rows[] = {
    EC_FIELD_NAME(EC_R_COLUMN, struct thing, name, "name", "app_proto", ""),
    EC_FIELD(U32, 0, struct thing, n, "n", NULL, ""),
};
static const struct ec_record thing_record = EC_RECORD_PART(struct thing, thing_rows);
static const struct ec_topic topic = {
    (uint32_t)sizeof(struct ec_topic), EC_TOPIC_EVENT, "t.thing/1", "thing", &thing_record, NULL, ""};
static const struct ec_plugin nobody = {EC_PLUGIN_HEAD, .id = "t.nobody", .name = "nobody", .version = "1"};

static struct testhost *host;
static char path[] = "/tmp/ecyber.spool.XXXXXX";

static void open_host(void)
{
    host = testhost_new(&nobody);
    testhost_topic(host, &topic);
    ck_assert_int_eq(testhost_start(host), 0);
    strcpy(path + strlen(path) - 6, "XXXXXX");
    close(mkstemp(path));
}

static void close_host(void)
{
    unlink(path);
    testhost_free(host);
}

/* Writes one event whose head takes `size` bytes, in a file that says `says`, and reads it. The block, or NULL with
 * *lost. */
static uint8_t *back(uint32_t size, uint32_t says, uint32_t *n, uint64_t *lost)
{
    const struct ec_host *h = testhost_host(host);
    uint64_t room[64] = {0};
    struct ec_event *ev = (void *)room;
    struct thing *thing = (void *)((uint8_t *)room + size);
    struct spool_map map;
    uint8_t *file, *all;
    uint32_t events;
    size_t len;
    int fd;

    ev->size = ev->first = size;
    ev->parts = 1;
    ev->total = size + (uint32_t)sizeof *thing;
    ev->seq = 7;
    ev->app_proto = h->intern(h, "app_proto", "http");
    thing->part.topic = h->topic_find(h, "t.thing/1");
    thing->part.size = thing->part.total = sizeof *thing;
    thing->name = h->intern(h, "app_proto", "dns");
    thing->n = 9;
    ck_assert(spool_file_write(h, path, (uint8_t *)room, ev->total, 5));
    ck_assert_int_ge(fd = open(path, O_WRONLY), 0);
    ck_assert_int_eq(pwrite(fd, &says, sizeof says, HEAD_AT), sizeof says);
    close(fd);
    ck_assert_ptr_nonnull(file = spool_file_load(path, &len));
    *lost = 0;
    if (!spool_file_map(h, file, len, &map)) {
        free(file);
        return NULL;
    }
    ck_assert_uint_eq(map.made, 5);
    ck_assert_ptr_nonnull(all = spool_file_read(h, file, len, &map, n, &events, lost));
    ck_assert_uint_eq(events, *lost ? 0 : 1);
    spool_map_free(&map);
    free(file);
    return all;
}

/* The event's head grows at its end from version to version; what waited over an update is not lost. */
START_TEST(events_of_an_older_version_are_read)
{
    static const uint32_t sizes[] = {HEAD_BEFORE, sizeof(struct ec_event)};

    open_host();
    for (uint32_t i = 0; i < 2; i++) {
        uint64_t lost;
        uint32_t n;
        uint8_t *all = back(sizes[i], sizes[i], &n, &lost);
        const struct ec_event *ev = (const void *)all;
        const struct thing *thing = (const void *)(all + ev->first);

        ck_assert_uint_eq(lost, 0);
        ck_assert_uint_eq(ev->size, sizeof *ev);
        ck_assert_uint_eq(ev->total, sizeof *ev + sizeof *thing);
        ck_assert_uint_eq(n, ev->total);
        ck_assert_uint_eq(ev->seq, 7);
        ck_assert_str_eq(testhost_host(host)->interned(testhost_host(host), "app_proto", ev->app_proto), "http");
        ck_assert_uint_eq(ev->app_side[0] + ev->app_orig + ev->origin, 0);
        ck_assert_uint_eq(thing->n, 9);
        ck_assert_str_eq(testhost_host(host)->interned(testhost_host(host), "app_proto", thing->name), "dns");
        free(all);
    }
    close_host();
}
END_TEST

START_TEST(heads_that_no_version_had_are_refused)
{
    uint64_t lost;
    uint32_t n;
    uint8_t *all;

    open_host();
    ck_assert_ptr_null(back(HEAD_BEFORE, HEAD_BEFORE - 8, &n, &lost));
    ck_assert_ptr_null(back(HEAD_BEFORE, sizeof(struct ec_event) + 8, &n, &lost));
    all = back(HEAD_BEFORE - 8, HEAD_BEFORE, &n, &lost);
    ck_assert_uint_eq(lost, 1);
    ck_assert_uint_eq(n, 0);
    free(all);
    all = back(sizeof(struct ec_event) + 8, sizeof(struct ec_event), &n, &lost);
    ck_assert_uint_eq(lost, 1);
    free(all);
    close_host();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("spool_file");
    TCase *tc = tcase_create("versions");

    tcase_add_test(tc, events_of_an_older_version_are_read);
    tcase_add_test(tc, heads_that_no_version_had_are_refused);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
