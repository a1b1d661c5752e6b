#include "tests/unit/unit.h"

#include "tests/unit/ids_env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct env_world w;

static void setup(void)
{
    env_open(&w);
}

static void teardown(void)
{
    env_close(&w);
}

static char *printed(const struct ruleset *s, size_t i)
{
    static char text[700];
    const struct problems *p = ruleset_problems(s);

    ck_assert_uint_lt(i, p->n);
    problem_print(&p->list[i], text, sizeof text);
    return text;
}

#define HEAD "alert tcp any any -> any any "

/* Each rule is broken in one place: line, column, sid and the words of the sentence. */
static const struct { const char *rule, *starts, *says; } broken[] = {
    { "alrt tcp any any -> any any (sid:1;)", "test.rules:1:1: sid 1: ", "unknown action 'alrt'" },
    { "alert tcp any any -> any (sid:2;)", "test.rules:1:26: sid 2: ", "destination ports expected" },
    { "alert tcp any any => any any (sid:3;)", "test.rules:1:19: sid 3: ", "'->' or '<>'" },
    { "alert tcp any any -> any any sid:4;", "test.rules:1:30: sid 4: ", "'(' expected" },
    { HEAD "(content:\"a\"; sid:5;", "test.rules:1:50: sid 5: ", "')' expected" },
    { HEAD "(content:\"a\" sid:6)", "test.rules:1:39: sid 6: ", "';' expected" },
    { HEAD "(msg \"x\"; sid:7;)", "test.rules:1:35: sid 7: ", "';' expected after the option 'msg'" },
    { HEAD "(sid:8;) x", "test.rules:1:39: sid 8: ", "nothing may follow" },
    { HEAD "(;sid:9;)", "test.rules:1:31: sid 9: ", "name of an option" },
    { "alert tcp 1.2.3.444 any -> any any (sid:10;)", "test.rules:1:11: sid 10: ", "no address" },
    { "alert tcp any 99999 -> any any (sid:11;)", "test.rules:1:15: sid 11: ", "no port" },
    { HEAD "(content:\"ab|4|\"; sid:12;)", "test.rules:1:44: sid 12: ", "odd number" },
    { HEAD "(content:\"ab|41\"; sid:13;)", "test.rules:1:45: sid 13: ", "bar is missing" },
    { HEAD "(content:\"a\\b\"; sid:14;)", "test.rules:1:41: sid 14: ", "may be escaped" },
    { HEAD "(content:\"\"; sid:15;)", "test.rules:1:40: sid 15: ", "must not be empty" },
    { HEAD "(content:abc; sid:16;)", "test.rules:1:39: sid 16: ", "double quotes" },
    { HEAD "(content:\"a;b\"; sid:17;)", "test.rules:1:39: sid 17: ", "'\\;'" },
    { HEAD "(content:\"abc\"; depth:2; sid:18;)", "test.rules:1:52: sid 18: ", "less than the length" },
    { HEAD "(content:\"abc\"; depth:5; distance:1; sid:19;)", "test.rules:1:55: sid 19: ", "cannot have both" },
    { HEAD "(nocase; sid:20;)", "test.rules:1:31: sid 20: ", "needs a content" },
    { HEAD "(content:\"abc\"; depth:x; sid:21;)", "test.rules:1:52: sid 21: ", "takes a number" },
    { HEAD "(pcre:\"/(a/\"; sid:22;)", "test.rules:1:", "regular expression" },
    { HEAD "(pcre:\"/a/k\"; sid:23;)", "test.rules:1:40: sid 23: ", "flag 'k'" },
    { HEAD "(flow:sideways; sid:24;)", "test.rules:1:36: sid 24: ", "'sideways'" },
    { HEAD "(flow:to_server,to_client; sid:25;)", "test.rules:1:46: sid 25: ", "contradicts" },
    { HEAD "(dsize:5<>6; sid:26;)", "test.rules:1:37: sid 26: ", "no length" },
    { HEAD "(flowbits:frob,x; sid:27;)", "test.rules:1:40: sid 27: ", "'frob'" },
    { HEAD "(threshold:type limit,track by_src,count 1; sid:28;)", "test.rules:1:31: sid 28: ", "all needed" },
    { HEAD "(threshold: , ; sid:29;)", "test.rules:1:42: sid 29: ", "'' is not known" },
    { HEAD "(flowbits: , ; sid:30;)", "test.rules:1:41: sid 30: ", "''" },
    { HEAD "(content:\"a\";)", "test.rules:1:1: ", "no sid" },
    { HEAD "(sid:0;)", "test.rules:1:35: ", "from 1" },
    { HEAD "(sid:31; sid:31;)", "test.rules:1:39: sid 31: ", "stands twice" },
    { HEAD "(content:\"a\"; fast_pattern:1,5; sid:32;)", "test.rules:1:57: sid 32: ", "reaches beyond" },
    { HEAD "(http.uri; sid:33;)", "test.rules:1:1: sid 33: ", "nothing follows" },
    { HEAD "(content:\"a\"; startswith; depth:4; sid:34;)", "test.rules:1:56: sid 34: ", "startswith" },
    { HEAD "(target:nobody; sid:35;)", "test.rules:1:38: sid 35: ", "src_ip or dest_ip" },
    { "alert dns any any -> any any (http.uri; content:\"a\"; sid:36;)", "test.rules:1:7: sid 36: ", "all the buffers" },
    { HEAD "(http.uri; content:\"a\"; dns.query; content:\"b\"; sid:37;)", "test.rules:1:1: sid 37: ", "no protocol" },
    { HEAD "(\\\ncontent:\"a\"; \\\n  depth:x; sid:38;)", "test.rules:3:9: sid 38: ", "takes a number" },
    { "\n\n# a comment\n  " HEAD "(dsize:x; sid:39;)", "test.rules:4:39: sid 39: ", "takes a number" },
};

