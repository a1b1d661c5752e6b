#include "plugins/http/head.h"

#include <string.h>
#include <strings.h>

#define CHUNK_LINE  256u            /* bytes of a chunk's size with its extensions */
#define CHUNK_WASTE 65536u          /* bytes of all such lines together */

static int bad(struct head *h, int status, const char *why)
{
    h->why = why;
    return status;
}

/* tchar of RFC 9110 §5.6.2 */
static bool is_token(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)p[i] <= ' ' || (unsigned char)p[i] >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", p[i]))
            return false;
    return n > 0;
}

static bool is(const char *p, size_t n, const char *word)
{
    return n == strlen(word) && !strncasecmp(p, word, n);
}

static int scan_method(struct head *h, const char *p, size_t n)
{
    static const char *const known[] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" };

    for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++)
        if (n == strlen(known[i]) && !memcmp(p, known[i], n))
            return HEAD_MORE;
    return is_token(p, n) ? bad(h, 501, "this method is not implemented")
                          : bad(h, 400, "the request line has no method");
}

static int scan_target(struct head *h, const struct head_limits *l, const char *p, size_t n)
{
    if (n > l->target)
        return bad(h, 414, "the request target is too long");
    if (!n || p[0] != '/' || (n > 1 && p[1] == '/'))
        return bad(h, 400, "the request target has to begin with one /");
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)p[i] <= ' ' || (unsigned char)p[i] >= 0x7f || p[i] == '#')
            return bad(h, 400, "the request target has a byte that has to be percent-encoded");
    return HEAD_MORE;
}

/* METHOD SP TARGET SP HTTP/1.x */
static int scan_request_line(struct head *h, const struct head_limits *l, const char *p, size_t n)
{
    const char *a = memchr(p, ' ', n), *b = a ? memchr(a + 1, ' ', n - (size_t)(a + 1 - p)) : NULL;
    size_t v = b ? n - (size_t)(b + 1 - p) : 0;
    int rc;

    if (!b)
        return bad(h, 400, "the request line is not METHOD TARGET VERSION");
    if (v != 8 || memcmp(b + 1, "HTTP/", 5) || b[7] != '.')
        return bad(h, 400, "the request line ends with no version");
    if ((rc = scan_method(h, p, (size_t)(a - p))) != HEAD_MORE)
        return b[6] == '1' ? rc : bad(h, 505, "HTTP/1.0 and HTTP/1.1 are spoken here");
    if (b[6] != '1' || (b[8] != '0' && b[8] != '1'))
        return bad(h, 505, "HTTP/1.0 and HTTP/1.1 are spoken here");
    h->old = b[8] == '0';
    return scan_target(h, l, a + 1, (size_t)(b - a - 1));
}

static int scan_length(struct head *h, const struct head_limits *l, const char *p, size_t n)
{
    if (h->has_length)
        return bad(h, 400, "Content-Length stands twice");
    h->has_length = true;
    for (size_t i = 0; i < n; i++)
        if (p[i] < '0' || p[i] > '9')
            return bad(h, 400, "Content-Length is not a number");
    if (!n)
        return bad(h, 400, "Content-Length is not a number");
    for (size_t i = 0; i < n; i++)
        if ((h->length = h->length * 10 + (uint64_t)(p[i] - '0')) > l->body)
            return bad(h, 413, "the body is too large");
    return HEAD_MORE;
}

static int scan_field(struct head *h, const struct head_limits *l, const char *p, size_t n)
{
    const char *colon = memchr(p, ':', n), *v;
    size_t name = colon ? (size_t)(colon - p) : 0, len;

    if (!colon || !is_token(p, name))
        return bad(h, 400, "a header line has no proper name");
    v = colon + 1;
    len = n - name - 1;
    while (len && (*v == ' ' || *v == '\t'))
        v++, len--;
    while (len && (v[len - 1] == ' ' || v[len - 1] == '\t'))
        len--;
    for (size_t i = 0; i < len; i++)
        if (((unsigned char)v[i] < ' ' && v[i] != '\t') || v[i] == 0x7f)
            return bad(h, 400, "a header has a control character");
    if (is(p, name, "Content-Length"))
        return scan_length(h, l, v, len);
    if (is(p, name, "Host")) {
        if (h->host)
            return bad(h, 400, "Host stands twice");
        h->host = true;
    }
    if (is(p, name, "Transfer-Encoding")) {
        if (h->chunked || !is(v, len, "chunked"))
            return bad(h, 501, "chunked is the only transfer coding that is implemented");
        h->chunked = true;
    }
    if (is(p, name, "Expect")) {
        if (!is(v, len, "100-continue"))
            return bad(h, 417, "100-continue is the only expectation that is met");
        h->expects = true;
    }
    return HEAD_MORE;
}

/* The length of the line at p without its CRLF; -1: its end is not there yet, -2: it is not ended by CRLF. */
static long line_length(const char *p, size_t n)
{
    const char *lf = memchr(p, '\n', n), *cr = memchr(p, '\r', lf ? (size_t)(lf - p) : n);

    if (lf)
        return cr && cr + 1 == lf ? (long)(cr - p) : -2;
    return cr && (size_t)(cr - p) + 1 < n ? -2 : -1;
}

