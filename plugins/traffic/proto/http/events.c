/* events.c: libhtp's sentences and flags as anomalies. */
#include "events.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define EC_API_LEVEL 1
#include <ecyber/ext/traffic.h>

#include "text.h"

enum event {
    UNKNOWN_ERROR, GZIP_FAILED, REQUEST_COLON, RESPONSE_COLON, REQUEST_CHUNK, RESPONSE_CHUNK, REQUEST_T_E, REQUEST_C_L,
    RESPONSE_C_L, REQUEST_C_L_TWICE, RESPONSE_C_L_TWICE, UNMATCHED, REQUEST_HEADER, RESPONSE_HEADER, HOST_MISSING,
    HOST_AMBIGUOUS, REQUEST_FOLDING, RESPONSE_FOLDING, REQUEST_LONG, RESPONSE_LONG, PORT_MISMATCH, URI_HOST,
    HEADER_HOST, AUTH, REQUEST_REPEATED, RESPONSE_REPEATED, BYTERANGES, RESPONSE_T_E, CHUNKED_OLD, RESPONSE_PROTOCOL,
    RESPONSE_STATUS, REQUEST_INCOMPLETE, URI_DELIMITER, METHOD_DELIMITER, LEADING_SPACE, LAYERS, CODING, LZMA_LIMIT,
    BOMB, MISSING_PROTOCOL, REQUEST_BODY, RESPONSE_BODY, AUTHORITY_PORT, REQUEST_LINE, REQUEST_HEADERS,
    RESPONSE_HEADERS, SMUGGLING, CHUNK_EXTENSION, BROTLI_FAILED,
    RESPONSE_CHUNK_EXTENSION, CONTINUE_TWICE, SWITCHING_WITH_LENGTH, FILE_NAME, RANGE, PART_HEADER, PART_EMPTY, EVENTS
};
const char *const http_events[HTTP_EVENTS] = {
    [UNKNOWN_ERROR] = "UNKNOWN_ERROR",
    [GZIP_FAILED] = "GZIP_DECOMPRESSION_FAILED",
    [REQUEST_COLON] = "REQUEST_FIELD_MISSING_COLON",
    [RESPONSE_COLON] = "RESPONSE_FIELD_MISSING_COLON",
    [REQUEST_CHUNK] = "INVALID_REQUEST_CHUNK_LEN",
    [RESPONSE_CHUNK] = "INVALID_RESPONSE_CHUNK_LEN",
    [REQUEST_T_E] = "INVALID_TRANSFER_ENCODING_VALUE_IN_REQUEST",
    [REQUEST_C_L] = "INVALID_CONTENT_LENGTH_FIELD_IN_REQUEST",
    [RESPONSE_C_L] = "INVALID_CONTENT_LENGTH_FIELD_IN_RESPONSE",
    [REQUEST_C_L_TWICE] = "DUPLICATE_CONTENT_LENGTH_FIELD_IN_REQUEST",
    [RESPONSE_C_L_TWICE] = "DUPLICATE_CONTENT_LENGTH_FIELD_IN_RESPONSE",
    [UNMATCHED] = "UNABLE_TO_MATCH_RESPONSE_TO_REQUEST",
    [REQUEST_HEADER] = "REQUEST_HEADER_INVALID",
    [RESPONSE_HEADER] = "RESPONSE_HEADER_INVALID",
    [HOST_MISSING] = "MISSING_HOST_HEADER",
    [HOST_AMBIGUOUS] = "HOST_HEADER_AMBIGUOUS",
    [REQUEST_FOLDING] = "INVALID_REQUEST_FIELD_FOLDING",
    [RESPONSE_FOLDING] = "INVALID_RESPONSE_FIELD_FOLDING",
    [REQUEST_LONG] = "REQUEST_FIELD_TOO_LONG",
    [RESPONSE_LONG] = "RESPONSE_FIELD_TOO_LONG",
    [PORT_MISMATCH] = "REQUEST_SERVER_PORT_TCP_PORT_MISMATCH",
    [URI_HOST] = "REQUEST_URI_HOST_INVALID",
    [HEADER_HOST] = "REQUEST_HEADER_HOST_INVALID",
    [AUTH] = "REQUEST_AUTH_UNRECOGNIZED",
    [REQUEST_REPEATED] = "REQUEST_HEADER_REPETITION",
    [RESPONSE_REPEATED] = "RESPONSE_HEADER_REPETITION",
    [BYTERANGES] = "RESPONSE_MULTIPART_BYTERANGES",
    [RESPONSE_T_E] = "RESPONSE_ABNORMAL_TRANSFER_ENCODING",
    [CHUNKED_OLD] = "RESPONSE_CHUNKED_OLD_PROTO",
    [RESPONSE_PROTOCOL] = "RESPONSE_INVALID_PROTOCOL",
    [RESPONSE_STATUS] = "RESPONSE_INVALID_STATUS",
    [REQUEST_INCOMPLETE] = "REQUEST_LINE_INCOMPLETE",
    [URI_DELIMITER] = "URI_DELIM_NON_COMPLIANT",
    [METHOD_DELIMITER] = "METHOD_DELIM_NON_COMPLIANT",
    [LEADING_SPACE] = "REQUEST_LINE_LEADING_WHITESPACE",
    [LAYERS] = "TOO_MANY_ENCODING_LAYERS",
    [CODING] = "ABNORMAL_CE_HEADER",
    [LZMA_LIMIT] = "LZMA_MEMLIMIT_REACHED",
    [BOMB] = "COMPRESSION_BOMB",
    [MISSING_PROTOCOL] = "REQUEST_LINE_MISSING_PROTOCOL",
    [REQUEST_BODY] = "REQUEST_BODY_UNEXPECTED",
    [RESPONSE_BODY] = "RESPONSE_BODY_UNEXPECTED",
    [AUTHORITY_PORT] = "INVALID_AUTHORITY_PORT",
    [REQUEST_LINE] = "REQUEST_LINE_INVALID",
    [REQUEST_HEADERS] = "REQUEST_TOO_MANY_HEADERS",
    [RESPONSE_HEADERS] = "RESPONSE_TOO_MANY_HEADERS",
    [SMUGGLING] = "REQUEST_SMUGGLING",
    [CHUNK_EXTENSION] = "REQUEST_CHUNK_EXTENSION",
    [BROTLI_FAILED] = "BROTLI_DECOMPRESSION_FAILED",
    [RESPONSE_CHUNK_EXTENSION] = "RESPONSE_CHUNK_EXTENSION",
    [CONTINUE_TWICE] = "100_CONTINUE_ALREADY_SEEN",
    [SWITCHING_WITH_LENGTH] = "SWITCHING_PROTO_WITH_CONTENT_LENGTH",
    [FILE_NAME] = "FILE_NAME_TOO_LONG",
    [RANGE] = "RANGE_INVALID",
    [PART_HEADER] = "MULTIPART_INVALID_HEADER",
    [PART_EMPTY] = "MULTIPART_NO_FILEDATA",
};
_Static_assert((int)EVENTS == (int)HTTP_EVENTS && EVENTS <= 64, "all have a name, and a bit");

