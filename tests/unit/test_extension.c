/* Who uses what of whom, with instances made in memory. */
#include "core/extension.h"
#include "core/instance.h"
#include "tests/unit/unit.h"

#include <ecyber/ext/stage.h>

#include <stdlib.h>
#include <string.h>

struct table { uint32_t size, reserved; uint64_t more; };
static const struct table small = { 8, 0, 0 }, large = { sizeof large, 0, 0 };

#define MANY 8
static struct instance *all[MANY], *order[MANY];
static struct ec_use use[MANY][4];
static struct ec_offer offer[MANY][4];
static uint32_t n;
static struct instance *core;       /* what the daemon itself offers; NULL: nothing */

static void clear(void)
{
    memset(use, 0, sizeof use);
    memset(offer, 0, sizeof offer);
    n = 0;
    core = NULL;
}

static void release(void)
{
    for (uint32_t k = 0; k < n; k++) {
        all[k]->d.use = NULL;
        all[k]->d.offer = NULL;
        instance_free(all[k]);
    }
}

/* A plugin `name`; what it uses and offers is added by needs() and gives(). */
static uint32_t add(const char *name)
{
    struct instance *i = instance_new(name);

    i->d.use = use[n];
    i->d.offer = offer[n];
    all[n] = i;
    return n++;
}

static void needs(uint32_t at, const char *id, uint32_t flags, uint32_t min_size)
{
    use[at][all[at]->d.n_use++] = (struct ec_use){ sizeof(struct ec_use), flags, min_size, 0, id };
}

static void gives(uint32_t at, const char *id, const void *table)
{
    offer[at][all[at]->d.n_offer++] = (struct ec_offer){ sizeof(struct ec_offer), 0, id, table };
}

static const char *resolve(extension_choose_fn *choose)
{
    static char names[256];
    uint32_t count = extension_resolve(all, n, core, choose, NULL, order);

    names[0] = '\0';
    for (uint32_t k = 0; k < count; k++) {
        strcat(names, order[k]->d.name);
        strcat(names, " ");
    }
    return names;
}

START_TEST(providers_come_before_their_users)
{
    uint32_t a = add("a"), b = add("b"), c = add("c"), d = add("d");

    needs(a, "x.b/1", EC_USE_RUN, 8);
    needs(b, "x.d/1", EC_USE_RUN, 8);
    gives(b, "x.b/1", &small);
    gives(d, "x.d/1", &small);
    ck_assert_str_eq(resolve(NULL), "d b a c ");
    ck_assert_ptr_eq(all[a]->bound[0], all[b]);
    ck_assert_uint_eq(all[c]->status, INSTANCE_LOADED);
}
END_TEST

START_TEST(setup_uses_may_form_a_cycle)
{
    uint32_t a = add("a"), b = add("b");

    needs(a, "x.b/1", EC_USE_SETUP, 0);
    needs(b, "x.a/1", EC_USE_RUN, 0);
    gives(a, "x.a/1", &small);
    gives(b, "x.b/1", &small);
    ck_assert_str_eq(resolve(NULL), "a b ");
}
END_TEST

START_TEST(a_run_cycle_is_refused_by_name_with_its_dependants)
{
    uint32_t a = add("a"), b = add("b"), c = add("c"), d = add("d");

    needs(a, "x.b/1", EC_USE_RUN, 0);
    needs(b, "x.a/1", EC_USE_RUN, 0);
    needs(c, "x.a/1", EC_USE_SETUP, 0);
    gives(a, "x.a/1", &small);
    gives(b, "x.b/1", &small);
    (void)d;
    ck_assert_str_eq(resolve(NULL), "d ");
    ck_assert_str_eq(
        all[a]->why,
        "a: left out: its RUN uses form a cycle: a -> b -> a; make one of them a SETUP use");
    ck_assert_str_eq(
        all[b]->why,
        "b: left out: its RUN uses form a cycle: a -> b -> a; make one of them a SETUP use");
    ck_assert_str_eq(all[c]->why,
                     "c: left out: it needs x.a/1, and a, which offers it, is left out");
}
END_TEST

