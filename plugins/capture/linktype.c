#include "plugins/capture/linktype.h"

#include <pcap/dlt.h>
#include <stddef.h>

/* The other values are equal on both sides. A DLT that has two numbers in the wild (DLT_RAW) stands
 * with its own first. */
static const struct {
    uint32_t dlt, linktype;
} table[] = {
    {DLT_RAW, LINKTYPE_RAW},
    {12, LINKTYPE_RAW},
    {14, LINKTYPE_RAW},
    {DLT_ATM_RFC1483, LINKTYPE_ATM_RFC1483},
    {DLT_SLIP_BSDOS, LINKTYPE_SLIP_BSDOS},
    {DLT_PPP_BSDOS, LINKTYPE_PPP_BSDOS},
    {DLT_ATM_CLIP, LINKTYPE_ATM_CLIP},
};

uint32_t linktype_from_dlt(uint32_t dlt)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].dlt == dlt)
            return table[i].linktype;
    return dlt;
}

uint32_t linktype_to_dlt(uint32_t linktype)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].linktype == linktype)
            return table[i].dlt;
    return linktype;
}
