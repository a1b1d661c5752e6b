/* layers.h: what stands in the first bytes of a packet, layer by layer, for people. Any bytes are taken; what breaks
 * off is said. */
#ifndef PACKETS_LAYERS_H
#define PACKETS_LAYERS_H
#include <stdbool.h>
#include <stdint.h>

#define LAYERS_MAX 16
#define LAYER_FIELDS 128
#define LAYER_VALUE 48              /* with its NUL */

struct layer_field { const char *name; char value[LAYER_VALUE]; };
struct layer {
    const char *name;               /* "ethernet", "ipv4", "tcp", "payload" … */
    uint32_t off, len;              /* within the packet, bytes that were kept */
    uint32_t field, n_field;        /* in layers.field */
    bool cut;                       /* it breaks off: by the snap length, or it is malformed */
};
struct layers {
    uint32_t n, n_field;
    struct layer layer[LAYERS_MAX];
    struct layer_field field[LAYER_FIELDS];
    bool ip, ports;                 /* the addresses are set; the ports are. Of the innermost IP packet */
    uint8_t src[16], dst[16];       /* IPv4 mapped */
    uint16_t sport, dport;
    uint8_t ip_proto;
    char proto[16], info[160];      /* "TCP"; "51000 -> 80 [S] seq 1 win 64240" */
};

/* linktype: LINKTYPE_*. [any] */
void layers_read(struct layers *l, uint32_t linktype, const uint8_t *data, uint32_t n);

#endif
