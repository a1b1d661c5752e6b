#include "core/helper/message.h"

#include <string.h>

static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

int helper_entry_v4(const struct helper_entry *e)
{
    return !memcmp(e->addr, mapped, sizeof mapped) && e->prefix > 96;
}

/* Does the prefix end before bits that are set? */
static int loose_bits(const struct helper_entry *e)
{
    uint32_t byte = e->prefix / 8;

    if (byte < 16 && (e->addr[byte] & (0xffu >> (e->prefix % 8))))
        return 1;
    while (++byte < 16)
        if (e->addr[byte])
            return 1;
    return 0;
}

const char *helper_entry_check(const struct helper_entry *e)
{
    if (!e->prefix || e->prefix > 128)
        return "a prefix is 1 to 128 bits long";
    if (loose_bits(e))
        return "an address has bits behind its prefix";
    if (!memcmp(e->addr, mapped, sizeof mapped) && e->prefix <= 96)
        return "a prefix of IPv4 is 1 to 32 bits long";
    if (e->list == HELPER_ALLOW)
        return e->seconds ? "an allowed address has no end" : NULL;
    if (e->list != HELPER_BLOCK)
        return "an entry is of no list";
    return e->seconds && e->seconds <= HELPER_SECONDS_MAX ? NULL : "a ban needs an end";
}

static const char *entries_check(const struct helper_request *r)
{
    const char *why = NULL;

    for (uint32_t i = 0; i < r->n && !why; i++) {
        why = helper_entry_check(&r->entry[i]);
        if (!why && r->op != HELPER_STAGE && r->entry[i].list != HELPER_BLOCK)
            why = "the allow-list changes with the whole state only";
    }
    return why;
}

const char *helper_request_check(const void *p, size_t bytes)
{
    const struct helper_request *r = p;

    if (bytes < HELPER_REQUEST_BYTES(0))
        return "a request is too short";
    if (r->version != HELPER_VERSION)
        return "a request is of another version: install daemon and helper of one version, and restart";
    if (r->n > HELPER_ENTRIES || bytes != HELPER_REQUEST_BYTES(r->n))
        return "a request's length is not that of its entries";
    switch (r->op) {
    case HELPER_PING:
    case HELPER_BEGIN:
    case HELPER_COMMIT:
    case HELPER_CLEAR:
    case HELPER_LIST:
    case HELPER_TAKE:
        return r->n ? "a request has entries that it has no use for" : NULL;
    case HELPER_STAGE:
    case HELPER_BAN:
    case HELPER_UNBAN:
        return r->n ? entries_check(r) : "a request has no entries";
    default:
        return "a request asks for what there is not";
    }
}

const char *helper_reply_check(const void *p, size_t bytes)
{
    const struct helper_reply *r = p;

    if (bytes < HELPER_REPLY_BYTES(0))
        return "a reply is too short";
    if (r->version != HELPER_VERSION)
        return "a reply is of another version: install daemon and helper of one version, and restart";
    if (r->len > HELPER_TEXT || bytes != HELPER_REPLY_BYTES(r->len))
        return "a reply's length is not that of its text";
    return r->err > 0 || (r->flags & ~(uint32_t)HELPER_MORE) ? "a reply has flags that there are not" : NULL;
}