START_TEST(errors_have_a_place_a_sid_and_a_sentence)
{
    struct ruleset *s = env_rules(&w, broken[_i].rule);
    struct ruleset_counts c;
    const char *text;

    ruleset_count(s, &c);
    ck_assert_msg(c.errors == 1 && !c.loaded && !c.unsupported, "%s", broken[_i].rule);
    text = printed(s, 0);
    ck_assert_msg(!strncmp(text, broken[_i].starts, strlen(broken[_i].starts)), "%s\n  gave %s", broken[_i].rule, text);
    ck_assert_msg(strstr(text, broken[_i].says) != NULL, "%s\n  gave %s", broken[_i].rule, text);
    ruleset_free(s);
}
END_TEST

START_TEST(a_broken_rule_leaves_its_neighbours)
{
    struct ruleset *s = env_rules(&w, HEAD "(sid:1;)\n" HEAD "(dsize:x; sid:2;)\n" HEAD "(sid:3;)\n");
    struct ruleset_counts c;

    ruleset_count(s, &c);
    ck_assert_uint_eq(c.loaded, 2);
    ck_assert_uint_eq(c.errors, 1);
    ruleset_free(s);
}
END_TEST

static const struct { const char *rule, *word; } unsupported[] = {
    { HEAD "(byte_wonder:1,>,2,3; sid:1;)", "byte_wonder" },
    { HEAD "(smb.share; content:\"a\"; sid:2;)", "smb.share" },
    { "alert modbus any any -> any any (sid:3;)", "protocol modbus" },
    { "log tcp any any -> any any (sid:4;)", "action" },
    { HEAD "(pcre:\"/a/Z\"; sid:5;)", "http.host.raw" },
    { HEAD "(flow:to_client; http.uri; content:\"a\"; sid:6;)", "http.uri to_client" },
};

START_TEST(what_is_not_known_skips_that_rule_and_is_named)
{
    struct ruleset *s = env_rules(&w, unsupported[_i].rule);
    struct ruleset_counts c;

    ruleset_count(s, &c);
    ck_assert_uint_eq(c.unsupported, 1);
    ck_assert_uint_eq(c.errors + c.loaded, 0);
    ck_assert_str_eq(ruleset_problems(s)->list[0].word, unsupported[_i].word);
    ruleset_free(s);
}
END_TEST

static void count_word(void *arg, const char *word, uint32_t n, const struct problem *first)
{
    char *text = arg;

    sprintf(text + strlen(text), "%s=%u@%u ", word, n, first->line);
}

START_TEST(unknown_words_are_counted)
{
    struct ruleset *s = env_rules(&w, HEAD "(b1; sid:1;)\n" HEAD "(a2; sid:2;)\n" HEAD "(a2; sid:3;)\n");
    char text[200] = "";

    problem_words(ruleset_problems(s), count_word, text);
    ck_assert_str_eq(text, "a2=2@2 b1=1@1 ");
    ruleset_free(s);
}
END_TEST

