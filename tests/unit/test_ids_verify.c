#include "tests/unit/unit.h"

#include "plugins/ids/keyword/content.h"
#include "plugins/ids/keyword/pcre.h"
#include "plugins/ids/match/verify.h"
#include "tests/unit/ids_env.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct env_world w;
static struct pcre_thread *pcre;

static void setup(void)
{
    env_open(&w);
    pcre = pcre_thread_new(3500, 1500);
}

static void teardown(void)
{
    pcre_thread_free(pcre);
    env_close(&w);
}

static struct ruleset *rule_with(const char *options, const struct chain **c)
{
    struct ruleset *s;
    struct rule *const *r;
    char text[2048];
    uint32_t n;

    snprintf(text, sizeof text, "alert tcp any any -> any any (%s sid:1;)", options);
    s = env_rules(&w, text);
    r = ruleset_rules(s, &n);
    ck_assert_msg(n == 1, "%s: %s", options, n ? "" : ruleset_problems(s)->list[0].text);
    *c = r[0]->raw;
    return s;
}

static const struct { const char *options, *data; bool yes; } cases[] = {
    { "content:\"abc\";", "xxabcxx", true },
    { "content:\"abc\";", "xxabxcx", false },
    { "content:\"ABC\";", "xxabcxx", false },
    { "content:\"ABC\"; nocase;", "xxabcxx", true },
    { "content:\"Longer Pattern\"; nocase;", "a loNGER paTTERN b", true },
    { "content:\"a|62 63|d\";", "abcd", true },
    { "content:\"a\\\"\\;\\:\\\\b\";", "a\";:\\b", true },
    { "content:!\"abc\";", "xxx", true },
    { "content:!\"abc\";", "xabcx", false },
    { "content:\"abc\"; depth:3;", "abcx", true },
    { "content:\"abc\"; depth:3;", "xabc", false },
    { "content:\"abc\"; depth:4;", "xabc", true },
    { "content:\"abc\"; offset:1;", "abcx", false },
    { "content:\"abc\"; offset:1;", "xabc", true },
    { "content:\"abc\"; offset:1; depth:3;", "xabc", true },
    { "content:\"abc\"; depth:3; offset:1;", "xabc", true },
    { "content:\"abc\"; offset:1; depth:3;", "xxabc", false },
    { "content:\"abc\"; offset:9;", "abc", false },
    { "content:!\"abc\"; offset:9;", "abc", true },
    { "content:!\"abc\"; depth:3;", "xabc", true },
    { "content:!\"abc\"; depth:3;", "abc", false },
    { "content:\"abc\"; startswith;", "abcx", true },
    { "content:\"abc\"; startswith;", "xabc", false },
    { "content:\"abc\"; endswith;", "xabc", true },
    { "content:\"abc\"; endswith;", "abcx", false },
    { "content:\"abc\"; endswith;", "abcabc", true },
    { "content:!\"abc\"; endswith;", "abcx", true },
    { "content:!\"abc\"; endswith;", "xabc", false },
    { "content:\"abc\"; startswith; endswith;", "abc", true },
    { "content:\"abc\"; startswith; endswith;", "abcabc", false },
    { "content:\"a\"; content:\"b\"; distance:0;", "ab", true },
    { "content:\"a\"; content:\"b\"; distance:0;", "ba", false },
    { "content:\"a\"; content:\"b\"; distance:1;", "ab", false },
    { "content:\"a\"; content:\"b\"; distance:1;", "axb", true },
    { "content:\"a\"; content:\"b\"; distance:1;", "abxb", true },
    { "content:\"a\"; content:\"b\"; within:1;", "ab", true },
    { "content:\"a\"; content:\"b\"; within:1;", "axb", false },
    { "content:\"a\"; content:\"b\"; distance:1; within:1;", "axb", true },
    { "content:\"a\"; content:\"b\"; distance:1; within:1;", "axxb", false },
    { "content:\"a\"; content:\"b\"; distance:-2;", "ba", true },
    { "content:\"abc\"; content:\"abc\"; distance:-3; within:3;", "abc", true },
    { "content:\"b\"; distance:2;", "xxb", true },
    { "content:\"b\"; distance:2;", "xb", false },
    { "content:\"b\"; within:2;", "xxb", false },
    /* The first 'a' leads nowhere, the second one does. */
    { "content:\"a\"; content:\"b\"; within:1;", "axab", true },
    { "content:\"a\"; content:\"b\"; within:1; content:\"c\"; within:1;", "abxabc", true },
    { "content:\"a\"; content:\"b\"; distance:0; content:\"c\"; within:1;", "abxbc", true },
    { "content:\"a\"; content:!\"b\"; within:1;", "abac", true },
    { "content:\"a\"; content:!\"b\"; within:1;", "abab", false },
    { "content:\"a\"; content:!\"b\"; within:1; content:\"c\"; distance:0;", "abaxc", true },
    { "content:\"a\"; content:!\"b\"; distance:0; content:\"c\";", "ac", true },
    { "content:\"a\"; content:!\"z\"; content:\"b\"; distance:0; within:1;", "ab", true },
    { "content:\"abc\"; rawbytes;", "abc", true },
    { "content:\"abc\"; fast_pattern:only;", "abc", true },
    { "pcre:\"/a.c/\";", "xabc", true },
    { "pcre:\"/A.C/i\";", "xabc", true },
    { "pcre:!\"/a.c/\";", "xabc", false },
    { "pcre:!\"/a.c/\";", "xabd", true },
    { "pcre:\"/a.c/\";", "a\nc", false },
    { "pcre:\"/a.c/s\";", "a\nc", true },
    { "pcre:\"/^b/\";", "a\nb", false },
    { "pcre:\"/^b/m\";", "a\nb", true },
    { "pcre:\"/b/A\";", "ab", false },
    { "pcre:\"/a b/x\";", "ab", true },
    { "pcre:\"/a$/\";", "a\n", true },
    { "pcre:\"/a$/E\";", "a\n", false },
    { "content:\"a\"; pcre:\"/^b/R\";", "ab", true },
    { "content:\"a\"; pcre:\"/^b/R\";", "axb", false },
    { "content:\"a\"; pcre:\"/^b/R\";", "axab", true },
    { "content:\"a\"; pcre:\"/b+/R\"; content:\"c\"; within:1;", "abbc", true },
    { "pcre:\"/[0-9]+/\"; content:\"x\"; within:1;", "12 34x", true },
    { "pcre:\"/a\\;b/\";", "a;b", true },
};

