/* ecyberctl support-dump: what helps to find a fault, in one .tar.gz. All of it goes through scrub.h. What cannot be
 * had, for the daemon is stopped or has no such plugin, is named in MANIFEST.json. */
#include "buildconf.h"

#include "cli/api.h"
#include "cli/print.h"
#include "cli/scrub.h"
#include "cli/store.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILE_MOST (256u << 10)      /* bytes of a file of the system */

struct dump {
    const struct cli *c;
    char folder[STORE_PATH];        /* where its files are put together */
    struct json_object *files, *missing;
    bool no_daemon, no_api;
};

/* What the daemon says on its control socket, and on its API. */
static const struct {
    const char *file, *command, *path;
} questions[] = {
    {"status.json", "status", NULL},
    {"plugins.json", "plugins", NULL},
    {"drops.json", "drops", NULL},
    {"config.json", "config", NULL},
    {"info.json", NULL, "/api/system/info"},
    {"health.json", NULL, "/api/system/health"},
    {"jobs.json", NULL, "/api/system/jobs?limit=1000"},
    {"logs.json", NULL, "/api/system/logs?limit=1000"},
    {"rules_failed.json", NULL, "/api/rules/failed?limit=1000"},
    {"ids.json", NULL, "/api/ids/status"},
    {"interfaces.json", NULL, "/api/network/interfaces"},
    {"firewall.json", NULL, "/api/firewall/status"},
};

/* Of the system; no command lines and no environments, for these have secrets. %: the daemon's process. */
static const struct {
    const char *file, *path;
} pages[] = {
    {"kernel.txt", "/proc/version"},         {"os-release.txt", "/etc/os-release"},
    {"cpuinfo.txt", "/proc/cpuinfo"},        {"meminfo.txt", "/proc/meminfo"},
    {"loadavg.txt", "/proc/loadavg"},        {"limits.txt", "/proc/%s/limits"},
    {"process.txt", "/proc/%s/status"},      {"cgroup.txt", "/proc/%s/cgroup"},
    {"net_dev.txt", "/proc/%s/net/dev"},     {"softnet.txt", "/proc/%s/net/softnet_stat"},
    {"pressure_cpu.txt", "/proc/pressure/cpu"}, {"pressure_memory.txt", "/proc/pressure/memory"},
};

static int save(struct dump *d, const char *file, const char *text)
{
    char path[STORE_PATH];
    size_t n = strlen(text);
    int code = store_path(path, d->folder, file);
    FILE *out = code ? NULL : fopen(path, "wxe");
    bool bad = !out || fwrite(text, 1, n, out) != n;

    if (out && fclose(out))
        bad = true;
    if (!code && bad)
        code = store_fail(CLI_FAILED, "%s: %s", path, strerror(errno));
    if (!code)
        json_object_array_add(d->files, json_object_new_string(file));
    return code;
}

static int leave_out(struct dump *d, const char *file, const char *why)
{
    struct json_object *o = json_object_new_object();

    json_object_object_add(o, "file", json_object_new_string(file));
    json_object_object_add(o, "why", json_object_new_string(why));
    json_object_array_add(d->missing, o);
    return CLI_OK;
}

static int save_json(struct dump *d, const char *file, struct json_object *o)
{
    struct json_object *clean = scrub_json(o);
    int code = clean ? save(d, file, json_object_to_json_string_ext(clean, JSON_C_TO_STRING_PRETTY))
                     : store_fail(CLI_FAILED, "%s: out of memory", file);

    json_object_put(clean);
    return code;
}

/* One question; pid gets the daemon's process where the answer says it. */
static int ask(struct dump *d, size_t i, char pid[24])
{
    const char *word[] = {questions[i].command, NULL};
    bool *away = questions[i].command ? &d->no_daemon : &d->no_api;
    struct json_object *o = NULL;
    int code = CLI_NOT_RUNNING;

    if (!*away)
        o = questions[i].command ? cli_ask(d->c, word, &code)
                                 : api_call(d->c, "GET", questions[i].path, NULL, &code);
    if (!o) {
        *away = *away || code == CLI_NOT_RUNNING;
        return leave_out(d, questions[i].file,
                         code == CLI_NOT_RUNNING ? "the daemon does not answer there"
                         : code == CLI_NOT_FOUND ? "there is no such plugin"
                         : code == CLI_REFUSED   ? "who asked may not"
                                                 : "the daemon could not answer");
    }
    if (get_number(o, "pid") && questions[i].command)
        snprintf(pid, 24, "%llu", (unsigned long long)get_number(o, "pid"));
    code = save_json(d, questions[i].file, o);
    json_object_put(o);
    return code;
}

