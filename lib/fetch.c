#include "lib/fetch.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define REDIRECTS 5L
#define SLOW_BYTES 100L             /* a second, over SLOW_SECONDS: nobody sends so slowly */
#define SLOW_SECONDS 30L

struct transfer {
    const struct fetch *f;
    struct fetched *to;
    CURL *curl;
    struct curl_slist *headers;
    size_t room;
    bool refused, large, no_memory;
    char error[CURL_ERROR_SIZE];
};

static size_t on_data(char *p, size_t size, size_t n, void *arg)
{
    struct transfer *t = arg;
    size_t more = size * n, need = t->to->n + more;

    if (need > t->f->max) {
        t->large = true;
        return CURL_WRITEFUNC_ERROR;
    }
    if (need + 1 > t->room) {
        size_t room = need + 1 > 2 * t->room ? need + 4096 : 2 * t->room;
        char *grown = realloc(t->to->data, room);

        if (!grown) {
            t->no_memory = true;
            return CURL_WRITEFUNC_ERROR;
        }
        t->to->data = grown;
        t->room = room;
    }
    memcpy(t->to->data + t->to->n, p, more);
    t->to->n = need;
    t->to->data[need] = '\0';
    return more;
}

/* Where it really goes, after names were resolved. */
static curl_socket_t on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct transfer *t = arg;

    if (purpose != CURLSOCKTYPE_IPCXN || !guard_allows(t->f->guard, &a->addr)) {
        t->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static int on_progress(void *arg, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up_now)
{
    const struct transfer *t = arg;

    (void)total, (void)now, (void)up_total, (void)up_now;
    return t->f->stop && t->f->stop(t->f->arg);
}

static bool add_header(struct transfer *t, const char *name, const char *value)
{
    char line[400];
    struct curl_slist *more;

    if (!*value)
        return true;
    snprintf(line, sizeof line, "%s: %s", name, value);
    if (!(more = curl_slist_append(t->headers, line)))
        return false;
    t->headers = more;
    return true;
}

#define SET(option, value) (curl_easy_setopt(t->curl, option, value) == CURLE_OK)
static bool set_up(struct transfer *t)
{
    const struct fetch *f = t->f;
    const char *schemes = f->plain ? "http,https" : "https";

    return (t->curl = curl_easy_init()) && add_header(t, "If-None-Match", f->tag) &&
           add_header(t, "If-Modified-Since", f->modified) && SET(CURLOPT_URL, f->url) &&
           SET(CURLOPT_PROTOCOLS_STR, schemes) && SET(CURLOPT_REDIR_PROTOCOLS_STR, schemes) &&
           SET(CURLOPT_FOLLOWLOCATION, 1L) && SET(CURLOPT_MAXREDIRS, REDIRECTS) && SET(CURLOPT_PROXY, "") &&
           SET(CURLOPT_NOSIGNAL, 1L) && SET(CURLOPT_HTTPHEADER, t->headers) && SET(CURLOPT_USERAGENT, f->agent) &&
           SET(CURLOPT_TIMEOUT_MS, (long)f->timeout_ms) && SET(CURLOPT_LOW_SPEED_LIMIT, SLOW_BYTES) &&
           SET(CURLOPT_LOW_SPEED_TIME, SLOW_SECONDS) && SET(CURLOPT_WRITEFUNCTION, on_data) &&
           SET(CURLOPT_WRITEDATA, t) && SET(CURLOPT_OPENSOCKETFUNCTION, on_socket) && SET(CURLOPT_OPENSOCKETDATA, t) &&
           SET(CURLOPT_ERRORBUFFER, t->error) && SET(CURLOPT_NOPROGRESS, 0L) &&
           SET(CURLOPT_XFERINFOFUNCTION, on_progress) && SET(CURLOPT_XFERINFODATA, t) &&
           SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) && (!f->ca_file || SET(CURLOPT_CAINFO, f->ca_file));
}

static void take_header(struct transfer *t, const char *name, char *to, size_t n)
{
    struct curl_header *h;

    *to = '\0';
    if (curl_easy_header(t->curl, name, 0, CURLH_HEADER, -1, &h) == CURLHE_OK && strlen(h->value) < n)
        strcpy(to, h->value);
}

static void say(const struct transfer *t, CURLcode code, long status, char *why, size_t n)
{
    if (t->refused)
        snprintf(why, n, "its address is not public, and no option allows it");
    else if (t->large)
        snprintf(why, n, "it is larger than %zu bytes", t->f->max);
    else if (t->no_memory || code == CURLE_OUT_OF_MEMORY)
        snprintf(why, n, "out of memory");
    else if (code == CURLE_ABORTED_BY_CALLBACK)
        snprintf(why, n, "it was stopped");
    else if (code)
        snprintf(why, n, "%.200s", *t->error ? t->error : curl_easy_strerror(code));
    else
        snprintf(why, n, "the answer was %ld instead of 200", status);
}

static enum fetch_result run(struct transfer *t, char *why, size_t n)
{
    CURLcode code = curl_easy_perform(t->curl);
    long status = 0;

    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
    if (!code && status == 304 && (*t->f->tag || *t->f->modified))
        return FETCH_SAME;
    if (code || status != 200) {
        say(t, code, status, why, n);
        return FETCH_FAILED;
    }
    take_header(t, "ETag", t->to->tag, sizeof t->to->tag);
    take_header(t, "Last-Modified", t->to->modified, sizeof t->to->modified);
    return FETCH_DONE;
}

enum fetch_result fetch(const struct fetch *f, struct fetched *to, char *why, size_t n)
{
    struct transfer t = { .f = f, .to = to };
    enum fetch_result r = FETCH_FAILED;

    *to = (struct fetched){ .data = calloc(1, 1) };
    t.room = 1;
    if (to->data && set_up(&t))
        r = run(&t, why, n);
    else
        snprintf(why, n, "out of memory");
    if (t.curl)
        curl_easy_cleanup(t.curl);
    curl_slist_free_all(t.headers);
    if (r != FETCH_DONE) {
        free(to->data);
        *to = (struct fetched){ .data = NULL };
    }
    return r;
}
