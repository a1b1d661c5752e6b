/* pg_server.h: a PostgreSQL server of a test's own: in a folder that is removed with it, on a Unix socket there, as an
 * unprivileged user where the test is root. */
#ifndef TESTS_PG_SERVER_H
#define TESTS_PG_SERVER_H
#include <stdbool.h>
#include <sys/types.h>

struct pg_server {
    char folder[64], url[256], bin[96];
    pid_t pid;
};

bool pg_server_installed(struct pg_server *s); /* are its programs there? Fills in bin */
/* Makes the folder, an empty database and starts. False: it did not work, and stderr says why. */
bool pg_server_new(struct pg_server *s);
bool pg_server_start(struct pg_server *s);            /* again; true when it answers */
void pg_server_stop(struct pg_server *s, int signal); /* SIGINT: at once and in order; SIGKILL: all its processes die */
void pg_server_free(struct pg_server *s);

#endif
