#include "cli/api.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/dial.h"
#include "cli/http.h"
#include "cli/print.h"
#include "cli/safe.h"

#define ANSWER_SECONDS 60
#define BEAT_SECONDS   90 /* a stream says that it lives at least every 30 s */
#define EVENT_MAX      (1u << 20)

void api_path(struct api_path *p, const char *path)
{
    p->n = (size_t)snprintf(p->text, sizeof p->text, "%s", path);
}

/* What is left of RFC 3986 §2.3 once everything else is encoded. */
static void encoded(struct api_path *p, const char *text)
{
    for (; *text && p->n < sizeof p->text; text++) {
        unsigned char ch = (unsigned char)*text;
        bool plain = (ch >= '0' && ch <= '9') || (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z') ||
                     strchr("-._~", ch) != NULL;

        p->n += (size_t)snprintf(p->text + p->n, sizeof p->text - p->n, plain ? "%c" : "%%%02X", ch);
    }
}

static void letter(struct api_path *p, char ch)
{
    if (p->n < sizeof p->text)
        p->n += (size_t)snprintf(p->text + p->n, sizeof p->text - p->n, "%c", ch);
}

void api_segment(struct api_path *p, const char *text)
{
    letter(p, '/');
    encoded(p, text);
}

void api_query(struct api_path *p, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    letter(p, strchr(p->text, '?') ? '&' : '?');
    encoded(p, name);
    letter(p, '=');
    encoded(p, value);
}

static ssize_t fill(void *arg, void *to, size_t n)
{
    ssize_t got;

    do
        got = read(*(int *)arg, to, n);
    while (got < 0 && errno == EINTR);
    return got;
}

static int send_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return -1;
        p += sent;
        n -= (size_t)sent;
    }
    return 0;
}

/* type: of the body that follows, NULL: there is none. */
static int head_send(int fd, const char *method, const char *path, const char *accept, const char *type, uint64_t len)
{
    char head[4096 + 512];
    int n = snprintf(head, sizeof head,
                     "%s %s HTTP/1.1\r\nHost: localhost\r\nUser-Agent: ecyberctl\r\nAccept: %s\r\n"
                     "Connection: close\r\n",
                     method, path, accept);

    if (n < 0 || (size_t)n > sizeof head - 128)
        return -1;
    if (type)
        n += snprintf(head + n, sizeof head - (size_t)n, "Content-Type: %s\r\nContent-Length: %" PRIu64 "\r\n", type,
                      len);
    n += snprintf(head + n, sizeof head - (size_t)n, "\r\n");
    return send_all(fd, head, (size_t)n);
}

static int request_send(int fd, const char *method, const char *path, const char *accept, const char *body)
{
    if (head_send(fd, method, path, accept, body ? "application/json" : NULL, body ? strlen(body) : 0))
        return -1;
    /* Who refuses may do so before it has read the body: the answer says why then. */
    if (body)
        send_all(fd, body, strlen(body));
    return 0;
}

static int open_call(const struct cli *c, const char *method, const char *path, const char *accept, const char *body,
                     int seconds, int *code)
{
    int fd;

    if (strlen(path) + 1 >= sizeof ((struct api_path *)0)->text) {
        fprintf(stderr, "ecyberctl: the arguments are too long\n");
        *code = CLI_USAGE;
        return -1;
    }
    fd = dial(c->api, "ecyberd is not running, or its plugin http is not", "-a SOCKET", seconds, code);
    if (fd >= 0 && request_send(fd, method, path, accept, body)) {
        fprintf(stderr, "ecyberctl: %s: the request could not be sent: %s\n", c->api, strerror(errno));
        *code = CLI_FAILED;
        close(fd);
        fd = -1;
    }
    return fd;
}

static struct json_object *parsed(const char *text, size_t len)
{
    struct json_tokener *t = json_tokener_new_ex(64);
    struct json_object *o = NULL;

    if (t && len < INT32_MAX) {
        json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
        o = json_tokener_parse_ex(t, text, (int)len + 1); /* with its NUL: a number is at its end there */
        if (json_tokener_get_error(t) != json_tokener_success) {
            json_object_put(o);
            o = NULL;
        }
    }
    if (t)
        json_tokener_free(t);
    return o;
}