START_TEST(a_missing_need_leaves_the_chain_out)
{
    uint32_t a = add("a"), b = add("b"), c = add("c");

    needs(a, "x.b/1", EC_USE_RUN, 0);
    needs(b, "x.nobody/1", EC_USE_SETUP, 0);
    gives(b, "x.b/1", &small);
    needs(c, "x.b/1", EC_USE_RUN | EC_USE_OPTIONAL, 0);
    ck_assert_str_eq(resolve(NULL), "c ");
    ck_assert_str_eq(
        all[b]->why,
        "b: left out: it needs x.nobody/1, which no plugin offers; load one that does");
    ck_assert_str_eq(all[a]->why,
                     "a: left out: it needs x.b/1, and b, which offers it, is left out");
    ck_assert_ptr_null(all[c]->bound[0]);
}
END_TEST

START_TEST(another_revision_and_a_short_table_are_named)
{
    uint32_t a = add("a"), b = add("b"), c = add("c");

    needs(a, "x.c/1-draft.1", EC_USE_RUN, 0);
    needs(b, "x.c/1-draft.2", EC_USE_RUN, 16);
    gives(c, "x.c/1-draft.2", &small);
    ck_assert_str_eq(resolve(NULL), "c ");
    ck_assert_str_eq(
        all[a]->why,
        "a: left out: it needs x.c/1-draft.1, and c offers x.c/1-draft.2; rebuild it against this "
        "daemon's SDK");
    ck_assert_str_eq(
        all[b]->why,
        "b: left out: it needs at least 16 bytes of x.c/1-draft.2, and c offers 8; update c");
}
END_TEST

START_TEST(a_table_that_is_long_enough_is_bound)
{
    uint32_t a = add("a"), b = add("b");

    needs(a, "x.b/1", EC_USE_RUN, 16);
    gives(b, "x.b/1", &large);
    ck_assert_str_eq(resolve(NULL), "b a ");
    ck_assert_ptr_eq(extension_offer(all[b], "x.b/1", 0), &large);
    ck_assert_ptr_null(extension_offer(all[b], "x.b/1", 1));
}
END_TEST

static const char *choose_b(const char *id, const void *arg)
{
    (void)arg;
    return strcmp(id, "x.store/1") ? NULL : "b";
}

static const char *choose_nobody(const char *id, const void *arg)
{
    (void)arg;
    return strcmp(id, "x.store/1") ? NULL : "nobody";
}

static void two_providers(void)
{
    uint32_t a = add("a"), b = add("b"), c = add("c");

    gives(a, "x.store/1", &small);
    gives(b, "x.store/1", &small);
    needs(c, "x.store/1", EC_USE_RUN, 0);
}

START_TEST(two_providers_are_refused)
{
    two_providers();
    ck_assert_str_eq(resolve(NULL), "");
    ck_assert_str_eq(
        all[0]->why,
        "a: left out: x.store/1 is offered by a and by b; name one of them in core.providers");
    ck_assert_str_eq(
        all[1]->why,
        "b: left out: x.store/1 is offered by a and by b; name one of them in core.providers");
}
END_TEST

START_TEST(unless_the_configuration_names_one)
{
    two_providers();
    ck_assert_str_eq(resolve(choose_b), "a b c ");
    ck_assert_ptr_eq(all[2]->bound[0], all[1]);
}
END_TEST

START_TEST(a_chosen_provider_that_is_not_there_serves_nobody)
{
    two_providers();
    ck_assert_str_eq(resolve(choose_nobody), "a b ");
    ck_assert_str_eq(
        all[2]->why,
        "c: left out: it needs x.store/1, which core.providers expects of nobody, and that plugin "
        "is not there or does not offer it");
}
END_TEST

static void packet(void *self, void *w, const void *state, uint32_t worker, uint32_t i,
                   struct ec_frame *f, uint32_t *v)
{
    (void)self;
    (void)w;
    (void)state;
    (void)worker;
    (void)i;
    (void)f;
    (void)v;
}

START_TEST(many_may_offer_an_interface_if_it_is_whole)
{
    static const struct ec_stage whole = {.size = sizeof whole, .packet = packet},
                                 hollow = {.size = sizeof hollow},
                                 cut = {.size = 8, .packet = packet};
    uint32_t a = add("a"), b = add("b"), c = add("c"), d = add("d");

    gives(a, EC_STAGE_ID, &whole);
    gives(b, EC_STAGE_ID, &whole);
    gives(c, EC_STAGE_ID, &hollow);
    gives(d, EC_STAGE_ID, &cut);
    ck_assert(extension_is_interface(EC_STAGE_ID));
    ck_assert_str_eq(resolve(NULL), "a b ");
    ck_assert_str_eq(all[c]->why, "c: left out: its " EC_STAGE_ID " has no packet(); correct it");
    ck_assert_msg(strstr(all[d]->why, "has 8 bytes, this daemon needs") != NULL, "%s", all[d]->why);
}
END_TEST

