/* filter.h: a BPF filter expression (pcap-filter(7)) for files, compiled anew for each link type
 * that comes up. */
#ifndef CAPTURE_FILTER_H
#define CAPTURE_FILTER_H
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdint.h>

#define FILTER_LINKTYPES 16         /* compiled programs that are kept */

struct filter {
    const char *text;               /* NULL: everything is wanted */
    uint32_t n;
    struct {
        uint32_t linktype;
        bool usable;                /* false: the expression makes no sense for this link type */
        struct bpf_program program;
    } made[FILTER_LINKTYPES];
};

/* 0, or −1 and a sentence: text is no filter for this link type. */
int filter_check(const char *text, uint32_t linktype, char *why, uint32_t n);
/* text: borrowed until filter_close(); NULL or "": none. */
void filter_open(struct filter *f, const char *text);
void filter_close(struct filter *f);
/* Is the packet wanted? *why (n bytes) gets a sentence, once, where the filter cannot be used for
 * its link type: then none of them is wanted. */
bool filter_wants(struct filter *f, uint32_t linktype, const uint8_t *p, uint32_t caplen,
                  uint32_t wirelen, char *why, uint32_t n);

#endif
