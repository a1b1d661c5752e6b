/* The one thread that starts children, watches them, and reads what they leave. Children are bound to it: they are
 * killed when it ends, however the daemon ends. */
#include "plugins/replay/replay.h"

#include "plugins/replay/child.h"
#include "plugins/replay/result.h"

#include <ecyber/thread.h>
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOOK_NS 100000000u          /* between two looks at children */

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t size_of(const char *path)
{
    struct stat st;

    return stat(path, &st) || st.st_size < 0 ? 0 : (uint64_t)st.st_size;
}

static void set_state(struct replay *k, struct run *r, enum run_state s)
{
    pthread_mutex_lock(&k->lock);
    r->state = s;
    pthread_mutex_unlock(&k->lock);
}

/* It never ran, or will not go on. */
static void give_up(struct replay *k, struct run *r, const char *why)
{
    char folder[4096];

    run_folder(k, r->id, folder, sizeof folder);
    folder_clear(folder, true);
    k->jobs->fail(k->jobs_self, r->id, why, NULL);
    set_state(k, r, RUN_OVER);
}

static void start(struct replay *k, struct run *r)
{
    char *argv[] = { (char[]){ "ecyberd" }, (char[]){ "-c" }, (char[]){ "replay.yaml" }, (char[]){ "--workers" },
                     (char[]){ "0" }, (char[]){ "-r" }, (char[]){ CHILD_CAPTURE }, NULL };
    char folder[4096], why[1024];
    struct child c = { .folder = folder, .argv = argv, .capture = r->capture, .memory = k->o.memory,
                       .output = k->o.output + (1u << 20) };

    run_folder(k, r->id, folder, sizeof folder);
    if (k->jobs->progress(k->jobs_self, r->id, 0)) {
        set_state(k, r, RUN_OVER);  /* cancelled before it began */
        return;
    }
    if (folder_make_ready(k, folder, r->rules, why, sizeof why)) {
        give_up(k, r, why);
        return;
    }
    if ((r->pid = child_start(&c)) < 0) {
        snprintf(why, sizeof why, "no process can be started: %s", strerror(errno));
        give_up(k, r, why);
        return;
    }
    r->begun_ns = now_ns();
    set_state(k, r, RUN_RUNS);
}

/* How it ended, where that is no success. false: it is one. */
static bool what_went_wrong(const struct run *r, const char *folder, int status, uint64_t lost, char *why, size_t n)
{
    bool said = result_sentence(folder, why, n);

    if (r->killed)
        snprintf(why, n, "%s", r->killed);
    else if (WIFSIGNALED(status))
        snprintf(why, n, "the process that read it was ended by signal %d (%s)%s", WTERMSIG(status),
                 strsignal(WTERMSIG(status)),
                 WTERMSIG(status) == SIGKILL ? ": somebody killed it, or memory ran out" : "");
    else if (WEXITSTATUS(status) && !said)
        snprintf(why, n, "the process that read it ended with exit code %d and said nothing", WEXITSTATUS(status));
    else if (!said && lost)
        snprintf(why, n, "%" PRIu64 " events could not be written: is the disk of the state folder full?", lost);
    else
        return said;
    return true;
}

static const char *finish(struct json_object *o, const struct run *r)
{
    char path[80];

    json_object_object_add(o, "seconds", json_object_new_double((double)((now_ns() - r->begun_ns) / 1000000u) / 1e3));
    snprintf(path, sizeof path, "/api/packets/replays/%" PRIu64 "/events", r->id);
    json_object_object_add(o, "events_at", json_object_new_string(path));
    return json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);
}

/* The child has ended: what it left becomes the job's result. */
static void ended(struct replay *k, struct run *r, int status)
{
    char folder[4096], path[4200], why[1024];
    struct json_object *o;
    uint64_t lost;

    run_folder(k, r->id, folder, sizeof folder);
    if (r->cancelled) {
        folder_clear(folder, true);
        set_state(k, r, RUN_OVER);
        return;
    }
    o = result_read(folder, &lost);
    if (what_went_wrong(r, folder, status, lost, why, sizeof why))
        k->jobs->fail(k->jobs_self, r->id, why, finish(o, r));
    else
        k->jobs->finish(k->jobs_self, r->id, finish(o, r));
    json_object_put(o);
    folder_clear(folder, false);
    snprintf(path, sizeof path, "%s/events.json", folder);
    pthread_mutex_lock(&k->lock);
    r->kept = size_of(path);
    r->state = RUN_OVER;
    pthread_mutex_unlock(&k->lock);
    runs_trim(k, 0);
}

