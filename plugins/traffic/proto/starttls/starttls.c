/* starttls.c: protocols that begin in the clear and may go on as TLS. The client asks, the server grants, and the bytes that
 * then begin like TLS belong to its parser. */
#include "starttls.h"

#include <string.h>

#define EC_API_LEVEL 1
#include <ecyber/plugin.h>
#include <ecyber/ext/traffic.h>

#include "greeting.h"

#define LINE_LONG 4096              /* what has no end by then is not looked at */

struct starttls { bool asked, granted; };           /* by connection */

static const struct ec_traffic *traffic;

static bool ask_smtp(const uint8_t *d, uint32_t n) { return greeting_begins(d, n, "STARTTLS"); }
static bool ask_pop3(const uint8_t *d, uint32_t n) { return greeting_begins(d, n, "STLS"); }

static bool ask_ftp(const uint8_t *d, uint32_t n)
{
    return greeting_begins(d, n, "AUTH TLS") || greeting_begins(d, n, "AUTH SSL");
}

/* Behind the tag. */
static const uint8_t *imap_word(const uint8_t *d, uint32_t n, uint32_t *left)
{
    const uint8_t *space = memchr(d, ' ', n);

    *left = space ? n - (uint32_t)(space + 1 - d) : 0;
    return space ? space + 1 : d;
}

static bool ask_imap(const uint8_t *d, uint32_t n)
{
    uint32_t left;
    const uint8_t *word = imap_word(d, n, &left);

    return greeting_begins(word, left, "STARTTLS");
}

static bool grant_smtp(const uint8_t *d, uint32_t n) { return greeting_begins(d, n, "220 "); }
static bool grant_ftp(const uint8_t *d, uint32_t n) { return greeting_begins(d, n, "234 "); }
static bool grant_pop3(const uint8_t *d, uint32_t n) { return greeting_begins(d, n, "+OK"); }

static bool grant_imap(const uint8_t *d, uint32_t n)
{
    uint32_t left;
    const uint8_t *word = imap_word(d, n, &left);

    return n && d[0] != '*' && greeting_begins(word, left, "OK");
}

static bool ask_jabber(const uint8_t *d, uint32_t n) { return greeting_begins(d, n, "<starttls"); }
static bool grant_jabber(const uint8_t *d, uint32_t n) { return greeting_begins(d, n, "<proceed"); }
static bool ask_pgsql(const uint8_t *d, uint32_t n) { return greeting_pgsql(d, n, EC_TO_SERVER) == EC_YES; }
static bool grant_pgsql(const uint8_t *d, uint32_t n) { return n == 1 && d[0] == 'S'; }

struct kind {                       /* the parser's self */
    bool (*ask)(const uint8_t *d, uint32_t n), (*grant)(const uint8_t *d, uint32_t n);
    int end;                        /* of what they look at: '\n', '>'; 0: all that came */
};
static const struct kind smtp_kind = { ask_smtp, grant_smtp, '\n' }, ftp_kind = { ask_ftp, grant_ftp, '\n' },
                         imap_kind = { ask_imap, grant_imap, '\n' }, pop3_kind = { ask_pop3, grant_pop3, '\n' },
                         jabber_kind = { ask_jabber, grant_jabber, '>' }, pgsql_kind = { ask_pgsql, grant_pgsql, 0 };

/* One line, element or message. */
static void look(struct starttls *s, const struct kind *kind, const struct ec_chunk *k, const uint8_t *d, uint32_t n)
{
    while (n && (*d == ' ' || *d == '\t' || *d == '\r' || *d == '\n')) {
        d++;
        n--;
    }
    if (k->dir == EC_TO_SERVER)
        s->asked = kind->ask(d, n);
    else if (s->asked && kind->grant(d, n))
        s->granted = true;
}

/* Do the bytes begin like a record of TLS's handshake? -1: they are too few. */
static int like_tls(const uint8_t *d, uint32_t n)
{
    static const uint8_t record[2] = { 22, 3 };

    if (memcmp(d, record, n < 2 ? n : 2))
        return 0;
    return n < 3 ? -1 : d[2] <= 4;
}

static int64_t starttls_parse(void *self, struct ec_pctx *c, void *state, const struct ec_chunk *k)
{
    const struct kind *kind = self;
    struct starttls *s = state;
    uint32_t at = 0;

    if ((k->flags & EC_CH_GAP) && !s->granted)
        s->asked = false;           /* what was lost may have been another command */
    while (at < k->len) {
        const uint8_t *d = k->data + at, *end;
        int tls = s->granted ? like_tls(d, k->len - at) : 0;
        if (tls < 0)
            return at;
        if (tls && traffic->upgrade(c, "tls") == EC_OK)
            return at;
        s->granted = s->granted && k->dir == EC_TO_CLIENT;  /* the client goes on in the clear */
        end = kind->end ? memchr(d, kind->end, k->len - at) : k->data + k->len - 1;
        if (!end)
            return k->len - at < LINE_LONG ? at : k->len;
        look(s, kind, k, d, (uint32_t)(end + 1 - d));
        at = (uint32_t)(end + 1 - k->data);
    }
    return at;
}

#define PROTOCOL(id, ports) \
    { .size = sizeof(struct ec_proto), .name = #id, .hints = ports, .state_bytes = sizeof(struct starttls), \
      .probe = greeting_##id, .parse = starttls_parse }
static const struct ec_proto protocols[] = {
    PROTOCOL(smtp, "tcp/25,587,2525"), PROTOCOL(ftp, "tcp/21"), PROTOCOL(imap, "tcp/143"), PROTOCOL(pop3, "tcp/110"),
    PROTOCOL(jabber, "tcp/5222,5269"), PROTOCOL(pgsql, "tcp/5432") };
static const struct kind *const kinds[] = { &smtp_kind, &ftp_kind, &imap_kind, &pop3_kind, &jabber_kind, &pgsql_kind };

int32_t starttls_register(const struct ec_host *h, const struct ec_traffic *t, void *t_self)
{
    int32_t err = EC_OK;
    uint32_t id;

    traffic = t;
    for (uint32_t i = 0; !err && i < sizeof protocols / sizeof protocols[0]; i++) {
        err = t->proto(t_self, h, &protocols[i], (void *)(uintptr_t)kinds[i], &id);
        err = err == EC_EEXIST ? EC_OK : err;
    }
    return err;
}
