/* Who guesses at passwords waits, and nobody else: what is counted, and for whom. */
#include "plugins/auth/plugin.h"

#include <inttypes.h>
#include <time.h>

#define HOUR     3600u
#define VISITS   20u /* of an address in an hour, to register or to recover */
#define CROWD    200u /* of all, this machine itself included */
#define LETTERS  3u
#define KEY_ROOM (USER_NAME + 24 + BACKOFF_NET)

/* One who asks. pair: of this account from this address, until the password is another one; place: the same without
 * the password; net: the address alone, "" where everybody may stand behind it. */
struct asking {
    char pair[KEY_ROOM], place[KEY_ROOM], net[BACKOFF_NET];
};

int guess_new(struct auth *a, uint32_t account_tries, uint32_t account_hourly, uint32_t address_tries, uint32_t longest)
{
    uint32_t drain = HOUR / account_hourly;

    a->pairs = backoff_new(account_tries, longest, 0);
    a->accounts = backoff_new(account_hourly, 0, drain ? drain : 1);
    a->addresses = backoff_new(address_tries, longest, 0);
    a->places = backoff_new(0, 0, 0);
    a->visits = backoff_new(VISITS, 0, HOUR / VISITS);
    a->crowd = backoff_new(CROWD, 0, HOUR / CROWD);
    a->letters = backoff_new(LETTERS, 0, HOUR / LETTERS);
    return a->pairs && a->accounts && a->addresses && a->places && a->visits && a->crowd && a->letters ? 0 : -1;
}

void guess_free(struct auth *a)
{
    backoff_free(a->pairs);
    backoff_free(a->accounts);
    backoff_free(a->addresses);
    backoff_free(a->places);
    backoff_free(a->visits);
    backoff_free(a->crowd);
    backoff_free(a->letters);
}

static uint64_t seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec + 1;
}

static void asking_of(struct auth *a, struct ec_req *r, const char *account, struct asking *to)
{
    const char *peer = a->http->peer(r);
    char net[BACKOFF_NET];
    struct user one;

    if (users_named(a->users, account, &one))
        one.stamp = 0;
    backoff_net(peer ? peer : "local", net);
    snprintf(to->pair, sizeof to->pair, "%s %" PRIu64 " %s", account, one.stamp, net);
    snprintf(to->place, sizeof to->place, "%s %s", account, net);
    snprintf(to->net, sizeof to->net, "%s", !strcmp(net, "local") || backoff_loopback(net) ? "" : net);
}

/* May this account be tried from this address now? 0, and the attempt is counted; else the seconds to wait. */
static uint32_t may_try(struct auth *a, struct ec_req *r, const char *account)
{
    uint64_t now = seconds();
    struct asking k;
    uint32_t wait;

    asking_of(a, r, account, &k);
    wait = *k.net ? backoff_try(a->addresses, k.net, now) : 0;
    if (wait)
        return wait;
    wait = backoff_try(a->pairs, k.pair, now);
    if (!wait) {
        wait = backoff_try(a->accounts, account, now);
        if (!wait || backoff_noted(a->places, k.place, now))
            return 0;
        backoff_refund(a->pairs, k.pair);
    }
    if (*k.net)
        backoff_refund(a->addresses, k.net);
    return wait;
}

void guess_good(struct auth *a, struct ec_req *r, const char *account)
{
    struct asking k;

    asking_of(a, r, account, &k);
    backoff_good(a->pairs, k.pair);
    backoff_refund(a->accounts, account);
    if (*k.net)
        backoff_refund(a->addresses, k.net);
    backoff_note(a->places, k.place, seconds());
}

void guess_half(struct auth *a, struct ec_req *r, const char *account)
{
    struct asking k;

    asking_of(a, r, account, &k);
    backoff_refund(a->accounts, account);
    if (*k.net)
        backoff_refund(a->addresses, k.net);
}

static int32_t come_again(struct auth *a, struct ec_req *r, uint32_t wait)
{
    char text[16];

    a->host->metric(a->host, M_BACKOFFS, 1);
    snprintf(text, sizeof text, "%u", wait);
    a->http->set_header(r, "Retry-After", text);
    return a->http->error(r, 429, "Too many attempts; try again later");
}

int32_t guess_visit(struct auth *a, struct ec_req *r)
{
    uint64_t now = seconds();
    struct asking k;
    uint32_t wait;

    asking_of(a, r, "", &k);
    wait = *k.net ? backoff_try(a->visits, k.net, now) : 0;
    if (!wait) {
        wait = backoff_try(a->crowd, "all", now);
        if (wait && *k.net)
            backoff_refund(a->visits, k.net);
    }
    if (!wait)
        return EC_OK;
    come_again(a, r, wait);
    return EC_EAGAIN;
}

uint32_t guess_mail(struct auth *a, const char *account)
{
    return backoff_try(a->letters, account, seconds());
}

/* A place on the pool for a hash. 0; else 429 was sent. */
static int32_t place_take(struct auth *a, struct ec_req *r)
{
    if (atomic_fetch_add(&a->hashing, 1) < HASHES_AT_ONCE)
        return EC_OK;
    guess_done(a);
    come_again(a, r, 1);
    return EC_EAGAIN;
}

static int32_t go_on(struct auth *a, struct ec_req *r, void (*fn)(struct ec_req *r, void *arg))
{
    if (!a->http->work(r, fn, a))
        return EC_EAGAIN;
    guess_done(a);
    return EC_OK; /* 503 was sent */
}

int32_t hash_later(struct auth *a, struct ec_req *r, void (*fn)(struct ec_req *r, void *arg))
{
    return place_take(a, r) ? EC_OK : go_on(a, r, fn);
}

int32_t guess_later(struct auth *a, struct ec_req *r, const char *account, void (*fn)(struct ec_req *r, void *arg))
{
    uint32_t wait;

    if (place_take(a, r))
        return EC_OK;
    wait = may_try(a, r, account);
    if (!wait)
        return go_on(a, r, fn);
    guess_done(a);
    return come_again(a, r, wait);
}

void guess_done(struct auth *a)
{
    atomic_fetch_sub(&a->hashing, 1);
}
