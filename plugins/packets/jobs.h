/* jobs.h: captures that people ask for: packets of the rings that a filter takes, written to files within bounds. */
#ifndef PACKETS_JOBS_H
#define PACKETS_JOBS_H
#include "plugins/packets/filter.h"
#include "plugins/packets/pcapng.h"

#include <pthread.h>

struct packets;

#define JOBS_MAX 64u
#define JOB_WHO 64

enum job_state { JOB_RUNNING, JOB_DONE, JOB_FAILED };
struct job {
    uint64_t id;                    /* 0: no job */
    enum job_state state;
    char filter[FILTER_MAX], who[JOB_WHO], reason[256];     /* reason: why it ended, in a sentence */
    uint64_t started_ns, ended_ns, duration_ns;     /* ns since 1970 UTC, of host->now(); ended 0: not yet */
    uint64_t packets, most_packets, bytes, most_bytes;      /* in the file, and where it ends */
    uint64_t looked, lost;          /* packets that the filter saw; that were pushed out of the ring before it did */
    uint32_t snap;                  /* bytes of each packet, at most */
    /* of a job that runs: */
    struct filter *program;
    struct pcapng file;
    uint64_t next[64];              /* of each ring, what it looks at next */
};

struct jobs {
    pthread_mutex_t lock;
    struct job job[JOBS_MAX];
    uint32_t most;                  /* files that are kept, options of the plugin */
    uint64_t most_bytes;            /* of each */
    uint64_t last;                  /* id */
    atomic_uint running;
    atomic_uint snap;               /* the largest of those that run, for the workers */
    atomic_bool busy;               /* a drain waits or runs */
    uint8_t *data;                  /* RING_PACKET_MAX bytes, under the lock */
};

/* [ctl] Files of earlier runs are listed again. EC_OK or EC_ENOMEM. */
int32_t jobs_open(struct packets *k, uint32_t most, uint64_t most_bytes);
void jobs_stop(struct packets *k);              /* [ctl] end those that run */
void jobs_close(struct packets *k);             /* [ctl] */
/* [pool] Begin what `ask` says (filter, who, duration_ns, most_*, snap); it becomes the job. program is taken in any
 * case. EC_OK; EC_ELIMIT: there are too many files; EC_EIO: none can be written. why: a sentence. */
int32_t jobs_start(struct packets *k, struct job *ask, struct filter *program, char *why, size_t n);
/* [pool] copy it, without what it works with. false: there is none */
bool jobs_get(struct packets *k, uint64_t id, struct job *to);
uint32_t jobs_list(struct packets *k, struct job *to);      /* [pool] JOBS_MAX of them; how many, the newest first */
/* [pool] End it; with remove its file goes too. false: there is none. */
bool jobs_end(struct packets *k, uint64_t id, bool remove);
int jobs_file(struct packets *k, uint64_t id);  /* [pool] its file, to read; −1: errno says why */
void jobs_tick(struct packets *k);              /* [sub] several times a second */

#endif
