/* What the host gives a plugin: in setup() and elsewhere, its errors, its memory by worker, its
 * jobs; and what is undone when a plugin fails. */
#include "core/conf/conf.h"
#include "core/generation.h"
#include "core/host.h"
#include "core/instance.h"
#include "core/loader.h"
#include "core/plan.h"
#include "core/pool.h"
#include "core/topic.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct self {
    const struct ec_host *h;
    int32_t (*setup)(const struct ec_host *h);
    int freed, inits, finis;
};
static struct self selves[3];
static int32_t fail_in_configure, fail_in_worker_init;
static char said[256];

static int32_t create(const struct ec_host *h, void **self)
{
    struct self *p = &selves[instance_of(h)->index % 3];

    p->h = h;
    *self = p;
    return EC_OK;
}

static int32_t setup(void *self)
{
    struct self *p = self;

    return p->setup ? p->setup(p->h) : EC_OK;
}

static int32_t configure(void *self, const struct ec_conf *c, void **state)
{
    struct self *p = self;

    (void)c;
    if (p - selves == fail_in_configure)
        return ec_failf(p->h, EC_EINVAL, "x.yaml:1:1: nothing fits");
    *state = strdup("state");
    return *state ? EC_OK : EC_ENOMEM;
}

static void state_free(void *self, void *state)
{
    ((struct self *)self)->freed++;
    free(state);
}

static int32_t worker_init(void *self, uint32_t worker, void **w)
{
    struct self *p = self;

    *w = p;
    p->inits++;
    return p - selves == fail_in_worker_init && worker == 1 ? EC_ENOMEM : EC_OK;
}

static void worker_fini(void *self, void *w)
{
    ck_assert_ptr_eq(self, w);
    ((struct self *)self)->finis++;
}

static const struct ec_use uses[] = {
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_OPTIONAL, 0, 0, "org.example.optional/1" } };
static const struct ec_metric metrics[] = {
    { sizeof(struct ec_metric), EC_METRIC_COUNTER, "one", NULL, "help" },
    { sizeof(struct ec_metric), EC_METRIC_GAUGE, "two", NULL, "help" } };
static const struct ec_plugin descriptor = {
    .size = sizeof descriptor, .abi_major = EC_ABI_MAJOR, .api_level = EC_API_LEVEL,
    .id = "org.example.test",
    .name = "test", .version = "1", .n_use = 1, .use_stride = sizeof uses[0], .use = uses,
    .n_metric = 2, .metric_stride = sizeof metrics[0], .metric = metrics, .create = create,
    .setup = setup,
    .configure = configure, .state_free = state_free, .worker_init = worker_init,
    .worker_fini = worker_fini,
};

static struct instance *list[3];

static void make(void)
{
    memset(selves, 0, sizeof selves);
    fail_in_configure = fail_in_worker_init = -1;
    for (uint32_t k = 0; k < 3; k++) {
        list[k] = instance_new("test.so");
        ck_assert_int_eq(loader_agree(list[k], &descriptor, "test.so"), 0);
        list[k]->bound = calloc(2, sizeof(struct instance *));
    }
    instance_list(list, 3, 2);
    host_configure(2, NULL);
}

static void release(void)
{
    for (uint32_t k = 3; k--; ) {
        instance_destroy(list[k]);
        instance_free(list[k]);
    }
    instance_list(list, 0, 0);
    topic_reset();
}

static int up(int32_t (*in_setup)(const struct ec_host *h))
{
    selves[0].setup = in_setup;
    ck_assert_int_eq(instance_create(list[0]), 0);
    return instance_setup(list[0]);
}

static void on_event(void *self, const void *state, const struct ec_event *ev)
{
    (void)self;
    (void)state;
    (void)ev;
}

static const struct ec_sub sub = {.size = sizeof sub,
                                  .mode = EC_SUB_QUEUED,
                                  .overflow = EC_OVF_DROP_NEW,
                                  .topic = "*",
                                  .fn = on_event};

static void on_time(void *self, const void *state, uint64_t now)
{
    (void)self;
    (void)state;
    (void)now;
}

static int32_t asks(const struct ec_host *h)
{
    static const struct ec_timer timer = { sizeof timer, 0, 1000000, on_time };
    uint32_t index = 0;
    void *self = &index;

    ck_assert_int_eq(h->subscribe(h, &sub), 0);
    ck_assert_int_eq(h->timer(h, &timer), 0);
    ck_assert_int_eq(h->metric_add(h, &metrics[0], &index), 0);
    ck_assert_uint_eq(index, 2);                    /* behind the table's two */
    ck_assert_ptr_null(h->use(h, "org.example.optional/1", &self));
    ck_assert_ptr_null(self);
    return EC_OK;
}

