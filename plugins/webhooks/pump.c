/* Makes deliveries: one job on the pool runs all transfers that are due, and ends when none is. */
#include "plugins/webhooks/plugin.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define AT_ONCE     16u             /* transfers */
#define ANSWER_MAX  65536u          /* bytes of an answer that are read and forgotten */
#define RUN_NS      (UINT64_C(5) * 1000000000)      /* of one job, and what is under way then */
#define LONGEST_NS  (UINT64_C(6) * 3600 * 1000000000)      /* between two attempts */

struct transfer {
    struct webhooks *w;
    const struct config *c;
    CURL *curl;
    struct curl_slist *headers;
    struct delivery *d;
    uint64_t answer;                /* bytes */
    bool refused;                   /* by the guard */
    char error[CURL_ERROR_SIZE];
};
struct pump {
    struct webhooks *w;
    const struct config *c;
    CURLM *multi;
    struct transfer *all[AT_ONCE];
    uint32_t n;
    uint64_t until_ns;              /* no new ones then: the job holds its generation */
};

static size_t on_answer(char *p, size_t size, size_t n, void *arg)
{
    struct transfer *t = arg;

    (void)p;
    t->answer += size * n;
    return t->answer > ANSWER_MAX ? CURL_WRITEFUNC_ERROR : size * n;
}

