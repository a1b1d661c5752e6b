#include "plugins/http/crowd.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static struct crowd_client **slot(struct crowd *c, const uint8_t at[16])
{
    uint32_t sum = 2166136261u;     /* FNV-1a: whoever aims at one bucket slows down the counting of connections only */

    for (unsigned i = 0; i < 16; i++)
        sum = (sum ^ at[i]) * 16777619u;
    return &c->bucket[(sum ^ sum >> 16) % (sizeof c->bucket / sizeof c->bucket[0])];
}

struct crowd_client *crowd_join(struct crowd *c, const uint8_t at[16])
{
    struct crowd_client **p, *client;
    uint8_t net[16];

    memcpy(net, at, sizeof net);
    if (!IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)(const void *)net))
        memset(net + 8, 0, 8);
    for (p = slot(c, net); *p && memcmp((*p)->at, net, sizeof net); p = &(*p)->next)
        ;
    if (!*p && (client = calloc(1, sizeof *client))) {
        memcpy(client->at, net, sizeof net);
        *p = client;
    }
    if (*p)
        (*p)->n++;
    return *p;
}

void crowd_leave(struct crowd *c, struct crowd_client *client)
{
    struct crowd_client **p;

    if (!client || --client->n)
        return;
    for (p = slot(c, client->at); *p != client; p = &(*p)->next)
        ;
    *p = client->next;
    free(client);
}
