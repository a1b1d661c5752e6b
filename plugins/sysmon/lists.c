/* Lists of the host: sockets, services, accounts. */
#include "plugins/sysmon/accounts.h"
#include "plugins/sysmon/files.h"
#include "plugins/sysmon/host.h"
#include "plugins/sysmon/sockets.h"
#include "plugins/sysmon/units.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ITEMS_MOST 1000

/* --- sockets --- */
#define KINDS  "tcp,tcp6,udp,udp6"
#define STATES "unknown,established,syn_sent,syn_recv,fin_wait1,fin_wait2,time_wait,close,close_wait,last_ack,listen," \
               "closing,new_syn_recv,unconnected"
enum { STATE_CLOSE = 7, STATE_UNCONNECTED = 13 };
struct sockets_param { struct ec_part part; uint32_t limit, kind, state, pid, port, pad; };
enum { ASK_KIND, ASK_STATE, ASK_PID, ASK_PORT };
static const struct ec_row sockets_param_rows[] = {
    ROW(U32, 0, 0, struct sockets_param, limit, "limit", NULL, "100", "sockets", "at most so many", 1, ITEMS_MOST),
    ROW(ENUM, EC_R_OPT, ASK_KIND, struct sockets_param, kind, "proto", KINDS, NULL, NULL, "only of this kind", 0, 0),
    ROW(ENUM, EC_R_OPT, ASK_STATE, struct sockets_param, state, "state", STATES, NULL, NULL, "only in this state", 0,
        0),
    ROW(U32, EC_R_OPT, ASK_PID, struct sockets_param, pid, "pid", NULL, NULL, NULL, "only of this process", 1, 4194304),
    ROW(U32, EC_R_OPT, ASK_PORT, struct sockets_param, port, "port", NULL, NULL, NULL,
        "only with this port, on either side", 0, 65535),
};
static const struct ec_record sockets_param = EC_RECORD_PART(struct sockets_param, sockets_param_rows);

struct socket_row {
    uint8_t local[16], remote[16];
    uint32_t kind, state, local_port, remote_port, uid, pid;
    struct ec_span process;
    uint64_t has;
};
enum { HAS_PID };
static const struct ec_row socket_rows[] = {
    EC_FIELD_ENUM(0, struct socket_row, kind, "proto", KINDS, "which kind"),
    EC_FIELD_ENUM(0, struct socket_row, state, "state", STATES, "what it does; UDP: established or unconnected"),
    EC_FIELD(IP, 0, struct socket_row, local, "local_ip", NULL, "its own address"),
    EC_FIELD(U32, 0, struct socket_row, local_port, "local_port", NULL, "its own port"),
    EC_FIELD(IP, 0, struct socket_row, remote, "remote_ip", NULL, "the other side's"),
    EC_FIELD(U32, 0, struct socket_row, remote_port, "remote_port", NULL, "the other side's; 0: none"),
    EC_FIELD(U32, 0, struct socket_row, uid, "uid", NULL, "number of its user"),
    EC_FIELD_OPT(U32, 0, HAS_PID, struct socket_row, pid, "pid", NULL, "of its process; absent: see limits"),
    EC_FIELD(WIRE, 0, struct socket_row, process, "process", NULL, "name of that process"),
};
static const struct ec_record socket_record = {
    (uint32_t)sizeof(struct ec_record), (uint32_t)sizeof(struct socket_row), EC_ROWS(socket_rows),
    (uint32_t)offsetof(struct socket_row, has), 0, socket_rows };
struct sockets_reply { struct ec_part part; uint32_t count, matched; struct ec_list items, limits; };
static const struct ec_row sockets_reply_rows[] = {
    EC_FIELD(U32, 0, struct sockets_reply, count, "count", "sockets", "that there are"),
    EC_FIELD(U32, 0, struct sockets_reply, matched, "matched", "sockets", "of them that were asked for"),
    ROW_LIST(&socket_record, struct sockets_reply, items, "items", "the first of those"),
    ROW_NOTES(struct sockets_reply, limits),
};
static const struct ec_record sockets_reply = EC_RECORD_PART(struct sockets_reply, sockets_reply_rows);

static uint32_t state_of(const struct sock *s)
{
    return s->kind >= SOCKET_UDP && s->state == STATE_CLOSE ? STATE_UNCONNECTED : s->state;
}

