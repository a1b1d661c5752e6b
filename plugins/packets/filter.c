#include "plugins/packets/filter.h"

#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINKS 8                     /* link types with a program of their own; of more nothing passes */
#define LINKTYPE_ETHERNET 1u
#define LINKTYPE_RAW 101u

struct filter {
    char text[FILTER_MAX];
    uint32_t n;
    struct { uint32_t linktype; bool good; struct bpf_program program; } link[LINKS];
};

/* libpcap speaks DLT_*, which differ from LINKTYPE_* in few. */
static int dlt_of(uint32_t linktype)
{
    return linktype == LINKTYPE_RAW ? DLT_RAW : (int)linktype;
}

static bool compile(struct filter *f, uint32_t linktype, char *why, size_t n)
{
    pcap_t *dead = pcap_open_dead(dlt_of(linktype), (int)RING_PACKET_MAX);

    f->link[f->n].linktype = linktype;
    f->link[f->n].good = dead && !pcap_compile(dead, &f->link[f->n].program, f->text, 1, PCAP_NETMASK_UNKNOWN);
    if (!f->link[f->n].good)
        snprintf(why, n, "%s", dead ? pcap_geterr(dead) : "out of memory");
    if (dead)
        pcap_close(dead);
    return f->link[f->n++].good;
}

struct filter *filter_new(const char *text, char *why, size_t n)
{
    struct filter *f = calloc(1, sizeof *f);

    if (!f || strlen(text) >= sizeof f->text) {
        snprintf(why, n, f ? "it is too long" : "out of memory");
        free(f);
        return NULL;
    }
    strcpy(f->text, text);
    if (compile(f, LINKTYPE_ETHERNET, why, n))
        return f;
    filter_free(f);
    return NULL;
}

void filter_free(struct filter *f)
{
    for (uint32_t i = 0; f && i < f->n; i++)
        if (f->link[i].good)
            pcap_freecode(&f->link[i].program);
    free(f);
}

bool filter_takes(struct filter *f, const struct ring_packet *p, const uint8_t *data)
{
    struct pcap_pkthdr head = { .caplen = p->caplen, .len = p->wirelen };
    char why[PCAP_ERRBUF_SIZE];
    uint32_t i = 0;

    if (!f->text[0])
        return true;
    while (i < f->n && f->link[i].linktype != p->linktype)
        i++;
    if (i == LINKS)
        return false;
    if (i == f->n)
        compile(f, p->linktype, why, sizeof why);
    return f->link[i].good && pcap_offline_filter(&f->link[i].program, &head, data);
}
