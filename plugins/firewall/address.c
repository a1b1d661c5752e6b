#include "plugins/firewall/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

bool address_v4(const struct net *n)
{
    return !memcmp(n->addr, mapped, sizeof mapped) && n->prefix >= 96;
}

struct net address_masked(const uint8_t addr[16], uint32_t prefix)
{
    struct net n = { .prefix = prefix };

    for (uint32_t i = 0; i < 16 && i * 8 < prefix; i++)
        n.addr[i] = addr[i] & (uint8_t)(prefix - i * 8 >= 8 ? 0xff : 0xff00u >> (prefix - i * 8));
    return n;
}

bool address_holds(const struct net *outer, const struct net *inner)
{
    struct net n = address_masked(inner->addr, outer->prefix);

    return inner->prefix >= outer->prefix && !memcmp(n.addr, outer->addr, sizeof n.addr);
}

const char *address_check(const struct net *n)
{
    struct net masked = address_masked(n->addr, n->prefix < 128 ? n->prefix : 128);

    if (!n->prefix || n->prefix > 128 || (n->prefix == 96 && address_v4(n)))
        return "the prefix is none: of IPv4 it is 1 to 32, of IPv6 1 to 128";
    return memcmp(masked.addr, n->addr, sizeof masked.addr) ? "the address has bits set behind its prefix" : NULL;
}

/* Decimal digits alone, without a leading zero. */
static bool number(const char *text, uint32_t most, uint32_t *n)
{
    *n = 0;
    if (!*text || (*text == '0' && text[1]))
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || *n > most)
            return false;
        *n = *n * 10 + (uint32_t)(*text - '0');
    }
    return *n <= most;
}

const char *address_parse(const char *text, struct net *to)
{
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t)(slash - text) : strlen(text);
    char addr[INET6_ADDRSTRLEN];
    bool v4 = !memchr(text, ':', len);
    uint32_t most = v4 ? 32 : 128, prefix = most;
    const char *why;

    memset(to, 0, sizeof *to);
    if (len >= sizeof addr)
        return "it is no address: write 192.0.2.1, 192.0.2.0/24, 2001:db8::1 or 2001:db8::/32";
    memcpy(addr, text, len);
    addr[len] = '\0';
    if (v4)
        memcpy(to->addr, mapped, sizeof mapped);
    if (inet_pton(v4 ? AF_INET : AF_INET6, addr, v4 ? to->addr + 12 : to->addr) != 1)
        return "it is no address: write 192.0.2.1, 192.0.2.0/24, 2001:db8::1 or 2001:db8::/32";
    if (slash && !number(slash + 1, most, &prefix))
        return "the prefix is none: of IPv4 it is 1 to 32, of IPv6 1 to 128";
    to->prefix = v4 ? 96 + prefix : prefix;
    if ((why = address_check(to)) && to->prefix && !(v4 && !prefix))
        *to = address_masked(to->addr, to->prefix);
    return why;
}

void address_text(const struct net *n, char to[ADDRESS_TEXT])
{
    bool v4 = address_v4(n);
    char addr[INET6_ADDRSTRLEN] = "";

    inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? n->addr + 12 : n->addr, addr, sizeof addr);
    if (n->prefix == 128)
        snprintf(to, ADDRESS_TEXT, "%s", addr);
    else
        snprintf(to, ADDRESS_TEXT, "%s/%u", addr, v4 ? n->prefix - 96 : n->prefix);
}
