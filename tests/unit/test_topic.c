/* Topics, and the checks of their tables. */
#include "core/record/record.h"
#include "core/topic.h"
#include "tests/unit/unit.h"

#define EC_API_LEVEL 1
#include <ecyber/plugin.h>

#include <string.h>

struct pair { uint32_t a; struct ec_span name; };
struct event {
    struct ec_part part;
    uint64_t n;
    struct ec_span text;
    struct ec_list pairs;
    struct pair inner;
};
static const struct ec_row pair_rows[] = {
    EC_FIELD(U32, 0, struct pair, a, "a", NULL, "a number"),
    EC_FIELD(WIRE, 0, struct pair, name, "name", NULL, "a name"),
};
static const struct ec_record pair_record = EC_RECORD_ELEMENT(struct pair, pair_rows);
static const struct ec_row good_rows[] = {
    EC_FIELD(U64, 0, struct event, n, "n", NULL, "a number"),
    EC_FIELD_OPT(TEXT, 0, 1, struct event, text, "text.long", NULL, "a text"),
    EC_FIELD_LIST(&pair_record, struct event, pairs, "pairs", "a list"),
    { EC_T_RECORD, EC_R_INLINE, 0, 0, offsetof(struct event, inner), "inner", &pair_record, NULL,
      NULL, NULL, "", 0, 0 },
};
static const struct ec_record good = EC_RECORD_PART(struct event, good_rows);

static struct ec_topic topic(const char *name, const char *root, const struct ec_record *record,
                             uint32_t flags)
{
    return (struct ec_topic){ sizeof(struct ec_topic), flags, name, root, record, NULL, "help" };
}

START_TEST(ids_count_from_one_and_are_found_by_name)
{
    static struct ec_topic a, b;
    uint32_t id;
    char why[256];

    a = topic("org.example.a/1", "a", &good, EC_TOPIC_EVENT);
    b = topic("org.example.b/1-draft.2", "ecyber.b", &good, EC_TOPIC_NESTED);
    ck_assert_int_eq(topic_declare(NULL, &a, &id, why, sizeof why), 0);
    ck_assert_uint_eq(id, 1);
    ck_assert_int_eq(topic_declare(NULL, &b, &id, why, sizeof why), 0);
    ck_assert_uint_eq(id, 2);
    ck_assert_uint_eq(topic_count(), 2);
    ck_assert_uint_eq(topic_find("org.example.b/1-draft.2"), 2);
    ck_assert_uint_eq(topic_find("org.example.c/1"), 0);
    ck_assert_ptr_eq(topic_get(1), &a);
    ck_assert_ptr_null(topic_get(0));
    ck_assert_ptr_null(topic_get(3));
    topic_reset();
    ck_assert_uint_eq(topic_count(), 0);
}
END_TEST

START_TEST(an_event_and_a_nested_record_may_share_a_root)
{
    static struct ec_topic a, b, c;
    uint32_t id;
    char why[256];

    a = topic("org.example.flow/1", "flow", &good, EC_TOPIC_EVENT);
    b = topic("org.example.flow_of/1", "flow", &good, EC_TOPIC_NESTED);
    c = topic("org.example.other/1", "flow", &good, EC_TOPIC_EVENT);
    ck_assert_int_eq(topic_declare(NULL, &a, &id, why, sizeof why), 0);
    ck_assert_int_eq(topic_declare(NULL, &b, &id, why, sizeof why), 0);
    ck_assert_int_eq(topic_declare(NULL, &c, &id, why, sizeof why), EC_EEXIST);
    ck_assert_str_eq(
        why, "topic 'org.example.other/1': its root 'flow' is org.example.flow/1's already");
    ck_assert_int_eq(topic_declare(NULL, &a, &id, why, sizeof why), EC_EEXIST);
    ck_assert_str_eq(why, "topic 'org.example.flow/1' is declared already, by the core");
    c = topic("org.example.other/1", "flow.of", &good, EC_TOPIC_NESTED);
    ck_assert_int_eq(topic_declare(NULL, &c, &id, why, sizeof why), EC_EEXIST);
    ck_assert_str_eq(why, "topic 'org.example.other/1': its root 'flow.of' and org.example.flow/1's 'flow' lie one "
                          "within the other");
    topic_reset();
}
END_TEST

static const struct { const char *name, *root; uint32_t flags; const char *why; } bad_names[] = {
    { "noslash", "a", EC_TOPIC_EVENT,
      "topic 'noslash': a topic's name is like org.example.hello/1" },
    { "two/1/2", "a", EC_TOPIC_EVENT,
      "topic 'two/1/2': a topic's name is like org.example.hello/1" },
    { "Upper/1", "a", EC_TOPIC_EVENT,
      "topic 'Upper/1': a topic's name is like org.example.hello/1" },
    { NULL, "a", EC_TOPIC_EVENT, "topic '': a topic's name is like org.example.hello/1" },
    { "x.a/1", "a..b", EC_TOPIC_EVENT,
      "topic 'x.a/1': its root 'a..b' is no dotted name of small letters" },
    { "x.a/1", NULL, EC_TOPIC_EVENT,
      "topic 'x.a/1': its root '' is no dotted name of small letters" },
    { "x.a/1", "a", EC_TOPIC_RESERVED,
      "topic 'x.a/1' is neither an event, an attribute nor nested" },
};