START_TEST(comments_are_ignored_and_disabled_rules_counted)
{
    struct ruleset *s = env_rules(&w, "# text\n#alert tcp any any -> any any (sid:1;)\n"
                                  "# alert udp any any -> any any (msg:\"a\"; sid:2;)\n# alert is a word \\\n"
                                  HEAD "(sid:3;) # behind\n");
    struct ruleset_counts c;

    ruleset_count(s, &c);
    ck_assert_uint_eq(c.disabled, 2);
    ck_assert_uint_eq(c.loaded, 1);
    ck_assert_uint_eq(c.errors, 0);
    ruleset_free(s);
}
END_TEST

static uint32_t loaded(struct ruleset *s, struct rule *const **r)
{
    uint32_t n;

    *r = ruleset_rules(s, &n);
    return n;
}

START_TEST(the_higher_revision_of_a_sid_wins)
{
    struct ruleset *s = env_rules(&w, HEAD "(sid:1; rev:2;)\n" HEAD "(sid:1; rev:3;)\n" HEAD "(sid:1; rev:1;)\n"
                                  HEAD "(gid:2; sid:1; rev:1;)\n");
    struct rule *const *r;
    struct ruleset_counts c;

    ck_assert_uint_eq(loaded(s, &r), 2);
    ck_assert_uint_eq(r[0]->rev, 3);
    ck_assert_uint_eq(r[0]->line, 2);
    ruleset_count(s, &c);
    ck_assert_uint_eq(c.replaced, 2);
    ck_assert_uint_eq(c.errors, 0);
    ruleset_free(s);
}
END_TEST

START_TEST(the_same_revision_twice_is_an_error)
{
    struct ruleset *s = env_rules(&w, HEAD "(sid:1; rev:2;)\n" HEAD "(sid:1; rev:2;)\n");
    struct rule *const *r;

    ck_assert_uint_eq(loaded(s, &r), 1);
    ck_assert_uint_eq(r[0]->line, 1);
    ck_assert_str_eq(printed(s, 0), "test.rules:2:1: sid 1: gid 1, sid 1, rev 2 stands at test.rules:1 already; give "
                     "one of them another sid or rev");
    ruleset_free(s);
}
END_TEST

START_TEST(header_and_meta_are_taken_over)
{
    struct ruleset *s = env_rules(&w, "drop tcp 10.0.0.0/8 any <> $EXTERNAL_NET [80,443] (msg:\"a \\\"b\\\" \\; \xff\"; gid:7; "
                                  "sid:9; rev:4; priority:2; classtype:odd; metadata:tag one, level high, tag two; "
                                  "reference:url,example.org/;)\n");
    struct rule *const *r;

    ck_assert_uint_eq(loaded(s, &r), 1);
    ck_assert_str_eq(r[0]->msg, "a \"b\" ; \\xff");
    ck_assert_uint_eq(r[0]->gid, 7);
    ck_assert_uint_eq(r[0]->action, RULE_DROP);
    ck_assert_uint_eq(r[0]->priority, 2);
    ck_assert_str_eq(r[0]->category, "odd");
    ck_assert(r[0]->flags & RULE_BIDIR);
    ck_assert_uint_eq(r[0]->n_pair, 3);
    ck_assert_str_eq(r[0]->metadata[1].key, "tag");
    ck_assert_str_eq(r[0]->metadata[1].value, "two");
    ck_assert_str_eq(r[0]->metadata[2].key, "level");
    ruleset_free(s);
}
END_TEST

START_TEST(setters_stand_before_readers_and_pass_before_alert)
{
    struct ruleset *s = env_rules(&w, HEAD "(flowbits:isset,b; sid:1;)\n" HEAD "(flowbits:isset,a; flowbits:set,b; sid:2;)\n"
                                  HEAD "(flowbits:set,a; sid:3;)\npass tcp any any -> any any (sid:4;)\n"
                                  HEAD "(flowbits:isset,x; flowbits:set,y; sid:5;)\n"
                                  HEAD "(flowbits:isset,y; flowbits:set,x; sid:6;)\n");
    struct rule *const *r;
    uint32_t at[7];

    ck_assert_uint_eq(loaded(s, &r), 6);
    for (uint32_t i = 0; i < 6; i++)
        at[r[i]->sid] = i;
    ck_assert_uint_eq(at[4], 0);
    ck_assert_uint_lt(at[3], at[2]);
    ck_assert_uint_lt(at[2], at[1]);
    ruleset_free(s);
}
END_TEST

static void write_file(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");

    ck_assert_ptr_nonnull(out);
    fputs(text, out);
    fclose(out);
}