/* {"loc": ["query", "limit"], "msg": "…"}, as "query.limit: …". */
static void invalid_print(struct json_object *one)
{
    struct json_object *loc = get(one, "loc");
    size_t n = json_object_is_type(loc, json_type_array) ? json_object_array_length(loc) : 0;

    fprintf(stderr, "ecyberctl: ");
    for (size_t i = 0; i < n; i++) {
        const char *word = json_object_get_string(json_object_array_get_idx(loc, i));

        safe_print(stderr, word ? word : "");
        fputs(i + 1 < n ? "." : ": ", stderr);
    }
    safe_print(stderr, get_text(one, "msg"));
    fputc('\n', stderr);
}

static int status_code(int status)
{
    switch (status) {
    case 400:
    case 405:
    case 413:
    case 415:
    case 422:
        return CLI_USAGE;
    case 401:
    case 403:
    case 409:
    case 412:
        return CLI_REFUSED;
    case 404:
        return CLI_NOT_FOUND;
    default:
        return CLI_FAILED;
    }
}

/* Say what an answer that is no success says. */
static int failure(const struct http_in *in, const char *path, struct json_object *o)
{
    struct json_object *detail = get(o, "detail");
    size_t n = json_object_is_type(detail, json_type_array) ? json_object_array_length(detail) : 0;

    for (size_t i = 0; i < n; i++)
        invalid_print(json_object_array_get_idx(detail, i));
    if (json_object_is_type(detail, json_type_string)) {
        fprintf(stderr, "ecyberctl: ");
        safe_print(stderr, json_object_get_string(detail));
        if (in->status == 404 && !strcmp(json_object_get_string(detail), "Not Found"))
            fprintf(stderr, ": %s: there is no such thing, or no plugin that has it", path);
        fputc('\n', stderr);
    } else if (!n) {
        fprintf(stderr, "ecyberctl: the daemon answered with status %d\n", in->status);
    }
    if (in->retry_after)
        fprintf(stderr, "ecyberctl: try again in %u s\n", in->retry_after);
    return status_code(in->status);
}

static struct json_object *answer(struct http_in *in, const char *path, int *code)
{
    struct json_object *o = NULL;
    char why[128], *text = NULL;
    size_t len = 0;

    *code = CLI_FAILED;
    if (http_head(in, why, sizeof why)) {
        fprintf(stderr, "ecyberctl: %s; ecyberd ended, or took longer than %d s\n", why, ANSWER_SECONDS);
        return NULL;
    }
    text = http_body_whole(in, &len);
    if (text && len)
        o = parsed(text, len);
    free(text);
    if (in->status >= 300) {
        *code = failure(in, path, o);
        json_object_put(o);
        return NULL;
    }
    if (!text || (len && !o))
        fprintf(stderr, "ecyberctl: the answer is cut, or no JSON\n");
    else
        *code = CLI_OK;
    return o;
}

/* The answer that comes over fd, which is closed; < 0: *code says what went wrong. */
static struct json_object *answer_on(int fd, const char *path, int *code)
{
    struct http_in *in = fd < 0 ? NULL : calloc(1, sizeof *in);
    struct json_object *o = NULL;

    if (in) {
        in->fill = fill;
        in->arg = &fd;
        o = answer(in, path, code);
    }
    free(in);
    if (fd >= 0)
        close(fd);
    return o;
}

struct json_object *api_call(const struct cli *c, const char *method, const char *path, struct json_object *body,
                             int *code)
{
    const char *text = body ? json_object_to_json_string_ext(body, JSON_C_TO_STRING_PLAIN) : NULL;

    return answer_on(open_call(c, method, path, "application/json", text, ANSWER_SECONDS, code), path, code);
}

/* Who refuses may do so before it has read all: the answer says why then. A file that became shorter must not keep the
 * daemon waiting for the rest. */