static bool wanted(const struct sockets_param *q, const struct sock *s)
{
    uint64_t has = q->part.has;

    return (!(has >> ASK_KIND & 1) || q->kind == s->kind) && (!(has >> ASK_STATE & 1) || q->state == state_of(s)) &&
           (!(has >> ASK_PID & 1) || q->pid == s->pid) &&
           (!(has >> ASK_PORT & 1) || q->port == s->local_port || q->port == s->remote_port);
}

static struct ec_span process_name(const struct looker *l, struct ec_build *b, uint32_t pid)
{
    char name[64], bytes[1024];
    struct process p;
    struct text t;

    snprintf(name, sizeof name, "%u/stat", pid);
    if (!pid || !files_short(l->proc, name, bytes, sizeof bytes, &t) || !proc_pid_stat(t, &p))
        return (struct ec_span){ 0, 0 };
    return ec_put(b, p.name.s, p.name.len);
}

static void socket_put(const struct looker *l, struct ec_build *b, struct socket_row *to, const struct sock *s)
{
    memcpy(to->local, s->local, 16);
    memcpy(to->remote, s->remote, 16);
    to->kind = s->kind;
    to->state = state_of(s);
    to->local_port = s->local_port;
    to->remote_port = s->remote_port;
    to->uid = s->uid;
    to->pid = s->pid;
    to->has = s->pid ? 1u << HAS_PID : 0;
    to->process = process_name(l, b, s->pid);
}

static void sockets_limits(const struct sockets *s, struct notes *n)
{
    if (s->hidden)
        note(n, "the kernel shows the descriptors of a process only to who may trace it (its own user, CAP_SYS_PTRACE): of "
             "%u processes the sockets have no pid here (the engine runs as user %u)", s->hidden, (unsigned)geteuid());
    if (s->over)
        note(n, "%llu sockets are beyond the first %u and were only counted", (unsigned long long)s->over,
             SOCKETS_MAX);
    if (s->cut)
        note(n, "%u of the kernel's lists were longer than what is read of them", s->cut);
    if (s->owners_over)
        note(n, "%llu descriptors are beyond the first %u: their sockets have no pid",
             (unsigned long long)s->owners_over, OWNERS_MAX);
    if (s->unreadable)
        note(n, "%u of the kernel's 4 lists of sockets cannot be read", s->unreadable);
    note(n, "sockets of TCP and UDP in the engine's network namespace");
}

static void sockets_job(struct ec_req *r, void *arg)
{
    const struct looker *l = arg;
    const struct sockets_param *q = l->http->param(r);
    struct sockets_reply *to;
    struct socket_row *row;
    struct notes notes = { 0 };
    struct ec_build b = { 0 };
    struct sockets s;

    if (sockets_read(&s, l->proc) &&
        (to = answer_open(&b, sizeof *to, q->limit * (uint32_t)(sizeof *row + NAME_KEPT)))) {
        to->part.has = HAS_LIST;
        to->count = s.n + (uint32_t)s.over;
        row = ec_rows(&b, &to->items, q->limit, sizeof *row);
        for (uint32_t i = 0; row && i < s.n; i++)
            if (wanted(q, &s.sock[i]) && to->matched++ < q->limit)
                socket_put(l, &b, &row[to->matched - 1], &s.sock[i]);
        to->items.n = to->matched < q->limit ? to->matched : q->limit;
        sockets_limits(&s, &notes);
        notes_put(&b, &to->limits, &notes);
    }
    sockets_free(&s);
    answer_send(l, r, &b);
}

/* --- services --- */
struct unit_row { struct ec_span name, description, load, active, sub; };
static const struct ec_row unit_rows[] = {
    EC_FIELD(TEXT, 0, struct unit_row, name, "name", NULL, "of the unit"),
    EC_FIELD(WIRE, 0, struct unit_row, description, "description", NULL, "what it is, cut after 159 bytes"),
    EC_FIELD(TEXT, 0, struct unit_row, load, "load", NULL, "loaded, not-found, masked …"),
    EC_FIELD(TEXT, 0, struct unit_row, active, "active", NULL, "active, inactive, failed, activating …"),
    EC_FIELD(TEXT, 0, struct unit_row, sub, "sub", NULL, "running, exited, dead, failed …"),
};
static const struct ec_record unit_record = EC_RECORD_ELEMENT(struct unit_row, unit_rows);
struct units_reply { struct ec_part part; uint32_t count, failed; struct ec_list items, limits; };
static const struct ec_row units_rows[] = {
    EC_FIELD(U32, 0, struct units_reply, count, "count", "services", "that systemd has in memory"),
    EC_FIELD(U32, 0, struct units_reply, failed, "failed", "services", "of those below that have failed"),
    ROW_LIST(&unit_record, struct units_reply, items, "items", "by name"),
    ROW_NOTES(struct units_reply, limits),
};
static const struct ec_record units_reply = EC_RECORD_PART(struct units_reply, units_rows);

