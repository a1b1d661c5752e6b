#include "plugins/traffic/target.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static bool within(const uint8_t *addr, const uint8_t *net, uint32_t bits)
{
    uint32_t whole = bits / 8, rest = bits % 8;

    return !memcmp(addr, net, whole) && (!rest || !((addr[whole] ^ net[whole]) >> (8 - rest)));
}

static bool network_read(struct target *t, const char *network)
{
    char text[INET6_ADDRSTRLEN];
    const char *slash = strchr(network, '/');
    size_t n = slash ? (size_t)(slash - network) : strlen(network);
    unsigned long bits, most = 128;
    char *end = NULL;

    if (n >= sizeof text)
        return false;
    memcpy(text, network, n);
    text[n] = 0;
    if (!strchr(text, ':')) {
        memcpy(t->net, (const uint8_t[12]){ [10] = 0xff, [11] = 0xff }, 12);
        most = 32;
    }
    if (inet_pton(most == 32 ? AF_INET : AF_INET6, text, most == 32 ? t->net + 12 : t->net) != 1)
        return false;
    bits = most;
    if (slash && (slash[1] < '0' || slash[1] > '9' || (bits = strtoul(slash + 1, &end, 10)) > most || *end))
        return false;
    t->bits = (uint8_t)(128 - most + bits);
    return true;
}

/* POLICY_*, or -1. */
static int policy_read(const char *word)
{
    size_t n = strlen(word);
    int i = 0;

    for (const char *s = POLICY_WORDS; ; i++) {
        size_t len = strcspn(s, ",");
        if (len == n && !memcmp(s, word, n))
            return i;
        if (!s[len])
            return -1;
        s += len + 1;
    }
}

const char *target_add(struct targets *t, const char *network, const char *policy)
{
    struct target one = { .bits = 0 };
    int word = policy_read(policy);
    uint32_t at;

    if (t->n == TARGETS_MAX)
        return "too many networks";
    if (!network_read(&one, network))
        return "no address and no network";
    if (word < 0)
        return "no policy of " POLICY_WORDS;
    one.policy = (uint8_t)word;
    for (at = t->n++; at && t->list[at - 1].bits < one.bits; at--)
        t->list[at] = t->list[at - 1];
    t->list[at] = one;
    return NULL;
}

uint32_t target_policy(const struct targets *t, const uint8_t addr[16], uint32_t otherwise)
{
    for (uint32_t i = 0; i < t->n; i++)
        if (within(addr, t->list[i].net, t->list[i].bits))
            return t->list[i].policy;
    return otherwise;
}
