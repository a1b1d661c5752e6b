#include "plugins/capture/replay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plugins/capture/filter.h"
#include "plugins/capture/folder.h"
#include "plugins/capture/pace.h"
#include "plugins/capture/savefile.h"
#include "plugins/capture/share.h"

#define TURN_MAX     4096 /* records in one fetch(), wanted or not: then the worker looks round */
#define PIPE_WAIT_MS 10000          /* for the first bytes of a pipe */

#define CLOCK_BACK_NS UINT64_C(10000000000)     /* further back than that, the clock was set back */

struct replay {
    struct replay_config c;
    char *filter_text;
    struct filter filter;
    struct folder folder;
    uint32_t next_file, out;        /* out: frames that have not come back */
    bool open;
    struct savefile file;
    uint64_t count;                 /* records so far, of all files */
    struct pace pace;
    struct savefile_record held;    /* its time has not come; data NULL: none */
    uint64_t before, whole;         /* bytes: of the files that are closed, of all (0: not known) */
    uint64_t stats[EC_SRC_ALL];
    uint8_t *buf;
};

static void replay_say(const struct replay *r, enum say_what what, const char *sentence)
{
    if (r->c.share == 0)
        say(&r->c.say, what, sentence);
}

static void replay_skip(void *arg, const char *why)
{
    replay_say(arg, SAY_SKIPPED, why);
}

static const char *replay_path(const struct replay *r)
{
    return r->folder.file[r->next_file - 1].path;
}

/* Opens the next file; 0, or −1 and a sentence. */
static int replay_next(struct replay *r, char *why, uint32_t n)
{
    const char *path = r->folder.file[r->next_file++].path;
    int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) : dup(STDIN_FILENO);

    if (fd < 0) {
        snprintf(why, n, "cannot open %s: %s", path, strerror(errno));
        return -1;
    }
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    if (savefile_open(&r->file, path, fd, r->buf, PIPE_WAIT_MS, why, n))
        return -1;
    if (r->c.shares > 1 && !r->file.stream.regular) {
        snprintf(why, n, "%s is a pipe, which only one worker can read: use --workers 0 or 1",
                 path);
        savefile_close(&r->file);
        return -1;
    }
    r->open = true;
    pace_restart(&r->pace);
    return 0;
}

struct replay *replay_open(const struct replay_config *c, char *why, uint32_t n)
{
    struct replay *r = calloc(1, sizeof *r);

    if (!r || !(r->buf = malloc(STREAM_SIZE)) ||
        !(r->filter_text = strdup(c->filter ? c->filter : ""))) {
        snprintf(why, n, "out of memory");
        replay_close(r);
        return NULL;
    }
    r->c = *c;
    pace_open(&r->pace, c->pace);
    filter_open(&r->filter, r->filter_text);
    if (folder_open(&r->folder, c->path, r->buf, replay_skip, r, why, n) ||
        (r->folder.n == 1 && replay_next(r, why, n))) {
        replay_close(r);
        return NULL;
    }
    for (uint32_t i = 0; i < r->folder.n; i++) {
        if (!r->folder.file[i].bytes) {
            r->whole = 0;
            break;
        }
        r->whole += r->folder.file[i].bytes;
    }
    return r;
}

static void replay_end(struct replay *r, enum savefile_status st)
{
    char sentence[4608];

    if (st != SAVEFILE_END) {
        savefile_explain(&r->file, st, replay_path(r), sentence, sizeof sentence);
        replay_say(r, SAY_CUT, sentence);
    }
    if ((st == SAVEFILE_CUT || st == SAVEFILE_DAMAGED) && r->c.share == 0) {
        r->stats[EC_SRC_SEEN]++;    /* the record in which the reading ended */
        r->stats[EC_SRC_BAD]++;
    }
    r->before += stream_offset(&r->file.stream);
    savefile_close(&r->file);
    r->open = false;
}

/* Is there a file to read? Files that cannot be opened are passed over. */
static bool replay_ready(struct replay *r)
{
    char why[4608];

    while (!r->open && r->next_file < r->folder.n)
        if (replay_next(r, why, sizeof why))
            replay_say(r, SAY_SKIPPED, why);
    return r->open;
}

/* A share's clock goes by every record, so that flows end for the same reason with any number of
 * workers. */
static void replay_clock(struct replay *r, uint64_t ts_ns)
{
    uint64_t *clock = &r->stats[EC_SRC_CLOCK];

    if (ts_ns > *clock || *clock - ts_ns > CLOCK_BACK_NS)
        *clock = ts_ns;
}

