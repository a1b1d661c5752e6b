/* accounts.h: who has an account on the host (passwd(5)), and who is logged in (utmp(5)). */
#ifndef SYSMON_ACCOUNTS_H
#define SYSMON_ACCOUNTS_H
#include "plugins/sysmon/text.h"

#define ACCOUNTS_MAX 4096u
#define LOGINS_MAX   1024u

struct account { struct text name, comment, home, shell; uint64_t uid, gid; };      /* into the file's text */
/* Those of the file, at most max; *over: those beyond. A line that is none is left out. */
uint32_t accounts_parse(struct text t, struct account *a, uint32_t max, uint32_t *over);
/* May somebody log in by that shell? */
bool account_logs_in(const struct account *a);

struct login { char user[33], line[33], host[257]; uint32_t pid; uint64_t since_ns; };
/* Those who are logged in, of a file of struct utmp; a half record at the end is left out. */
uint32_t logins_parse(struct text t, struct login *l, uint32_t max, uint32_t *over);

#endif
