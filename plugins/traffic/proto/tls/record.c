/* record.c: the record of a TLS session, with the names that EVE gives its fields. */
#include "record.h"

#include <arpa/inet.h>

#include "session.h"

#define ALPNS_MAX 64                /* names of one side that are written */

struct tls_cert_part { struct ec_span subject, issuer, serial, fingerprint, not_before, not_after; };
struct tls_event {
    struct ec_part part;
    struct tls_cert_part server, client;
    struct ec_list alts, alpns[2];
    struct ec_span sni, version, ja3_hash, ja3_string, ja3s_hash, ja3s_string, ja4;
    uint8_t resumed, pad[7];
};
enum { HAS_RESUMED };

#define CERT_ROWS(side, prefix, whose) \
    EC_FIELD(WIRE, EC_R_COLUMN, struct tls_event, side.subject, prefix "subject", NULL, "subject of " whose), \
    EC_FIELD(WIRE, EC_R_COLUMN, struct tls_event, side.issuer, prefix "issuerdn", NULL, "issuer of " whose), \
    EC_FIELD(TEXT, 0, struct tls_event, side.serial, prefix "serial", NULL, "serial number of " whose), \
    EC_FIELD(TEXT, 0, struct tls_event, side.fingerprint, prefix "fingerprint", NULL, "SHA-1 of " whose), \
    EC_FIELD(TEXT, 0, struct tls_event, side.not_before, prefix "notbefore", NULL, "begin of its validity"), \
    EC_FIELD(TEXT, 0, struct tls_event, side.not_after, prefix "notafter", NULL, "end of its validity")

static const struct ec_row event_rows[] = {
    CERT_ROWS(server, "", "the server's certificate"),
    EC_FIELD(WIRE, EC_R_LIST, struct tls_event, alts, "subjectaltname", NULL, "names in the server's certificate"),
    EC_FIELD_OPT(BOOL, 0, HAS_RESUMED, struct tls_event, resumed, "session_resumed", NULL, "an earlier session goes on"),
    EC_FIELD(WIRE, EC_R_COLUMN | EC_R_INDEX, struct tls_event, sni, "sni", NULL, "server name that was asked for"),
    EC_FIELD(TEXT, EC_R_COLUMN, struct tls_event, version, "version", NULL, "chosen by the server"),
    EC_FIELD(WIRE, EC_R_LIST, struct tls_event, alpns[EC_TO_SERVER], "client_alpns", NULL,
             "application protocols that the client offers"),
    EC_FIELD(WIRE, EC_R_LIST, struct tls_event, alpns[EC_TO_CLIENT], "server_alpns", NULL,
             "the one that the server chose, where TLS is older than 1.3"),
    EC_FIELD(TEXT, EC_R_COLUMN, struct tls_event, ja3_hash, "ja3.hash", NULL, "JA3 of the client's hello"),
    EC_FIELD(TEXT, 0, struct tls_event, ja3_string, "ja3.string", NULL, "what it is made of"),
    EC_FIELD(TEXT, 0, struct tls_event, ja3s_hash, "ja3s.hash", NULL, "JA3S of the server's hello"),
    EC_FIELD(TEXT, 0, struct tls_event, ja3s_string, "ja3s.string", NULL, "what it is made of"),
    EC_FIELD(TEXT, EC_R_COLUMN, struct tls_event, ja4, "ja4", NULL, "JA4 of the client's hello"),
    CERT_ROWS(client, "client.", "the client's certificate"),
};
static const struct ec_record event_record = EC_RECORD_PART(struct tls_event, event_rows);
const struct ec_topic tls_topic = {
    sizeof tls_topic, EC_TOPIC_EVENT, "ec.tls/1", "tls", &event_record, NULL, "one TLS handshake" };

static struct ec_span put_text(struct ec_build *b, const char *s)
{
    struct ec_span none = { 0, 0 };

    return *s ? ec_puts(b, s) : none;
}

static struct ec_span put_range(struct ec_build *b, const uint8_t *message, struct tls_range r)
{
    struct ec_span none = { 0, 0 };

