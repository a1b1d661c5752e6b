#include "plugins/capture/filter.h"

#include <string.h>

#include "plugins/capture/linktype.h"
#include "plugins/capture/savefile.h"

static int filter_compile(const char *text, uint32_t linktype, struct bpf_program *program,
                          char *why, uint32_t n)
{
    pcap_t *dead = pcap_open_dead((int)linktype_to_dlt(linktype), SAVEFILE_CAPLEN);
    int err;

    if (!dead) {
        snprintf(why, n, "out of memory");
        return -1;
    }
    err = pcap_compile(dead, program, text, 1, PCAP_NETMASK_UNKNOWN);
    if (err)
        snprintf(why, n, "the filter '%s' cannot be used with link type %u: %s", text, linktype,
                 pcap_geterr(dead));
    pcap_close(dead);
    return err ? -1 : 0;
}

int filter_check(const char *text, uint32_t linktype, char *why, uint32_t n)
{
    struct bpf_program program;

    if (filter_compile(text, linktype, &program, why, n))
        return -1;
    pcap_freecode(&program);
    return 0;
}

void filter_open(struct filter *f, const char *text)
{
    memset(f, 0, sizeof *f);
    f->text = text && *text ? text : NULL;
}

static void filter_drop(struct filter *f, uint32_t i)
{
    if (f->made[i].usable)
        pcap_freecode(&f->made[i].program);
}

void filter_close(struct filter *f)
{
    for (uint32_t i = 0; i < f->n; i++)
        filter_drop(f, i);
    f->n = 0;
}

/* The program for this link type; a hostile file with many types costs compiling, not memory. */
static uint32_t filter_find(struct filter *f, uint32_t linktype, char *why, uint32_t n)
{
    uint32_t i = 0;

    while (i < f->n && f->made[i].linktype != linktype)
        i++;
    if (i < f->n)
        return i;
    if (i == FILTER_LINKTYPES)
        filter_drop(f, --i);
    else
        f->n++;
    f->made[i].linktype = linktype;
    f->made[i].usable = !filter_compile(f->text, linktype, &f->made[i].program, why, n);
    return i;
}

bool filter_wants(struct filter *f, uint32_t linktype, const uint8_t *p, uint32_t caplen,
                  uint32_t wirelen, char *why, uint32_t n)
{
    uint32_t i;

    if (!f->text)
        return true;
    i = filter_find(f, linktype, why, n);
    return f->made[i].usable && bpf_filter(f->made[i].program.bf_insns, p, wirelen, caplen);
}
