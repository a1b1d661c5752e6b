#include "buildconf.h"

#include "core/launcher/launcher.h"

#include "core/cmdline.h"
#include "core/launcher/privilege.h"
#include "core/launcher/process.h"
#include "core/log/log.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FIRST_WAIT UINT64_C(100000000)          /* ns before the first new start; doubled for each further one */
#define LONGEST_WAIT UINT64_C(30000000000)
#define SETTLED UINT64_C(60000000000)           /* who ran so long begins with the first wait again */

enum { HELPER, ENGINE, CHILDREN };
static const char *const names[CHILDREN] = { "the helper", "the engine" };

struct child {
    pid_t pid;                      /* 0: it does not run */
    uint64_t started, due, wait;    /* monotonic ns; due: when it is to be started again, 0: it is not */
};
struct launcher {
    struct identity id;
    struct child child[CHILDREN];
    struct process_pipes pipes;
    bool stopping;
    int exit_code;
};

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

bool launcher_wanted(const struct cmdline *c)
{
    return c->mode == MODE_RUN && !c->alone && !geteuid() && (!c->replay || c->stay);
}

static void signals_of_launcher(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGCHLD);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
}

static void later(struct child *c)
{
    uint64_t now = now_ns();

    c->wait = !c->wait || now - c->started > SETTLED ? FIRST_WAIT : c->wait * 2;
    if (c->wait > LONGEST_WAIT)
        c->wait = LONGEST_WAIT;
    c->due = now + c->wait;
}

/* In the engine: false. */
static bool start(struct launcher *l, int which)
{
    struct child *c = &l->child[which];

    c->due = 0;
    c->started = now_ns();
    c->pid = which == HELPER ? process_helper(&l->pipes) : process_engine(&l->pipes, &l->id);
    if (!c->pid)
        return false;
    if (c->pid < 0) {
        LOG(EC_LOG_ERROR, "%s cannot be started: %s", names[which], strerror(errno));
        c->pid = 0;
        later(c);
    }
    return true;
}

/* A child has ended. A helper that exits by itself has said why and would do it again, but one day its cause may be
 * gone: it is started again too, late. */
static void ended(struct launcher *l, int which, int status)
{
    struct child *c = &l->child[which];

    c->pid = 0;
    if (which == ENGINE)
        process_engine_gone(&l->pipes);
    if (which == ENGINE && (WIFEXITED(status) || l->stopping)) {
        l->stopping = true;
        l->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILED;
        return;
    }
    if (l->stopping)
        return;
    later(c);
    if (which == HELPER && !l->child[ENGINE].pid && WIFEXITED(status)) {
        c->due = l->child[ENGINE].due;          /* it went because the engine did */
        return;
    }
    if (WIFSIGNALED(status))
        LOG(EC_LOG_ERROR, "%s was ended by signal %d (%s); starts it again in %.1f s", names[which], WTERMSIG(status),
            strsignal(WTERMSIG(status)), (double)c->wait / 1e9);
    else if (WEXITSTATUS(status))   /* 0: a helper that the engine let go of, as it ends */
        LOG(EC_LOG_WARNING, "%s ended with exit code %d; starts it again in %.1f s", names[which],
            WEXITSTATUS(status), (double)c->wait / 1e9);
}

static void reap(struct launcher *l)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (int i = 0; i < CHILDREN; i++)
            if (l->child[i].pid == pid)
                ended(l, i, status);
}

static void pass_on(struct launcher *l, int sig)
{
    if (sig != SIGHUP)
        l->stopping = true;
    if (l->child[ENGINE].pid > 0)
        kill(l->child[ENGINE].pid, sig);
    else if (l->stopping)
        l->child[ENGINE].due = 0;
}

/* Starts what is due. In the engine: false. */
static bool start_due(struct launcher *l, struct timespec *wait)
{
    uint64_t now = now_ns(), next = now + LONGEST_WAIT;

    for (int i = 0; i < CHILDREN && !l->stopping; i++) {
        struct child *c = &l->child[i];

        if (c->due && c->due <= now && !start(l, i))
            return false;
        if (c->due && c->due < next)
            next = c->due;
    }
    next = next > now ? next - now : 0;
    wait->tv_sec = (time_t)(next / 1000000000u);
    wait->tv_nsec = (long)(next % 1000000000u);
    return true;
}

