/* launcher.h: what ecyberd does when root starts it: a small process that parses nothing but its command line, starts
 * the helper (with power, without plugins) and the engine (with plugins, without power), and starts again whichever of
 * them is killed, later and later (0.1 s … 30 s).
 *
 *   launcher ─┬─ ecyber-helper   CAP_NET_ADMIN; fd 3 is its end of a socketpair (SOCK_SEQPACKET)
 *             └─ engine          the user 'ecyber'; ECYBER_HELPER_FD is the other end, and a new one for a new helper
 *                                comes over ECYBER_LAUNCHER_FD as SCM_RIGHTS (unix(7)) with one byte 'h'
 *
 * TERM, INT and HUP are the engine's. When the engine exits, so does the launcher, with its exit code; when the launcher
 * is killed, the kernel kills the other two. */
#ifndef CORE_LAUNCHER_LAUNCHER_H
#define CORE_LAUNCHER_LAUNCHER_H
#include <stdbool.h>
struct cmdline;

/* Does this command line, of this user, want a launcher? */
bool launcher_wanted(const struct cmdline *c);
/* Returns twice: in each engine that it starts false, and the caller goes on as the engine; in the launcher, at the end,
 * true and the exit code. */
bool launcher_run(const struct cmdline *c, int *exit_code);
/* Without a launcher (a replay that ends by itself), where root named a user: becomes it. An exit code, with a line in
 * the log. */
int launcher_become(const struct cmdline *c);

#endif
