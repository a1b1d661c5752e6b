#include "plugins/firewall/guard.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Never, wherever the machine stands: what it says to itself, "any address", and groups, which never send. */
static const struct { struct net net; const char *what; } never[] = {
    { { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127 }, 104 }, "loopback" },
    { { { [15] = 1 }, 128 }, "loopback" },
    { { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff }, 104 }, "this network (RFC 1122)" },
    { { { 0 }, 128 }, "no address" },
    { { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 224 }, 100 }, "multicast" },
    { { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 255, 255, 255, 255 }, 128 }, "broadcast" },
    { { { 0xff }, 8 }, "multicast" },
};

const struct net *guard_never(uint32_t i, const char **what)
{
    if (i >= sizeof never / sizeof never[0])
        return NULL;
    *what = never[i].what;
    return &never[i].net;
}

static bool net_of(const struct sockaddr *a, struct net *to)
{
    memset(to, 0, sizeof *to);
    to->prefix = 128;
    if (a && a->sa_family == AF_INET) {
        to->addr[10] = to->addr[11] = 0xff;
        memcpy(to->addr + 12, &((const struct sockaddr_in *)(const void *)a)->sin_addr, 4);
        return true;
    }
    if (a && a->sa_family == AF_INET6)
        memcpy(to->addr, &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr, 16);
    return a && a->sa_family == AF_INET6;
}

struct own *own_read(void)
{
    struct ifaddrs *all = NULL;
    struct own *own;
    uint32_t n = 0;

    if (getifaddrs(&all))
        return NULL;
    for (struct ifaddrs *i = all; i; i = i->ifa_next)
        n++;
    own = calloc(1, sizeof *own + n * sizeof own->net[0]);
    for (struct ifaddrs *i = all; i && own; i = i->ifa_next)
        if (net_of(i->ifa_addr, &own->net[own->n]))
            own->n++;
    freeifaddrs(all);
    return own;
}

const struct net *guard_allows(const struct guard *g, const struct net *n)
{
    for (uint32_t i = 0; i < g->n_allow; i++)
        if (address_holds(&g->allow[i], n))
            return &g->allow[i];
    return NULL;
}

static bool too_wide(const struct guard *g, const struct net *n)
{
    return address_v4(n) ? n->prefix < 96 + g->widest4 : n->prefix < g->widest6;
}

bool guard_refuses(const struct guard *g, const struct own *own, const struct net *n, char *why, size_t bytes)
{
    const struct net *allowed = guard_allows(g, n);
    char text[ADDRESS_TEXT], other[ADDRESS_TEXT];

    address_text(n, text);
    if (allowed) {
        address_text(allowed, other);
        snprintf(why, bytes, "%s is on the allow-list (firewall.allow: %s) and is never banned", text, other);
        return true;
    }
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
        if (address_holds(&never[i].net, n) || address_holds(n, &never[i].net)) {
            snprintf(why, bytes, "%s is, or holds, %s and is never banned", text, never[i].what);
            return true;
        }
    if (too_wide(g, n)) {
        snprintf(why, bytes, "%s is wider than /%u, the widest that firewall.widest_ipv%c lets anybody ban", text,
                 address_v4(n) ? g->widest4 : g->widest6, address_v4(n) ? '4' : '6');
        return true;
    }
    for (uint32_t i = 0; own && i < own->n; i++)
        if (address_holds(n, &own->net[i])) {
            address_text(&own->net[i], other);
            snprintf(why, bytes, "%s is, or holds, %s, an address of this machine, and is never banned", text, other);
            return true;
        }
    return false;
}
