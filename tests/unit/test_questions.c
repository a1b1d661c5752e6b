/* ec.daemon/1: questions from any thread, answered on the control thread, each exactly once. */
#include "core/account.h"
#include "core/control/control.h"
#include "core/metric.h"
#include "core/questions.h"
#include "tests/unit/rig.h"
#include "tests/unit/unit.h"

#include <event2/event.h>
#include <event2/thread.h>
#include <json-c/json.h>
#include <pthread.h>

static struct event_base *base;
static struct control_later *later;
static char said[8192];
static uint32_t answers;
static pthread_t control_thread;

static struct json_object *on_status(char *const *args, char *why, uint32_t n)
{
    (void)args, (void)why, (void)n;
    return json_object_new_string("fine");
}

static struct json_object *on_plugin(char *const *args, char *why, uint32_t n)
{
    control_error(CONTROL_NOT_FOUND);
    snprintf(why, n, "there is no plugin '%s'", args[0] ? args[0] : "");
    return NULL;
}

static struct json_object *on_drops(char *const *args, char *why, uint32_t n)
{
    (void)args, (void)why, (void)n;
    later = control_later();
    return NULL;
}

static struct json_object *on_stop(char *const *args, char *why, uint32_t n)
{
    (void)args, (void)why, (void)n;
    ck_abort_msg("a plugin stopped the daemon");
    return NULL;
}

static void setup(void)
{
    evthread_use_pthreads();
    base = event_base_new();
    said[0] = '\0';
    answers = 0;
    control_thread = pthread_self();
    control_command("status", "", on_status);
    control_command("plugin", "", on_plugin);
    control_command("drops", "", on_drops);
    control_command("stop", "", on_stop);
}

static void teardown(void)
{
    event_base_free(base);
}

static void on_answer(void *arg, int32_t err, const char *json, uint32_t len)
{
    size_t n = strlen(said);

    ck_assert(pthread_equal(pthread_self(), control_thread));
    ck_assert_uint_eq(strlen(json), json[len] ? len + 1 : len);     /* a newline may stand behind it */
    snprintf(said + n, sizeof said - n, "%s %d %.*s\n", (const char *)arg, err, (int)len, json);
    answers++;
}

static int32_t ask(const char *line)
{
    return questions_service.ask(NULL, line, on_answer, (void *)(uintptr_t)line);
}

static void turn(void)
{
    for (int i = 0; i < 5; i++)
        event_base_loop(base, EVLOOP_NONBLOCK);
}

START_TEST(each_question_is_answered_once)
{
    ck_assert_int_eq(ask("status"), EC_EAGAIN);         /* not yet */
    ck_assert_int_eq(questions_open(base), 0);
    ck_assert_int_eq(ask("status"), EC_OK);
    ck_assert_int_eq(ask("plugin nobody"), EC_OK);
    ck_assert_uint_eq(answers, 0);                      /* never on the asker's stack */
    turn();
    ck_assert_str_eq(said, "status 0 \"fine\"\nplugin nobody -7 {\"error\":{\"code\":\"not_found\",\"message\":"
                           "\"there is no plugin 'nobody'\"}}\n");
    ck_assert_int_eq(ask("drops"), EC_OK);
    turn();
    ck_assert_uint_eq(answers, 2);
    control_finish(later, json_object_new_int(1));
    ck_assert_ptr_nonnull(strstr(said, "drops 0 1\n"));
    questions_close();
    ck_assert_int_eq(ask("status"), EC_EAGAIN);
    ck_assert_uint_eq(answers, 3);
}
END_TEST

START_TEST(what_cannot_be_asked)
{
    static char long_line[(1 << 20) + 2];

    memset(long_line, 'x', sizeof long_line - 1);
    memcpy(long_line, "plugin ", 7);
    ck_assert_int_eq(questions_open(base), 0);
    ck_assert_int_eq(ask("stop"), EC_EINVAL);
    ck_assert_int_eq(ask("config-check /etc/shadow"), EC_EINVAL);
    ck_assert_int_eq(ask("statuses"), EC_EINVAL);
    ck_assert_int_eq(ask(""), EC_EINVAL);
    ck_assert_int_eq(ask(NULL), EC_EINVAL);
    ck_assert_int_eq(ask(long_line), EC_EINVAL);
    ck_assert_int_eq(questions_service.ask(NULL, "status", NULL, NULL), EC_EINVAL);
    turn();
    ck_assert_uint_eq(answers, 0);
    questions_close();
}
END_TEST