START_TEST(a_chain_holds_or_not)
{
    const struct chain *c;
    struct ruleset *s = rule_with(cases[_i].options, &c);
    struct verify v = { .data = (const uint8_t *)cases[_i].data, .len = (uint32_t)strlen(cases[_i].data), .pcre = pcre };

    ck_assert_msg(verify_chain(&v, c) == cases[_i].yes, "%s in '%s'", cases[_i].options, cases[_i].data);
    ruleset_free(s);
}
END_TEST

/* What stands in a window that has slid: distances from the start count from the stream's start. */
static const struct { const char *options, *data; uint64_t base; bool yes; } slid[] = {
    { "content:\"abc\"; depth:5;", "abc", 0, true },
    { "content:\"abc\"; depth:5;", "abc", 2, true },
    { "content:\"abc\"; depth:5;", "abc", 3, false },
    { "content:\"abc\"; depth:5;", "abc", 30, false },
    { "content:!\"abc\"; depth:5;", "abc", 30, false },
    { "content:\"abc\"; offset:30;", "abc", 29, false },
    { "content:\"abc\"; offset:30;", "abc", 30, true },
    { "content:\"abc\"; startswith;", "abc", 1, false },
    { "content:\"abc\"; within:9;", "abc", 7, false },
    { "content:\"abc\"; within:9;", "abc", 6, true },
    { "pcre:\"/^abc/\";", "abc", 6, false },
    { "pcre:\"/abc/A\";", "abc", 6, false },
    { "pcre:\"/abc/\";", "abc", 6, true },
};

START_TEST(a_window_knows_how_far_it_has_slid)
{
    const struct chain *c;
    struct ruleset *s = rule_with(slid[_i].options, &c);
    struct verify v = { .data = (const uint8_t *)slid[_i].data, .len = (uint32_t)strlen(slid[_i].data), .pcre = pcre,
                        .base = slid[_i].base };

    ck_assert_msg(verify_chain(&v, c) == slid[_i].yes, "%s at %llu", slid[_i].options,
                  (unsigned long long)slid[_i].base);
    ruleset_free(s);
}
END_TEST

START_TEST(places_are_those_of_the_way_that_led_through)
{
    const struct chain *c;
    struct ruleset *s = rule_with("content:\"a\"; content:!\"z\"; content:\"b\"; within:1; pcre:\"/c+/R\";", &c);
    struct verify v = { .data = (const uint8_t *)"axab ccc", .len = 8, .pcre = pcre };

    ck_assert(verify_chain(&v, c));
    ck_assert_uint_eq(v.place[0].off, 2);
    ck_assert_uint_eq(v.place[2].off, 3);
    ck_assert_uint_eq(v.place[3].off, 5);
    ck_assert_uint_eq(v.place[3].len, 3);
    ruleset_free(s);
}
END_TEST

START_TEST(hopeless_chains_are_given_up)
{
    const struct chain *c;
    struct ruleset *s = rule_with("content:\"a\"; content:\"a\"; distance:0; content:\"a\"; distance:0; content:\"a\"; "
                                  "distance:0; content:\"b\"; distance:0;", &c);
    char data[400];
    struct verify v = { .data = (const uint8_t *)data, .len = sizeof data, .pcre = pcre };

    memset(data, 'a', sizeof data);
    ck_assert(!verify_chain(&v, c));
    ck_assert_uint_eq(v.steps, 0);
    ruleset_free(s);
}
END_TEST