/* The beginning of what libhtp says (0.5.42 and 0.5.50); the first that fits. */
static const struct { const char *text; enum event event; } messages[] = {
    { "GZip decompressor", GZIP_FAILED },
    { "LZMA decompressor: memory limit", LZMA_LIMIT },
    { "Compression bomb", BOMB },
    { "Request field invalid: colon missing", REQUEST_COLON },
    { "Request field invalid: empty name", REQUEST_COLON },
    { "Response field invalid: missing colon", RESPONSE_COLON },
    { "Response field invalid: empty name", RESPONSE_COLON },
    { "Request chunk encoding: Invalid chunk length", REQUEST_CHUNK },
    { "Response chunk encoding: Invalid chunk length", RESPONSE_CHUNK },
    { "Request chunk extension", CHUNK_EXTENSION },
    { "Already seen 100-Continue", CONTINUE_TWICE },
    { "Switching Protocol with Content-Length", SWITCHING_WITH_LENGTH },
    { "Ambiguous request C-L value", REQUEST_C_L_TWICE },
    { "Ambiguous response C-L value", RESPONSE_C_L_TWICE },
    { "Invalid C-L field in response", RESPONSE_C_L },
    { "Unable to match response to request", UNMATCHED },
    { "Invalid response line: invalid protocol", RESPONSE_PROTOCOL },
    { "Invalid response line: invalid response status", RESPONSE_STATUS },
    { "Request line incomplete", REQUEST_INCOMPLETE },
    { "Unexpected request body", REQUEST_BODY },
    { "Unexpected response body", RESPONSE_BODY },
    { "Unexpected Response body", RESPONSE_BODY },
    { "Request field invalid", REQUEST_HEADER },
    { "Response field invalid", RESPONSE_HEADER },
    { "Request header name is not a token", REQUEST_HEADER },
    { "Response header name is not a token", RESPONSE_HEADER },
    { "Response header value contains null", RESPONSE_HEADER },
    { "Invalid request field folding", REQUEST_FOLDING },
    { "Invalid response field folding", RESPONSE_FOLDING },
    { "Request server port=", PORT_MISMATCH },
    { "Request line: URI contains non-compliant delimiter", URI_DELIMITER },
    { "Request line: non-compliant delimiter between Method and URI", METHOD_DELIMITER },
    { "Request line: leading whitespace", LEADING_SPACE },
    { "Request line: missing protocol", MISSING_PROTOCOL },
    { "Request line: unknown method", REQUEST_LINE },
    { "Too many response content encoding layers", LAYERS },
    { "C-E ", CODING },
    { "Repetition for header", REQUEST_REPEATED },
    { "Too many request headers", REQUEST_HEADERS },
    { "Too many response headers", RESPONSE_HEADERS },
    { "Transfer-encoding has abnormal chunked value", RESPONSE_T_E },
    { "Chunked transfer-encoding on HTTP/0.9 or HTTP/1.0", CHUNKED_OLD },
    { "C-T multipart/byteranges in responses not supported", BYTERANGES },
    { "Invalid authority port", AUTHORITY_PORT },
    { "Request buffer over the limit", REQUEST_LONG },
    { "Request field length exceeds", REQUEST_LONG },
    { "Response the buffer limit", RESPONSE_LONG },
    { "Response buffer over the limit", RESPONSE_LONG },
    { "Response field length exceeds", RESPONSE_LONG },
};

