/* The pcapng format: draft-ietf-opsawg-pcapng. */
#include "plugins/capture/savefile.h"

#include <string.h>

enum {
    BLOCK_INTERFACE = 1, BLOCK_PACKET = 2 /* obsolete */, BLOCK_SIMPLE = 3, BLOCK_ENHANCED = 6,
    BLOCK_SECTION = 0x0a0d0d0a
};
enum { OPT_END = 0, OPT_TSRESOL = 9, OPT_TSOFFSET = 14 };

#define BLOCK_FRAME  12u            /* type, length, length */
#define BLOCK_MAX    (16u << 20)    /* of a block that is skipped */
#define BLOCKS_TURN  1024 /* blocks without a packet in one call: then let the caller look round */

static enum savefile_status damaged(struct savefile *f, const char *what)
{
    f->damage = what;
    return SAVEFILE_DAMAGED;
}

/* Units of if_tsresol (10^-n, or 2^-n with the high bit) since 1970 to nanoseconds. */
static uint64_t units_to_ns(uint64_t units, uint8_t resolution)
{
    static const uint64_t ten[] = {1,      10,      100,      1000,      10000,
                                   100000, 1000000, 10000000, 100000000, 1000000000};
    unsigned n = resolution & 0x7f;

    if (resolution & 0x80)
        return n > 63 ? 0 : (uint64_t)((unsigned __int128)units * 1000000000u >> n);
    if (n <= 9)
        return units * ten[9 - n];
    for (n -= 9; n > 9; n -= 9)
        units /= ten[9];
    return units / ten[n];
}

static enum savefile_status section(struct savefile *f)
{
    const uint8_t *h;
    enum stream_status st = stream_need(&f->stream, 24, &h);
    uint32_t bom, total;

    if (st != STREAM_OK)
        return savefile_stopped(f, st, false);
    memcpy(&bom, h + 8, sizeof bom);
    if (bom != 0x1a2b3c4d && bom != 0x4d3c2b1a)
        return damaged(f, "a section header has no byte-order mark");
    f->swapped = bom == 0x4d3c2b1a;
    total = savefile_u32(f, h + 4);
    if (total < BLOCK_FRAME + 16 || total > BLOCK_MAX || total % 4)
        return damaged(f, "a section header has an impossible length");
    if (savefile_u16(f, h + 12) != 1)
        return damaged(f, "a section is of a pcapng version that is not known here (only 1.x is)");
    f->n_if = 0;
    stream_skip(&f->stream, total);
    return SAVEFILE_AGAIN;
}

static void interface_options(struct savefile *f, struct savefile_interface *i, const uint8_t *p,
                              const uint8_t *end)
{
    while (end - p >= 4) {
        uint16_t code = savefile_u16(f, p), len = savefile_u16(f, p + 2);

        p += 4;
        if (code == OPT_END || len > end - p)
            return;
        if (code == OPT_TSRESOL && len == 1)
            i->resolution = *p;
        if (code == OPT_TSOFFSET && len == 8) {
            uint64_t lo = savefile_u32(f, p + (f->swapped ? 4 : 0)),
                     hi = savefile_u32(f, p + (f->swapped ? 0 : 4));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
            uint64_t swap = lo;
            lo = hi;
            hi = swap;
#endif
            i->offset_ns = (hi << 32 | lo) * UINT64_C(1000000000);
        }
        len = (uint16_t)((len + 3) & ~3);
        if (len > end - p)
            return;
        p += len;
    }
}

static enum savefile_status interface(struct savefile *f, const uint8_t *h, uint32_t total)
{
    if (total < BLOCK_FRAME + 8)
        return damaged(f, "an interface description is too short");
    if (savefile_interface_add(f, savefile_u16(f, h + 8)))
        return SAVEFILE_DAMAGED;
    f->ifs[f->n_if - 1].snaplen = savefile_u32(f, h + 12);
    f->ifs[f->n_if - 1].resolution = 6;
    interface_options(f, &f->ifs[f->n_if - 1], h + 16, h + total - 4);
    return SAVEFILE_AGAIN;
}

