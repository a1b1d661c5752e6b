#include "plugins/traffic/flow/bypass.h"

#include "plugins/traffic/engine.h"
#include "plugins/traffic/held.h"
#include "plugins/traffic/proto/app.h"
#include "plugins/traffic/stream/stream.h"

#define MUTE_ALL UINT32_MAX

static const uint16_t metric_of[] = { 0, M_BYPASS_LARGE, M_BYPASS_ENCRYPTED, M_BYPASS_OVERLOAD };   /* by BYPASS_* */

static uint32_t bypass_why(const struct worker *w, const struct flow *f)
{
    const struct tconf *c = w->conf;

    if ((f->flags & FL_SESSION) && f->pub.state != EC_FLOW_ESTABLISHED)
        return BYPASS_NONE;
    if (c->bypass_encrypted && f->opaque)
        return BYPASS_ENCRYPTED;
    if (c->bypass_bytes && f->pub.bytes[0] + f->pub.bytes[1] > c->bypass_bytes)
        return BYPASS_BYTES;
    return w->shed.level && (f->opaque || f->pub.bytes[0] + f->pub.bytes[1] > c->shed_bytes) ? BYPASS_OVERLOAD
                                                                                           : BYPASS_NONE;
}

/* What came since the last look. */
static void bypass_count(struct worker *w, struct flow *f, struct bypass *b)
{
    uint64_t pkts = f->pub.pkts[0] + f->pub.pkts[1], bytes = f->pub.bytes[0] + f->pub.bytes[1];

    count_add(w, M_BYPASS_PKTS, pkts - b->counted_pkts);
    if (b->why == BYPASS_OVERLOAD)
        count_add(w, M_SHED_PKTS, pkts - b->counted_pkts);
    count_add(w, M_BYPASS_BYTES, bytes - b->counted_bytes);
    b->counted_pkts = pkts;
    b->counted_bytes = bytes;
}

/* p is the first packet that nobody sees. */
static void bypass_begin(struct worker *w, struct flow *f, const struct packet *p, uint32_t why)
{
    struct bypass *b = pool_zero(&w->pool, sizeof *b);

    if (!b)
        return;                     /* with memory at a later look */
    held_flush(w, f);
    stream_stop(w, f);
    app_end(w, f);
    f->flags |= FL_APP_OFF;
    f->bypass = b;
    b->why = why;
    b->mute = f->pub.mute;
    f->pub.mute = MUTE_ALL;
    memcpy(b->pkts, f->pub.pkts, sizeof b->pkts);
    memcpy(b->bytes, f->pub.bytes, sizeof b->bytes);
    b->pkts[p->pub.dir]--;
    b->bytes[p->pub.dir] -= p->wire;
    b->counted_pkts = b->pkts[0] + b->pkts[1];
    b->counted_bytes = b->bytes[0] + b->bytes[1];
    count(w, metric_of[why]);
}

void bypass_look(struct worker *w, struct flow *f, const struct packet *p)
{
    uint32_t why;

    if (f->bypass)
        bypass_count(w, f, f->bypass);
    else if ((why = bypass_why(w, f)))
        bypass_begin(w, f, p, why);
}

void bypass_end(struct worker *w, struct flow *f)
{
    if (!f->bypass)
        return;
    bypass_count(w, f, f->bypass);
    f->pub.mute = f->bypass->mute;
}
