/* record.c: the record of an HTTP transaction, with the names that EVE gives its fields. */
#include "record.h"

#include <string.h>

#include "transaction.h"

struct http_event {
    struct ec_part part;
    struct ec_span hostname, url, user_agent, content_type, range, refer, method, protocol, redirect;
    uint64_t length, range_first, range_last, range_size;
    uint32_t port;
    uint16_t status, pad;
};
enum { HAS_STATUS, HAS_RANGE, HAS_PORT, HAS_RANGE_SIZE };

static const struct ec_row rows[] = {
    EC_FIELD(WIRE, EC_R_COLUMN | EC_R_INDEX, struct http_event, hostname, "hostname", NULL, "host that was asked"),
    EC_FIELD_OPT(U32, 0, HAS_PORT, struct http_event, port, "http_port", NULL, "port in the Host header or the URI"),
    EC_FIELD(WIRE, EC_R_COLUMN | EC_R_FTS, struct http_event, url, "url", NULL, "request target as it was sent"),
    EC_FIELD(WIRE, 0, struct http_event, user_agent, "http_user_agent", NULL, "User-Agent"),
    EC_FIELD(WIRE, 0, struct http_event, content_type, "http_content_type", NULL, "type of the response"),
    EC_FIELD(WIRE, 0, struct http_event, range, "content_range.raw", NULL, "Content-Range of the response"),
    EC_FIELD_OPT(U64, 0, HAS_RANGE, struct http_event, range_first, "content_range.start", NULL, "first byte's place"),
    EC_FIELD_OPT(U64, 0, HAS_RANGE, struct http_event, range_last, "content_range.end", NULL, "last byte's place"),
    EC_FIELD_OPT(U64, 0, HAS_RANGE_SIZE, struct http_event, range_size, "content_range.size", "bytes", "of the whole"),
    EC_FIELD(WIRE, 0, struct http_event, refer, "http_refer", NULL, "Referer"),
    EC_FIELD(WIRE, EC_R_COLUMN, struct http_event, method, "http_method", NULL, "request method"),
    EC_FIELD(WIRE, 0, struct http_event, protocol, "protocol", NULL, "protocol of the request"),
    EC_FIELD_OPT(U16, EC_R_COLUMN, HAS_STATUS, struct http_event, status, "status", NULL, "status code"),
    EC_FIELD(WIRE, 0, struct http_event, redirect, "redirect", NULL, "Location of the response"),
    EC_FIELD(U64, 0, struct http_event, length, "length", "bytes", "of the response body on the wire"),
};
static const struct ec_record record = EC_RECORD_PART(struct http_event, rows);
const struct ec_topic http_topic = {
    sizeof http_topic, EC_TOPIC_EVENT, "ec.http/1", "http", &record, NULL, "one HTTP request and its response" };

#define FIELD_MAX 8192              /* bytes of one field; the rest is cut */

static struct ec_span put_bstr(struct ec_build *b, const bstr *s)
{
    struct ec_span none = { 0, 0 };

    return s ? ec_put(b, bstr_ptr(s), bstr_len(s) < FIELD_MAX ? (uint32_t)bstr_len(s) : FIELD_MAX) : none;
}

static struct ec_span put_value(struct ec_build *b, const htp_header_t *h)
{
    return put_bstr(b, h ? h->value : NULL);
}

/* Without its parameters. */
static struct ec_span put_type(struct ec_build *b, const htp_table_t *table)
{
    const htp_header_t *h = TEXT_HEADER(table, "content-type");
    struct ec_span none = { 0, 0 };
    const uint8_t *end;

    if (!h)
        return none;
    end = memchr(bstr_ptr(h->value), ';', bstr_len(h->value));
    return ec_put(b, bstr_ptr(h->value), end ? (uint32_t)(end - bstr_ptr(h->value)) : (uint32_t)bstr_len(h->value));
}

static void put_range(struct http_event *e, const htp_table_t *table, struct ec_build *b)
{
    const htp_header_t *h = TEXT_HEADER(table, "content-range");
    struct http_range r;

    if (!h)
        return;
    e->range = put_bstr(b, h->value);
    range_read(&r, bstr_ptr(h->value), (uint32_t)bstr_len(h->value));
    e->range_first = r.first;
    e->range_last = r.last;
    e->range_size = r.size;
    e->part.has |= (r.known ? UINT64_C(1) << HAS_RANGE : 0) | (r.sized ? UINT64_C(1) << HAS_RANGE_SIZE : 0);
}

static void put_response(struct http_event *e, const htp_tx_t *h, struct ec_build *b)
{
    e->length = h->response_message_len > 0 ? (uint64_t)h->response_message_len : 0;
    if (h->response_status_number > 0) {
        e->part.has |= UINT64_C(1) << HAS_STATUS;
        e->status = (uint16_t)h->response_status_number;
    }
    e->content_type = put_type(b, h->response_headers);
    e->redirect = put_value(b, TEXT_HEADER(h->response_headers, "location"));
    put_range(e, h->response_headers, b);
}

int32_t http_record(const struct http_tx *t, uint32_t topic, struct ec_build *b)
{
    const htp_tx_t *h = t->htp;
    struct http_event *e;

    if (!h)
        return EC_ENOENT;
    if (!(e = ec_add(b, topic, sizeof *e)))
        return EC_ELIMIT;
    e->hostname = put_bstr(b, h->request_hostname);
    if (h->request_port_number > 0) {
        e->part.has |= UINT64_C(1) << HAS_PORT;
        e->port = (uint32_t)h->request_port_number;
    }
    e->url = put_bstr(b, h->request_uri);
    e->user_agent = put_value(b, TEXT_HEADER(h->request_headers, "user-agent"));
    e->refer = put_value(b, TEXT_HEADER(h->request_headers, "referer"));
    e->method = put_bstr(b, h->request_method);
    e->protocol = put_bstr(b, h->request_protocol);
    put_response(e, h, b);
    return EC_OK;
}
