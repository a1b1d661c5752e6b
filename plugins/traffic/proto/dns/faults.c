/* faults.c: what is wrong with a DNS message, by Suricata's names.
 *
 * Names are followed as Suricata follows them: forwards, too. A message that ends within a record is sound where it says
 * that it is truncated. */
#include "faults.h"

#include <stdbool.h>

#include "message.h"
#include "types.h"

#define STEPS_MAX 255               /* labels and pointers of one name */
#define WIRE_MAX 255                /* bytes of a name (RFC 1035 §2.3.4) */
#define FOLLOWED_MAX 1026           /* of one that gets this long behind a pointer no more is looked at */
#define BIT(fault) (1u << (fault))

const char *const dns_faults[DNS_FAULTS] = {
    [DNS_MALFORMED] = "malformed_data",
    [DNS_Z_FLAG] = "z_flag_set",
    [DNS_INVALID_OPCODE] = "invalid_opcode",
    [DNS_INVALID_AUTHORITIES] = "invalid_authorities",
    [DNS_INVALID_ADDITIONALS] = "invalid_additionals",
    [DNS_INFINITE_LOOP] = "infinite_loop",
    [DNS_NAME_TOO_LONG] = "name_too_long",
    [DNS_TOO_MANY_LABELS] = "too_many_labels",
    [DNS_NOT_REQUEST] = "not_request",
    [DNS_NOT_RESPONSE] = "not_response",
};

struct look {
    const struct dns_message *m;
    uint32_t faults;
    uint32_t left;                  /* labels and pointers behind pointers that are looked at, in the whole message */
};

enum step { STEP_ON, STEP_END, STEP_BAD };
struct name {
    uint32_t pos, end;              /* where to read on, and up to where */
    uint32_t wire;                  /* bytes so far */
    uint32_t behind;                /* behind its first pointer; 0: none was met */
};

/* A pointer that leads to itself has no end, and no sense where the name begins with it. */
static enum step follow(struct look *l, struct name *n)
{
    uint32_t to, behind = n->behind ? n->behind : n->pos + 2;

    if (n->end - n->pos < 2)
        return STEP_BAD;
    to = dns_u16(l->m->data + n->pos) & 0x3fffu;
    if (to == n->pos && n->end == l->m->len) {
        l->faults |= n->behind ? BIT(DNS_INFINITE_LOOP) : 0;
        return n->behind ? STEP_END : STEP_BAD;
    }
    n->pos = to;
    n->end = l->m->len;
    n->behind = behind;
    return STEP_ON;
}

/* The next label or pointer. */
static enum step name_step(struct look *l, struct name *n)
{
    uint8_t len;

    if (n->pos >= n->end)
        return STEP_BAD;
    len = l->m->data[n->pos];
    if ((len & 0xc0) == 0xc0)
        return follow(l, n);
    if ((len & 0xc0) || n->end - n->pos <= len)
        return STEP_BAD;
    n->pos += len + 1u;
    n->wire += len + 1u;
    if (n->wire > WIRE_MAX)
        l->faults |= BIT(DNS_NAME_TOO_LONG);
    return len ? STEP_ON : STEP_END;
}

/* The name at *at, whose own bytes end before `end`; moves *at behind it. False: it cannot be read. */
static bool name_sound(struct look *l, uint32_t *at, uint32_t end)
{
    struct name n = { .pos = *at, .end = end };
    enum step step = STEP_ON;
    bool over = false;

    for (uint32_t steps = 0; step == STEP_ON; steps++) {
        if (steps > STEPS_MAX) {
            if (!n.behind)
                return false;
            l->faults |= BIT(DNS_TOO_MANY_LABELS) | BIT(DNS_NAME_TOO_LONG);
            break;
        }
        if (n.behind && (!l->left || (n.wire > FOLLOWED_MAX && !over)))
            break;
        over = n.wire > FOLLOWED_MAX;
        l->left -= n.behind != 0;
        step = name_step(l, &n);
    }
    *at = n.behind ? n.behind : n.pos;
    return step != STEP_BAD;
}

/* Strings, each behind its length; the lengths take `width` bytes and come after `head` others. */
static bool strings_sound(const uint8_t *d, uint32_t n, uint32_t head, uint32_t width)
{
    uint32_t at = 0;

    while (at < n) {
        uint32_t len;
        if (n - at < head + width)
            return false;
        at += head;
        len = width == 1 ? d[at] : dns_u16(d + at);
        at += width;
        if (n - at < len)
            return false;
        at += len;
    }
    return true;
}

static bool rdata_sound(struct look *l, const struct dns_rr *r)
{
    const uint8_t *d = l->m->data + r->rdata;
    uint32_t at = r->rdata, end = at + r->rdlen;

    if (!r->rdlen)
        return true;                /* an update deletes so (RFC 2136 §2.5) */
    switch (r->type) {
    case DNS_T_NS: case DNS_T_CNAME: case DNS_T_PTR:
        return name_sound(l, &at, end);
    case DNS_T_MX: case DNS_T_SRV:
        at += r->type == DNS_T_MX ? 2 : 6;
        return at <= end && name_sound(l, &at, end);
    case DNS_T_SOA:
        return name_sound(l, &at, end) && name_sound(l, &at, end) && end - at >= 20;
    case DNS_T_TXT:
        return strings_sound(d, r->rdlen, 0, 1);
    case DNS_T_OPT:
        return strings_sound(d, r->rdlen, 2, 2);
    case DNS_T_SSHFP:
        return r->rdlen >= 2;
    default:
        return true;
    }
}

/* One section from *at on. False: it cannot be read to its end. */
static bool section_sound(struct look *l, uint32_t section, uint32_t *at)
{
    const struct dns_message *m = l->m;

    for (uint32_t i = 0; i < m->count[section]; i++) {
        struct dns_rr r;
        uint32_t name = *at;
        if (section == DNS_QUESTION ? !dns_question_next(m, at, &r) : !dns_rr_next(m, at, &r)) {
            *at = m->len;
            return section != DNS_QUESTION && (m->flags & DNS_TC);
        }
        if (!name_sound(l, &name, m->len) || !rdata_sound(l, &r))
            return false;
    }
    return true;
}

uint32_t dns_message_faults(const struct dns_message *m)
{
    static const enum dns_fault bad[DNS_SECTIONS] = {
        [DNS_QUESTION] = DNS_MALFORMED, [DNS_ANSWER] = DNS_MALFORMED, [DNS_AUTHORITY] = DNS_INVALID_AUTHORITIES,
        [DNS_ADDITIONAL] = DNS_INVALID_ADDITIONALS };
    struct look l = { .m = m, .left = STEPS_MAX + 1 + 2 * m->len };
    uint32_t at = DNS_HEADER;

    if (m->flags & DNS_Z)
        l.faults |= BIT(DNS_Z_FLAG);
    if (dns_opcode(m->flags) == 3 || dns_opcode(m->flags) > 6)
        l.faults |= BIT(DNS_INVALID_OPCODE);
    for (uint32_t i = 0; i < DNS_SECTIONS; i++)
        if (!section_sound(&l, i, &at)) {
            l.faults |= BIT(bad[i]);
            break;
        }
    return l.faults;
}