/* Is the record this share's, and wanted? Counts it. */
static bool replay_keep(struct replay *r, const struct savefile_record *rec)
{
    char why[1024];
    bool keep;

    *why = '\0';
    if (r->c.shares > 1 &&
        share_of(rec->linktype, rec->data, rec->caplen, r->c.shares) != r->c.share)
        return false;
    r->stats[EC_SRC_SEEN]++;
    keep = filter_wants(&r->filter, rec->linktype, rec->data, rec->caplen, rec->wirelen, why,
                        sizeof why);
    if (*why)
        replay_say(r, SAY_FILTER, why);
    if (!keep)
        r->stats[EC_SRC_FILTERED]++;
    return keep;
}

static void replay_fill(struct replay *r, const struct savefile_record *rec, struct ec_frame *f)
{
    f->flags = EC_FR_REPLAY | (rec->caplen < rec->wirelen ? EC_FR_CUT : 0u);
    f->data = rec->data;
    f->ts_ns = rec->ts_ns;
    f->count = r->count;
    f->caplen = rec->caplen;
    f->wirelen = rec->wirelen;
    f->linktype = rec->linktype;
    f->iface = 0;
    f->cookie = 0;
    r->stats[EC_SRC_DELIVERED]++;
    r->stats[EC_SRC_BYTES] += rec->caplen;
}

/* The record that is next in the file, or the one whose time had not come. */
static enum savefile_status replay_record(struct replay *r, struct savefile_record *rec)
{
    enum savefile_status st = SAVEFILE_RECORD;

    if (r->held.data) {
        *rec = r->held;
        r->held.data = NULL;
        return st;
    }
    st = savefile_next(&r->file, rec);
    if (st == SAVEFILE_RECORD) {
        r->count++;
        replay_clock(r, rec->ts_ns);
    }
    return st;
}

/* One step of the file. Returns 1 for a frame, 0 for none, −1 to leave the turn with *why. */
static int replay_step(struct replay *r, struct ec_frame *f, uint32_t *why)
{
    struct savefile_record rec;
    enum savefile_status st = replay_record(r, &rec);

    switch (st) {
    case SAVEFILE_RECORD:
        if (pace_early(&r->pace, rec.ts_ns)) {
            r->held = rec;
            *why = EC_SRC_IDLE;
            return -1;
        }
        if (!replay_keep(r, &rec))
            return 0;
        replay_fill(r, &rec, f);
        r->file.stream.pinned = true;
        return 1;
    case SAVEFILE_BAD:
        r->count++;
        r->stats[EC_SRC_SEEN] += r->c.share == 0;
        r->stats[EC_SRC_BAD] += r->c.share == 0;
        return 0;
    case SAVEFILE_AGAIN:
        if (r->file.stream_state == STREAM_OK)
            return 0;
        *why = r->file.stream_state == STREAM_IDLE    ? EC_SRC_IDLE
               : r->file.stream_state == STREAM_WOKEN ? EC_SRC_INTERRUPTED
                                                      : EC_SRC_MORE;
        return -1;
    default:
        replay_end(r, st);
        return 0;
    }
}

uint32_t replay_fetch(struct replay *r, struct ec_frame *const *f, uint32_t max, int32_t wake_fd,
                      uint32_t timeout_ms, uint32_t *why)
{
    uint32_t n = 0;

    *why = EC_SRC_MORE;
    for (uint32_t turn = 0; n < max && turn < TURN_MAX; turn++) {
        int got;

        if (!r->open && (n || r->out))      /* the buffer is needed for the next file */
            break;
        if (!replay_ready(r)) {
            *why = EC_SRC_END;
            break;
        }
        if (!turn) {
            r->file.stream.pinned = r->out > 0;
            r->file.stream.wake_fd = wake_fd;
            r->file.stream.timeout_ms = timeout_ms;
        }
        if ((got = replay_step(r, f[n], why)) < 0)
            break;
        n += (uint32_t)got;
    }
    if (!n && r->held.data)
        *why = pace_wait(&r->pace, r->held.ts_ns, wake_fd, timeout_ms) ? EC_SRC_INTERRUPTED : EC_SRC_IDLE;
    else if (n)
        *why = r->held.data ? EC_SRC_IDLE : EC_SRC_MORE;
    r->out += n;
    return n;
}

void replay_finish(struct replay *r, uint32_t n)
{
    r->out -= n < r->out ? n : r->out;
}

void replay_stats(const struct replay *r, uint64_t *c, uint32_t n)
{
    uint64_t all[EC_SRC_ALL];

    memcpy(all, r->stats, sizeof all);
    all[EC_SRC_DONE] = r->before + (r->open ? stream_offset(&r->file.stream) : 0);
    all[EC_SRC_WHOLE] = r->whole;
    memcpy(c, all, (n < EC_SRC_ALL ? n : EC_SRC_ALL) * sizeof *c);
}

void replay_close(struct replay *r)
{
    if (!r)
        return;
    if (r->open)
        savefile_close(&r->file);
    filter_close(&r->filter);
    folder_close(&r->folder);
    free(r->filter_text);
    free(r->buf);
    free(r);
}