static void units_put(struct ec_build *b, struct units_reply *to, const struct units *u)
{
    struct unit_row *row = ec_rows(b, &to->items, u->n, sizeof *row);
    struct notes notes = { 0 };

    to->part.has = HAS_LIST;
    to->count = u->n + u->over;
    for (uint32_t i = 0; row && i < u->n; i++) {
        const struct unit *k = &u->unit[i];

        row[i] = (struct unit_row){ ec_puts(b, k->name), ec_puts(b, k->description), ec_puts(b, k->load),
                                    ec_puts(b, k->active), ec_puts(b, k->sub) };
        to->failed += !strcmp(k->active, "failed");
    }
    if (u->over)
        note(&notes, "%u services are beyond the first %u and were only counted", u->over, UNITS_MAX);
    notes_put(b, &to->limits, &notes);
}

static void services_job(struct ec_req *r, void *arg)
{
    const struct looker *l = arg;
    struct units_reply *to;
    struct ec_build b;
    struct units u;
    char why[512];

    if (!units_read(&u, NULL, why, sizeof why)) {
        l->http->error(r, 503, why);
        return;
    }
    if ((to = answer_open(&b, sizeof *to, u.n * (uint32_t)(sizeof(struct unit_row) + sizeof(struct unit)))))
        units_put(&b, to, &u);
    units_free(&u);
    answer_send(l, r, &b);
}

/* --- users --- */
struct account_row { struct ec_span name, comment, home, shell; uint32_t uid, gid; uint8_t login, pad[7]; };
static const struct ec_row account_rows[] = {
    EC_FIELD(WIRE, 0, struct account_row, name, "name", NULL, "of the account"),
    EC_FIELD(U32, 0, struct account_row, uid, "uid", NULL, "its number"),
    EC_FIELD(U32, 0, struct account_row, gid, "gid", NULL, "number of its first group"),
    EC_FIELD(WIRE, 0, struct account_row, comment, "comment", NULL, "whose it is"),
    EC_FIELD(WIRE, 0, struct account_row, home, "home", NULL, "its folder"),
    EC_FIELD(WIRE, 0, struct account_row, shell, "shell", NULL, "what runs after a log-in"),
    EC_FIELD(BOOL, 0, struct account_row, login, "login", NULL, "that shell lets somebody log in"),
};
static const struct ec_record account_record = EC_RECORD_ELEMENT(struct account_row, account_rows);
struct login_row { struct ec_span user, line, host; uint64_t since; uint32_t pid, pad; };
static const struct ec_row login_rows[] = {
    EC_FIELD(WIRE, 0, struct login_row, user, "user", NULL, "who"),
    EC_FIELD(WIRE, 0, struct login_row, line, "line", NULL, "terminal"),
    EC_FIELD(WIRE, 0, struct login_row, host, "host", NULL, "from where; empty: at this machine"),
    EC_FIELD(TIME, 0, struct login_row, since, "since", NULL, "when the log-in was"),
    EC_FIELD(U32, 0, struct login_row, pid, "pid", NULL, "of the process that did it"),
};
static const struct ec_record login_record = EC_RECORD_ELEMENT(struct login_row, login_rows);
struct users_reply { struct ec_part part; uint32_t count, pad; struct ec_list accounts, logins, limits; };
enum { HAS_LOGINS = 1 };
static const struct ec_row users_rows[] = {
    EC_FIELD(U32, 0, struct users_reply, count, "count", "accounts", "that passwd(5) has"),
    ROW_LIST(&account_record, struct users_reply, accounts, "accounts", "in the order of the file"),
    { EC_T_RECORD, EC_R_LIST | EC_R_OPT, HAS_LOGINS, 0, offsetof(struct users_reply, logins), "logged_in",
      &login_record, NULL, NULL, NULL, "who is logged in; absent: see limits", 0, 0 },
    ROW_NOTES(struct users_reply, limits),
};
static const struct ec_record users_reply = EC_RECORD_PART(struct users_reply, users_rows);

