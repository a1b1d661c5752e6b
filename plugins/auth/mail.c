#define EC_API_LEVEL 1
#include "plugins/auth/mail.h"

#include <curl/curl.h>
#include <ecyber/thread.h>
#include <errno.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "plugins/auth/digest.h"

#define ATTEMPTS 6
#define LETTERS  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]" /* of a host and a port */
#define WIRE     8192 /* of a letter with its head */

struct mail {
    struct mail *next;
    uint64_t due_ms, until_s;
    uint32_t attempts;
    char to[MAIL_ADDRESS], subject[128], text[MAIL_TEXT];
};

struct mails {
    struct mail_server server;
    mail_told *told;
    void *arg;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake; /* by the monotonic clock */
    struct mail *first;
    uint32_t n;
    bool stop;
};

static uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint64_t mail_now(void)
{
    return now_ms() / 1000;
}

int mail_url(const struct mail_server *s, char *to, size_t n)
{
    static const int ports[] = {[MAIL_STARTTLS] = 587, [MAIL_TLS] = 465, [MAIL_PLAIN] = 25};
    const char *text = s->server, *end = *text == '[' ? strchr(text, ']') : text + strcspn(text, ":");
    long port = ports[s->tls];
    char *tail;

    if (*text == '[')
        end = end ? end + 1 : text;
    if (end == text || text[strspn(text, LETTERS)])
        return -1;
    if (*end == ':') {
        port = strtol(end + 1, &tail, 10);
        if (tail == end + 1 || *tail || port < 1 || port > 65535)
            return -1;
    } else if (*end) {
        return -1;
    }
    return (size_t)snprintf(to, n, "%s://%.*s:%ld", s->tls == MAIL_TLS ? "smtps" : "smtp", (int)(end - text), text,
                            port) < n ? 0 : -1;
}

/* Text with a CR before each LF. */
static int append_lines(char *out, size_t n, size_t at, const char *text)
{
    for (; *text; text++) {
        if (at + 3 > n)
            return -1;
        if (*text == '\n')
            out[at++] = '\r';
        out[at++] = *text;
    }
    out[at] = '\0';
    return 0;
}

int mail_compose(const char *from, const char *to, const char *subject, const char *text, int64_t now, const char *id,
                 char *out, size_t n)
{
    static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t when = (time_t)now;
    struct tm t;
    int head;

    if (strpbrk(from, "\r\n<>") || strpbrk(to, "\r\n<>") || strpbrk(subject, "\r\n") || !gmtime_r(&when, &t))
        return -1;
    head = snprintf(out, n,
                    "Date: %.3s, %02d %.3s %d %02d:%02d:%02d +0000\r\nFrom: eCyber <%s>\r\nTo: <%s>\r\n"
                    "Subject: %s\r\nMessage-ID: <%s@%s>\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
                    "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n",
                    days + t.tm_wday * 3, t.tm_mday, months + t.tm_mon * 3, t.tm_year + 1900, t.tm_hour, t.tm_min,
                    t.tm_sec, from, to, subject, id, strrchr(from, '@') ? strrchr(from, '@') + 1 : "localhost");
    return head < 0 || (size_t)head >= n ? -1 : append_lines(out, n, (size_t)head, text);
}

struct reading { const char *p; size_t left; };

static size_t on_read(char *to, size_t size, size_t n, void *arg)
{
    struct reading *r = arg;
    size_t take = size * n < r->left ? size * n : r->left;

    memcpy(to, r->p, take);
    r->p += take;
    r->left -= take;
    return take;
}

/* Not 0 ends the transfer: nobody waits for a server at the end of the daemon. */
static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    struct mails *m = arg;
    bool stop;

    (void)a, (void)b, (void)c, (void)d;
    pthread_mutex_lock(&m->lock);
    stop = m->stop;
    pthread_mutex_unlock(&m->lock);
    return stop;
}

