/* record.c: the record of QUIC's first packets, with the names that EVE gives its fields. */
#include "record.h"

#include <stdio.h>

#define EC_API_LEVEL 1
#include <ecyber/plugin.h>

#include "session.h"

#define EXTENSIONS_MAX 128          /* that are written; the rest is cut */
#define VALUES_MAX 16               /* names of one of them, likewise */
#define NUMBERS_MAX 64              /* numbers, likewise */

struct quic_extension { struct ec_span name; uint32_t type, reserved; struct ec_list values; };
struct quic_cyu { struct ec_span hash, string; };
struct quic_event {
    struct ec_part part;
    struct ec_span version, sni, ua, ja3_hash, ja3_string, ja3s_hash, ja3s_string, ja4;
    struct ec_list extensions, cyu;
};

static const struct ec_row cyu_rows[] = {
    EC_FIELD(TEXT, 0, struct quic_cyu, hash, "hash", NULL, "MD5 of it"),
    EC_FIELD(WIRE, 0, struct quic_cyu, string, "string", NULL, "the version and the hello's tags"),
};
static const struct ec_record cyu_record = EC_RECORD_ELEMENT(struct quic_cyu, cyu_rows);

static const struct ec_row extension_rows[] = {
    EC_FIELD(TEXT, 0, struct quic_extension, name, "name", NULL, "in IANA's registry"),
    EC_FIELD(U32, 0, struct quic_extension, type, "type", NULL, "its number"),
    EC_FIELD(WIRE, EC_R_LIST, struct quic_extension, values, "values", NULL,
             "server name, protocols, versions, signature algorithms"),
};
static const struct ec_record extension_record = EC_RECORD_ELEMENT(struct quic_extension, extension_rows);
static const struct ec_row rows[] = {
    EC_FIELD(TEXT, EC_R_COLUMN, struct quic_event, version, "version", NULL, "of the packet"),
    EC_FIELD(WIRE, EC_R_COLUMN | EC_R_INDEX, struct quic_event, sni, "sni", NULL, "server name that was asked for"),
    EC_FIELD(WIRE, 0, struct quic_event, ua, "ua", NULL, "program that the client says it is (Google's versions)"),
    EC_FIELD_LIST(&cyu_record, struct quic_event, cyu, "cyu", "CYU of the client's hello (Google's versions)"),
    EC_FIELD(TEXT, EC_R_COLUMN, struct quic_event, ja3_hash, "ja3.hash", NULL, "JA3 of the client's hello"),
    EC_FIELD(TEXT, 0, struct quic_event, ja3_string, "ja3.string", NULL, "what it is made of"),
    EC_FIELD(TEXT, 0, struct quic_event, ja3s_hash, "ja3s.hash", NULL, "JA3S of the server's hello"),
    EC_FIELD(TEXT, 0, struct quic_event, ja3s_string, "ja3s.string", NULL, "what it is made of"),
    EC_FIELD(TEXT, EC_R_COLUMN, struct quic_event, ja4, "ja4", NULL, "JA4 of the client's hello"),
    EC_FIELD_LIST(&extension_record, struct quic_event, extensions, "extensions", "of the hello, in their order"),
};
static const struct ec_record record = EC_RECORD_PART(struct quic_event, rows);
const struct ec_topic quic_topic = {
    sizeof quic_topic, EC_TOPIC_EVENT, "ec.quic/1", "quic", &record, NULL, "a packet of QUIC that can be read" };

/* IANA's registry "TLS ExtensionType Values". */
static const char *extension_name(uint32_t type)
{
    static const char *const names[] = {
        "server_name", "max_fragment_length", "client_certificate_url", "trusted_ca_keys", "truncated_hmac",
        "status_request", "user_mapping", "client_authz", "server_authz", "cert_type", "supported_groups",
        "ec_point_formats", "srp", "signature_algorithms", "use_srtp", "heartbeat", "alpn", "status_request_v2",
        "signed_certificate_timestamp", "client_certificate_type", "server_certificate_type", "padding",
        "encrypt_then_mac", "extended_master_secret", "token_binding", "cached_info", "tls_lts", "compress_certificate",
        "record_size_limit", "pwd_protect", "pwd_clear", "password_salt", "ticket_pinning", "tls_cert_with_extern_psk",
        "delegated_credentials", "session_ticket", "tlmsp", "tlmsp_proxying", "tlmsp_delegate", "supported_ekt_ciphers",
        NULL, "pre_shared_key", "early_data", "supported_versions", "cookie", "psk_key_exchange_modes", NULL,
        "certificate_authorities", "oid_filters", "post_handshake_auth", "signature_algorithms_cert", "key_share",
        "transparency_info", "connection_id_deprecated", "connection_id", "external_id_hash", "external_session_id",
        "quic_transport_parameters", "ticket_request", "dnssec_chain" };

    if (type < sizeof names / sizeof names[0])
        return names[type];
    return type == 0xff01 ? "renegotiation_info" : type == 13172 ? "next_protocol_negotiation" : NULL;
}

