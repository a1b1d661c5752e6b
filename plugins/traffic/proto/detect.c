/* Which protocol is it? Content decides; a port only says who is asked first. A probe is called where its protocol can
 * begin with the first byte, so that bytes of nobody cost little, however many protocols there are. */
#include <stdlib.h>

#include "plugins/traffic/proto/app.h"

static uint32_t port_place(const struct probes *p, uint32_t udp, uint32_t port)
{
    uint32_t at = port * 0x9e3779b1u >> 23 & (PORTS_MAX - 1);

    while (p->place[udp][at] && p->entry[udp][p->place[udp][at] - 1].port != port)
        at = (at + 1) & (PORTS_MAX - 1);
    return at;
}

/* Those for whom a port is a hint; NULL: none. */
static const struct proto_set *port_find(const struct probes *p, uint32_t udp, uint32_t port)
{
    uint32_t entry = p->place[udp][port_place(p, udp, port)];

    return entry ? &p->entry[udp][entry - 1].set : NULL;
}

/* Ask those in `asked` that have not said no. */
static int ask(const struct traffic *tr, const struct proto_set *asked, struct proto_set *refused, const uint8_t *d,
               uint32_t n, uint32_t dir, bool *more)
{
    for (uint32_t word = 0; word < PROTOS_MAX / 64; word++)
        for (uint64_t left = asked->word[word] & ~refused->word[word]; left; left &= left - 1) {
            uint32_t i = word * 64 + (uint32_t)__builtin_ctzll(left);
            int32_t answer = tr->proto[i].def->probe(d, n, dir);
            if (answer == EC_YES)
                return (int)i;
            if (answer == EC_MORE && n < DETECT_BYTES)
                *more = true;
            else
                refused->word[word] |= left & -left;
        }
    return -1;
}

int detect(const struct worker *w, const struct flow *f, struct proto_set *refused, const uint8_t *d, uint32_t n,
           uint32_t dir)
{
    const struct probes *p = &w->tr->probes;
    uint32_t udp = f->pub.ip_proto != PROTO_TCP;
    const struct proto_set *fits = &p->first[udp][d[0]], *of[2] = { port_find(p, udp, f->pub.dport),
                                                                    port_find(p, udp, f->pub.sport) };
    struct proto_set hinted, rest;
    bool more = false;
    int found = -1;

    for (uint32_t i = 0; i < PROTOS_MAX / 64; i++) {
        hinted.word[i] = fits->word[i] & ((of[0] ? of[0]->word[i] : 0) | (of[1] ? of[1]->word[i] : 0));
        rest.word[i] = fits->word[i] & ~(hinted.word[i] | p->at_port.word[i]);
    }
    if (udp)
        dir |= EC_PROBE_DATAGRAM;
    if (of[0] || of[1])
        found = ask(w->tr, &hinted, refused, d, n, dir, &more);
    if (found < 0)
        found = ask(w->tr, &rest, refused, d, n, dir, &more);
    return found >= 0 ? found : more ? -2 : -1;
}

static void set_add(struct proto_set *s, uint32_t index)
{
    s->word[index / 64] |= UINT64_C(1) << index % 64;
}

static int32_t port_add(struct probes *to, uint32_t udp, uint32_t port, uint32_t index)
{
    uint16_t *place = &to->place[udp][port_place(to, udp, port)];

    if (!*place) {
        if (to->ports[udp] == PORTS_MAX / 2)
            return EC_ELIMIT;
        to->entry[udp][to->ports[udp]].port = (uint16_t)port;
        *place = (uint16_t)++to->ports[udp];
    }
    set_add(&to->entry[udp][*place - 1].set, index);
    return EC_OK;
}

/* "16 30-3f": into can[256]. */
static bool first_read(const char *s, bool *can)
{
    while (*s) {
        char *end;
        unsigned long from = strtoul(s, &end, 16), to = from;
        if (end != s && *end == '-') {
            s = end + 1;
            to = strtoul(s, &end, 16);
        }
        if (end == s || to > 255 || from > to || (*end && *end != ' '))
            return false;
        memset(can + from, true, to - from + 1);
        s = end + (*end == ' ');
    }
    return true;
}

/* "tcp/80,8080 udp/53 tcp": transports and ports. */
static int32_t hints_read(struct probes *to, struct proto *p, const char *s)
{
    while (*s) {
        uint32_t udp;
        int32_t rc;
        if (!strncmp(s, "tcp", 3))
            p->tcp = true, udp = 0;
        else if (!strncmp(s, "udp", 3))
            p->udp = true, udp = 1;
        else
            return EC_EINVAL;
        s += 3;
        while (*s == '/' || *s == ',') {
            char *end;
            unsigned long port = strtoul(s + 1, &end, 10);
            if (end == s + 1 || port > 65535 || p->hints == HINTS_MAX)
                return EC_EINVAL;
            if ((rc = port_add(to, udp, (uint32_t)port, p->index)))
                return rc;
            p->hints++;
            s = end;
        }
        if (*s && *s != ' ')
            return EC_EINVAL;
        s += *s == ' ';
    }
    return EC_OK;
}

static void set_remove(struct proto_set *s, uint32_t index)
{
    s->word[index / 64] &= ~(UINT64_C(1) << index % 64);
}

void detect_remove(struct probes *from, uint32_t index)
{
    for (uint32_t udp = 0; udp < 2; udp++) {
        for (uint32_t i = 0; i < from->ports[udp]; i++)
            set_remove(&from->entry[udp][i].set, index);
        for (uint32_t b = 0; b < 256; b++)
            set_remove(&from->first[udp][b], index);
    }
    set_remove(&from->at_port, index);
    set_remove(&from->named, index);
}

int32_t detect_add(struct probes *to, struct proto *p)
{
    const struct ec_proto *def = p->def;
    const char *first = EC_HAS(def, struct ec_proto, first) ? def->first : NULL;
    bool can[256] = { false };
    int32_t rc;

    if (!first)
        memset(can, true, sizeof can);
    else if (!first_read(first, can))
        return EC_EINVAL;
    if ((rc = hints_read(to, p, def->hints ? def->hints : "tcp udp"))) {
        detect_remove(to, p->index);
        return rc;
    }
    for (uint32_t b = 0; b < 256; b++)
        for (uint32_t udp = 0; udp < 2; udp++)
            if (can[b] && (udp ? p->udp : p->tcp))
                set_add(&to->first[udp][b], p->index);
    if (def->flags & EC_PROTO_AT_PORT)
        set_add(&to->at_port, p->index);
    if (def->flags & EC_PROTO_NAME_ONLY)
        set_add(&to->named, p->index);
    return EC_OK;
}
