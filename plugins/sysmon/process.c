/* One process of the host: what /proc says of it to the engine's user, and what it does not. */
#include "plugins/sysmon/files.h"
#include "plugins/sysmon/host.h"
#include "plugins/sysmon/sockets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PARENTS_MAX 32u
#define ARGS_MAX    256u
#define COMMAND_MAX 16384u
#define OPEN_MAX    200u

struct pid_param { struct ec_part part; uint32_t pid, pad; };
static const struct ec_row pid_rows[] = {
    ROW(U32, 0, 0, struct pid_param, pid, "pid", NULL, NULL, NULL, "number of the process", 1, 4194304),
};
static const struct ec_record pid_record = EC_RECORD_PART(struct pid_param, pid_rows);

struct parent_row { uint32_t pid, pad; struct ec_span name; };
static const struct ec_row parent_rows[] = {
    EC_FIELD(U32, 0, struct parent_row, pid, "pid", NULL, "its number"),
    EC_FIELD(WIRE, 0, struct parent_row, name, "name", NULL, "as it calls itself"),
};
static const struct ec_record parent_record = EC_RECORD_ELEMENT(struct parent_row, parent_rows);

struct open_row { uint8_t local[16], remote[16]; uint32_t kind, local_port, remote_port, pad; };
static const struct ec_row open_rows[] = {
    EC_FIELD_ENUM(0, struct open_row, kind, "proto", "tcp,tcp6,udp,udp6", "which kind"),
    EC_FIELD(IP, 0, struct open_row, local, "local_ip", NULL, "its own address"),
    EC_FIELD(U32, 0, struct open_row, local_port, "local_port", NULL, "its own port"),
    EC_FIELD(IP, 0, struct open_row, remote, "remote_ip", NULL, "the other side's"),
    EC_FIELD(U32, 0, struct open_row, remote_port, "remote_port", NULL, "the other side's; 0: none"),
};
static const struct ec_record open_record = EC_RECORD_ELEMENT(struct open_row, open_rows);

struct process_reply {
    struct ec_part part;
    uint32_t pid, uid, threads, state;
    uint64_t rss, started;
    struct ec_span name, exe;
    struct ec_list command, parents, sockets, limits;
};
enum { HAS_STARTED = 1, HAS_COMMAND, HAS_SOCKETS };
static const struct ec_row process_rows[] = {
    EC_FIELD(U32, 0, struct process_reply, pid, "pid", NULL, "number of the process"),
    EC_FIELD(WIRE, 0, struct process_reply, name, "name", NULL, "as it calls itself"),
    EC_FIELD(U32, 0, struct process_reply, uid, "uid", NULL, "number of its user"),
    EC_FIELD_ENUM(0, struct process_reply, state, "state", "unknown,running,sleeping,disk,stopped,zombie,idle",
                  "what it does"),
    EC_FIELD(U32, 0, struct process_reply, threads, "threads", NULL, "how many it has"),
    EC_FIELD(U64, 0, struct process_reply, rss, "rss", "bytes", "of its memory that is in RAM"),
    EC_FIELD_OPT(TIME, 0, HAS_STARTED, struct process_reply, started, "started", NULL, "when, to the second"),
    { EC_T_WIRE, EC_R_LIST | EC_R_OPT, HAS_COMMAND, 0, offsetof(struct process_reply, command), "command", NULL, NULL,
      NULL, NULL, "its arguments; none: a thread of the kernel", 0, 0 },
    EC_FIELD(WIRE, 0, struct process_reply, exe, "exe", NULL, "the file that it runs; absent: see limits"),
    ROW_LIST(&parent_record, struct process_reply, parents, "parents", "who started it, and who them, up to the first"),
    { EC_T_RECORD, EC_R_LIST | EC_R_OPT, HAS_SOCKETS, 0, offsetof(struct process_reply, sockets), "sockets",
      &open_record, NULL, NULL, NULL, "that it holds open; absent: see limits", 0, 0 },
    ROW_NOTES(struct process_reply, limits),
};
static const struct ec_record process_record = EC_RECORD_PART(struct process_reply, process_rows);

static bool stat_read(int proc, uint32_t pid, struct process *p, uint32_t *uid)
{
    char name[64], bytes[1024];
    struct text t;
    struct stat st;

    snprintf(name, sizeof name, "%u/stat", pid);
    if (!files_short(proc, name, bytes, sizeof bytes, &t) || !proc_pid_stat(t, p) || p->pid != pid)
        return false;
    snprintf(name, sizeof name, "%u", pid);
    *uid = fstatat(proc, name, &st, 0) ? UINT32_MAX : st.st_uid;
    return true;
}

static uint32_t state_word(char c)
{
    static const char letters[] = "?RSDTZI";
    const char *at = c == 't' ? letters + 4 : c ? strchr(letters, c) : NULL;

    return at ? (uint32_t)(at - letters) : 0;
}

static void started_put(const struct looker *l, const struct process *p, struct process_reply *to)
{
    char bytes[64];
    uint64_t up, now = l->host->now(l->host), since = p->start / (uint64_t)sysconf(_SC_CLK_TCK);
    struct text t;

    if (!files_short(l->proc, "uptime", bytes, sizeof bytes, &t) || !proc_uptime(t, &up) || since > up)
        return;
    to->started = (now / 1000000000u - (up - since)) * 1000000000u;
    to->part.has |= 1u << HAS_STARTED;
}

