/* privilege.h: who the processes are and what they may do. Linux capabilities(7) by libcap-ng; each function says in
 * why what failed. One thread, before others are started, except privilege_keep(). */
#ifndef CORE_LAUNCHER_PRIVILEGE_H
#define CORE_LAUNCHER_PRIVILEGE_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct identity {
    uid_t uid;
    gid_t gid;
    char name[32];
    bool search;                    /* it needs CAP_DAC_READ_SEARCH to reach what it is to read */
};

/* The user that the engine runs as. name NULL: ECYBER_USER, or root where there is no such user. A number that no
 * account has is a user, and a group, of its own. −1: no user `name`. */
int privilege_find(const char *name, struct identity *id, char *why, uint32_t n);
/* The launcher: from now on no more than it needs to start the others and to signal them. */
int privilege_launcher(char *why, uint32_t n);
/* May the user read this file or folder? */
bool privilege_reaches(const struct identity *id, const char *path);
/* The engine: becomes the user for good, keeps CAP_NET_RAW and CAP_NET_ADMIN until it knows which its sources need, and
 * nothing that it executes gets more. As root it also keeps CAP_DAC_OVERRIDE, for its own files may stand in a user's folder; with id->search CAP_DAC_READ_SEARCH. */
int privilege_engine(const struct identity *id, char *why, uint32_t n);
/* The helper: what its program then drops, CAP_NET_ADMIN but for the rest. */
int privilege_helper(char *why, uint32_t n);
/* [any] This thread gives up the capabilities of sources but for these; they belong to threads (capabilities(7)). */
enum { PRIVILEGE_RAW = 1 /* CAP_NET_RAW */, PRIVILEGE_ADMIN = 2 /* CAP_NET_ADMIN */ };
void privilege_keep(uint32_t which);
/* A folder that the engine writes to: made with mode 0750 and given to it where it is missing. */
int privilege_folder(const char *path, const struct identity *id, char *why, uint32_t n);

#endif
