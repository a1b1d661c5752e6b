/* Wireless frames as a monitor sees them: IEEE 802.11-2020 §9.2; radiotap: https://www.radiotap.org;
 * PPI, Prism and AVS headers: https://www.tcpdump.org/linktypes.html. Encrypted bodies stay closed. */
#include "plugins/traffic/decode/decode.h"

enum { FC_TYPE = 0x0c, FC_DATA = 0x08, FC_NO_DATA = 0x40, FC_QOS = 0x80 };      /* first byte of frame control */
enum { FC_TO_DS = 1, FC_FROM_DS = 2, FC_PROTECTED = 0x40, FC_ORDER = 0x80 };    /* the second one */
enum { QOS_AMSDU = 0x80 };
enum { RADIOTAP_TSFT = 1, RADIOTAP_FLAGS = 2 };                                 /* present bits */
enum { RADIOTAP_PAD = 0x20 };                                                   /* in its flags */
#define RADIOTAP_WORDS 16
#define LINKTYPE_WLAN 105

static uint32_t le32(const uint8_t *d)
{
    return (uint32_t)d[0] | (uint32_t)d[1] << 8 | (uint32_t)d[2] << 16 | (uint32_t)d[3] << 24;
}

static uint32_t le16(const uint8_t *d) { return (uint32_t)d[0] | (uint32_t)d[1] << 8; }

static void wlan_short(struct cursor *c)
{
    if (decode_cut(c))
        c->p->what |= PK_NOT_IP | PK_CUT;
    else
        decode_bad(c->p, EV_IEEE80211_PKT_TOO_SMALL);
}

/* Bytes of a data frame's header. */
static uint32_t wlan_header(const uint8_t *h)
{
    uint32_t n = 24;

    if ((h[1] & (FC_TO_DS | FC_FROM_DS)) == (FC_TO_DS | FC_FROM_DS))
        n += 6;
    if (h[0] & FC_QOS)
        n += h[1] & FC_ORDER ? 6 : 2;
    return n;
}

/* padded: the body begins at a multiple of four. */
static void wlan_frame(struct cursor *c, bool padded)
{
    const uint8_t *h = c->d + c->off;
    uint32_t room = c->end - c->off, n;
    bool aggregate;

    if (room < 2) {
        wlan_short(c);
        return;
    }
    if ((h[0] & FC_TYPE) != FC_DATA || (h[0] & FC_NO_DATA) || (h[1] & FC_PROTECTED)) {
        c->p->what |= PK_NOT_IP;
        return;
    }
    n = wlan_header(h);
    if (n > room) {
        wlan_short(c);
        return;
    }
    aggregate = (h[0] & FC_QOS) && (h[n - (h[1] & FC_ORDER ? 6 : 2)] & QOS_AMSDU);
    if (padded)
        n = (n + 3) & ~3u;
    if (aggregate)
        n += 14;                    /* the first of several: two addresses and a length */
    if (n > room) {
        wlan_short(c);
        return;
    }
    c->off += n;
    decode_llc(c);
}

void decode_wlan(struct cursor *c)
{
    wlan_frame(c, false);
}

void decode_wlan_radiotap(struct cursor *c)
{
    const uint8_t *h = c->d;
    uint32_t len, present, at = 8;
    bool padded = false;

    if (c->end < 8 || (len = le16(h + 2)) < 8 || len > c->end) {
        wlan_short(c);
        return;
    }
    present = le32(h + 4);
    for (uint32_t i = 0; i < RADIOTAP_WORDS && (le32(h + at - 4) >> 31) && at + 4 <= len; i++)
        at += 4;                    /* further words of present bits */
    if (present & RADIOTAP_TSFT)
        at = ((at + 7) & ~7u) + 8;
    if ((present & RADIOTAP_FLAGS) && at < len)
        padded = h[at] & RADIOTAP_PAD;
    c->off = len;
    wlan_frame(c, padded);
}

/* A header that says its own length in a word at `at`. */
static void wlan_behind(struct cursor *c, uint32_t at, bool big)
{
    uint32_t len = 0;

    if (c->end >= at + 4)
        len = big ? be32(c->d + at) : le32(c->d + at);
    if (len < at + 4 || len > c->end) {
        wlan_short(c);
        return;
    }
    c->off = len;
    wlan_frame(c, false);
}

void decode_wlan_avs(struct cursor *c)
{
    wlan_behind(c, 4, true);
}

/* Some drivers write AVS headers under Prism's number; their first word tells. */
void decode_wlan_prism(struct cursor *c)
{
    if (c->end >= 4 && (be32(c->d) & 0xfffff000) == 0x80211000)
        wlan_behind(c, 4, true);
    else
        wlan_behind(c, 4, false);
}

void decode_wlan_ppi(struct cursor *c)
{
    uint32_t len = c->end >= 8 ? le16(c->d + 2) : 0;

    if (len < 8 || len > c->end) {
        wlan_short(c);
        return;
    }
    c->off = len;
    if (le32(c->d + 4) == LINKTYPE_WLAN)
        wlan_frame(c, false);
    else if (le32(c->d + 4) == 1)
        decode_ethernet(c);
    else
        c->p->what |= PK_LINK_UNSUPPORTED;
}