/* Of its own doing: what follows an end or an error, and what is its fault. */
static bool is_internal(const char *text)
{
    static const char *const own[] = { "Missing inbound", "Missing outbound", "Inbound parser is in",
                                       "Outbound parser is in", "[Internal Error]" };

    for (uint32_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (!strncmp(text, own[i], strlen(own[i])))
            return true;
    return false;
}

int events_of_message(const char *text, int level, uint32_t dir)
{
    for (uint32_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
        if (strncmp(text, messages[i].text, strlen(messages[i].text)) != 0)
            continue;
        if (messages[i].event == CHUNK_EXTENSION && dir == EC_TO_CLIENT)
            return RESPONSE_CHUNK_EXTENSION;    /* libhtp says 'request' of both */
        if (messages[i].event == REQUEST_REPEATED)
            return (int)events_repetition(dir);
        return (int)messages[i].event;
    }
    return level == (int)HTP_LOG_ERROR && !is_internal(text) ? (int)UNKNOWN_ERROR : -1;
}

bool events_repeated(int event)
{
    return event == REQUEST_REPEATED || event == RESPONSE_REPEATED;
}

bool events_repeated_odd(const htp_table_t *headers)
{
    static const char *const once[] = {
        "age", "authorization", "content-location", "content-range", "content-type", "cookie", "date", "etag",
        "expires", "from", "host", "if-modified-since", "if-range", "if-unmodified-since", "last-modified",
        "location", "max-forwards", "origin", "proxy-authorization", "range", "referer", "retry-after", "server",
        "user-agent" };

    for (size_t i = 0, n = headers ? htp_table_size(headers) : 0; i < n; i++) {
        const htp_header_t *h = htp_table_get_index(headers, i, NULL);
        for (uint32_t k = 0; (h->flags & HTP_FIELD_REPEATED) && k < sizeof once / sizeof once[0]; k++)
            if (!bstr_cmp_c_nocase(h->name, once[k]))
                return true;
    }
    return false;
}

/* Does the request authenticate by a scheme that nobody knows? Known: IANA's registry, NTLM, Amazon's. */
static bool odd_scheme(const htp_tx_t *tx)
{
    static const char *const schemes[] = {
        "Basic", "Bearer", "Digest", "Negotiate", "NTLM", "AWS4-HMAC-SHA256", "Concealed", "DPoP", "GNAP", "HOBA",
        "Mutual", "OAuth", "PrivateToken", "SCRAM-SHA-1", "SCRAM-SHA-256", "vapid" };
    const htp_header_t *h = TEXT_HEADER(tx->request_headers, "authorization");
    const char *value = h ? (const char *)bstr_ptr(h->value) : NULL;
    size_t n = 0, len = h ? bstr_len(h->value) : 0;

    while (n < len && value[n] != ' ' && value[n] != '\t')
        n++;
    for (uint32_t i = 0; n && i < sizeof schemes / sizeof schemes[0]; i++)
        if (strlen(schemes[i]) == n && !strncasecmp(value, schemes[i], n))
            return false;
    return n != 0;
}

uint64_t events_of_request(const htp_tx_t *tx)
{
    static const struct { uint64_t flag; enum event event; } flags[] = {
        { HTP_REQUEST_INVALID_T_E, REQUEST_T_E }, { HTP_REQUEST_INVALID_C_L, REQUEST_C_L },
        { HTP_HOST_MISSING, HOST_MISSING }, { HTP_HOST_AMBIGUOUS, HOST_AMBIGUOUS }, { HTP_HOSTU_INVALID, URI_HOST },
        { HTP_HOSTH_INVALID, HEADER_HOST }, { HTP_REQUEST_SMUGGLING, SMUGGLING } };
    uint64_t bits = 0;

    for (uint32_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if (tx->flags & flags[i].flag)
            bits |= UINT64_C(1) << flags[i].event;
    if (odd_scheme(tx))
        bits |= UINT64_C(1) << AUTH;
    return bits;
}

uint32_t events_missing_protocol(void) { return MISSING_PROTOCOL; }
uint32_t events_repetition(uint32_t dir) { return dir == EC_TO_CLIENT ? RESPONSE_REPEATED : REQUEST_REPEATED; }
uint32_t events_unknown(void) { return UNKNOWN_ERROR; }
uint32_t events_bomb(void) { return BOMB; }
uint32_t events_brotli(void) { return BROTLI_FAILED; }
uint32_t events_file_name(void) { return FILE_NAME; }
uint32_t events_range(void) { return RANGE; }
uint32_t events_part_header(void) { return PART_HEADER; }
uint32_t events_part_empty(void) { return PART_EMPTY; }