#define SET(option, value) (curl_easy_setopt(curl, option, value) == CURLE_OK)
static bool set_up(CURL *curl, struct mails *m, const char *url, struct curl_slist *to, struct reading *text,
                   char *error)
{
    const struct mail_server *s = &m->server;
    char from[MAIL_ADDRESS + 2];

    snprintf(from, sizeof from, "<%s>", s->from);
    return SET(CURLOPT_URL, url) && SET(CURLOPT_PROTOCOLS_STR, "smtp,smtps") && SET(CURLOPT_MAIL_FROM, from) &&
           SET(CURLOPT_MAIL_RCPT, to) && SET(CURLOPT_UPLOAD, 1L) && SET(CURLOPT_READFUNCTION, on_read) &&
           SET(CURLOPT_READDATA, text) && SET(CURLOPT_PROXY, "") && SET(CURLOPT_NOSIGNAL, 1L) &&
           SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) && SET(CURLOPT_ERRORBUFFER, error) &&
           SET(CURLOPT_USE_SSL, (long)(s->tls == MAIL_PLAIN ? CURLUSESSL_NONE : CURLUSESSL_ALL)) &&
           SET(CURLOPT_TIMEOUT, (long)s->timeout_s) && SET(CURLOPT_CONNECTTIMEOUT, (long)s->timeout_s) &&
           SET(CURLOPT_NOPROGRESS, 0L) && SET(CURLOPT_XFERINFOFUNCTION, on_progress) && SET(CURLOPT_XFERINFODATA, m) &&
           (!*s->ca_file || SET(CURLOPT_CAINFO, s->ca_file)) &&
           (!*s->user || (SET(CURLOPT_USERNAME, s->user) && SET(CURLOPT_PASSWORD, s->password)));
}

/* One attempt. EC_OK; EC_EAGAIN: it may go better later; EC_EIO: it will not. Why: a sentence. */
static int32_t transfer(struct mails *m, const char *url, const struct mail *one, struct reading *text, char *why,
                        size_t n)
{
    char error[CURL_ERROR_SIZE] = "", rcpt[MAIL_ADDRESS + 2];
    struct curl_slist *to;
    CURL *curl = curl_easy_init();
    CURLcode code = CURLE_OUT_OF_MEMORY;
    long status = 0;

    snprintf(rcpt, sizeof rcpt, "<%s>", one->to);
    to = curl_slist_append(NULL, rcpt);
    if (curl && to && set_up(curl, m, url, to, text, error)) {
        code = curl_easy_perform(curl);
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    }
    curl_slist_free_all(to);
    curl_easy_cleanup(curl);
    if (status >= 400)
        snprintf(why, n, "the mail server answered %ld", status);
    else
        snprintf(why, n, "%s", *error ? error : curl_easy_strerror(code));
    if (code == CURLE_OK)
        return EC_OK;
    return status >= 500 && status < 600 ? EC_EIO : EC_EAGAIN;
}

static int32_t attempt(struct mails *m, const struct mail *one, char *why, size_t n)
{
    char wire[WIRE], url[320], id[33];
    struct reading text = {wire, 0};
    int32_t err;

    if (random_hex(id, 32) || mail_url(&m->server, url, sizeof url) ||
        mail_compose(m->server.from, one->to, one->subject, one->text, (int64_t)time(NULL), id, wire, sizeof wire)) {
        snprintf(why, n, "the letter could not be written");
        return EC_EIO;
    }
    text.left = strlen(wire);
    err = transfer(m, url, one, &text, why, n);
    OPENSSL_cleanse(wire, sizeof wire);
    return err;
}

static void mail_free(struct mail *one)
{
    OPENSSL_cleanse(one, sizeof *one);
    free(one);
}

/* The next that is due, taken out; NULL: the end. Waits. */
static struct mail *take(struct mails *m)
{
    struct mail *one = NULL;