START_TEST(what_setup_asks_for_is_kept_until_the_freeze)
{
    ck_assert_int_eq(up(asks), 0);
    ck_assert_uint_eq(list[0]->wants.n_sub, 1);
    ck_assert_str_eq(list[0]->wants.sub[0].topic, "*");
    ck_assert_uint_eq(list[0]->wants.n_timer, 1);
    ck_assert_uint_eq(list[0]->wants.n_metric, 1);
    instance_destroy(list[0]);
    ck_assert_uint_eq(list[0]->wants.n_sub, 0);
    ck_assert_int_eq(list[0]->status, INSTANCE_LOADED);
}
END_TEST

START_TEST(elsewhere_nothing_may_be_asked_for)
{
    static const struct ec_timer timer = { sizeof timer, 0, 1000000, on_time };
    const struct ec_host *h;
    uint32_t index;

    ck_assert_int_eq(up(NULL), 0);
    h = &list[0]->host;
    ck_assert_int_eq(h->subscribe(h, &sub), EC_EPERM);
    ck_assert_str_eq(host_why(list[0], EC_EPERM), "subscribe() may be called in setup() only");
    ck_assert_int_eq(h->timer(h, &timer), EC_EPERM);
    ck_assert_int_eq(h->metric_add(h, &metrics[0], &index), EC_EPERM);
    ck_assert_int_eq(h->topic(h, NULL, &index), EC_EPERM);
    ck_assert_ptr_null(h->use(h, "org.example.optional/1", NULL));
    ck_assert_str_eq(host_why(list[0], EC_EPERM), "use() may be called in setup() only");
}
END_TEST

static int32_t uses_unnamed(const struct ec_host *h)
{
    return h->use(h, "org.example.unnamed/1", NULL) ? EC_OK : EC_ENOENT;
}
static int32_t subscribes_badly(const struct ec_host *h)
{
    struct ec_sub s = sub;

    s.fn = NULL;
    return h->subscribe(h, &s);
}
static int32_t times_badly(const struct ec_host *h)
{
    const struct ec_timer t = { sizeof t, 0, 999999, on_time };

    return h->timer(h, &t);
}
static int32_t declares_badly(const struct ec_host *h)
{
    uint32_t id;

    return h->topic(h, NULL, &id);
}
static int32_t says_nothing(const struct ec_host *h)
{
    (void)h;
    return EC_EIO;
}
static int32_t asks_too_much(const struct ec_host *h)
{
    int32_t err = EC_OK;

    for (int k = 0; k < 5000 && !err; k++)
        err = h->subscribe(h, &sub);
    return err;
}

static const struct { int32_t (*setup)(const struct ec_host *h); const char *why; } failures[] = {
    { uses_unnamed, "it uses org.example.unnamed/1 without naming it in its table of uses" },
    { subscribes_badly, "a subscription lacks its size, topic or function" },
    { times_badly, "a timer lacks its size or function, or its period is under 1 ms" },
    { declares_badly, "a topic's struct is shorter than level 1's" },
    { says_nothing, "it gave no reason (EC_EIO)" },
    { asks_too_much, "subscribe(): there are 1024 already" },
};

START_TEST(a_failing_setup_has_its_sentence)
{
    char expected[256];

    snprintf(expected, sizeof expected, "test.so: left out: setup() failed: %s", failures[_i].why);
    ck_assert_int_ne(up(failures[_i].setup), 0);
    ck_assert_str_eq(list[0]->why, expected);
    ck_assert_int_eq(list[0]->status, INSTANCE_REFUSED);
}
END_TEST

static void create_all(void)
{
    for (uint32_t k = 0; k < 3; k++)
        ck_assert_int_eq(instance_create(list[k]), 0);
}

static void no_error(const char *sentence, void *arg)
{
    (void)arg;
    ck_abort_msg("%s", sentence);
}

static struct conf *defaults(void)
{
    static const struct conf_section section = { .name = "test" };
    static const struct conf_input in = { .file = NULL };
    struct conf *c = conf_load(&in, &section, 1, no_error, NULL);

    ck_assert_ptr_nonnull(c);
    return c;
}

