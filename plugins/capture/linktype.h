/* linktype.h: link types. Files and struct ec_frame carry LINKTYPE_*
 * (https://www.tcpdump.org/linktypes.html), libpcap's functions speak DLT_*, which differ from
 * system to system. */
#ifndef CAPTURE_LINKTYPE_H
#define CAPTURE_LINKTYPE_H
#include <stdint.h>

enum {
    LINKTYPE_NULL = 0,
    LINKTYPE_ETHERNET = 1,
    LINKTYPE_PPP = 9,
    LINKTYPE_PPP_HDLC = 50,
    LINKTYPE_ATM_RFC1483 = 100,
    LINKTYPE_RAW = 101,
    LINKTYPE_SLIP_BSDOS = 102,
    LINKTYPE_PPP_BSDOS = 103,
    LINKTYPE_ATM_CLIP = 106,
    LINKTYPE_LOOP = 108,
    LINKTYPE_LINUX_SLL = 113,
    LINKTYPE_IPV4 = 228,
    LINKTYPE_IPV6 = 229,
    LINKTYPE_LINUX_SLL2 = 276
};

/* The LINKTYPE_* of a DLT_* of this system. Also right for a file's field: some programs write the
 * DLT there. */
uint32_t linktype_from_dlt(uint32_t dlt);
uint32_t linktype_to_dlt(uint32_t linktype);

#endif
