#include "plugins/ids/keyword/sticky.h"

#include "plugins/ids/keyword/content.h"
#include "plugins/ids/keyword/keyword.h"
#include "plugins/ids/rule/cache.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Two buffers for one name: the first that a parser offers. */
static const struct { const char *name, *buffer[2]; } aliases[] = {
    { "http_uri", { "http.uri" } }, { "http_raw_uri", { "http.uri.raw" } }, { "http_method", { "http.method" } },
    { "http_header", { "http.header" } }, { "http_raw_header", { "http.header.raw" } },
    { "http_cookie", { "http.cookie" } }, { "http_user_agent", { "http.user_agent" } },
    { "http_host", { "http.host" } }, { "http_raw_host", { "http.host.raw" } },
    { "http_client_body", { "http.request_body" } }, { "http_server_body", { "http.response_body" } },
    { "http_stat_code", { "http.stat_code" } }, { "http_stat_msg", { "http.stat_msg" } },
    { "http_request_line", { "http.request_line" } }, { "http_response_line", { "http.response_line" } },
    { "http_protocol", { "http.protocol" } }, { "http_accept", { "http.accept" } },
    { "http_accept_lang", { "http.accept_lang" } }, { "http_accept_enc", { "http.accept_enc" } },
    { "http_connection", { "http.connection" } }, { "http_content_len", { "http.content_len" } },
    { "http_content_type", { "http.content_type" } }, { "http_referer", { "http.referer" } },
    { "http_start", { "http.start" } }, { "http_header_names", { "http.header_names" } },
    { "file_data", { "file.data", "http.response_body" } }, { "file.data", { "file.data", "http.response_body" } },
    { "dns_query", { "dns.query" } },
    { "tls_sni", { "tls.sni" } }, { "tls_cert_subject", { "tls.cert_subject" } },
    { "tls_cert_issuer", { "tls.cert_issuer" } }, { "tls_cert_serial", { "tls.cert_serial" } },
    { "tls_cert_fingerprint", { "tls.cert_fingerprint" } }, { "ja3_hash", { "ja3.hash" } },
    { "ja3_string", { "ja3.string" } }, { "ssh_proto", { "ssh.proto" } }, { "ssh_software", { "ssh.software" } },
};

const struct view *sticky_view(struct build *b, const char *name)
{
    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++) {
        const struct view *v;

        if (strcasecmp(aliases[i].name, name))
            continue;
        v = cache_view(b->cache, b->arena, b->env, aliases[i].buffer[0]);
        if (!v && aliases[i].buffer[1])
            v = cache_view(b->cache, b->arena, b->env, aliases[i].buffer[1]);
        if (!v)
            build_unsupported(b, name, "no parser offers the buffer '%s'", aliases[i].buffer[0]);
        return v;
    }
    return build_view(b, name);
}

int sticky_open(struct build *b, const char *name)
{
    const struct view *v = sticky_view(b, name);

    if (!v) {
        snprintf(b->why, sizeof b->why, "'%s' is neither a known keyword nor the buffer of a parser", name);
        return -1;
    }
    if (b->option->has_value)
        return build_fail(b, b->option->value.off, "the buffer '%s' takes no value", name);
    b->view = v;
    b->content = NULL;
    return build_chain(b, v) ? 0 : -1;
}

/* tls.version:1.2 asks for the whole buffer; without a value it opens the buffer as others do. */
static int tls_version_parse(struct build *b)
{
    const struct view *v;

    if (!b->option->has_value)
        return sticky_open(b, "tls.version");
    v = sticky_view(b, "tls.version");
    if (!v)
        return -1;
    if (!b->option->value.len)
        return build_fail(b, b->option->name.off, "a version expected behind 'tls.version:'");
    return content_whole(b, v, b->option->value, "tls.version");
}

static int pkt_data_parse(struct build *b)
{
    b->view = NULL;
    b->content = NULL;
    return 0;
}

static const struct keyword rows[] = {
    { "pkt_data", NULL, KW_BARE, pkt_data_parse, "back to the raw payload for the contents behind it" },
    { "tls.version", "tls_version", 0, tls_version_parse, "VALUE: the version is that; without one: its buffer" },
};
KEYWORD_FAMILY(keyword_sticky, rows);