    pthread_mutex_lock(&m->lock);
    while (!m->stop && !one) {
        struct mail **best = NULL;

        for (struct mail **at = &m->first; *at; at = &(*at)->next)
            if (!best || (*at)->due_ms < (*best)->due_ms)
                best = at;
        if (!best) {
            pthread_cond_wait(&m->wake, &m->lock);
        } else if ((*best)->due_ms > now_ms()) {
            struct timespec until = {(time_t)((*best)->due_ms / 1000), (long)((*best)->due_ms % 1000) * 1000000};

            pthread_cond_timedwait(&m->wake, &m->lock, &until);
        } else {
            one = *best;
            *best = one->next;
        }
    }
    pthread_mutex_unlock(&m->lock);
    return one;
}

/* Back into the line, for later; or out of it. */
static void settle(struct mails *m, struct mail *one, bool again)
{
    pthread_mutex_lock(&m->lock);
    if (again) {
        one->next = m->first;
        m->first = one;
    } else {
        m->n--;
    }
    pthread_mutex_unlock(&m->lock);
    if (!again)
        mail_free(one);
}

static void *run(void *arg)
{
    struct mails *m = arg;
    struct mail *one;
    char why[300];

    ec_thread_plain();
    prctl(PR_SET_NAME, "ec-mail");
    while ((one = take(m))) {
        int32_t err = attempt(m, one, why, sizeof why);
        uint64_t wait = m->server.retry_ns / 1000000;
        bool again;

        for (uint32_t i = 0; i < one->attempts; i++)
            wait *= 4;
        one->attempts++;
        one->due_ms = now_ms() + wait;
        again = err == EC_EAGAIN && one->attempts < ATTEMPTS && one->due_ms / 1000 < one->until_s;
        m->told(m->arg, !err ? MAIL_SENT : again ? MAIL_AGAIN : MAIL_GIVEN_UP, why, one->attempts);
        settle(m, one, again);
    }
    return NULL;
}

static bool thread_start(struct mails *m)
{
    sigset_t all, old;
    bool good;

    /* signals are the daemon's own threads' */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    good = !pthread_create(&m->thread, NULL, run, m);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return good;
}

struct mails *mails_new(const struct mail_server *server, mail_told *told, void *arg)
{
    struct mails *m = calloc(1, sizeof *m);
    pthread_condattr_t attr;

    if (!m)
        return NULL;
    m->server = *server;
    m->told = told;
    m->arg = arg;
    pthread_mutex_init(&m->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&m->wake, &attr);
    pthread_condattr_destroy(&attr);
    if (!curl_global_init(CURL_GLOBAL_DEFAULT)) {
        if (thread_start(m))
            return m;
        curl_global_cleanup();
    }
    OPENSSL_cleanse(&m->server, sizeof m->server);
    free(m);
    return NULL;
}

uint32_t mails_free(struct mails *m)
{
    uint32_t left = 0;

    if (!m)
        return 0;
    pthread_mutex_lock(&m->lock);
    m->stop = true;
    pthread_cond_signal(&m->wake);
    pthread_mutex_unlock(&m->lock);
    pthread_join(m->thread, NULL);
    for (struct mail *one = m->first, *next; one; one = next, left++) {
        next = one->next;
        mail_free(one);
    }
    curl_global_cleanup();
    pthread_cond_destroy(&m->wake);
    pthread_mutex_destroy(&m->lock);
    OPENSSL_cleanse(&m->server, sizeof m->server);
    free(m);
    return left;
}

int32_t mail_post(struct mails *m, const char *to, const char *subject, const char *text, uint64_t until_s)
{
    struct mail *one = calloc(1, sizeof *one);
    int32_t err = EC_ELIMIT;

    if (!one)
        return EC_ENOMEM;
    snprintf(one->to, sizeof one->to, "%s", to);
    snprintf(one->subject, sizeof one->subject, "%s", subject);
    snprintf(one->text, sizeof one->text, "%s", text);
    one->until_s = until_s;
    pthread_mutex_lock(&m->lock);
    if (m->n < MAILS_MAX) {
        one->due_ms = now_ms();
        one->next = m->first;
        m->first = one;
        m->n++;
        err = EC_OK;
        pthread_cond_signal(&m->wake);
    }
    pthread_mutex_unlock(&m->lock);
    if (err)
        mail_free(one);
    return err;
}
