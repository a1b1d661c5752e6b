#include "plugins/capture/savefile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/capture/linktype.h"

#define MAGIC_BYTES 4

/* What people hand us that is no pcap, and what to do with it. %s is the path. */
static const struct {
    const char *magic;
    uint32_t n;
    const char *what, *advice;
} strangers[] = {
    {"\x1f\x8b", 2, "is compressed with gzip", "unpack it first: gunzip -k"},
    {"\x28\xb5\x2f\xfd", 4, "is compressed with zstd", "unpack it first: unzstd"},
    {"\xfd\x37\x7a\x58", 4, "is compressed with xz", "unpack it first: unxz -k"},
    {"BZh", 3, "is compressed with bzip2", "unpack it first: bunzip2 -k"},
    {"\x04\x22\x4d\x18", 4, "is compressed with lz4", "unpack it first: unlz4"},
    {"PK\x03\x04", 4, "is a zip archive", "unpack it first: unzip"},
    {"snoo", 4, "is a snoop capture", "convert it to pcapng first: editcap -F pcapng"},
    {"GMBU", 4, "is a Network Monitor capture", "convert it to pcapng first: editcap -F pcapng"},
    {"RTSS", 4, "is a Network Monitor capture", "convert it to pcapng first: editcap -F pcapng"},
    {"TRSN", 4, "is a Sniffer capture", "convert it to pcapng first: editcap -F pcapng"},
};

static int refuse_stranger(const char *path, const uint8_t *h, char *why, uint32_t n)
{
    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++) {
        if (memcmp(h, strangers[i].magic, strangers[i].n))
            continue;
        snprintf(why, n, "%s %s; %s %s", path, strangers[i].what, strangers[i].advice, path);
        return -1;
    }
    snprintf(
        why, n,
        "%s is not a capture: it starts with %02x %02x %02x %02x, which is neither pcap nor pcapng",
        path, h[0], h[1], h[2], h[3]);
    return -1;
}

static int refuse_short(struct savefile *f, enum stream_status st, const char *path, char *why,
                        uint32_t n)
{
    uint32_t left = stream_left(&f->stream);

    if (st == STREAM_ERROR)
        snprintf(why, n, "cannot read %s: %s", path, strerror(f->stream.error));
    else if (st != STREAM_END)
        snprintf(why, n, "nothing comes out of %s: is its writer running?", path);
    else if (!left)
        snprintf(why, n, "%s is empty: it holds no capture; was it recorded to the end?", path);
    else
        snprintf(why, n, "%s is no capture, or it was cut: it has only %u byte%s", path, left,
                 left == 1 ? "" : "s");
    return -1;
}

static bool is_pcap(const uint8_t *h)
{
    uint32_t magic;

    memcpy(&magic, h, sizeof magic);
    if ((magic & 0xff) == 0xa1)
        magic = __builtin_bswap32(magic);
    return magic == 0xa1b2c3d4 || magic == 0xa1b23c4d || magic == 0xa1b2cd34;
}

static int header_read(struct savefile *f, const char *path, char *why, uint32_t n)
{
    const uint8_t *h;
    enum stream_status st = stream_need(&f->stream, MAGIC_BYTES, &h);
    bool pcap;

    if (st != STREAM_OK)
        return refuse_short(f, st, path, why, n);
    pcap = is_pcap(h);
    if (!pcap && memcmp(h, "\x0a\x0d\x0d\x0a", 4))
        return refuse_stranger(path, h, why, n);
    f->format = pcap ? "pcap" : "pcapng";
    if ((st = stream_need(&f->stream, 24, &h)) != STREAM_OK)
        return refuse_short(f, st, path, why, n);
    if (pcap ? savefile_pcap(f, h) : savefile_pcapng(f, h)) {
        snprintf(why, n, "%s is damaged: %s", path, f->damage);
        return -1;
    }
    return 0;
}

int savefile_open(struct savefile *f, const char *path, int fd, uint8_t *buf, uint32_t wait_ms,
                  char *why, uint32_t n)
{
    memset(f, 0, sizeof *f);
    stream_open(&f->stream, fd, buf);
    f->stream.timeout_ms = wait_ms;
    if (header_read(f, path, why, n)) {
        savefile_close(f);
        return -1;
    }
    return 0;
}

void savefile_close(struct savefile *f)
{
    stream_close(&f->stream);
    free(f->ifs);
    f->ifs = NULL;
    f->n_if = f->room_if = 0;
}

int savefile_interface_add(struct savefile *f, uint32_t linktype)
{
    if (f->n_if == f->room_if) {
        uint32_t room = f->room_if ? 2 * f->room_if : 4;
        struct savefile_interface *ifs =
            f->n_if >= SAVEFILE_INTERFACES ? NULL : realloc(f->ifs, room * sizeof *ifs);

        if (!ifs) {
            f->damage = "it describes more interfaces than memory is given to (4096)";
            return -1;
        }
        f->ifs = ifs;
        f->room_if = room;
    }
    f->ifs[f->n_if++] = (struct savefile_interface){linktype_from_dlt(linktype), 0, 0, 6};
    return 0;
}

enum savefile_status savefile_stopped(struct savefile *f, enum stream_status st, bool within)
{
    f->stream_state = st;
    switch (st) {
    case STREAM_ERROR:
        return SAVEFILE_FAILED;
    case STREAM_END:
        return within || stream_left(&f->stream) || f->stream.skip ? SAVEFILE_CUT : SAVEFILE_END;
    default:
        return SAVEFILE_AGAIN;
    }
}

void savefile_explain(const struct savefile *f, enum savefile_status st, const char *path,
                      char *why, uint32_t n)
{
    const char *what = st == SAVEFILE_CUT      ? "the file was cut in the middle of the next one"
                       : st == SAVEFILE_FAILED ? strerror(f->stream.error)
                                               : f->damage;

    snprintf(why, n,
             "%s ends early: after %" PRIu64 " packet%s, at byte %" PRIu64
             ": %s; what was read counts",
             path, f->records, f->records == 1 ? "" : "s", stream_offset(&f->stream), what);
}