    return r.len ? ec_put(b, message + r.off, r.len) : none;
}

static void put_cert(struct tls_cert_part *p, const struct tls_chain *chain, struct ec_build *b)
{
    const struct cert *c;

    if (!chain || !chain->items)
        return;
    c = &chain->cert;
    if (c->subject.n)
        p->subject = ec_put(b, c->subject.p, c->subject.n);
    if (c->issuer.n)
        p->issuer = ec_put(b, c->issuer.p, c->issuer.n);
    p->serial = put_text(b, c->serial);
    p->fingerprint = put_text(b, c->fingerprint);
    p->not_before = put_text(b, c->not_before);
    p->not_after = put_text(b, c->not_after);
}

static struct ec_span put_alt(struct ec_build *b, const struct cert_alt *alt)
{
    char text[INET6_ADDRSTRLEN];

    if (alt->kind == CERT_ALT_IP && (alt->n == 4 || alt->n == 16))
        return ec_puts(b, inet_ntop(alt->n == 4 ? AF_INET : AF_INET6, alt->p, text, sizeof text));
    return ec_put(b, alt->p, alt->n);
}

static void put_alts(struct tls_event *e, const struct tls_end *end, struct ec_build *b)
{
    const struct cert *c = end->chain ? &end->chain->cert : NULL;
    struct ec_span *s = c && c->alts ? ec_rows(b, &e->alts, c->alts, sizeof *s) : NULL;
    const uint8_t *at = s ? c->alt : NULL;
    struct cert_alt alt;

    for (uint32_t i = 0; s && i < c->alts && cert_alt_next(c, &at, &alt); i++)
        s[i] = put_alt(b, &alt);
}

static void put_alpns(struct ec_list *l, const struct tls_end *end, struct ec_build *b)
{
    struct tls_range list = end->hello.alpns, name;
    uint32_t n = 0, at = list.off;
    struct ec_span *s;

    while (n < ALPNS_MAX && tls_name_next(list, end->message, &at, &name))
        n++;
    s = n ? ec_rows(b, l, n, sizeof *s) : NULL;
    at = list.off;
    for (uint32_t i = 0; s && i < n && tls_name_next(list, end->message, &at, &name); i++)
        s[i] = ec_put(b, end->message + name.off, name.len);
}

static void put_hellos(struct tls_event *e, const struct tls_tx *t, struct ec_build *b)
{
    const struct tls_end *client = &t->end[EC_TO_SERVER], *server = &t->end[EC_TO_CLIENT];
    char scratch[TLS_VERSION_NAME];

    if (client->seen && !t->v2) {
        e->sni = put_range(b, client->message, client->hello.sni);
        put_alpns(&e->alpns[EC_TO_SERVER], client, b);
        e->ja3_hash = put_text(b, client->ja3.hash);
        if (client->ja3.n)
            e->ja3_string = ec_put(b, client->ja3.text, client->ja3.n);
        e->ja4 = put_text(b, t->ja4);
    }
    if (server->seen) {
        put_alpns(&e->alpns[EC_TO_CLIENT], server, b);
        e->version = ec_puts(b, tls_version_name(server->hello.version, scratch));
        e->ja3s_hash = put_text(b, server->ja3.hash);
        if (server->ja3.n)
            e->ja3s_string = ec_put(b, server->ja3.text, server->ja3.n);
    }
}

int32_t tls_record_put(const struct tls_tx *t, uint32_t topic, struct ec_build *b)
{
    struct tls_event *e = ec_add(b, topic, sizeof *e);

    if (!e)
        return EC_ELIMIT;
    put_hellos(e, t, b);
    put_cert(&e->server, t->end[EC_TO_CLIENT].chain, b);
    put_cert(&e->client, t->end[EC_TO_SERVER].chain, b);
    put_alts(e, &t->end[EC_TO_CLIENT], b);
    if (t->resumed) {
        e->resumed = 1;
        e->part.has |= UINT64_C(1) << HAS_RESUMED;
    }
    return EC_OK;
}