START_TEST(bad_names_are_refused)
{
    struct ec_topic t = topic(bad_names[_i].name, bad_names[_i].root, &good, bad_names[_i].flags);
    uint32_t id;
    char why[256];

    ck_assert_int_eq(topic_declare(NULL, &t, &id, why, sizeof why), EC_EINVAL);
    ck_assert_str_eq(why, bad_names[_i].why);
    ck_assert_uint_eq(topic_count(), 0);
}
END_TEST

/* One row, spoilt, behind a good one. */
#define ROW(type, flags, has, off, name, sub, allow) \
    { type, flags, has, 0, off, name, sub, allow, NULL, NULL, NULL, 0, 0 }
static const struct { struct ec_row row; const char *why; } bad_rows[] = {
    { ROW(EC_T_U32, 0, 0, 0, NULL, NULL, NULL), "row 1: its name is missing" },
    { ROW(EC_T_U32, 0, 0, 0, "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q", NULL, NULL),
      "row 'a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q': it lies in more than 16 objects" },
    { ROW(EC_T_U32, 0, 0, 0, "a b", NULL, NULL),
      "row 'a b': its name is missing or has other characters" },
    { ROW(0, 0, 0, 0, "a", NULL, NULL), "row 'a': this daemon does not know its type" },
    { ROW(99, 0, 0, 0, "a", NULL, NULL), "row 'a': this daemon does not know its type" },
    { ROW(EC_T_U64, 0, 0, sizeof(struct event), "a", NULL, NULL),
      "row 'a': its offset lies outside the struct" },
    { ROW(EC_T_IP, 0, 0, sizeof(struct event) - 15, "a", NULL, NULL),
      "row 'a': its offset lies outside the struct" },
    { ROW(EC_T_U64, 0, 0, UINT32_MAX, "a", NULL, NULL),
      "row 'a': its offset lies outside the struct" },
    { ROW(EC_T_U64, 0, 0, 4, "a", NULL, NULL), "row 'a': its offset is not aligned for its type" },
    { ROW(EC_T_ENUM, 0, 0, 32, "a", NULL, NULL), "row 'a': an ENUM needs its words" },
    { ROW(EC_T_NAME, 0, 0, 32, "a", NULL, NULL), "row 'a': a NAME needs its space" },
    { ROW(EC_T_RECORD, EC_R_LIST, 0, 32, "a", NULL, NULL),
      "row 'a': a record needs the shape of its element" },
    { ROW(EC_T_RECORD, 0, 0, 32, "a", &pair_record, NULL),
      "row 'a': a record needs EC_R_LIST or EC_R_INLINE" },
    { ROW(EC_T_U64, EC_R_OPT, 64, 32, "a", NULL, NULL), "row 'a': its bit is above 63" },
    { ROW(EC_T_U64, 0, 0, 32, "n", NULL, NULL),
      "row 'n': its name stands twice, or inside another row's" },
    { ROW(EC_T_U64, 0, 0, 32, "n.more", NULL, NULL),
      "row 'n.more': its name stands twice, or inside another row's" },
};

START_TEST(bad_rows_are_refused)
{
    struct ec_row rows[2] = { good_rows[0], bad_rows[_i].row };
    struct ec_record r = EC_RECORD_PART(struct event, rows);
    char why[256];

    ck_assert_int_eq(record_check(&r, RECORD_PART, why, sizeof why), EC_EINVAL);
    ck_assert_msg(!strncmp(why, bad_rows[_i].why, strlen(bad_rows[_i].why)), "%s", why);
}
END_TEST

START_TEST(bad_records_are_refused)
{
    static struct ec_row self_row;
    static struct ec_record self = { sizeof self, 16, 1, sizeof(struct ec_row), 0, 0, &self_row };
    struct ec_record r = good;
    char why[256];

    self_row = (struct ec_row)ROW(EC_T_RECORD, EC_R_LIST, 0, 0, "again", &self, NULL);
    ck_assert_int_eq(record_check(&self, RECORD_ELEMENT, why, sizeof why), EC_EINVAL);
    ck_assert_str_eq(why, "its records are nested more than 8 deep");
    ck_assert_int_eq(record_check(NULL, RECORD_PART, why, sizeof why), EC_EINVAL);
    r.has_off = 0;
    ck_assert_int_eq(record_check(&r, RECORD_PART, why, sizeof why), EC_EINVAL);
    ck_assert_str_eq(why, "its struct does not start with struct ec_part");
    r = good;
    r.row_stride = 8;
    ck_assert_int_eq(record_check(&r, RECORD_PART, why, sizeof why), EC_EINVAL);
    r = good;
    r.n_row = 5000;
    ck_assert_int_eq(record_check(&r, RECORD_PART, why, sizeof why), EC_EINVAL);
    ck_assert_int_eq(record_check(&good, RECORD_PART, why, sizeof why), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("topic");
    TCase *t = tcase_create("topics"), *r = tcase_create("records");

    tcase_add_test(t, ids_count_from_one_and_are_found_by_name);
    tcase_add_test(t, an_event_and_a_nested_record_may_share_a_root);
    tcase_add_loop_test(t, bad_names_are_refused, 0, sizeof bad_names / sizeof bad_names[0]);
    suite_add_tcase(s, t);
    tcase_add_loop_test(r, bad_rows_are_refused, 0, sizeof bad_rows / sizeof bad_rows[0]);
    tcase_add_test(r, bad_records_are_refused);
    suite_add_tcase(s, r);
    return unit_run(s);
}