START_TEST(a_regular_expression_that_runs_wild_is_stopped_and_counted)
{
    const struct chain *c;
    struct ruleset *s = rule_with("pcre:\"/^(a+)+$/\";", &c);
    char data[2000];
    struct verify v = { .data = (const uint8_t *)data, .len = sizeof data, .pcre = pcre };

    memset(data, 'a', sizeof data);
    data[sizeof data - 1] = 'b';
    ck_assert(!verify_chain(&v, c));
    ck_assert_uint_eq(pcre_thread_limits(pcre), 1);
    ck_assert_uint_eq(pcre_thread_limits(pcre), 0);
    ruleset_free(s);
}
END_TEST

/* The same question answered without any haste: try every place for every content. */
static bool naive(const struct chain *c, uint32_t i, const char *d, int n, int anchor)
{
    const struct content *k;
    bool found = false;

    if (i == c->n)
        return true;
    k = content_of(c->element[i]);
    for (int at = 0; at + (int)k->len <= n; at++) {
        int lo = 0, hi = n;
        bool same = true;

        if (k->e.flags & ELEMENT_RELATIVE) {
            lo = anchor + k->distance;
            if (k->have & CONTENT_WITHIN)
                hi = lo + k->within < n ? lo + k->within : n;
        } else {
            lo = (int)k->offset;
            if (k->have & CONTENT_DEPTH)
                hi = lo + (int)k->depth < n ? lo + (int)k->depth : n;
        }
        for (uint32_t x = 0; x < k->len; x++)
            same &= (k->nocase ? tolower(d[at + (int)x]) : d[at + (int)x]) == k->data[x];
        if (!same || at < lo || at + (int)k->len > hi || ((k->have & CONTENT_ENDS) && at + (int)k->len != n))
            continue;
        found = true;
        if (!(k->e.flags & ELEMENT_NEGATED) && naive(c, i + 1, d, n, at + (int)k->len))
            return true;
    }
    return (k->e.flags & ELEMENT_NEGATED) && !found && naive(c, i + 1, d, n, anchor);
}

static void random_options(char *out, size_t size)
{
    size_t n = 0;

    out[0] = 0;
    for (int i = 0, m = rand() % 4 + 1; i < m; i++) {
        int len = rand() % 3 + 1, how = rand() % 6;
        char word[4] = "";

        for (int k = 0; k < len; k++)
            word[k] = "abAB"[rand() % 4];
        n += (size_t)snprintf(out + n, size - n, "content:%s\"%s\"; ", rand() % 5 ? "" : "!", word);
        if (rand() % 3 == 0)
            n += (size_t)snprintf(out + n, size - n, "nocase; ");
        if (how == 1 || how == 2)
            n += (size_t)snprintf(out + n, size - n, "distance:%d; ", rand() % 7 - 3);
        if (how == 2 || how == 3)
            n += (size_t)snprintf(out + n, size - n, "within:%d; ", len + rand() % 4);
        if (how == 4)
            n += (size_t)snprintf(out + n, size - n, "offset:%d; depth:%d; ", rand() % 5, len + rand() % 4);
        if (how == 5 && rand() % 2)
            n += (size_t)snprintf(out + n, size - n, "endswith; ");
    }
}

START_TEST(random_chains_agree_with_a_naive_search)
{
    uint32_t yes = 0, no = 0;

    srand(2026);
    for (int round = 0; round < 4000; round++) {
        const struct chain *c;
        char options[600], data[16];
        struct ruleset *s;

        random_options(options, sizeof options);
        s = rule_with(options, &c);
        for (int k = 0; k < 8; k++) {
            int n = rand() % (int)sizeof data;
            struct verify v = { .data = (const uint8_t *)data, .len = (uint32_t)n, .pcre = pcre };
            bool want, got;

            for (int x = 0; x < n; x++)
                data[x] = "aabbAB"[rand() % 6];
            want = naive(c, 0, data, n, 0);
            got = verify_chain(&v, c);
            ck_assert_msg(got == want, "%s in '%.*s': %d", options, n, data, got);
            *(want ? &yes : &no) += 1;
        }
        ruleset_free(s);
    }
    ck_assert_uint_gt(yes, 2000);
    ck_assert_uint_gt(no, 2000);
}
END_TEST

#define COUNT(a) (int)(sizeof(a) / sizeof((a)[0]))

int main(void)
{
    Suite *suite = suite_create("ids-verify");
    TCase *tc = tcase_create("chains");

    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, a_chain_holds_or_not, 0, COUNT(cases));
    tcase_add_loop_test(tc, a_window_knows_how_far_it_has_slid, 0, COUNT(slid));
    tcase_add_test(tc, places_are_those_of_the_way_that_led_through);
    tcase_add_test(tc, hopeless_chains_are_given_up);
    tcase_add_test(tc, a_regular_expression_that_runs_wild_is_stopped_and_counted);
    tcase_add_test(tc, random_chains_agree_with_a_naive_search);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