static struct instance *daemon_itself(void)
{
    static const struct ec_offer offers[] = { { sizeof(struct ec_offer), 0, "x.json/1-draft.1", &large } };
    static struct instance itself = { .d = { .name = "core", .offer = offers, .n_offer = 1 } };

    return &itself;
}

START_TEST(what_the_daemon_itself_offers_is_bound_like_a_plugins)
{
    uint32_t a = add("a"), b = add("b");

    core = daemon_itself();
    needs(a, "x.json/1-draft.1", EC_USE_RUN, 16);
    needs(a, "x.b/1", EC_USE_RUN, 8);
    needs(b, "x.json/1-draft.1", EC_USE_SETUP, 8);
    gives(b, "x.b/1", &small);
    ck_assert_str_eq(resolve(NULL), "b a ");
    ck_assert_ptr_eq(all[a]->bound[0], core);
    ck_assert_ptr_eq(all[b]->bound[0], core);
    ck_assert_ptr_eq(extension_offer(all[a]->bound[0], "x.json/1-draft.1", 0), &large);
}
END_TEST

START_TEST(a_plugin_that_offers_what_the_daemon_does_is_refused)
{
    uint32_t a = add("a"), b = add("b"), c = add("c");

    core = daemon_itself();
    gives(a, "x.json/1-draft.1", &large);
    gives(a, "x.more/1", &small);
    needs(b, "x.json/1-draft.1", EC_USE_RUN, 0);
    needs(c, "x.more/1", EC_USE_RUN, 0);
    ck_assert_str_eq(resolve(NULL), "b ");
    ck_assert_ptr_eq(all[b]->bound[0], core);
    ck_assert_str_eq(all[a]->why, "a: left out: it offers x.json/1-draft.1, which the daemon itself does; take that "
                                  "offer out of it");
    ck_assert_str_eq(all[c]->why, "c: left out: it needs x.more/1, and a, which offers it, is left out");
}
END_TEST

START_TEST(another_revision_or_more_than_the_daemon_has_is_named)
{
    uint32_t a = add("a"), b = add("b");

    core = daemon_itself();
    needs(a, "x.json/1-draft.2", EC_USE_RUN, 0);
    needs(b, "x.json/1-draft.1", EC_USE_RUN, 400);
    ck_assert_str_eq(resolve(NULL), "");
    ck_assert_str_eq(all[a]->why, "a: left out: it needs x.json/1-draft.2, and the daemon offers x.json/1-draft.1; "
                                  "rebuild it against this daemon's SDK");
    ck_assert_str_eq(all[b]->why,
                     "b: left out: it needs at least 400 bytes of x.json/1-draft.1, and the daemon offers 16; update the "
                     "daemon");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("extension");
    TCase *t = tcase_create("resolve");

    tcase_add_checked_fixture(t, clear, release);
    tcase_add_test(t, providers_come_before_their_users);
    tcase_add_test(t, setup_uses_may_form_a_cycle);
    tcase_add_test(t, a_run_cycle_is_refused_by_name_with_its_dependants);
    tcase_add_test(t, a_missing_need_leaves_the_chain_out);
    tcase_add_test(t, another_revision_and_a_short_table_are_named);
    tcase_add_test(t, a_table_that_is_long_enough_is_bound);
    tcase_add_test(t, two_providers_are_refused);
    tcase_add_test(t, unless_the_configuration_names_one);
    tcase_add_test(t, a_chosen_provider_that_is_not_there_serves_nobody);
    tcase_add_test(t, what_the_daemon_itself_offers_is_bound_like_a_plugins);
    tcase_add_test(t, a_plugin_that_offers_what_the_daemon_does_is_refused);
    tcase_add_test(t, another_revision_or_more_than_the_daemon_has_is_named);
    tcase_add_test(t, many_may_offer_an_interface_if_it_is_whole);
    suite_add_tcase(s, t);
    return unit_run(s);
}