START_TEST(files_include_files)
{
    char dir[] = "/tmp/ids-XXXXXX", path[64], other[64], why[300];
    struct ruleset *s = ruleset_new();
    struct ruleset_counts c;

    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/a.rules", dir);
    snprintf(other, sizeof other, "%s/b.rules", dir);
    write_file(path, HEAD "(sid:1;)\ninclude b.rules\ninclude none.rules\n");
    write_file(other, HEAD "(sid:2;)\ninclude a.rules\n" HEAD "(dsize:x; sid:3;)\n");
    w.env.may_include = true;
    ck_assert(ruleset_file(s, &w.env, path, why, sizeof why));
    ck_assert(ruleset_finish(s));
    ruleset_count(s, &c);
    ck_assert_uint_eq(c.loaded, 2);
    ck_assert_uint_eq(c.files, 2);
    ck_assert_uint_eq(c.errors, 3);
    ck_assert_ptr_nonnull(strstr(printed(s, 0), "b.rules:2:9: "));
    ck_assert_ptr_nonnull(strstr(printed(s, 0), "includes itself"));
    ck_assert_ptr_nonnull(strstr(printed(s, 1), "b.rules:3:"));
    ck_assert_ptr_nonnull(strstr(printed(s, 2), "none.rules: No such file"));
    ck_assert(!ruleset_file(s, &w.env, "/nonexistent/x.rules", why, sizeof why));
    ck_assert_str_eq(why, "/nonexistent/x.rules: No such file or directory");
    ruleset_free(s);
    unlink(path);
    unlink(other);
    rmdir(dir);
}
END_TEST

START_TEST(classes_give_category_and_priority)
{
    char dir[] = "/tmp/ids-XXXXXX", path[64], why[300];
    static const char rules[] = HEAD "(classtype:bad-thing; sid:1;)\n" HEAD "(classtype:bad-thing; priority:4; sid:2;)\n";
    struct ruleset *s = ruleset_new();
    struct rule *const *r;

    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/c.config", dir);
    write_file(path, "# x\nconfig classification: bad-thing,A Bad Thing, 1\nconfig classification: x,y\nnonsense\n");
    ck_assert(ruleset_classes(s, path, why, sizeof why));
    ruleset_text(s, &w.env, "test.rules", rules, strlen(rules));
    ck_assert(ruleset_finish(s));
    ck_assert_uint_eq(loaded(s, &r), 2);
    ck_assert_str_eq(r[0]->category, "A Bad Thing");
    ck_assert_uint_eq(r[0]->priority, 1);
    ck_assert_uint_eq(r[1]->priority, 4);
    ck_assert_uint_eq(ruleset_problems(s)->count[PROBLEM_ERROR], 2);
    ck_assert_ptr_nonnull(strstr(printed(s, 0), "c.config:3:1: "));
    ruleset_free(s);
    unlink(path);
    rmdir(dir);
}
END_TEST

START_TEST(a_rule_of_64_kib_is_refused_and_the_next_one_read)
{
    char *text = malloc(200000);
    struct ruleset *s;
    struct ruleset_counts c;

    memset(text, 'x', 100000);
    memcpy(text, HEAD "(sid:1; msg:\"", strlen(HEAD "(sid:1; msg:\""));
    strcpy(text + 100000, "\";)\n" HEAD "(sid:2;)\n");
    s = env_rules(&w, text);
    ruleset_count(s, &c);
    ck_assert_uint_eq(c.loaded, 1);
    ck_assert_uint_eq(c.errors, 1);
    ck_assert_ptr_nonnull(strstr(printed(s, 0), "at most 65536 bytes"));
    ruleset_free(s);
    free(text);
}
END_TEST

#define COUNT(a) (int)(sizeof(a) / sizeof((a)[0]))

int main(void)
{
    Suite *suite = suite_create("rule-parser");
    TCase *tc = tcase_create("rules");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, errors_have_a_place_a_sid_and_a_sentence, 0, COUNT(broken));
    tcase_add_test(tc, a_broken_rule_leaves_its_neighbours);
    tcase_add_loop_test(tc, what_is_not_known_skips_that_rule_and_is_named, 0, COUNT(unsupported));
    tcase_add_test(tc, unknown_words_are_counted);
    tcase_add_test(tc, comments_are_ignored_and_disabled_rules_counted);
    tcase_add_test(tc, the_higher_revision_of_a_sid_wins);
    tcase_add_test(tc, the_same_revision_twice_is_an_error);
    tcase_add_test(tc, header_and_meta_are_taken_over);
    tcase_add_test(tc, setters_stand_before_readers_and_pass_before_alert);
    tcase_add_test(tc, files_include_files);
    tcase_add_test(tc, classes_give_category_and_priority);
    tcase_add_test(tc, a_rule_of_64_kib_is_refused_and_the_next_one_read);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