/* Is there a reason to kill it? */
static const char *too_much(struct replay *k, const struct run *r)
{
    static const char slow[] = "it took longer than replay.time allows", much[] =
        "its events have more bytes than replay.output allows";
    char folder[4096], path[4300];

    if (now_ns() - r->begun_ns > k->o.time_ns)
        return slow;
    run_folder(k, r->id, folder, sizeof folder);
    snprintf(path, sizeof path, "%s/state/eve/events.json", folder);
    return size_of(path) > k->o.output ? much : NULL;
}

static void look(struct replay *k, struct run *r)
{
    uint64_t at;
    int status;

    if (waitpid(r->pid, &status, WNOHANG) == r->pid) {
        r->pid = 0;
        ended(k, r, status);
        return;
    }
    at = child_position(r->pid, r->capture);
    if (k->jobs->progress(k->jobs_self, r->id,
                          r->length ? (uint32_t)((at < r->length ? at : r->length) * 99 / r->length) : 0))
        r->cancelled = true;
    if (!r->killed && !r->cancelled)
        r->killed = too_much(k, r);
    if (r->cancelled || r->killed)
        child_kill(r->pid);
}

/* Locked. Who is over and forgotten leaves the list; his files with him. */
static void sweep(struct replay *k)
{
    char folder[4096];

    for (struct run **at = &k->first, *r; (r = *at); ) {
        if (r->state != RUN_OVER || !r->forgotten) {
            at = &r->next;
            continue;
        }
        *at = r->next;
        run_folder(k, r->id, folder, sizeof folder);
        folder_clear(folder, true);
        if (r->capture >= 0)
            close(r->capture);
        free(r->rules);
        free(r);
    }
}

/* One look at all of them. How many run. Entries leave the list on this thread alone, but those without an id. */
static uint32_t turn(struct replay *k)
{
    uint32_t running = 0, waiting = 0;
    struct run *r;

    pthread_mutex_lock(&k->lock);
    for (r = k->first; r; r = r->next)
        running += r->state == RUN_RUNS;
    pthread_mutex_unlock(&k->lock);
    for (uint32_t i = 0;; i++) {
        uint32_t n = 0;

        pthread_mutex_lock(&k->lock);
        for (r = k->first; r && (!r->id || n++ < i); r = r->next)
            continue;
        pthread_mutex_unlock(&k->lock);
        if (!r)
            break;
        if (r->state == RUN_RUNS) {
            look(k, r);
        } else if (r->state == RUN_WAITS && r->cancelled) {
            set_state(k, r, RUN_OVER);
        } else if (r->state == RUN_WAITS && running < k->o.at_once) {
            start(k, r);
            running += r->state == RUN_RUNS;
        } else {
            waiting += r->state == RUN_WAITS;
        }
    }
    pthread_mutex_lock(&k->lock);
    sweep(k);
    pthread_mutex_unlock(&k->lock);
    return running + waiting;
}

static void kill_all(struct replay *k)
{
    for (struct run *r = k->first; r; r = r->next)
        if (r->state == RUN_RUNS && r->pid > 0) {
            child_kill(r->pid);
            waitpid(r->pid, NULL, 0);
            r->pid = 0;
        }
}

static void *runner(void *arg)
{
    struct replay *k = arg;
    struct timespec until;
    uint32_t busy = 0;

    ec_thread_plain();
    pthread_mutex_lock(&k->lock);
    while (!k->stopping) {
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += LOOK_NS;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        if (busy)
            pthread_cond_timedwait(&k->changed, &k->lock, &until);
        else
            pthread_cond_wait(&k->changed, &k->lock);
        if (k->stopping)
            break;
        pthread_mutex_unlock(&k->lock);
        busy = turn(k);
        pthread_mutex_lock(&k->lock);
    }
    pthread_mutex_unlock(&k->lock);
    kill_all(k);
    return NULL;
}

int32_t runner_start(struct replay *k)
{
    if (pthread_create(&k->thread, NULL, runner, k))
        return k->host->fail(k->host, EC_ENOMEM, "no thread can be started");
    pthread_setname_np(k->thread, "replay");
    k->running = true;
    return EC_OK;
}

void runner_stop(struct replay *k)
{
    pthread_mutex_lock(&k->lock);
    k->stopping = true;
    pthread_cond_broadcast(&k->changed);
    pthread_mutex_unlock(&k->lock);
    if (k->running)
        pthread_join(k->thread, NULL);
    k->running = false;
}