static int scan_lines(struct head *h, const struct head_limits *l, const char *p, size_t n)
{
    uint32_t fields = 0;
    int rc;

    for (size_t at = 0; at < n; fields++) {
        long len = line_length(p + at, n - at);

        if (!fields)
            rc = scan_request_line(h, l, p + at, (size_t)len);
        else if (!len)
            break;
        else if (fields > l->fields)
            return bad(h, 431, "there are too many headers");
        else if (p[at] == ' ' || p[at] == '\t')
            return bad(h, 400, "a header is folded over two lines");
        else
            rc = scan_field(h, l, p + at, (size_t)len);
        if (rc != HEAD_MORE)
            return rc;
        at += (size_t)len + 2;
    }
    if (h->chunked && h->has_length)
        return bad(h, 400, "Content-Length stands beside Transfer-Encoding");
    if (h->chunked && h->old)
        return bad(h, 400, "HTTP/1.0 knows no Transfer-Encoding");
    if ((h->chunked || h->length) && !memcmp(p, "HEAD", 4))
        return bad(h, 400, "HEAD takes no body");
    if (!h->host && !h->old)
        return bad(h, 400, "the Host header is missing");
    return HEAD_MORE;
}

/* Where the head ends; every line is looked at as soon as it is whole, so that a bare LF is found at once. */
static int find_end(struct head *h, const struct head_limits *l, const char *p, size_t n)
{
    while (!h->head) {
        long len = line_length(p + h->scanned, n - h->scanned);

        if (len == -2)
            return bad(h, 400, "a line is not ended by CR LF");
        if (h->scanned + (len < 0 ? n - h->scanned : (size_t)len) > l->head)
            return h->scanned ? bad(h, 431, "the headers are too long") : bad(h, 414, "the request line is too long");
        if (memchr(p + h->scanned, 0, len < 0 ? n - h->scanned : (size_t)len))
            return bad(h, 400, "there is a NUL in the headers");
        if (len < 0)
            return HEAD_MORE;
        if (!len && !h->scanned)
            return bad(h, 400, "the request begins with an empty line");
        h->scanned += (size_t)len + 2;
        if (!len)
            h->head = h->scanned;
    }
    return scan_lines(h, l, p, h->head);
}

/* The size of a chunk in hexadecimal digits; -1: none. evhttp takes no extensions behind it, so they are refused. */
static int64_t chunk_size(const char *p, size_t n)
{
    int64_t v = 0;
    size_t i = 0;

    for (; i < n && i < 12; i++) {
        char c = (char)(p[i] | 0x20);

        if (p[i] >= '0' && p[i] <= '9')
            v = v * 16 + p[i] - '0';
        else if (c >= 'a' && c <= 'f')
            v = v * 16 + c - 'a' + 10;
        else
            break;
    }
    return i && i == n ? v : -1;
}

/* One line of a chunked body at h->at: a size, or a trailer. */
static int scan_chunk(struct head *h, const struct head_limits *l, const char *p, size_t n)
{
    long len = line_length(p + h->at, n - h->at);
    int64_t size;

    if (len == -2)
        return bad(h, 400, "a line of a chunked body is not ended by CR LF");
    if ((len < 0 ? n - h->at : (size_t)len) > CHUNK_LINE)
        return bad(h, 400, "a line of a chunked body is too long");
    if (len < 0)
        return HEAD_MORE;
    if (h->trailer) {
        if (len)
            return bad(h, 400, "a chunked body has a trailer");
        h->total = h->at + 2;
        return HEAD_DONE;
    }
    if ((size = chunk_size(p + h->at, (size_t)len)) < 0)
        return bad(h, 400, "the size of a chunk is not a number");
    h->sum += (uint64_t)size;
    if (h->sum > l->body || h->at - h->head > l->body + CHUNK_WASTE)
        return bad(h, 413, "the body is too large");
    h->trailer = !size;
    h->at += (size_t)len + 2 + (size ? (size_t)size + 2 : 0);
    return HEAD_DONE;
}

static int scan_chunks(struct head *h, const struct head_limits *l, const char *p, size_t n)
{
    while (!h->total) {
        int rc;

        if (h->at > n)
            return HEAD_MORE;
        if (h->at > h->head && !h->trailer && memcmp(p + h->at - 2, "\r\n", 2) != 0)
            return bad(h, 400, "a chunk is longer than it says");
        if ((rc = scan_chunk(h, l, p, n)) != HEAD_DONE)
            return rc;
    }
    return HEAD_DONE;
}

int head_scan(struct head *h, const struct head_limits *l, const char *p, size_t n)
{
    if (!h->head) {
        int rc = n ? find_end(h, l, p, n) : HEAD_MORE;

        if (rc != HEAD_MORE || !h->head)
            return rc;
        h->at = h->head;
    }
    if (h->chunked)
        return scan_chunks(h, l, p, n);
    h->total = h->head + (size_t)h->length;
    return n >= h->total ? HEAD_DONE : HEAD_MORE;
}

const char *head_value(const char *p, size_t n, const char *name, size_t *len)
{
    const char *end = p + n, *line = memchr(p, '\n', n);
    size_t name_len = strlen(name);

    for (; line && ++line < end; line = memchr(line, '\n', (size_t)(end - line))) {
        const char *cr = memchr(line, '\r', (size_t)(end - line));

        if (!cr || (size_t)(cr - line) <= name_len || line[name_len] != ':' || strncasecmp(line, name, name_len) != 0)
            continue;
        line += name_len + 1;
        while (line < cr && (*line == ' ' || *line == '\t'))
            line++;
        while (cr > line && (cr[-1] == ' ' || cr[-1] == '\t'))
            cr--;
        *len = (size_t)(cr - line);
        return line;
    }
    return NULL;
}

void head_no_body(char *p, size_t n)
{
    size_t len, at;
    const char *value = head_value(p, n, "Content-Length", &len);

    if (!value)
        return;
    at = (size_t)(value - p);
    memset(p + at, '0', len);
}