static void file_send(int fd, int file, uint64_t len)
{
    char piece[65536];
    ssize_t n;

    while (len && (n = read(file, piece, len < sizeof piece ? (size_t)len : sizeof piece)) > 0) {
        if (send_all(fd, piece, (size_t)n))
            return;
        len -= (uint64_t)n;
    }
    if (len)
        shutdown(fd, SHUT_WR);
}

struct json_object *api_upload(const struct cli *c, const char *path, int file, uint64_t len, int *code)
{
    int fd = dial(c->api, "ecyberd is not running, or its plugin http is not", "-a SOCKET", ANSWER_SECONDS, code);

    if (fd >= 0 && !head_send(fd, "POST", path, "application/json", "application/octet-stream", len))
        file_send(fd, file, len);
    return answer_on(fd, path, code);
}

/* One event of a stream while its lines come. */
struct following {
    api_event_fn *fn;
    void *arg;
    char type[64];
    char *data;
    size_t n;
    bool cut;
};

static int event_done(struct following *f)
{
    struct json_object *o = f->n && !f->cut ? parsed(f->data, f->n) : NULL;
    int rc = 0;

    if (f->cut)
        fprintf(stderr, "ecyberctl: an event of more than 1 MiB is left out\n");
    if (o)
        rc = f->fn(f->arg, *f->type ? f->type : "message", o);
    json_object_put(o);
    *f->type = '\0';
    f->n = 0;
    f->cut = false;
    return rc;
}

/* A line of a stream, as the HTML standard has them (§9.2.6). */
static int line_done(struct following *f, char *line)
{
    char *value = line + strcspn(line, ":");
    size_t len;

    if (!*line)
        return event_done(f);
    if (*value)
        *value++ = '\0';
    value += *value == ' ';
    len = strlen(value);
    if (!strcmp(line, "event")) {
        snprintf(f->type, sizeof f->type, "%.63s", value);
    } else if (!strcmp(line, "data")) {
        if (len > EVENT_MAX || f->n > EVENT_MAX - len) {
            f->cut = true;
            return 0;
        }
        if (f->n)
            f->data[f->n++] = '\n';
        memcpy(f->data + f->n, value, len + 1);
        f->n += len;
    }
    return 0;
}

static int lines(struct http_in *in, struct following *f, char *line)
{
    size_t n = 0;
    ssize_t got;
    char c;
    int rc = 0;

    while (!rc && (got = http_body(in, &c, 1)) > 0) {
        if (c == '\n') {
            line[n] = '\0';
            n = 0;
            rc = line_done(f, line);
        } else if (c != '\r' && n < EVENT_MAX + 64) {
            line[n++] = c ? c : ' ';
        } else if (c != '\r') {
            f->cut = true;
        }
    }
    if (rc)
        return rc > 0 ? CLI_OK : -rc;
    fprintf(stderr, "ecyberctl: the stream has ended\n");
    return CLI_FAILED;
}

static int follow(struct http_in *in, const char *path, struct following *f, char *line)
{
    char why[128], *text;
    struct json_object *o;
    size_t len;
    int code;

    if (http_head(in, why, sizeof why)) {
        fprintf(stderr, "ecyberctl: %s\n", why);
        return CLI_FAILED;
    }
    if (in->status == 200 && in->event_stream)
        return lines(in, f, line);
    text = http_body_whole(in, &len);
    o = text ? parsed(text, len) : NULL;
    code = failure(in, path, o);
    json_object_put(o);
    free(text);
    return code;
}

int api_follow(const struct cli *c, const char *path, api_event_fn *fn, void *arg)
{
    int code = CLI_FAILED, fd = open_call(c, "GET", path, "text/event-stream", NULL, BEAT_SECONDS, &code);
    struct following f = {.fn = fn, .arg = arg, .data = malloc(2 * EVENT_MAX)};
    char *line = malloc(EVENT_MAX + 128);
    struct http_in *in = calloc(1, sizeof *in);

    if (fd >= 0 && f.data && line && in) {
        in->fill = fill;
        in->arg = &fd;
        code = follow(in, path, &f, line);
    }
    free(in);
    free(line);
    free(f.data);
    if (fd >= 0)
        close(fd);
    return code;
}
