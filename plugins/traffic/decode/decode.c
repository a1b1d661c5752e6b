#include "plugins/traffic/decode/decode.h"

#define LARGE_SEND_MIN 60u          /* bytes of IP and TCP headers: what is shorter needs no cutting */

void decode_event(struct packet *p, uint32_t event)
{
    if (p->events < PACKET_EVENTS)
        p->event[p->events++] = (uint8_t)event;
}

void decode_bad(struct packet *p, uint32_t event)
{
    decode_event(p, event);
    p->what = (p->what & ~(uint32_t)PK_KEY) | PK_BAD;
}

bool decode_layer(struct cursor *c)
{
    if (c->layers++ < PACKET_LAYERS)
        return true;
    decode_bad(c->p, EV_TOO_MANY_LAYERS);
    return false;
}

bool decode_cut(const struct cursor *c)
{
    const struct ec_packet *p = &c->p->pub;

    return !(p->flags & EC_PK_DEFRAG) && p->frame->caplen < p->frame->wirelen;
}

bool decode_large_send(const struct cursor *c, uint8_t proto, uint32_t room)
{
    if (room <= 0xffff && (proto != PROTO_TCP || room < LARGE_SEND_MIN))
        return false;
    c->p->what |= PK_OFFLOAD;
    return true;
}

static void packet_clear(struct packet *p)
{
    memset(p, 0, offsetof(struct packet, event));
    p->pub.size = sizeof p->pub;
    p->pub.l3 = p->pub.l4 = p->pub.payload = EC_NOOFF;
}

void decode_frame(struct packet *p, const struct ec_frame *f, const struct decode_conf *conf)
{
    struct cursor c = { p, conf, f->data, 0, f->caplen, conf->sums && !(f->flags & EC_FR_CSUM_OK), 0, 0 };

    packet_clear(p);
    p->pub.frame = f;
    p->pub.data = f->data;
    p->pub.len = f->caplen;
    p->wire = f->wirelen;
    decode_link(&c, f->linktype);
}

/* What a packet has of the one that brought it. */
static void packet_like(struct packet *p, const struct packet *from)
{
    packet_clear(p);
    p->pub.frame = from->pub.frame;
    p->pub.data = from->pub.data;
    p->pub.len = from->pub.len;
    p->pub.worker = from->pub.worker;
    p->vlans = from->vlans;
    memcpy(p->vlan, from->vlan, sizeof p->vlan);
}

void decode_inner(struct packet *p, const struct packet *outer, const struct decode_conf *conf)
{
    const struct ec_packet *o = &outer->pub;
    struct cursor c = { p, conf, o->data, outer->inner_at, outer->inner_end, conf->sums, 0, 0 };

    packet_like(p, outer);
    p->pub.flags = EC_PK_INNER | (o->flags & EC_PK_DEFRAG);
    p->pub.depth = (uint16_t)(o->depth + 1);
    p->outer = outer;
    p->wire = c.end - c.off;
    if (outer->inner_kind == TUNNEL_ERSPAN && outer->inner_vlan)
        p->vlan[p->vlans++] = outer->inner_vlan;
    if (outer->inner_type == ETHER_BRIDGE)
        decode_ethernet(&c);
    else
        decode_ethertype(&c, outer->inner_type);
}

void decode_whole(struct packet *p, const struct packet *last, const uint8_t *d, uint32_t l3, uint32_t len,
                  const struct decode_conf *conf)
{
    struct cursor c = { p, conf, d, l3, len, conf->sums && !(last->pub.frame->flags & EC_FR_CSUM_OK), 0, 0 };

    packet_like(p, last);
    p->pub.data = d;
    p->pub.len = len;
    p->pub.flags = EC_PK_DEFRAG | (last->pub.flags & EC_PK_INNER);
    p->pub.depth = last->pub.depth;
    p->outer = last->outer;
    p->wire = len;
    decode_ip(&c);
}