/* Until the engine has ended for good. In the engine: false. */
static bool watch(struct launcher *l)
{
    struct timespec wait;
    sigset_t set;
    int sig;

    signals_of_launcher(&set);
    l->child[ENGINE].due = 1;
    if (process_helper_exists())
        l->child[HELPER].due = 1;
    else
        LOG(EC_LOG_WARNING, "ecyber-helper is not installed: nothing can be blocked");
    while (!l->stopping || l->child[ENGINE].pid > 0) {
        if (!start_due(l, &wait))
            return false;
        sig = sigtimedwait(&set, NULL, &wait);
        if (sig < 0)
            continue;
        if (sig == SIGCHLD)
            reap(l);
        else
            pass_on(l, sig);
    }
    process_helper_stop(&l->pipes, l->child[HELPER].pid);
    return true;
}

/* The folder of the plugins, and captures to replay, may stand where only root may look: below /root, say. */
static void look_for_files(struct identity *id, const struct cmdline *c)
{
    static const char scheme[] = "file:";
    const char *out = id->uid && !privilege_reaches(id, ECYBER_PLUGINDIR) ? ECYBER_PLUGINDIR : NULL;

    for (uint32_t i = 0; id->uid && !out && i < c->n_source; i++) {
        const char *path = c->source[i] + sizeof scheme - 1;

        if (!strncmp(c->source[i], scheme, sizeof scheme - 1) && !access(path, R_OK) && !privilege_reaches(id, path))
            out = path;
    }
    id->search = out;
    if (out)
        LOG(EC_LOG_WARNING, "%s may not read %s, so the engine keeps CAP_DAC_READ_SEARCH: it may read every file", id->name,
            out);
}

static int prepare(struct launcher *l, const struct cmdline *c)
{
    char why[256];

    if (privilege_find(c->user, &l->id, why, sizeof why)) {
        LOG(EC_LOG_CRITICAL, "--user: %s", why);
        return EXIT_USAGE;
    }
    if (!l->id.uid && !c->user)
        LOG(EC_LOG_WARNING, "there is no user '" ECYBER_USER "', so the engine stays root, without its capabilities; "
                            "systemd-sysusers makes the user, --user NAME takes another");
    look_for_files(&l->id, c);
    if (privilege_folder(ECYBER_RUNDIR, &l->id, why, sizeof why) ||
        privilege_folder(ECYBER_STATEDIR, &l->id, why, sizeof why))
        LOG(EC_LOG_WARNING, "%s", why);
    if (privilege_launcher(why, sizeof why)) {
        LOG(EC_LOG_CRITICAL, "%s", why);
        return EXIT_FAILED;
    }
    return EXIT_FINE;
}

int launcher_become(const struct cmdline *c)
{
    struct identity id;
    char why[256];

    if (c->mode != MODE_RUN || !c->user || c->alone || geteuid() || launcher_wanted(c))
        return EXIT_FINE;
    if (privilege_find(c->user, &id, why, sizeof why)) {
        LOG(EC_LOG_CRITICAL, "--user: %s", why);
        return EXIT_USAGE;
    }
    look_for_files(&id, c);
    if (privilege_folder(ECYBER_STATEDIR, &id, why, sizeof why))
        LOG(EC_LOG_WARNING, "%s", why);
    if (privilege_engine(&id, why, sizeof why)) {
        LOG(EC_LOG_CRITICAL, "%s", why);
        return EXIT_FAILED;
    }
    privilege_keep(0);
    return EXIT_FINE;
}

bool launcher_run(const struct cmdline *c, int *exit_code)
{
    struct launcher l = { .pipes = PROCESS_NO_PIPES };
    sigset_t set, old;
    bool launcher;

    signals_of_launcher(&set);
    sigprocmask(SIG_BLOCK, &set, &old);
    l.exit_code = prepare(&l, c);
    launcher = l.exit_code || watch(&l);
    sigprocmask(SIG_SETMASK, &old, NULL);
    *exit_code = l.exit_code;
    return launcher;
}