static struct ec_span put_text(struct ec_build *b, struct text t)
{
    return ec_put(b, t.at, text_len(t));
}

static void accounts_put(const struct looker *l, struct ec_build *b, struct users_reply *to, char *bytes,
                         struct notes *n)
{
    struct account *a = malloc(ACCOUNTS_MAX * sizeof *a);
    struct account_row *row;
    uint32_t count, over;
    struct text t;

    if (!a || !files_short(l->root, "etc/passwd", bytes, FILES_BYTES, &t)) {
        note(n, "accounts: etc/passwd cannot be read: %s", strerror(errno));
        free(a);
        return;
    }
    count = accounts_parse(t, a, ACCOUNTS_MAX, &over);
    to->count = count + over;
    row = ec_rows(b, &to->accounts, count, sizeof *row);
    for (uint32_t i = 0; row && i < count; i++)
        row[i] = (struct account_row){ put_text(b, a[i].name), put_text(b, a[i].comment), put_text(b, a[i].home),
                                       put_text(b, a[i].shell), (uint32_t)a[i].uid, (uint32_t)a[i].gid,
                                       account_logs_in(&a[i]), { 0 } };
    free(a);
    if (over || text_len(t) == FILES_BYTES)
        note(n, "accounts: %u are shown, the file has more", count);
}

static void logins_put(const struct looker *l, struct ec_build *b, struct users_reply *to, char *bytes,
                       struct notes *n)
{
    static const char *const names[] = { "run/utmp", "var/run/utmp" };
    struct login *in = malloc(LOGINS_MAX * sizeof *in);
    struct login_row *row;
    uint32_t count, over;
    struct text t;

    if (!in || (!files_short(l->root, names[0], bytes, FILES_BYTES, &t) &&
                !files_short(l->root, names[1], bytes, FILES_BYTES, &t))) {
        note(n, "logged_in: run/utmp cannot be read: %s", strerror(errno));
        free(in);
        return;
    }
    count = logins_parse(t, in, LOGINS_MAX, &over);
    to->part.has |= 1u << HAS_LOGINS;
    row = ec_rows(b, &to->logins, count, sizeof *row);
    for (uint32_t i = 0; row && i < count; i++)
        row[i] = (struct login_row){ ec_puts(b, in[i].user), ec_puts(b, in[i].line), ec_puts(b, in[i].host),
                                     in[i].since_ns, in[i].pid, 0 };
    free(in);
    if (over)
        note(n, "logged_in: %u are shown, %u more are not", count, over);
}

static void users_job(struct ec_req *r, void *arg)
{
    const struct looker *l = arg;
    char *bytes = malloc(FILES_BYTES);
    struct users_reply *to;
    struct notes notes = { 0 };
    struct ec_build b = { 0 };

    if (bytes && (to = answer_open(&b, sizeof *to, 2u << 20))) {
        to->part.has = HAS_LIST;
        accounts_put(l, &b, to, bytes, &notes);
        logins_put(l, &b, to, bytes, &notes);
        note(&notes, "accounts of LDAP or another directory are not in passwd(5), so they are not here");
        notes_put(&b, &to->limits, &notes);
    }
    free(bytes);
    answer_send(l, r, &b);
}

#define RUN(name) \
    static int32_t name##_run(void *self, const void *state, struct ec_req *r) \
    { \
        struct looker *l = self; \
        (void)state; \
        return l->http->work(r, name##_job, l) ? EC_OK : EC_EAGAIN; \
    }
RUN(sockets)
RUN(services)
RUN(users)

const struct ec_route connections_route = {
    .size = sizeof(struct ec_route), .method = "GET", .path = "/api/system/connections",
    .opid = "list_system_connections", .summary = "Sockets of the host, with their process where it may be seen",
    .roles = READERS, .param = &sockets_param, .reply = &sockets_reply, .run = sockets_run };
const struct ec_route services_route = {
    .size = sizeof(struct ec_route), .method = "GET", .path = "/api/system/services",
    .opid = "list_system_services", .summary = "Services of the host, as systemd has them",
    .roles = READERS, .reply = &units_reply, .run = services_run };
const struct ec_route users_route = {
    .size = sizeof(struct ec_route), .method = "GET", .path = "/api/system/users",
    .opid = "list_system_users", .summary = "Accounts of the host, and who is logged in",
    .roles = "admin,operator", .reply = &users_reply, .run = users_run };