static int take_page(struct dump *d, size_t i, const char *pid)
{
    static char text[FILE_MOST];
    const char *mark = strstr(pages[i].path, "%s");
    char path[128], *clean;
    size_t n;
    FILE *f;
    int code;

    snprintf(path, sizeof path, "%.*s%s%s", mark ? (int)(mark - pages[i].path) : (int)strlen(pages[i].path),
             pages[i].path, mark ? pid : "", mark ? mark + 2 : "");
    f = fopen(path, "re");
    if (!f)
        return leave_out(d, pages[i].file, strerror(errno));
    n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = '\0';
    clean = scrub_text(text);
    code = clean ? save(d, pages[i].file, clean) : store_fail(CLI_FAILED, "%s: out of memory", pages[i].file);
    free(clean);
    return code;
}

static int manifest(struct dump *d, const char *stamp)
{
    struct json_object *o = json_object_new_object();
    int code;

    json_object_object_add(o, "format", json_object_new_string("ecyber-support"));
    json_object_object_add(o, "version", json_object_new_int(1));
    json_object_object_add(o, "ecyberctl", json_object_new_string(PACKAGE_VERSION));
    json_object_object_add(o, "made", json_object_new_string(stamp));
    json_object_object_add(o, "files", json_object_get(d->files));
    json_object_object_add(o, "missing", json_object_get(d->missing));
    code = save(d, STORE_MANIFEST, json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY));
    json_object_put(o);
    return code;
}

static int fill(struct dump *d, const char *stamp)
{
    char pid[24] = "self";
    int code = CLI_OK;

    for (size_t i = 0; !code && i < sizeof questions / sizeof *questions; i++)
        code = ask(d, i, pid);
    for (size_t i = 0; !code && i < sizeof pages / sizeof *pages; i++)
        code = take_page(d, i, pid);
    return code ? code : manifest(d, stamp);
}

/* A link replaces nothing, and follows none: what was put there meanwhile stays. */
static int pack(const char *room, const char *name, const char *target)
{
    char file[STORE_PATH];
    const char *argv[] = {"tar", "--create", "--gzip", "--force-local", "--owner=0", "--group=0", "--file", file,
                          "--directory", room, name, NULL};
    int code = store_path(file, room, "dump");

    if (!code)
        code = run_program(argv);
    if (!code && link(file, target))
        code = store_fail(errno == EEXIST ? CLI_REFUSED : CLI_FAILED, "%s: %s", target, strerror(errno));
    return code;
}

/* In a folder of its own beside the target, which only its owner may enter. */
static int make(struct dump *d, const char *target, const char *stamp)
{
    char room[STORE_PATH], name[64];
    int code, n = snprintf(room, sizeof room, "%s.XXXXXX", target);

    if (n < 0 || n >= (int)sizeof room - 80)
        return store_fail(CLI_USAGE, "the name of the file is too long");
    if (!mkdtemp(room))
        return store_fail(CLI_FAILED, "%s: %s", room, strerror(errno));
    snprintf(name, sizeof name, "ecyber-support-%s", stamp);
    code = store_path(d->folder, room, name);
    if (!code && mkdir(d->folder, 0700))
        code = store_fail(CLI_FAILED, "%s: %s", d->folder, strerror(errno));
    if (!code)
        code = fill(d, stamp);
    if (!code)
        code = pack(room, name, target);
    if (*d->folder)
        folder_remove(d->folder);
    folder_remove(room);
    return code;
}

int cmd_support_dump(const struct cli *c, char *const *args)
{
    struct dump d = {.c = c, .files = json_object_new_array(), .missing = json_object_new_array()};
    char stamp[32], own[64];
    const char *target = args[0] ? args[0] : own;
    time_t now = time(NULL);
    struct tm tm;
    int code;

    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
    snprintf(own, sizeof own, "ecyber-support-%s.tar.gz", stamp);
    umask(077);
    code = *target ? make(&d, target, stamp) : store_fail(CLI_USAGE, "the name of the file is empty");
    if (!code)
        printf("%s: %zu files, %zu left out, of which MANIFEST.json in it says why\n", target,
               json_object_array_length(d.files), json_object_array_length(d.missing));
    json_object_put(d.files);
    json_object_put(d.missing);
    return code ? code : print_end();
}
