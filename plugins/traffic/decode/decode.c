#include "plugins/traffic/decode/decode.h"

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
    return c->p->pub.frame->caplen < c->p->pub.frame->wirelen;
}

void decode_frame(struct packet *p, const struct ec_frame *f, bool check_sums)
{
    struct cursor c = { p, f->data, 0, f->caplen, check_sums && !(f->flags & EC_FR_CSUM_OK), 0, 0 };

    memset(p, 0, sizeof *p);
    p->pub.size = sizeof p->pub;
    p->pub.frame = f;
    p->pub.data = f->data;
    p->pub.len = f->caplen;
    p->pub.l3 = p->pub.l4 = p->pub.payload = EC_NOOFF;
    decode_link(&c, f->linktype);
}