START_TEST(questions_are_bounded_and_the_end_answers_them)
{
    ck_assert_int_eq(questions_open(base), 0);
    ck_assert_int_eq(ask("drops"), EC_OK);
    turn();                                             /* this one is under way */
    for (uint32_t i = 1; i < QUESTIONS_MAX; i++)
        ck_assert_int_eq(ask("status"), EC_OK);
    ck_assert_int_eq(ask("status"), EC_EAGAIN);
    questions_close();
    ck_assert_uint_eq(answers, QUESTIONS_MAX - 1);
    ck_assert_ptr_nonnull(strstr(said, "status -4 {\"error\":{\"code\":\"failed\",\"message\":\"the daemon ends\"}}\n"));
    control_finish(later, NULL);
    ck_assert_uint_eq(answers, QUESTIONS_MAX);
}
END_TEST

static void *ask_many(void *arg)
{
    uint32_t *taken = arg;

    for (int i = 0; i < 2000; i++)
        *taken += !ask("status");
    return NULL;
}

START_TEST(many_threads_may_ask)
{
    pthread_t thread[4];
    uint32_t taken[4] = { 0 };

    ck_assert_int_eq(questions_open(base), 0);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, ask_many, &taken[i]), 0);
    for (int i = 0; i < 200; i++) {
        said[0] = '\0';
        turn();
    }
    for (int i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
    said[0] = '\0';
    turn();
    questions_close();
    ck_assert_uint_eq(answers, taken[0] + taken[1] + taken[2] + taken[3]);
    ck_assert_uint_ge(answers, QUESTIONS_MAX);
}
END_TEST

static void on_metric(void *arg, const char *plugin, const struct ec_metric *m, int64_t value)
{
    (void)arg;
    snprintf(said + strlen(said), sizeof said - strlen(said), "%s/%s=%d ", plugin, m->name, (int)value);
}

START_TEST(metrics_are_walked)
{
    static const struct ec_metric events = { sizeof events, EC_METRIC_COUNTER, "events", NULL, "" },
                                  depth = { sizeof depth, EC_METRIC_GAUGE, "depth", NULL, "" };
    uint32_t a, b;

    metric_reset();
    ck_assert_int_eq(metric_add("core", &events, &a), 0);
    ck_assert_int_eq(metric_add("ids", &depth, &b), 0);
    ck_assert_int_eq(metric_workers(2), 0);
    metric_cells(0)[a] = 3;
    metric_cells(1)[a] = 4;
    metric_set(b, 9);
    questions_service.metrics(NULL, on_metric, NULL);
    ck_assert_str_eq(said, "/events=7 ids/depth=9 ");
    metric_reset();
}
END_TEST

static uint32_t exact, inexact;

static void on_account(void *arg, bool is_exact)
{
    (void)arg;
    exact += is_exact;
    inexact += !is_exact;
}

static void on_again(void *arg, bool is_exact)
{
    on_account(arg, is_exact);
    ck_assert_int_eq(account_ask(on_account, NULL), 0);
}

START_TEST(accounts_go_beside_the_loop)
{
    static const struct bus_config two = { .workers = 2 };

    exact = inexact = 0;
    ck_assert_int_eq(account_ask(on_account, NULL), EC_EAGAIN);
    rig_open(&two);
    rig_subscribe(0, "*", EC_SUB_QUEUED, 0, 0, 0);
    rig_start();
    ck_assert_int_eq(account_open(base), 0);
    ck_assert_int_eq(account_ask(on_again, NULL), 0);
    ck_assert_int_eq(account_ask(on_account, NULL), 0);
    ck_assert_uint_eq(exact + inexact, 0);
    for (int i = 0; i < 1000 && exact < 3; i++)
        event_base_loop(base, EVLOOP_ONCE);
    ck_assert_uint_eq(exact, 3);
    rig.sink[0].stall = true;                           /* a reader that does not come to the marker */
    ck_assert_int_eq(rig_publish(EC_PUB_MAILBOX, rig.a, 1, 0), EC_OK);
    ck_assert_int_eq(account_ask(on_account, NULL), 0);
    for (int i = 0; i < 20; i++)
        event_base_loop(base, EVLOOP_ONCE);
    ck_assert_uint_eq(exact + inexact, 3);              /* and the loop runs on */
    ck_assert_int_eq(account_ask(on_account, NULL), 0);
    account_close();
    ck_assert_uint_eq(inexact, 2);
    rig.sink[0].stall = false;
    bus_stop(UINT64_C(1000000000));
    rig_close();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("questions");
    TCase *tc = tcase_create("daemon");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 30);
    tcase_add_test(tc, each_question_is_answered_once);
    tcase_add_test(tc, what_cannot_be_asked);
    tcase_add_test(tc, questions_are_bounded_and_the_end_answers_them);
    tcase_add_test(tc, many_threads_may_ask);
    tcase_add_test(tc, metrics_are_walked);
    tcase_add_test(tc, accounts_go_beside_the_loop);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