/* Where it really goes, after names were resolved. */
static curl_socket_t on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct transfer *t = arg;

    if (purpose != CURLSOCKTYPE_IPCXN || !guard_allows(&t->c->guard, &a->addr)) {
        t->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static void transfer_free(struct transfer *t)
{
    if (t->curl)
        curl_easy_cleanup(t->curl);
    curl_slist_free_all(t->headers);
    free(t->d);
    free(t);
}

static bool add_header(struct transfer *t, const char *name, const char *value)
{
    char line[256];
    struct curl_slist *more;

    snprintf(line, sizeof line, "%s: %s", name, value);
    if (!(more = curl_slist_append(t->headers, line)))
        return false;
    t->headers = more;
    return true;
}

/* What receivers verify (Standard Webhooks 1.0). */
static bool add_headers(struct transfer *t, const struct hook *hook)
{
    char signature[SIGN_TEXT], seconds[24];
    int64_t now = (int64_t)time(NULL);

    snprintf(seconds, sizeof seconds, "%" PRId64, now);
    return !sign_body(hook->secret, t->d->id, now, t->d->body, t->d->len, signature) &&
           add_header(t, "Content-Type", "application/json") && add_header(t, "webhook-id", t->d->id) &&
           add_header(t, "webhook-timestamp", seconds) && add_header(t, "webhook-signature", signature) &&
           add_header(t, "Expect", "");
}

#define SET(option, value) (curl_easy_setopt(t->curl, option, value) == CURLE_OK)
static bool set_up(struct transfer *t, const struct hook *hook)
{
    char agent[64];

    snprintf(agent, sizeof agent, "eCyber/%s", t->w->host->version);
    return (t->curl = curl_easy_init()) && add_headers(t, hook) && SET(CURLOPT_URL, hook->url) &&
           SET(CURLOPT_PROTOCOLS_STR, t->c->plain ? "http,https" : "https") && SET(CURLOPT_FOLLOWLOCATION, 0L) &&
           SET(CURLOPT_PROXY, "") && SET(CURLOPT_NOSIGNAL, 1L) && SET(CURLOPT_POST, 1L) &&
           SET(CURLOPT_POSTFIELDS, &t->d->body[0]) && SET(CURLOPT_POSTFIELDSIZE, (long)t->d->len) &&
           SET(CURLOPT_HTTPHEADER, t->headers) && SET(CURLOPT_USERAGENT, agent) &&
           SET(CURLOPT_TIMEOUT_MS, (long)t->c->timeout_ms) && SET(CURLOPT_WRITEFUNCTION, on_answer) &&
           SET(CURLOPT_WRITEDATA, t) && SET(CURLOPT_OPENSOCKETFUNCTION, on_socket) &&
           SET(CURLOPT_OPENSOCKETDATA, t) && SET(CURLOPT_ERRORBUFFER, t->error) && SET(CURLOPT_PRIVATE, t) &&
           SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
}

/* Nobody waits for the deliveries of a hook that is gone or switched off. */
static void begin(struct pump *p, struct delivery *d)
{
    struct transfer *t;
    struct hook hook;

    if (hooks_get(p->w->hooks, d->hook, &hook) || (!hook.active && strcmp(d->type, "test") != 0) ||
        !(t = calloc(1, sizeof *t))) {
        free(d);
        return;
    }
    *t = (struct transfer){ .w = p->w, .c = p->c, .d = d };
    d->attempt++;
    if (set_up(t, &hook) && curl_multi_add_handle(p->multi, t->curl) == CURLM_OK) {
        p->all[p->n++] = t;
        return;
    }
    attempt_tell(p->w, d, &(struct attempt){ .why = "the request could not be made" });
    p->w->host->metric(p->w->host, M_FAILED, 1);
    transfer_free(t);
}

/* May it go better later? No connection, 408, 425, 429 and what is the server's own fault (RFC 9110 §15). */
static bool worth_another(const struct transfer *t, long status)
{
    return !t->refused && (!status || status == 408 || status == 425 || status == 429 || status >= 500);
}

static uint64_t next_attempt(const struct transfer *t, uint64_t now_ns)
{
    uint64_t wait = t->c->retry_ns;
    curl_off_t after = 0;

    for (uint32_t i = 1; i < t->d->attempt && wait < LONGEST_NS; i++)
        wait *= 4;
    if (curl_easy_getinfo(t->curl, CURLINFO_RETRY_AFTER, &after) == CURLE_OK && after > 0 && after < 86400 &&
        (uint64_t)after * 1000000000 > wait)
        wait = (uint64_t)after * 1000000000;
    return now_ns + (wait > LONGEST_NS ? LONGEST_NS : wait);
}

static const char *reason(const struct transfer *t, CURLcode code, long status, char to[160])
{
    if (t->refused)
        return "its address is not public, and webhooks.allow does not name it";
    if (status)
        snprintf(to, 160, "the answer was %ld", status);
    else
        snprintf(to, 160, "%.150s", *t->error ? t->error : curl_easy_strerror(code));
    return to;
}

static void finish(struct pump *p, struct transfer *t, CURLcode code)
{
    const struct ec_host *h = p->w->host;
    struct attempt a = { .next_ns = 0 };
    curl_off_t took = 0;
    long status = 0;
    char why[160];
    struct delivery *d = t->d;

    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(t->curl, CURLINFO_TOTAL_TIME_T, &took);
    a.status = (uint32_t)status;
    a.took_ms = (uint32_t)(took / 1000);
    if (status < 200 || status > 299)
        a.why = reason(t, code, status, why);
    if (a.why && worth_another(t, status) && d->attempt < p->c->attempts)
        a.next_ns = next_attempt(t, h->now(h));
    attempt_tell(p->w, d, &a);
    h->metric(h, !a.why ? M_DELIVERED : a.next_ns ? M_RETRIED : M_FAILED, 1);
    h->metric(h, M_REFUSED, t->refused);
    if (a.next_ns) {
        t->d = NULL;
        d->due_ns = a.next_ns;
        if (!queue_put(&p->w->queue, d))
            h->metric(h, M_FULL, 1);
    }
}

static void collect(struct pump *p)
{
    CURLMsg *m;
    int left;

    while ((m = curl_multi_info_read(p->multi, &left))) {
        struct transfer *t = NULL;

        if (m->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&t);
        finish(p, t, m->data.result);
        curl_multi_remove_handle(p->multi, t->curl);
        for (uint32_t i = 0; i < p->n; i++)
            if (p->all[i] == t)
                p->all[i] = p->all[--p->n];
        transfer_free(t);
    }
}

static void run(struct pump *p)
{
    const struct ec_host *h = p->w->host;
    struct delivery *d;
    int running;

    while (!atomic_load(&p->w->stopping)) {
        uint64_t now = h->now(h);

        while (p->n < AT_ONCE && now < p->until_ns && (d = queue_take(&p->w->queue, now)))
            begin(p, d);
        if (!p->n)
            return;
        curl_multi_perform(p->multi, &running);
        collect(p);
        if (p->n)
            curl_multi_poll(p->multi, NULL, 0, 100, NULL);
    }
}

/* The daemon ends: nobody knows whether the receiver has it, so it gets it once more. Its id is the same. */
static void put_back(struct pump *p, struct transfer *t)
{
    struct delivery *d = t->d;

    t->d = NULL;
    d->attempt--;
    if (!queue_put(&p->w->queue, d))
        p->w->host->metric(p->w->host, M_FULL, 1);
}

/* [pool] */
static void job(void *self, const void *state, void *arg)
{
    struct webhooks *w = self;
    struct pump p = { .w = w, .c = state, .multi = curl_multi_init() };

    (void)arg;
    p.until_ns = w->host->now(w->host) + RUN_NS;
    if (p.multi)
        run(&p);
    for (uint32_t i = 0; i < p.n; i++) {
        curl_multi_remove_handle(p.multi, p.all[i]->curl);
        put_back(&p, p.all[i]);
        transfer_free(p.all[i]);
    }
    if (p.multi)
        curl_multi_cleanup(p.multi);
    w->host->gauge(w->host, M_PENDING, queue_count(&w->queue));
    atomic_store(&w->pumping, false);
}

void pump_wake(struct webhooks *w, uint64_t now_ns)
{
    bool idle = false;

    if (!queue_due(&w->queue, now_ns) || atomic_load(&w->stopping) ||
        !atomic_compare_exchange_strong(&w->pumping, &idle, true))
        return;
    if (w->host->work(w->host, job, NULL) != EC_OK)
        atomic_store(&w->pumping, false);       /* the pool is full: the timer comes again */
}
