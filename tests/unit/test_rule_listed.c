/* The list of all rules that were read, what somebody decided about them, and what looking at them is said to cost. */
#include "plugins/ids/manage/tallies.h"
#include "plugins/ids/rule/vars.h"
#include "tests/unit/ids_env.h"
#include "tests/unit/unit.h"

#include <string.h>

#define R(sid, more) "alert udp any any -> any any (msg:\"m " #sid "\"; content:\"x" #sid "\"; " more "sid:" #sid ";)\n"

static struct env_world w;

static void open_world(void)
{
    env_open(&w);
}

static void close_world(void)
{
    env_close(&w);
}

static enum decision decide(void *arg, uint32_t gid, uint32_t sid)
{
    (void)arg, (void)gid;
    return sid == 1 ? DECIDE_OFF : sid == 2 ? DECIDE_ON : sid == 3 ? DECIDE_REPLACED : DECIDE_WRITTEN;
}

static struct ruleset *read_rules(const char *text, enum decision (*fn)(void *, uint32_t, uint32_t))
{
    struct ruleset *s = ruleset_new();

    w.env.decide = fn;
    ruleset_text(s, &w.env, "one.rules", text, strlen(text));
    ck_assert(ruleset_finish(s));
    w.env.decide = NULL;
    return s;
}

/* "1:5 enabled 1:5 replaced" */
static const char *listed(const struct ruleset *s)
{
    static const char *const words[] = { "enabled", "disabled", "failed", "unsupported", "replaced" };
    static char text[1024];
    uint32_t n;
    const struct listed *k = ruleset_listed(s, &n);

    text[0] = '\0';
    for (uint32_t i = 0; i < n; i++) {
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%u:%u %s", i ? " " : "", k[i].gid, k[i].sid,
                 words[k[i].state]);
        ck_assert_int_eq(k[i].state == LISTED_ENABLED, k[i].rule != NULL);
        ck_assert_int_eq(k[i].state == LISTED_ENABLED, k[i].why == NULL);
    }
    return text;
}

START_TEST(every_rule_is_listed_with_what_became_of_it)
{
    struct ruleset *s = read_rules(R(9, "rev:2; classtype:c; ") "# " R(8, "priority:2; ") R(9, "rev:1; ") R(7,
        "gid:4; ")
                                   R(6, "tag:x; ")
                                   "alert udp nonsense (sid:5;)\n# a comment\n" R(4, "") R(4, ""), NULL);
    const struct listed *k;

    ck_assert_str_eq(listed(s),
                     "1:4 enabled 1:4 failed 1:5 failed 1:6 unsupported 1:8 disabled 1:9 enabled 1:9 replaced "
                     "4:7 enabled");
    k = ruleset_find(s, 1, 8);
    ck_assert_uint_eq(k->commented, 1);
    ck_assert_uint_eq(k->priority, 2);
    ck_assert_uint_eq(k->line, 2);
    ck_assert_str_eq(k->msg, "m 8");
    ck_assert_int_eq(strncmp(k->text, "alert udp", 9), 0);
    k = ruleset_find(s, 1, 9);
    ck_assert_uint_eq(k->rev, 2);
    ck_assert_str_eq(k->classtype, "c");
    ck_assert_str_eq(k->rule->text, k->text);
    ck_assert_uint_eq(ruleset_find(s, 1, 6)->column,
                      strlen("alert udp any any -> any any (msg:\"m 6\"; content:\"x6\"; ") + 1);
    ck_assert_ptr_null(ruleset_find(s, 4, 8));
    ruleset_free(s);
}
END_TEST

START_TEST(what_somebody_decided_counts)
{
    struct ruleset *s = read_rules(R(1, "") "#" R(2, "") "#" R(3, "") R(4, "") "alert udp (sid:1;)\n", decide);
    uint32_t n;

    ck_assert_str_eq(listed(s), "1:1 disabled 1:1 disabled 1:2 enabled 1:3 replaced 1:4 enabled");
    ck_assert_uint_eq(ruleset_find(s, 1, 2)->commented, 1);
    ruleset_rules(s, &n);
    ck_assert_uint_eq(n, 2);
    ruleset_free(s);
}
END_TEST

