/* buffers.h: the inspection buffers of HTTP/1 and how they are filled from what libhtp has parsed. */
#ifndef TRAFFIC_HTTP_BUFFERS_H
#define TRAFFIC_HTTP_BUFFERS_H

#include <stdint.h>

#define EC_API_LEVEL 1
#include <ecyber/plugin.h>
#include <ecyber/ext/traffic.h>

struct http_tx;

enum http_slot {
    HTTP_METHOD, HTTP_URI, HTTP_URI_RAW, HTTP_PROTOCOL, HTTP_REQUEST_LINE, HTTP_HEADER_REQ, HTTP_HEADER_RES,
    HTTP_REQUEST_HEADER, HTTP_RESPONSE_HEADER, HTTP_NAMES_REQ, HTTP_NAMES_RES, HTTP_HOST, HTTP_HOST_RAW,
    HTTP_USER_AGENT, HTTP_COOKIE_REQ, HTTP_COOKIE_RES, HTTP_REFERER, HTTP_TYPE_REQ, HTTP_TYPE_RES, HTTP_LENGTH_REQ,
    HTTP_LENGTH_RES, HTTP_ACCEPT, HTTP_ACCEPT_LANG, HTTP_ACCEPT_ENC, HTTP_CONNECTION, HTTP_SERVER, HTTP_LOCATION,
    HTTP_RESPONSE_LINE, HTTP_STAT_CODE, HTTP_STAT_MSG, HTTP_REQUEST_BODY, HTTP_RESPONSE_BODY, HTTP_AUTHORIZATION,
    HTTP_PROXY_AUTHORIZATION, HTTP_SLOTS
};
enum { HTTP_AT_LINE = 1, HTTP_AT_HEADERS = 2, HTTP_AT_BODY = 3, HTTP_AT_END = 4 };     /* progress */

extern const struct ec_bufdef http_buffers[HTTP_SLOTS];

void buffers_request_line(struct http_tx *t);
void buffers_response_line(struct http_tx *t);
void buffers_headers(struct http_tx *t, uint32_t dir);
/* The window of a body as it stands now. whole: nothing more comes. */
void buffers_body(struct http_tx *t, uint32_t dir, int whole);

#endif
