#include "lib/guard.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* RFC 6890 and the registries that it began: nothing of these is a host of the public network. */
static const char *const not_public[] = {
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
    "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
    "::/8", "64:ff9b::/32", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16",
    "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/9", "ff00::/8",
};

int guard_parse(const char *text, struct guard_net *to)
{
    char address[64], *slash, *end;
    unsigned long bits = 128;
    bool four;

    if (strlen(text) >= sizeof address)
        return -1;
    strcpy(address, text);
    memset(to, 0, sizeof *to);
    if ((slash = strchr(address, '/'))) {
        *slash++ = '\0';
        bits = strtoul(slash, &end, 10);
        if (*slash < '0' || *slash > '9' || *end)
            return -1;
    }
    four = inet_pton(AF_INET, address, to->address + 12) == 1;
    if (four)
        memset(to->address + 10, 0xff, 2);
    else if (inet_pton(AF_INET6, address, to->address) != 1)
        return -1;
    if (bits > (four && slash ? 32 : 128))
        return -1;
    to->bits = (uint8_t)(bits + (four && slash ? 96 : 0));
    return 0;
}

static bool within(const uint8_t a[16], const struct guard_net *n)
{
    uint8_t whole = n->bits / 8, rest = n->bits % 8;

    return !memcmp(a, n->address, whole) && (!rest || !((a[whole] ^ n->address[whole]) >> (8 - rest)));
}

static bool is_four(const uint8_t a[16])
{
    static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

    return !memcmp(a, mapped, sizeof mapped);
}

bool guard_public(const uint8_t a[16])
{
    for (unsigned i = 0; i < sizeof not_public / sizeof not_public[0]; i++) {
        struct guard_net n;

        if (!guard_parse(not_public[i], &n) && is_four(a) == is_four(n.address) && within(a, &n))
            return false;
    }
    return true;
}

bool guard_allows(const struct guard *g, const struct sockaddr *s)
{
    uint8_t a[16] = { 0 };

    if (s->sa_family == AF_INET) {
        memset(a + 10, 0xff, 2);
        memcpy(a + 12, &((const struct sockaddr_in *)(const void *)s)->sin_addr, 4);
    } else if (s->sa_family == AF_INET6) {
        memcpy(a, &((const struct sockaddr_in6 *)(const void *)s)->sin6_addr, 16);
    } else {
        return false;
    }
    for (uint32_t i = 0; i < g->n; i++)
        if (within(a, &g->allow[i]))
            return true;
    return guard_public(a);
}
