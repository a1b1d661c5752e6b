#include "core/helper/table.h"

#define EC_API_LEVEL 1
#include <ecyber/plugin.h>

#include <stdlib.h>
#include <string.h>

static bool reply(struct table *t, const struct helper_request *r, int32_t err, const char *text, size_t n, bool more)
{
    struct helper_reply *to = &t->reply;

    memset(to, 0, HELPER_REPLY_BYTES(0));
    to->version = HELPER_VERSION;
    to->op = r->op;
    to->seq = r->seq;
    to->err = err;
    to->flags = more ? HELPER_MORE : 0;
    to->len = (uint32_t)(n < HELPER_TEXT ? n : HELPER_TEXT);
    memcpy(to->text, text, to->len);
    return t->send(t->arg, to, HELPER_REPLY_BYTES(to->len));
}

static bool say(struct table *t, const struct helper_request *r, int32_t err, const char *text)
{
    return reply(t, r, err, text, strlen(text), false);
}

/* Long text goes out in parts; an empty one is a reply as well. */
static bool tell(struct table *t, const struct helper_request *r, const char *text)
{
    size_t n = strlen(text);
    bool sent = true;

    for (; n > HELPER_TEXT && sent; text += HELPER_TEXT, n -= HELPER_TEXT)
        sent = reply(t, r, EC_OK, text, HELPER_TEXT, true);
    return sent && reply(t, r, EC_OK, text, n, false);
}

/* Let the kernel do what stands in t->text. */
static int32_t run(struct table *t, const char **said)
{
    *said = "out of memory";
    if (t->text.failed || !t->text.p)
        return EC_ENOMEM;
    return t->run(t->arg, t->text.p, said) ? EC_OK : EC_EIO;
}

/* Is the table still there? Somebody else may have flushed the rule set. */
static bool gone(struct table *t)
{
    const char *said;

    text_clear(&t->text);
    text_add(&t->text,
             "{\"nftables\":[{\"list\":{\"chain\":{\"family\":\"inet\",\"table\":\"ecyber\",\"name\":\"input\"}}}]}");
    if (t->stands && run(t, &said) != EC_OK)
        t->stands = false;
    return !t->stands;
}

static const char *const not_there =
    "the table 'inet ecyber' is not in the kernel: somebody else removed it, or the state was not sent yet";

static bool begin(struct table *t, const struct helper_request *r)
{
    t->n_staged = 0;
    t->staging = true;
    return say(t, r, EC_OK, "");
}

/* A state that lost a part must not be put in place. */
static bool spoil(struct table *t, const struct helper_request *r, int32_t err, const char *why)
{
    t->staging = false;
    return say(t, r, err, why);
}

static bool stage(struct table *t, const struct helper_request *r)
{
    uint32_t cap = t->cap_staged ? t->cap_staged : 1024;
    struct helper_entry *more;

    if (r->n > HELPER_TABLE - t->n_staged)
        return spoil(t, r, EC_ELIMIT, "a state has at most 131072 entries");
    while (cap - t->n_staged < r->n)
        cap *= 2;
    if (cap != t->cap_staged) {
        if (!(more = realloc(t->staged, cap * sizeof *more)))
            return spoil(t, r, EC_ENOMEM, "out of memory");
        t->staged = more;
        t->cap_staged = cap;
    }
    memcpy(t->staged + t->n_staged, r->entry, r->n * sizeof r->entry[0]);
    t->n_staged += r->n;
    return say(t, r, EC_OK, "");
}

static bool commit(struct table *t, const struct helper_request *r)
{
    struct ruleset next;
    const char *said, *held;
    int32_t err;

    if (!t->staging)
        return say(t, r, EC_EINVAL, "there is no whole state to put in place");
    t->staging = false;
    if ((held = t->hold(t->arg)))
        return say(t, r, EC_EEXIST, held);
    ruleset_state(&t->text, t->staged, t->n_staged, &next);
    err = run(t, &said);
    if (!err) {
        t->have = next;
        t->stands = true;
    }
    free(t->staged);
    t->staged = NULL;
    t->n_staged = t->cap_staged = 0;
    return say(t, r, err, err ? said : "");
}

static bool change(struct table *t, const struct helper_request *r)
{
    struct ruleset next = t->have;
    const char *said = not_there;
    int32_t err = EC_ENOENT;

    if (t->stands) {
        if (r->op == HELPER_BAN)
            ruleset_ban(&t->text, r->entry, r->n, &next);
        else
            ruleset_unban(&t->text, r->entry, r->n, &next);
        if (!(err = run(t, &said)))
            t->have = next;
        else if (err == EC_EIO && gone(t)) {
            err = EC_ENOENT;
            said = not_there;
        }
    }
    return say(t, r, err, err ? said : "");
}

static bool clear(struct table *t, const struct helper_request *r)
{
    const char *said, *held;
    int32_t err;

    if ((held = t->hold(t->arg)))
        return say(t, r, EC_EEXIST, held);
    ruleset_clear(&t->text);
    err = run(t, &said);
    t->stands = false;
    return say(t, r, err, err ? said : "");
}

static bool take(struct table *t, const struct helper_request *r)
{
    const char *held = t->hold(t->arg);

    if (held)
        return say(t, r, EC_EEXIST, held);
    t->stands = true;
    if (gone(t))
        return say(t, r, EC_ENOENT, not_there);
    ruleset_left(&t->have);
    return say(t, r, EC_OK, "");
}

static bool list(struct table *t, const struct helper_request *r)
{
    const char *said;

    if (gone(t))
        return say(t, r, EC_ENOENT, not_there);
    ruleset_list(&t->text);
    return run(t, &said) ? say(t, r, EC_EIO, said) : tell(t, r, said);
}

bool table_answer(struct table *t, const void *packet, size_t bytes)
{
    static const struct helper_request none;
    const struct helper_request *r = packet;
    const char *why = helper_request_check(packet, bytes);

    if (why) {
        t->staging = false;
        return say(t, bytes >= HELPER_REQUEST_BYTES(0) ? r : &none, EC_EINVAL, why);
    }
    switch (r->op) {
    case HELPER_PING:
        return t->stands && gone(t) ? say(t, r, EC_ENOENT, not_there) : say(t, r, EC_OK, t->version);
    case HELPER_BEGIN:
        return begin(t, r);
    case HELPER_STAGE:
        return stage(t, r);
    case HELPER_COMMIT:
        return commit(t, r);
    case HELPER_CLEAR:
        return clear(t, r);
    case HELPER_LIST:
        return list(t, r);
    case HELPER_TAKE:
        return take(t, r);
    default:
        return change(t, r);
    }
}

void table_free(struct table *t)
{
    free(t->staged);
    free(t->text.p);
}