START_TEST(a_managed_rule_is_of_no_file_and_includes_none)
{
    struct ruleset *s = ruleset_new();
    const char *on = R(3, ""), *off = R(1, ""), *include = "include /etc/passwd";

    w.env.decide = decide;          /* of files alone */
    w.env.may_include = true;
    ruleset_managed(s, &w.env, on, strlen(on), false);
    ruleset_managed(s, &w.env, off, strlen(off), true);
    ruleset_managed(s, &w.env, include, strlen(include), false);
    ck_assert(ruleset_finish(s));
    w.env.decide = NULL;
    ck_assert_str_eq(listed(s), "1:1 disabled 1:3 enabled");
    ck_assert_uint_eq(ruleset_find(s, 1, 1)->managed, 1);
    ck_assert_str_eq(ruleset_find(s, 1, 3)->file, "managed");
    ck_assert_uint_eq(ruleset_problems(s)->n, 1);
    ruleset_free(s);
}
END_TEST

START_TEST(rules_are_tried_with_the_variables_of_another_set)
{
    static const char text[] = "alert udp $LAB any -> any any (msg:\"m\"; content:\"x\"; sid:1;)\n";
    struct ruleset *base = ruleset_new(), *s;

    ck_assert(vars_set(ruleset_vars(base), "LAB", "10.1.0.0/16"));
    s = ruleset_like(base);
    ruleset_text(s, &w.env, "text", text, strlen(text));
    ck_assert_uint_eq(ruleset_problems(s)->n, 0);
    ruleset_free(s);
    ruleset_free(base);
}
END_TEST

START_TEST(looks_and_matches_are_counted_and_kept_over_reloads)
{
    struct tallies *t = tallies_new();
    struct tally_sum sum;
    struct env_flow f;

    ck_assert_uint_eq(env_load(&w, R(1, "") R(2, "")), 2);
    env_flow(&w, &f, 17);
    for (int i = 0; i < 50000; i++)
        env_packet(&w, &f, 17, 0, "x1 here", 7);
    sum = tallies_of(t, w.engine, ruleset_find(w.engine->set, 1, 1)->rule->index, 1, 1);
    ck_assert_uint_eq(sum.matches, 50000);
    ck_assert_uint_eq(sum.checks, 50000);           /* not less than it held; at most one gap is missing */
    ck_assert_uint_ge(sum.timed, 50000 / 383);
    ck_assert_uint_le(sum.timed, 50000 / 128 + 1);
    ck_assert_uint_gt(sum.ns, 0);
    ck_assert_uint_eq(tallies_of(t, w.engine, ruleset_find(w.engine->set, 1, 2)->rule->index, 1, 2).checks, 0);
    tallies_take(t, w.engine);
    env_load(&w, R(2, "") R(1, "rev:2; "));
    env_packet(&w, &f, 17, 0, "x1 and x2", 9);
    sum = tallies_of(t, w.engine, ruleset_find(w.engine->set, 1, 1)->rule->index, 1, 1);
    ck_assert_uint_eq(sum.checks, 50001);
    ck_assert_uint_eq(sum.matches, 50001);
    ck_assert_uint_eq(tallies_of(t, w.engine, ruleset_find(w.engine->set, 1, 2)->rule->index, 1, 2).matches, 1);
    ck_assert_uint_eq(tallies_of(t, w.engine, UINT32_MAX, 1, 1).matches, 50000);     /* switched off: what was */
    tallies_free(t);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("listed");
    TCase *t = tcase_create("rules");

    tcase_add_checked_fixture(t, open_world, close_world);
    tcase_add_test(t, every_rule_is_listed_with_what_became_of_it);
    tcase_add_test(t, what_somebody_decided_counts);
    tcase_add_test(t, a_managed_rule_is_of_no_file_and_includes_none);
    tcase_add_test(t, rules_are_tried_with_the_variables_of_another_set);
    tcase_add_test(t, looks_and_matches_are_counted_and_kept_over_reloads);
    suite_add_tcase(s, t);
    return unit_run(s);
}
