/* savefile.h: one capture file, pcap or pcapng, record by record, where it lies in the stream's
 * buffer. Own readers and not libpcap's: that copies each record, keeps only one, and refuses a
 * pcapng file whose interfaces differ in link type. Bounded: a record of more than SAVEFILE_CAPLEN
 * bytes is damage. One thread. */
#ifndef CAPTURE_SAVEFILE_H
#define CAPTURE_SAVEFILE_H
#include <stdbool.h>
#include <stdint.h>

#include "plugins/capture/stream.h"

#define SAVEFILE_CAPLEN     262144u /* libpcap's own bound */
#define SAVEFILE_INTERFACES 4096u   /* of a pcapng section */

struct savefile_record {
    const uint8_t *data;            /* in the stream's buffer, until it moves: see stream.pinned */
    uint64_t ts_ns;
    uint32_t caplen, wirelen;       /* wirelen is at least caplen */
    uint32_t linktype;
};

enum savefile_status {
    SAVEFILE_RECORD,
    SAVEFILE_BAD,   /* one damaged record was passed over; the next one may be whole */
    SAVEFILE_AGAIN, /* bounded work is done, or the stream said PINNED, IDLE or WOKEN: see
                       stream_state */
    SAVEFILE_END,
    SAVEFILE_CUT,     /* the file ends within a record */
    SAVEFILE_DAMAGED, /* nothing after this point can be read: see damage */
    SAVEFILE_FAILED   /* read failed: stream.error */
};

struct savefile_interface {         /* of pcapng; a pcap file has one */
    uint32_t linktype, snaplen;
    uint64_t offset_ns;             /* if_tsoffset; wraps for negative ones */
    uint8_t resolution;             /* if_tsresol */
};

struct savefile {
    struct stream stream;
    enum stream_status stream_state;
    enum savefile_status (*next)(struct savefile *f, struct savefile_record *r);
    const char *format;             /* "pcap" or "pcapng" */
    const char *damage;             /* what is wrong, as part of a sentence */
    uint64_t records;               /* read so far, damaged ones included */
    uint64_t last_ts_ns;            /* for simple packet blocks, which have no time */
    bool swapped;                   /* numbers are in the other byte order */
    uint16_t minor;                 /* pcap: version 2.minor */
    uint32_t header;                /* pcap: bytes of a record's header */
    uint32_t tick_ns;               /* pcap: 1 or 1000 */
    uint32_t n_if, room_if;
    struct savefile_interface *ifs;
};

/* Takes fd over, also when it fails. buf: STREAM_SIZE bytes. wait_ms: how long a pipe may take for
 * the first bytes. 0, or a negative errno-like value and a sentence that names path and says what
 * to do. */
int savefile_open(struct savefile *f, const char *path, int fd, uint8_t *buf, uint32_t wait_ms,
                  char *why, uint32_t n);
void savefile_close(struct savefile *f);
static inline enum savefile_status savefile_next(struct savefile *f, struct savefile_record *r)
{
    return f->next(f, r);
}
/* One sentence on why reading ended, for CUT, DAMAGED and FAILED. */
void savefile_explain(const struct savefile *f, enum savefile_status st, const char *path,
                      char *why, uint32_t n);

/* The two formats: read the first header. 0, or −1 with f->damage. */
int savefile_pcap(struct savefile *f, const uint8_t *h);
int savefile_pcapng(struct savefile *f, const uint8_t *h);

/* For them: enter an interface; 0, or −1 with f->damage. */
int savefile_interface_add(struct savefile *f, uint32_t linktype);
/* What it means for a record that the stream gave no bytes. within: the record's header was there
 * already. */
enum savefile_status savefile_stopped(struct savefile *f, enum stream_status st, bool within);

static inline uint32_t savefile_u32(const struct savefile *f, const uint8_t *p)
{
    uint32_t v;
    __builtin_memcpy(&v, p, sizeof v);
    return f->swapped ? __builtin_bswap32(v) : v;
}
static inline uint16_t savefile_u16(const struct savefile *f, const uint8_t *p)
{
    uint16_t v;
    __builtin_memcpy(&v, p, sizeof v);
    return f->swapped ? __builtin_bswap16(v) : v;
}

#endif
