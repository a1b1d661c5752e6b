#include "plugins/http/proxy.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool address_read(const char *text, uint8_t at[16], bool *four)
{
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

    *four = inet_pton(AF_INET, text, at + 12) == 1;
    if (*four)
        memcpy(at, mapped, sizeof mapped);
    return *four || inet_pton(AF_INET6, text, at) == 1;
}

bool net_read(const char *text, struct net *to)
{
    char copy[64], *slash, *end = NULL;
    unsigned long bits = 128;
    bool four;

    if (strlen(text) >= sizeof copy)
        return false;
    strcpy(copy, text);
    if ((slash = strchr(copy, '/')))
        *slash++ = '\0';
    if (!address_read(copy, to->at, &four))
        return false;
    if (slash) {
        bits = strtoul(slash, &end, 10);
        if (*slash < '0' || *slash > '9' || *end || bits > (four ? 32 : 128))
            return false;
        bits += four ? 96 : 0;
    }
    to->bits = (unsigned)bits;
    return true;
}

void net_print(const uint8_t at[16], char to[PEER_TEXT])
{
    const struct in6_addr *six = (const void *)at;

    if (IN6_IS_ADDR_V4MAPPED(six))
        inet_ntop(AF_INET, at + 12, to, PEER_TEXT);
    else
        inet_ntop(AF_INET6, at, to, PEER_TEXT);
}

static bool has(const struct net *net, const uint8_t at[16])
{
    unsigned whole = net->bits / 8, rest = net->bits % 8;

    return !memcmp(net->at, at, whole) && (!rest || !((net->at[whole] ^ at[whole]) >> (8 - rest)));
}

bool proxies_have(const struct proxies *p, const uint8_t at[16])
{
    for (uint32_t i = 0; i < p->n; i++)
        if (has(&p->net[i], at))
            return true;
    return false;
}

static void trim(const char **p, size_t *n)
{
    while (*n && (**p == ' ' || **p == '\t'))
        (*p)++, (*n)--;
    while (*n && ((*p)[*n - 1] == ' ' || (*p)[*n - 1] == '\t'))
        (*n)--;
}

/* The value of `for` in an element of Forwarded (RFC 7239 §4), without its quotes. */
static bool find_for(const char **p, size_t *n)
{
    const char *at = *p, *end = *p + *n;

    while (at < end) {
        const char *semi = memchr(at, ';', (size_t)(end - at));
        size_t len = (size_t)((semi ? semi : end) - at);

        trim(&at, &len);
        if (len > 4 && !strncasecmp(at, "for=", 4)) {
            at += 4;
            len -= 4;
            if (len > 1 && *at == '"' && at[len - 1] == '"')
                at++, len -= 2;
            *p = at;
            *n = len;
            return true;
        }
        at = semi ? semi + 1 : end;
    }
    return false;
}

/* "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:80" */
static bool read_one(const char *p, size_t n, uint8_t at[16])
{
    const char *colon = memchr(p, ':', n), *close;
    char text[PEER_TEXT];
    uint8_t found[16];
    bool four;

    if (n && *p == '[') {
        if (!(close = memchr(p, ']', n)) || (close + 1 < p + n && close[1] != ':'))
            return false;
        p++;
        n = (size_t)(close - p);
    } else if (colon && !memchr(colon + 1, ':', n - (size_t)(colon + 1 - p))) {
        n = (size_t)(colon - p);
    }
    if (!n || n >= sizeof text)
        return false;
    memcpy(text, p, n);
    text[n] = '\0';
    if (strlen(text) != n || !address_read(text, found, &four))
        return false;
    memcpy(at, found, sizeof found);
    return true;
}

void proxies_client(const struct proxies *p, uint8_t at[16], const char *list, size_t n)
{
    while (n && proxies_have(p, at)) {
        const char *comma = memrchr(list, ',', n), *one = comma ? comma + 1 : list;
        size_t len = n - (size_t)(one - list);

        n = comma ? (size_t)(comma - list) : 0;
        trim(&one, &len);
        if ((p->forwarded && !find_for(&one, &len)) || !read_one(one, len, at))
            return;
    }
}
