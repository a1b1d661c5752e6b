/* record.c: the record of an HTTP transaction, with the names that EVE gives its fields. */
#include "record.h"

#include "transaction.h"

struct http_event {
    struct ec_part part;
    struct ec_span hostname, url, user_agent, content_type, refer, method, protocol, redirect;
    uint64_t length;
    uint32_t port;
    uint16_t status, pad;
};
enum { HAS_STATUS, HAS_LENGTH, HAS_PORT };

static const struct ec_row rows[] = {
    EC_FIELD(WIRE, EC_R_COLUMN | EC_R_INDEX, struct http_event, hostname, "hostname", NULL, "host that was asked"),
    EC_FIELD_OPT(U32, 0, HAS_PORT, struct http_event, port, "http_port", NULL, "port in the Host header or the URI"),
    EC_FIELD(WIRE, EC_R_COLUMN | EC_R_FTS, struct http_event, url, "url", NULL, "request target as it was sent"),
    EC_FIELD(WIRE, 0, struct http_event, user_agent, "http_user_agent", NULL, "User-Agent"),
    EC_FIELD(WIRE, 0, struct http_event, content_type, "http_content_type", NULL, "type of the response"),
    EC_FIELD(WIRE, 0, struct http_event, refer, "http_refer", NULL, "Referer"),
    EC_FIELD(WIRE, EC_R_COLUMN, struct http_event, method, "http_method", NULL, "request method"),
    EC_FIELD(WIRE, 0, struct http_event, protocol, "protocol", NULL, "protocol of the request"),
    EC_FIELD_OPT(U16, EC_R_COLUMN, HAS_STATUS, struct http_event, status, "status", NULL, "status code"),
    EC_FIELD(WIRE, 0, struct http_event, redirect, "redirect", NULL, "Location of a redirection"),
    EC_FIELD_OPT(U64, 0, HAS_LENGTH, struct http_event, length, "length", "bytes", "of the response body on the wire"),
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

static struct ec_span put_header(struct ec_build *b, const htp_table_t *table, const char *name)
{
    const htp_header_t *h = table ? htp_table_get_c(table, name) : NULL;

    return put_bstr(b, h ? h->value : NULL);
}

static void put_response(struct http_event *e, const htp_tx_t *h, struct ec_build *b)
{
    if (h->response_status_number <= 0)
        return;
    e->part.has |= UINT64_C(1) << HAS_STATUS | UINT64_C(1) << HAS_LENGTH;
    e->status = (uint16_t)h->response_status_number;
    e->length = h->response_message_len > 0 ? (uint64_t)h->response_message_len : 0;
    e->content_type = put_header(b, h->response_headers, "content-type");
    if (e->status >= 300 && e->status < 400)
        e->redirect = put_header(b, h->response_headers, "location");
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
    e->user_agent = put_header(b, h->request_headers, "user-agent");
    e->refer = put_header(b, h->request_headers, "referer");
    e->method = put_bstr(b, h->request_method);
    e->protocol = put_bstr(b, h->request_protocol);
    put_response(e, h, b);
    return EC_OK;
}