/* Arguments end with a NUL each. */
static void command_put(const struct looker *l, struct ec_build *b, struct process_reply *to, struct notes *n)
{
    char name[64], bytes[COMMAND_MAX];
    struct ec_span *row;
    uint32_t args = 0;
    struct text t;

    snprintf(name, sizeof name, "%u/cmdline", to->pid);
    if (!files_short(l->proc, name, bytes, sizeof bytes, &t)) {
        note(n, "the command line cannot be read: %s", strerror(errno));
        return;
    }
    to->part.has |= 1u << HAS_COMMAND;
    for (const char *p = t.at; p < t.end; p++)
        args += !*p || p + 1 == t.end;
    if (args > ARGS_MAX || text_len(t) == sizeof bytes)
        note(n, "the command line is cut: %u arguments and %u bytes are shown at most", ARGS_MAX, COMMAND_MAX);
    args = args < ARGS_MAX ? args : ARGS_MAX;
    row = ec_rows(b, &to->command, args, sizeof *row);
    for (uint32_t i = 0; row && i < args; i++) {
        size_t len = strnlen(t.at, text_len(t));

        row[i] = ec_put(b, t.at, (uint32_t)len);
        t.at += len + (len < text_len(t));
    }
}

static void exe_put(const struct looker *l, struct ec_build *b, struct process_reply *to, struct notes *n)
{
    char name[64], path[4096];
    ssize_t len;

    snprintf(name, sizeof name, "%u/exe", to->pid);
    len = readlinkat(l->proc, name, path, sizeof path);
    if (len > 0)
        to->exe = ec_put(b, path, (uint32_t)len);
    else if (len < 0 && (errno == EACCES || errno == EPERM))
        note(n, "exe: the kernel shows it only to who may trace the process (its own user, CAP_SYS_PTRACE); the engine "
             "runs as %u", (unsigned)geteuid());
    else
        note(n, "exe: it runs no file that could be named: a thread of the kernel, or it has just ended");
}

static void parents_put(const struct looker *l, struct ec_build *b, struct process_reply *to, uint32_t next)
{
    struct process up[PARENTS_MAX];
    struct parent_row *row;
    uint32_t n = 0, uid;

    while (next && n < PARENTS_MAX && stat_read(l->proc, next, &up[n], &uid))
        next = up[n++].parent;
    row = ec_rows(b, &to->parents, n, sizeof *row);
    for (uint32_t i = 0; row && i < n; i++)
        row[i] = (struct parent_row){ up[i].pid, 0, ec_put(b, up[i].name.s, up[i].name.len) };
}

static bool descriptors_hidden(const struct looker *l, uint32_t pid)
{
    char name[64], one[64];

    snprintf(name, sizeof name, "%u/fd/0", pid);
    return readlinkat(l->proc, name, one, sizeof one) < 0 && (errno == EACCES || errno == EPERM);
}

static void sockets_put(const struct looker *l, struct ec_build *b, struct process_reply *to,
                        struct notes *notes)
{
    struct sockets s;
    struct open_row *row;
    uint32_t n = 0;

    if (descriptors_hidden(l, to->pid)) {
        note(notes, "sockets: the kernel shows them only to who may trace the process (its own user, CAP_SYS_PTRACE); the "
             "engine runs as %u",
             (unsigned)geteuid());
        return;
    }
    if (!sockets_read(&s, l->proc)) {
        note(notes, "sockets: out of memory");
        return;
    }
    to->part.has |= 1u << HAS_SOCKETS;
    row = ec_rows(b, &to->sockets, OPEN_MAX, sizeof *row);
    for (uint32_t i = 0; row && i < s.n; i++) {
        const struct sock *k = &s.sock[i];

        if (k->pid != to->pid)
            continue;
        if (n < OPEN_MAX) {
            row[n] = (struct open_row){ .kind = k->kind, .local_port = k->local_port, .remote_port = k->remote_port };
            memcpy(row[n].local, k->local, 16);
            memcpy(row[n].remote, k->remote, 16);
        }
        n++;
    }
    to->sockets.n = n < OPEN_MAX ? n : OPEN_MAX;
    if (n > OPEN_MAX)
        note(notes, "sockets: %u of %u are shown", OPEN_MAX, n);
    note(notes, "sockets: of TCP and UDP in the engine's network namespace; one that several processes share is the "
         "first's");
    sockets_free(&s);
}

static void process_job(struct ec_req *r, void *arg)
{
    const struct looker *l = arg;
    const struct pid_param *q = l->http->param(r);
    struct process_reply *to;
    struct notes notes = { 0 };
    struct process p;
    struct ec_build b;
    uint32_t uid;

    if (!stat_read(l->proc, q->pid, &p, &uid)) {
        l->http->error(r, 404, "there is no such process, or /proc does not show it to the engine (hidepid)");
        return;
    }
    if ((to = answer_open(&b, sizeof *to, 65536))) {
        to->pid = p.pid;
        to->uid = uid;
        to->threads = p.threads;
        to->state = state_word(p.state);
        to->rss = p.rss_pages * (uint64_t)sysconf(_SC_PAGESIZE);
        to->part.has = HAS_LIST;
        to->name = ec_put(&b, p.name.s, p.name.len);
        started_put(l, &p, to);
        command_put(l, &b, to, &notes);
        exe_put(l, &b, to, &notes);
        parents_put(l, &b, to, p.parent);
        sockets_put(l, &b, to, &notes);
        notes_put(&b, &to->limits, &notes);
    }
    answer_send(l, r, &b);
}

static int32_t process_run(void *self, const void *state, struct ec_req *r)
{
    struct looker *l = self;

    (void)state;
    return l->http->work(r, process_job, l) ? EC_OK : EC_EAGAIN;
}

/* Command lines hold passwords now and then: for those who run the host. */
const struct ec_route process_route = {
    .size = sizeof(struct ec_route), .method = "GET", .path = "/api/system/processes/{pid}",
    .opid = "get_system_process", .summary = "One process: its command, program, parents and sockets",
    .roles = "admin,operator", .param = &pid_record, .reply = &process_record, .run = process_run, .errors = "404" };