/* A number of two bytes of a list, as Suricata writes it: versions by name. */
static struct ec_span put_number(struct ec_build *b, uint32_t type, const uint8_t *d)
{
    static const char *const versions[] = { "Ssl30", "Tls10", "Tls11", "Tls12", "Tls13" };
    uint32_t v = (uint32_t)d[0] << 8 | d[1];
    char text[8];

    if (type == TLS_X_VERSIONS && v >= 0x0300 && v < 0x0300 + sizeof versions / sizeof versions[0])
        return ec_puts(b, versions[v - 0x0300]);
    return ec_put(b, text, (uint32_t)snprintf(text, sizeof text, "%u", v));
}

/* Lists of numbers, behind their length: of one byte where a client offers versions, none where a server chose one. */
static void put_numbers(struct quic_extension *e, const struct quic_tx *t, struct tls_range body, struct ec_build *b)
{
    uint32_t skip = e->type == TLS_X_SIGNATURES ? 2 : t->type == TLS_CLIENT_HELLO, n;
    const uint8_t *d = t->message + body.off + skip;
    struct ec_span *s;

    n = body.len > skip ? (body.len - skip) / 2 : 0;
    n = n < NUMBERS_MAX ? n : NUMBERS_MAX;
    s = n ? ec_rows(b, &e->values, n, sizeof *s) : NULL;
    for (uint32_t i = 0; s && i < n; i++)
        s[i] = put_number(b, e->type, d + 2 * i);
}

static uint32_t name_count(const struct quic_tx *t, struct tls_range list)
{
    struct tls_range name;
    uint32_t at = list.off, n = 0;

    while (n < VALUES_MAX && list.len && tls_name_next(list, t->message, &at, &name))
        n++;
    return n;
}

static void put_names(struct quic_extension *e, const struct quic_tx *t, struct ec_build *b)
{
    struct tls_range list = t->hello.alpns, name = t->hello.sni;
    uint32_t at = list.off, n = e->type == TLS_X_ALPN ? name_count(t, list) : e->type == TLS_X_SNI && name.len ? 1 : 0;
    struct ec_span *s = n ? ec_rows(b, &e->values, n, sizeof *s) : NULL;

    for (uint32_t i = 0; s && i < n; i++) {
        if (e->type == TLS_X_ALPN && !tls_name_next(list, t->message, &at, &name))
            break;
        s[i] = ec_put(b, t->message + name.off, name.len);
    }
}

static void put_extensions(struct quic_event *q, const struct quic_tx *t, struct ec_build *b)
{
    uint32_t at = t->hello.extensions.off, n = 0, type;
    struct quic_extension *e;
    struct tls_range body;

    while (n < EXTENSIONS_MAX && tls_extension_next(&t->hello, t->message, &at, &type, &body))
        n++;
    if (!n || !(e = ec_rows(b, &q->extensions, n, sizeof *e)))
        return;
    at = t->hello.extensions.off;
    for (uint32_t i = 0; i < n && tls_extension_next(&t->hello, t->message, &at, &type, &body); i++) {
        const char *name = extension_name(type);
        e[i].type = type;
        if (name)
            e[i].name = ec_puts(b, name);
        if (type == TLS_X_SIGNATURES || type == TLS_X_VERSIONS)
            put_numbers(&e[i], t, body, b);
        else
            put_names(&e[i], t, b);
    }
}

static void put_hello(struct quic_event *q, const struct quic_tx *t, struct ec_build *b)
{
    bool client = t->type == TLS_CLIENT_HELLO;

    if (client && t->hello.sni.len)
        q->sni = ec_put(b, t->message + t->hello.sni.off, t->hello.sni.len);
    if (t->ja3.n) {
        *(client ? &q->ja3_hash : &q->ja3s_hash) = ec_puts(b, t->ja3.hash);
        *(client ? &q->ja3_string : &q->ja3s_string) = ec_put(b, t->ja3.text, t->ja3.n);
    }
    if (client)
        q->ja4 = ec_puts(b, t->ja4);
    put_extensions(q, t, b);
}

static void put_google(struct quic_event *q, const struct quic_google *g, struct ec_build *b)
{
    struct quic_cyu *cyu = ec_rows(b, &q->cyu, 1, sizeof *cyu);
    const uint8_t *v;
    uint32_t n;

    if ((v = google_value(&g->hello, "SNI", &n)))
        q->sni = ec_put(b, v, n);
    if ((v = google_value(&g->hello, "UAID", &n)))
        q->ua = ec_put(b, v, n);
    if (cyu) {
        cyu->hash = ec_puts(b, g->hash);
        cyu->string = ec_put(b, g->cyu, g->n_cyu);
    }
}

int32_t quic_record_put(const struct quic_tx *t, uint32_t topic, struct ec_build *b)
{
    struct quic_event *q = ec_add(b, topic, sizeof *q);

    if (!q)
        return EC_ELIMIT;
    q->version = ec_puts(b, t->version_name);
    if (t->message)
        put_hello(q, t, b);
    if (t->google)
        put_google(q, t->google, b);
    return EC_OK;
}
