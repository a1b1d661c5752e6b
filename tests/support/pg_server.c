#include "tests/support/pg_server.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WAIT_MS 30000

bool pg_server_installed(struct pg_server *s)
{
    glob_t g;
    bool there = !glob("/usr/lib/postgresql/*/bin/postgres", 0, NULL, &g) && g.gl_pathc;

    if (there)
        snprintf(s->bin, sizeof s->bin, "%.*s",
                 (int)(strrchr(g.gl_pathv[g.gl_pathc - 1], '/') - g.gl_pathv[g.gl_pathc - 1]),
                 g.gl_pathv[g.gl_pathc - 1]);
    globfree(&g);
    return there;
}

/* The server refuses to be root. */
static const struct passwd *user(void)
{
    const struct passwd *p = getuid() ? NULL : getpwnam("postgres");

    return getuid() ? NULL : p ? p : getpwnam("nobody");
}

static void become(const struct pg_server *s)
{
    const struct passwd *p = user();
    int null = open("/dev/null", O_RDWR);

    if (p && (setgid(p->pw_gid) || setuid(p->pw_uid)))
        _exit(126);
    if (chdir(s->folder))
        _exit(126);
    dup2(null, 0);
    dup2(null, 1);
    setpgid(0, 0);
    unsetenv("DATABASE_URL");
}

static bool initdb(const struct pg_server *s)
{
    char program[128];
    int status = 0;
    pid_t pid = fork();

    if (!pid) {
        become(s);
        snprintf(program, sizeof program, "%s/initdb", s->bin);
        execl(program, program, "-D", "data", "-A", "trust", "-U", "ecyber", "-E", "UTF8", "--locale=C.UTF-8",
              "--no-sync", (char *)NULL);
        _exit(127);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

static bool answers(const struct pg_server *s)
{
    char command[300];

    snprintf(command, sizeof command, "%s/pg_isready -q -h %s -p 5432", s->bin, s->folder);
    return !system(command);
}

static bool start_once(struct pg_server *s)
{
    char program[128];

    if (!(s->pid = fork())) {
        become(s);
        dup2(open("log", O_WRONLY | O_CREAT | O_APPEND, 0644), 2);
        snprintf(program, sizeof program, "%s/postgres", s->bin);
        execl(program, program, "-D", "data", "-k", s->folder, "-c", "listen_addresses=", "-c", "port=5432", "-c",
              "autovacuum=off", "-c", "max_connections=40", (char *)NULL);
        _exit(127);
    }
    for (int ms = 0; s->pid > 0 && ms < WAIT_MS && !waitpid(s->pid, NULL, WNOHANG); ms += 50) {
        if (answers(s))
            return true;
        usleep(50000);
    }
    s->pid = 0;
    return false;
}

/* What was killed may not have let go of its memory yet. */
bool pg_server_start(struct pg_server *s)
{
    char command[128];

    for (int i = 0; i < 20; i++) {
        if (start_once(s))
            return true;
        usleep(250000);
    }
    fprintf(stderr, "PostgreSQL does not start; the end of its log:\n");
    snprintf(command, sizeof command, "tail -5 '%s/log' >&2", s->folder);
    if (system(command))
        fprintf(stderr, "there is no log\n");
    return false;
}

bool pg_server_new(struct pg_server *s)
{
    const struct passwd *p = user();

    strcpy(s->folder, "/tmp/ecyber-pg-XXXXXX");
    s->pid = 0;
    if (!mkdtemp(s->folder) || (p && chown(s->folder, p->pw_uid, p->pw_gid)) || chmod(s->folder, 0755) || !initdb(s)) {
        fprintf(stderr, "no database can be made in %s: %s\n", s->folder, strerror(errno));
        return false;
    }
    snprintf(s->url, sizeof s->url, "postgresql+asyncpg://ecyber@/postgres?host=%s", s->folder);
    return pg_server_start(s);
}

/* Its processes have sessions of their own, so they are no group. */
static void kill_children(pid_t pid)
{
    char path[64];
    FILE *f;
    int child;

    snprintf(path, sizeof path, "/proc/%ld/task/%ld/children", (long)pid, (long)pid);
    f = fopen(path, "r");
    kill(pid, SIGKILL);
    while (f && fscanf(f, "%d", &child) == 1)
        kill(child, SIGKILL);
    if (f)
        fclose(f);
}

/* From its file: it may have been started by a case, in a process of its own. */
static pid_t running(const struct pg_server *s, char path[128])
{
    FILE *f;
    int pid = 0;

    snprintf(path, 128, "%s/data/postmaster.pid", s->folder);
    f = fopen(path, "r");
    if (!f)
        return 0;
    if (fscanf(f, "%d", &pid) != 1)
        pid = 0;
    fclose(f);
    return pid;
}

void pg_server_stop(struct pg_server *s, int signal)
{
    char path[128];
    pid_t pid = running(s, path);

    s->pid = 0;
    if (pid <= 0)
        return;
    if (signal == SIGKILL) {
        kill(pid, SIGSTOP);         /* it makes no new ones */
        kill_children(pid);
        waitpid(pid, NULL, 0);
        unlink(path);               /* where it is not our child it may stay a zombie, which the next one would fear */
        snprintf(path, sizeof path, "%s/.s.PGSQL.5432.lock", s->folder);
        unlink(path);
        return;
    }
    kill(pid, signal);
    if (waitpid(pid, NULL, 0) != pid)
        for (int ms = 0; ms < WAIT_MS && !access(path, F_OK); ms += 50)
            usleep(50000);
}

void pg_server_free(struct pg_server *s)
{
    char command[128];

    pg_server_stop(s, SIGINT);
    snprintf(command, sizeof command, "rm -rf '%s'", s->folder);
    if (*s->folder && system(command))
        fprintf(stderr, "%s stays\n", s->folder);
}