static enum savefile_status packet(struct savefile *f, uint32_t type, const uint8_t *h,
                                   uint32_t total, struct savefile_record *r)
{
    uint32_t fixed = type == BLOCK_SIMPLE ? 4 : 20, id, room = total - BLOCK_FRAME;
    const struct savefile_interface *i;

    f->records++;
    if (room < fixed)
        return SAVEFILE_BAD;
    id = type == BLOCK_SIMPLE   ? 0
         : type == BLOCK_PACKET ? savefile_u16(f, h + 8)
                                : savefile_u32(f, h + 8);
    if (id >= f->n_if)
        return SAVEFILE_BAD;
    i = &f->ifs[id];
    room -= fixed;
    if (type == BLOCK_SIMPLE) {
        r->wirelen = savefile_u32(f, h + 8);
        r->caplen = i->snaplen && i->snaplen < r->wirelen ? i->snaplen : r->wirelen;
        if (r->caplen > room)
            r->caplen = room;
    } else {
        r->caplen = savefile_u32(f, h + 20);
        r->wirelen = savefile_u32(f, h + 24);
        f->last_ts_ns =
            units_to_ns((uint64_t)savefile_u32(f, h + 12) << 32 | savefile_u32(f, h + 16),
                        i->resolution) +
            i->offset_ns;
    }
    if (r->caplen > room || r->caplen > SAVEFILE_CAPLEN)
        return SAVEFILE_BAD;
    if (r->wirelen < r->caplen)
        r->wirelen = r->caplen;
    r->data = h + 8 + fixed;
    r->ts_ns = f->last_ts_ns;
    r->linktype = i->linktype;
    return SAVEFILE_RECORD;
}

/* One block. AGAIN with stream_state OK: it held no packet. */
static enum savefile_status block(struct savefile *f, struct savefile_record *r)
{
    uint32_t type, total;
    const uint8_t *h;
    enum stream_status st = stream_need(&f->stream, 8, &h);

    if (st != STREAM_OK)
        return savefile_stopped(f, st, false);
    f->stream_state = STREAM_OK;
    type = savefile_u32(f, h);
    if (type == BLOCK_SECTION)          /* reads the same in both byte orders */
        return section(f);
    total = savefile_u32(f, h + 4);
    if (total < BLOCK_FRAME || total > BLOCK_MAX || total % 4)
        return damaged(f, "the next block has an impossible length");
    if (type != BLOCK_INTERFACE && type != BLOCK_PACKET && type != BLOCK_SIMPLE &&
        type != BLOCK_ENHANCED) {
        stream_skip(&f->stream, total);
        return SAVEFILE_AGAIN;
    }
    if (total > STREAM_SIZE)
        return damaged(f, "the next one claims to be longer than 256 KiB");
    if ((st = stream_need(&f->stream, total, &h)) != STREAM_OK)
        return savefile_stopped(f, st, true);
    if (savefile_u32(f, h + total - 4) != total)
        return damaged(f, "the next block says two different lengths");
    stream_take(&f->stream, total);
    return type == BLOCK_INTERFACE ? interface(f, h, total) : packet(f, type, h, total, r);
}

static enum savefile_status pcapng_next(struct savefile *f, struct savefile_record *r)
{
    enum savefile_status st = SAVEFILE_AGAIN;

    for (int i = 0; i < BLOCKS_TURN && st == SAVEFILE_AGAIN; i++) {
        st = block(f, r);
        if (f->stream_state != STREAM_OK)
            break;
    }
    return st;
}

int savefile_pcapng(struct savefile *f, const uint8_t *h)
{
    (void)h;
    f->next = pcapng_next;
    return section(f) == SAVEFILE_AGAIN ? 0 : -1;
}
