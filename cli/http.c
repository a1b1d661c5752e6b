#include "cli/http.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool more(struct http_in *in)
{
    ssize_t got;

    if (in->at < in->n)
        return true;
    got = in->fill(in->arg, in->buf, sizeof in->buf);
    in->at = 0;
    in->n = got > 0 ? (size_t)got : 0;
    return got > 0;
}

/* A line without its end, into to (HTTP_LINE bytes). 0, or −1: too long, a NUL inside, or the connection ended. */
static int line_read(struct http_in *in, char *to)
{
    size_t n = 0;

    while (more(in)) {
        char c = in->buf[in->at++];

        if (c == '\n') {
            to[n - (n && to[n - 1] == '\r')] = '\0';
            return 0;
        }
        if (!c || n == HTTP_LINE - 1)
            return -1;
        to[n++] = c;
    }
    return -1;
}

/* Digits and nothing else. −1: not that, or more than 18 of them. */
static int64_t number(const char *text)
{
    size_t n = strspn(text, "0123456789");

    return n && n <= 18 && !text[n] ? strtoll(text, NULL, 10) : -1;
}

static int status_read(struct http_in *in, const char *line)
{
    if (strncmp(line, "HTTP/1.", 7) || !isdigit((unsigned char)line[7]) || line[8] != ' ' ||
        strspn(line + 9, "0123456789") != 3 || (line[12] && line[12] != ' '))
        return -1;
    in->status = atoi(line + 9);
    return in->status < 100 || in->status > 599 ? -1 : 0;
}

/* One field. 0, or −1: one that says wrongly where the body ends. */
static int field_read(struct http_in *in, char *line)
{
    char *value = strchr(line, ':'), *end;
    int64_t v;

    if (!value)
        return -1;
    *value++ = '\0';
    value += strspn(value, " \t");
    for (end = value + strlen(value); end > value && strchr(" \t", end[-1]); end--)
        end[-1] = '\0';
    if (!strcasecmp(line, "Content-Length")) {
        v = number(value);
        if (v < 0 || (in->left >= 0 && in->left != v))
            return -1;
        in->left = v;
    } else if (!strcasecmp(line, "Transfer-Encoding")) {
        if (strcasecmp(value, "chunked"))
            return -1;
        in->chunked = true;
    } else if (!strcasecmp(line, "Retry-After")) {
        v = number(value);
        in->retry_after = v < 0 || v > 86400 ? 0 : (uint32_t)v;
    } else if (!strcasecmp(line, "Content-Type")) {
        in->event_stream = !strncasecmp(value, "text/event-stream", 17);
    }
    return 0;
}

static int fields_read(struct http_in *in)
{
    char line[HTTP_LINE];

    for (int i = 0; i < HTTP_LINES; i++) {
        if (line_read(in, line))
            return -1;
        if (!*line)
            return 0;
        if (field_read(in, line))
            return -1;
    }
    return -1;
}

int http_head(struct http_in *in, char *why, size_t n)
{
    char line[HTTP_LINE];

    do { /* 1xx come before the answer */
        in->left = -1;
        if (line_read(in, line)) {
            snprintf(why, n, "no answer came");
            return -1;
        }
        if (status_read(in, line) || fields_read(in)) {
            snprintf(why, n, "what came is no answer of HTTP/1.1");
            return -1;
        }
    } while (in->status < 200);
    if (in->chunked)
        in->left = 0;
    else if (in->status == 204 || in->status == 304)
        in->left = 0;
    in->ended = !in->chunked && !in->left;
    return 0;
}

/* "1a;x=y": the length of the next chunk into in->left. 0: the last one, and the trailer is read. −1: malformed. */
static int chunk_begin(struct http_in *in)
{
    char line[HTTP_LINE], *end;
    size_t digits;

    if (in->begun && (line_read(in, line) || *line))
        return -1;
    in->begun = true;
    if (line_read(in, line))
        return -1;
    digits = strspn(line, "0123456789abcdefABCDEF");
    if (!digits || digits > 15 || (line[digits] && !strchr("; \t", line[digits])))
        return -1;
    in->left = strtoll(line, &end, 16);
    if (in->left)
        return 1;
    in->ended = true;
    return fields_read(in);
}

ssize_t http_body(struct http_in *in, void *to, size_t n)
{
    size_t room;

    if (in->ended || !n)
        return 0;
    if (in->chunked && !in->left) {
        int some = chunk_begin(in);

        if (some <= 0)
            return some;
    }
    if (!more(in)) {
        in->ended = true;
        return in->left < 0 ? 0 : -1;
    }
    room = in->n - in->at;
    if (n > room)
        n = room;
    if (in->left >= 0 && n > (size_t)in->left)
        n = (size_t)in->left;
    memcpy(to, in->buf + in->at, n);
    in->at += n;
    if (in->left >= 0)
        in->left -= (int64_t)n;
    if (!in->left && !in->chunked)
        in->ended = true;
    return (ssize_t)n;
}

char *http_body_whole(struct http_in *in, size_t *len)
{
    char *text = NULL;
    size_t room = 0, n = 0;
    ssize_t got = 1;

    while (got > 0) {
        if (room - n < 2) {
            size_t wider = room ? 2 * room : 16384;
            char *grown = wider <= 2 * (size_t)HTTP_BODY ? realloc(text, wider) : NULL;

            if (!grown)
                break;
            text = grown;
            room = wider;
        }
        got = http_body(in, text + n, room - n - 1);
        n += got > 0 ? (size_t)got : 0;
    }
    if (got) {
        free(text);
        return NULL;
    }
    text[n] = '\0';
    *len = n;
    return text;
}