START_TEST(a_generation_is_built_whole_or_not_at_all)
{
    struct conf *c = defaults();
    struct plan *p;
    char why[256];

    create_all();
    fail_in_configure = 2;
    ck_assert_ptr_null(generation_build(list, 3, c, 1, why, sizeof why));
    ck_assert_str_eq(why, "test: x.yaml:1:1: nothing fits");
    ck_assert_int_eq(selves[0].freed + selves[1].freed, 2);
    ck_assert_int_eq(selves[2].freed, 0);
    fail_in_configure = -1;
    p = generation_build(list, 3, c, 2, why, sizeof why);
    ck_assert_ptr_nonnull(p);
    ck_assert_uint_eq(p->gen, 2);
    ck_assert_str_eq(plan_state(p, 2), "state");
    generation_free(list, p);
    ck_assert_int_eq(selves[2].freed, 1);
}
END_TEST

START_TEST(workers_have_memory_of_their_own)
{
    char why[256];

    create_all();
    ck_assert_int_eq(instance_worker_init(0, why, sizeof why), 0);
    ck_assert_ptr_eq(list[1]->host.worker_mem(&list[1]->host, 0), &selves[1]);
    ck_assert_ptr_null(list[1]->host.worker_mem(&list[1]->host, 1));
    ck_assert_ptr_null(list[1]->host.worker_mem(&list[1]->host, 2));
    fail_in_worker_init = 2;
    ck_assert_int_eq(instance_worker_init(1, why, sizeof why), EC_ENOMEM);
    ck_assert_str_eq(why, "test: worker_init() failed: it gave no reason (EC_ENOMEM)");
    ck_assert_int_eq(selves[0].finis + selves[1].finis, 2);     /* what had begun on worker 1 */
    ck_assert_int_eq(selves[2].finis, 0);
    instance_worker_fini(0);
    ck_assert_int_eq(selves[0].finis, 2);
    ck_assert_int_eq(selves[2].finis, 1);
}
END_TEST

static void job(void *self, const void *state, void *arg)
{
    ck_assert_ptr_eq(self, &selves[0]);
    ck_assert_uint_eq(plan_refs(plan_current()), 1);
    snprintf(said, sizeof said, "%s %s", (const char *)state, (const char *)arg);
}

START_TEST(a_job_holds_its_generation)
{
    static char arg[] = "arg";
    char why[256];
    struct plan *p;

    create_all();
    p = generation_build(list, 3, defaults(), 1, why, sizeof why);
    plan_swap(p);
    ck_assert_int_eq(pool_start(0), 0);             /* in place */
    ck_assert_int_eq(list[0]->host.work(&list[0]->host, job, arg), 0);
    ck_assert_str_eq(said, "state arg");
    ck_assert_uint_eq(plan_refs(p), 0);
    ck_assert_int_eq(list[0]->host.work(&list[0]->host, NULL, NULL), EC_EINVAL);
    ck_assert_uint_eq(list[0]->host.gen(&list[0]->host, EC_PUB_MAILBOX), 1);
    pool_stop(0);
    plan_swap(NULL);
    generation_free(list, p);
}
END_TEST

START_TEST(the_state_folder_is_made_on_first_use)
{
    char base[] = "/tmp/ecyber-instance.XXXXXX", expected[64];
    struct stat st;

    create_all();
    ck_assert_ptr_null(list[0]->host.state_dir(&list[0]->host));
    ck_assert_str_eq(host_why(list[0], EC_EPERM),
                     "there is no state folder: core.state_dir cannot be written");
    ck_assert_ptr_nonnull(mkdtemp(base));
    host_configure(2, base);
    snprintf(expected, sizeof expected, "%s/test", base);
    ck_assert_str_eq(list[0]->host.state_dir(&list[0]->host), expected);
    ck_assert_int_eq(stat(expected, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0750);
    rmdir(expected);
    rmdir(base);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("instance");
    TCase *t = tcase_create("life");

    tcase_add_checked_fixture(t, make, release);
    tcase_add_test(t, what_setup_asks_for_is_kept_until_the_freeze);
    tcase_add_test(t, elsewhere_nothing_may_be_asked_for);
    tcase_add_loop_test(t, a_failing_setup_has_its_sentence, 0,
                        sizeof failures / sizeof failures[0]);
    tcase_add_test(t, a_generation_is_built_whole_or_not_at_all);
    tcase_add_test(t, workers_have_memory_of_their_own);
    tcase_add_test(t, a_job_holds_its_generation);
    tcase_add_test(t, the_state_folder_is_made_on_first_use);
    suite_add_tcase(s, t);
    return unit_run(s);
}
