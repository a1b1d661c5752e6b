/* What a child is given, and what rules look like to it. */
#include "plugins/replay/replay.h"

#include "plugins/replay/child.h"
#include "plugins/replay/result.h"
#include "plugins/replay/settings.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ASK_SECONDS 5
#define CHECK_SECONDS 20

static void on_config(void *arg, int32_t err, const char *json, uint32_t len)
{
    struct replay *k = arg;
    char *copy = err ? NULL : strndup(json, len);

    pthread_mutex_lock(&k->lock);
    free(k->config);
    k->config = copy;
    k->answered = k->asked;
    pthread_cond_broadcast(&k->changed);
    pthread_mutex_unlock(&k->lock);
}

char *live_config(struct replay *k)
{
    struct timespec until;
    char *copy = NULL;
    uint64_t mine;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += ASK_SECONDS;
    pthread_mutex_lock(&k->lock);
    mine = ++k->asked;
    pthread_mutex_unlock(&k->lock);
    if (k->daemon->ask(k->daemon_self, "config", on_config, k))
        return NULL;
    pthread_mutex_lock(&k->lock);
    while (k->answered < mine && !k->stopping && !pthread_cond_timedwait(&k->changed, &k->lock, &until))
        continue;
    if (k->answered >= mine && k->config)
        copy = strdup(k->config);
    pthread_mutex_unlock(&k->lock);
    return copy;
}

static int file_write(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_t n = strlen(text);
    ssize_t put = fd < 0 ? -1 : 0;

    while (n && (put = write(fd, text, n)) > 0) {
        text += put;
        n -= (size_t)put;
    }
    if (fd >= 0)
        close(fd);
    return n ? -1 : 0;
}

/* The rules that the daemon keeps in its own folder are in force too: the child sees them by links. Those of files are hard
 * ones, for symbolic ones are not followed to what is kept. */
static void link_rules(const char *live, const char *folder)
{
    char *state = settings_state_dir(live), from[4300], to[4300];
    DIR *d = NULL;

    if (state) {
        snprintf(from, sizeof from, "%s/ids", state);
        d = opendir(from);
    }
    for (const struct dirent *e; d && (e = readdir(d)); )
        if (e->d_name[0] != '.') {
            snprintf(from, sizeof from, "%s/ids/%s", state, e->d_name);
            snprintf(to, sizeof to, "%s/state/ids/%s", folder, e->d_name);
            if (link(from, to) && symlink(from, to))
                continue;           /* it is there */
        }
    if (d)
        closedir(d);
    free(state);
}

static int failed(char *why, size_t n, const char *path)
{
    snprintf(why, n, "%s cannot be written: %s", path, strerror(errno));
    return -1;
}

static int fill_folder(const char *folder, const char *yaml, const char *rules, char *why, size_t n)
{
    char path[4200];

    for (const char *const *sub = (const char *const[]){ "", "/state", "/state/ids", NULL }; *sub; sub++) {
        snprintf(path, sizeof path, "%s%s", folder, *sub);
        if (mkdir(path, 0700) && errno != EEXIST)
            return failed(why, n, path);
    }
    snprintf(path, sizeof path, "%s/replay.yaml", folder);
    if (file_write(path, yaml))
        return failed(why, n, path);
    snprintf(path, sizeof path, "%s/rules", folder);
    return rules && file_write(path, rules) ? failed(why, n, path) : 0;
}

int folder_make_ready(struct replay *k, const char *folder, const char *rules, char *why, size_t n)
{
    char path[4200], *live = live_config(k), *yaml;
    struct settings s = { .folder = folder, .rules = rules ? path : NULL, .n_plugin = k->o.n_plugin,
                          .plugins = (const char *const *)k->o.plugin, .memory = k->o.memory };
    int rc;

    if (!live) {
        snprintf(why, n, "the daemon does not say what its configuration is: it ends, or is too busy");
        return -1;
    }
    snprintf(path, sizeof path, "%s/rules", folder);
    yaml = settings_make(live, &s, why, n);
    rc = yaml ? fill_folder(folder, yaml, rules, why, n) : -1;
    if (!rc && !rules)
        link_rules(live, folder);
    free(yaml);
    free(live);
    return rc;
}

/* Its status, or −1: it took too long, and was killed. */
static int wait_for(pid_t pid)
{
    struct timespec pause = { 0, 5000000 };
    int status;

    for (int i = 0; i < CHECK_SECONDS * 200; i++) {
        if (waitpid(pid, &status, WNOHANG) == pid)
            return status;
        nanosleep(&pause, NULL);
    }
    child_kill(pid);
    waitpid(pid, &status, 0);
    return -1;
}

static struct json_object *check_in(struct replay *k, const char *folder, const char *rules, char *why, size_t n)
{
    char *argv[] = { (char[]){ "ecyberd" }, (char[]){ "-T" }, (char[]){ "-c" }, (char[]){ "replay.yaml" }, NULL };
    struct child c = { .folder = folder, .argv = argv, .capture = -1, .memory = k->o.memory, .output = k->o.output };
    struct json_object *found;
    char path[4200];
    int status;
    pid_t pid;

    if (folder_make_ready(k, folder, rules, why, n))
        return NULL;
    if ((pid = child_start(&c)) < 0) {
        snprintf(why, n, "no process can be started: %s", strerror(errno));
        return NULL;
    }
    status = wait_for(pid);
    snprintf(path, sizeof path, "%s/rules", folder);
    found = result_problems(folder, path, REPLAY_PROBLEMS);
    if (json_object_array_length(found) || (status >= 0 && WIFEXITED(status) && !WEXITSTATUS(status)))
        return found;
    json_object_put(found);
    if (status < 0)
        snprintf(why, n, "the rules could not be read within %d s", CHECK_SECONDS);
    else if (!result_sentence(folder, why, n))
        snprintf(why, n, "the check of the rules ended with status %d", status);
    return NULL;
}

struct json_object *rules_check(struct replay *k, const char *rules, char *why, size_t n)
{
    const char *state = k->host->state_dir(k->host);
    struct json_object *found;
    char folder[4096];

    snprintf(folder, sizeof folder, "%s/check-XXXXXX", state ? state : "");
    if (!state || !mkdtemp(folder)) {
        snprintf(why, n, "there is no state folder to work in: see core.state_dir");
        return NULL;
    }
    found = check_in(k, folder, rules, why, n);
    folder_clear(folder, true);
    return found;
}
