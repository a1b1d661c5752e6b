#include "plugins/sysmon/accounts.h"

#include <stdio.h>
#include <utmp.h>

/* Up to the next colon; false: there was nothing left. */
static bool field(struct text *t, struct text *to)
{
    const char *colon;

    if (!t->at)
        return false;
    colon = memchr(t->at, ':', text_len(*t));
    *to = (struct text){ t->at, colon ? colon : t->end };
    *t = colon ? (struct text){ colon + 1, t->end } : (struct text){ NULL, NULL };
    return true;
}

static bool number(struct text t, uint64_t *v)
{
    return text_len(t) && text_u64(&t, v) && t.at == t.end && *v <= UINT32_MAX;
}

static bool account_parse(struct text line, struct account *a)
{
    struct text f[7];

    for (uint32_t i = 0; i < 7; i++)
        if (!field(&line, &f[i]))
            return false;
    if (!text_len(f[0]) || line.at || !number(f[2], &a->uid) || !number(f[3], &a->gid))
        return false;
    a->name = f[0];
    a->comment = f[4];
    a->home = f[5];
    a->shell = f[6];
    return true;
}

uint32_t accounts_parse(struct text t, struct account *a, uint32_t max, uint32_t *over)
{
    struct text line;
    struct account one;
    uint32_t n = 0;

    *over = 0;
    while (text_line(&t, &line)) {
        if (!account_parse(line, &one))
            continue;
        if (n == max)
            ++*over;
        else
            a[n++] = one;
    }
    return n;
}

bool account_logs_in(const struct account *a)
{
    const char *slash = text_len(a->shell) ? memrchr(a->shell.at, '/', text_len(a->shell)) : NULL;
    struct text last = { slash ? slash + 1 : a->shell.at, a->shell.end };

    return !text_is(last, "nologin") && !text_is(last, "false") && !text_is(last, "sync");
}

static void login_take(const struct utmp *u, struct login *l)
{
    int64_t at = u->ut_tv.tv_sec;

    snprintf(l->user, sizeof l->user, "%.*s", (int)sizeof u->ut_user, u->ut_user);
    snprintf(l->line, sizeof l->line, "%.*s", (int)sizeof u->ut_line, u->ut_line);
    snprintf(l->host, sizeof l->host, "%.*s", (int)sizeof u->ut_host, u->ut_host);
    l->pid = u->ut_pid > 0 ? (uint32_t)u->ut_pid : 0;
    l->since_ns = at > 0 ? (uint64_t)at * 1000000000u : 0;
}

uint32_t logins_parse(struct text t, struct login *l, uint32_t max, uint32_t *over)
{
    struct utmp u;
    uint32_t n = 0;

    *over = 0;
    for (; text_len(t) >= sizeof u; t.at += sizeof u) {
        memcpy(&u, t.at, sizeof u);
        if (u.ut_type != USER_PROCESS || !u.ut_user[0])
            continue;
        if (n == max)
            ++*over;
        else
            login_take(&u, &l[n++]);
    }
    return n;
}
