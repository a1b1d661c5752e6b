/* The pcap format: draft-ietf-opsawg-pcap, and the modified one of old Linux kernels with 24-byte
 * record headers. */
#include "plugins/capture/savefile.h"

#define NS             1000000000u
#define MAGIC_US       0xa1b2c3d4u
#define MAGIC_NS       0xa1b23c4du
#define MAGIC_MODIFIED 0xa1b2cd34u

static enum savefile_status pcap_next(struct savefile *f, struct savefile_record *r)
{
    uint32_t caplen, wirelen, fraction;
    const uint8_t *h;
    enum stream_status st = stream_need(&f->stream, f->header, &h);

    if (st != STREAM_OK)
        return savefile_stopped(f, st, false);
    caplen = savefile_u32(f, h + 8);
    wirelen = savefile_u32(f, h + 12);
    if (f->minor < 3 ||
        (f->minor == 3 && caplen > wirelen)) { /* before 2.4 writers had them the other way round */
        uint32_t swap = caplen;
        caplen = wirelen;
        wirelen = swap;
    }
    if (caplen > SAVEFILE_CAPLEN) {
        f->damage = "the next one claims to be longer than 256 KiB";
        return SAVEFILE_DAMAGED;
    }
    if ((st = stream_need(&f->stream, f->header + caplen, &h)) != STREAM_OK)
        return savefile_stopped(f, st, true);
    stream_take(&f->stream, f->header + caplen);
    f->records++;
    r->data = h + f->header;
    fraction = savefile_u32(f, h + 4);
    if (fraction >= NS / f->tick_ns)    /* damaged, or negative: stay within the second */
        fraction = NS / f->tick_ns - 1;
    r->ts_ns = (uint64_t)savefile_u32(f, h) * NS + (uint64_t)fraction * f->tick_ns;
    r->caplen = caplen;
    r->wirelen = wirelen < caplen ? caplen : wirelen;
    r->linktype = f->ifs[0].linktype;
    return SAVEFILE_RECORD;
}

int savefile_pcap(struct savefile *f, const uint8_t *h)
{
    uint32_t magic;

    f->next = pcap_next;
    magic = savefile_u32(f, h);
    if (magic != MAGIC_US && magic != MAGIC_NS && magic != MAGIC_MODIFIED) {
        f->swapped = true;
        magic = savefile_u32(f, h);
    }
    f->tick_ns = magic == MAGIC_NS ? 1 : 1000;
    f->header = magic == MAGIC_MODIFIED ? 24 : 16;
    f->minor = savefile_u16(f, h + 6);
    if (savefile_u16(f, h + 4) != 2) {
        f->damage = "its header names a pcap version that was never in use (only 2.x was)";
        return -1;
    }
    if (savefile_interface_add(f, savefile_u32(f, h + 20) &
                                      0xffff)) /* above it: reserved, and the length of a FCS */
        return -1;
    stream_take(&f->stream, 24);
    return 0;
}
