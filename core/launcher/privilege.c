#include "buildconf.h"

#include "core/launcher/privilege.h"

#include "core/folder.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define NO_USER 0xffffffffu             /* (uid_t)-1: 'unchanged' to setuid(2) */
#define BOTH ((capng_type_t)(CAPNG_EFFECTIVE | CAPNG_PERMITTED))

static int failed(char *why, uint32_t n, const char *what)
{
    snprintf(why, n, "%s: %s", what, strerror(errno));
    return -1;
}

int privilege_find(const char *name, struct identity *id, char *why, uint32_t n)
{
    const struct passwd *p = getpwnam(name ? name : ECYBER_USER);
    char *end = NULL;
    unsigned long number = !p && name && *name >= '1' && *name <= '9' ? strtoul(name, &end, 10) : 0;

    *id = (struct identity){ 0, 0, "root", false };
    if (!p && !name)
        return 0;
    if (number && !*end && number < NO_USER) {
        id->uid = id->gid = (uid_t)number;
        snprintf(id->name, sizeof id->name, "%s", name);
        return 0;
    }
    if (!p) {
        snprintf(why, n, "there is no user '%s'", name);
        return -1;
    }
    id->uid = p->pw_uid;
    id->gid = p->pw_gid;
    snprintf(id->name, sizeof id->name, "%s", p->pw_name);
    return 0;
}

/* What stands in the bounding set too stays possible for what is executed; the caller fills it. */
static int apply(char *why, uint32_t n)
{
    if (capng_apply(CAPNG_SELECT_BOTH))
        return failed(why, n, "capabilities cannot be given up");
    return 0;
}

int privilege_launcher(char *why, uint32_t n)
{
    static const unsigned needed[] = { CAP_SETUID, CAP_SETGID, CAP_SETPCAP, CAP_KILL, CAP_NET_ADMIN, CAP_NET_RAW,
                                       CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH };

    capng_get_caps_process();
    for (unsigned c = 0; c <= CAP_LAST_CAP; c++) {
        bool keep = false;

        for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
            keep |= needed[i] == c;
        if (!keep)
            capng_update(CAPNG_DROP, (capng_type_t)(BOTH | CAPNG_INHERITABLE | CAPNG_BOUNDING_SET), c);
    }
    return apply(why, n);
}

/* Asked in a child, which alone becomes the user. */
bool privilege_reaches(const struct identity *id, const char *path)
{
    pid_t pid = fork();
    int status = 0;

    if (!pid)
        _exit(setgroups(0, NULL) || setresgid(id->gid, id->gid, id->gid) || setresuid(id->uid, id->uid, id->uid) ||
              access(path, R_OK));
    return pid < 0 || (waitpid(pid, &status, 0) == pid && !status);
}

/* Adds it where this process has it. */
static void keep(bool has, unsigned cap)
{
    if (has)
        capng_update(CAPNG_ADD, BOTH, cap);
}

int privilege_engine(const struct identity *id, char *why, uint32_t n)
{
    bool account = getpwuid(id->uid), raw, admin, files, search;
    int rc;

    capng_get_caps_process();
    raw = capng_have_capability(CAPNG_PERMITTED, CAP_NET_RAW);
    admin = capng_have_capability(CAPNG_PERMITTED, CAP_NET_ADMIN);
    files = !id->uid && capng_have_capability(CAPNG_PERMITTED, CAP_DAC_OVERRIDE);
    search = id->search && capng_have_capability(CAPNG_PERMITTED, CAP_DAC_READ_SEARCH);
    capng_clear(CAPNG_SELECT_BOTH);
    keep(raw, CAP_NET_RAW);
    keep(admin, CAP_NET_ADMIN);
    keep(files, CAP_DAC_OVERRIDE);
    keep(search, CAP_DAC_READ_SEARCH);
    rc = capng_change_id((int)id->uid, (int)id->gid,
                         (capng_flags_t)((account ? CAPNG_INIT_SUPP_GRP : CAPNG_DROP_SUPP_GRP) | CAPNG_CLEAR_BOUNDING));
    if (rc) {
        snprintf(why, n, "cannot become the user '%s' (capng_change_id: %d)", id->name, rc);
        return -1;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        return failed(why, n, "no_new_privs cannot be set");
    return 0;
}

int privilege_helper(char *why, uint32_t n)
{
    capng_get_caps_process();
    if (!capng_have_capability(CAPNG_PERMITTED, CAP_NET_ADMIN)) {
        snprintf(why, n, "CAP_NET_ADMIN is missing");
        return -1;
    }
    /* CAP_SETPCAP lets the program empty the bounding set itself. */
    for (unsigned c = 0; c <= CAP_LAST_CAP; c++)
        if (c != CAP_NET_ADMIN && c != CAP_SETPCAP)
            capng_update(CAPNG_DROP, (capng_type_t)(BOTH | CAPNG_INHERITABLE | CAPNG_BOUNDING_SET), c);
    return apply(why, n);
}

void privilege_keep(uint32_t which)
{
    static const struct { uint32_t which; unsigned cap; } all[] = {
        { PRIVILEGE_RAW, CAP_NET_RAW }, { PRIVILEGE_ADMIN, CAP_NET_ADMIN } };
    bool changed = false;

    capng_get_caps_process();
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (!(which & all[i].which) && capng_have_capability(CAPNG_PERMITTED, all[i].cap)) {
            capng_update(CAPNG_DROP, BOTH, all[i].cap);
            changed = true;
        }
    if (changed)
        capng_apply(CAPNG_SELECT_CAPS);
}

int privilege_folder(const char *path, const struct identity *id, char *why, uint32_t n)
{
    if (!access(path, F_OK))
        return 0;
    if (folder_make(path) || chown(path, id->uid, id->gid))
        return failed(why, n, path);
    return 0;
}
