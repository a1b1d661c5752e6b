/* auth: users, roles and tokens. This file is the glue: options, life cycle, the service. */
#include "plugins/auth/plugin.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <pwd.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "plugins/auth/keyfile.h"
#include "plugins/auth/roles.h"
#include "plugins/auth/secret.h"

#define GROUP        "ecyber"
#define LIFE_DEFAULT (8 * 3600)
#define SECOND       INT64_C(1000000000)
#define PEM_MAX      16384

/* algorithm, secret and token_life have no default here, so that the variables ALGORITHM, SECRET_KEY and
 * ACCESS_TOKEN_EXPIRE_MINUTES can stand in where the options are not set. */
static const struct ec_row option_rows[] = {
    EC_OPTION(TEXT, 0, "algorithm", NULL, 1, 16, NULL,
              "how tokens are signed: HS256 (the default), HS384, HS512, RS256 to RS512, ES256 to ES512"),
    EC_OPTION(TEXT, EC_R_SECRET, "secret", NULL, 1, 4096, NULL,
              "the key of HS256 to HS512, at least 32 bytes; unset: made once, in the plugin's state folder"),
    EC_OPTION(TEXT, EC_R_PATH, "key_file", NULL, 1, 4000, NULL,
              "the private key (PEM) of RS256 to ES512; mode 0600, or 0640 for the daemon's group"),
    EC_OPTION(DURATION, 0, "token_life", NULL, 60 * SECOND, 365 * 86400 * SECOND, NULL, "of a token; 8h where unset"),
    EC_OPTION(DURATION, 0, "refresh_life", "30d", 60 * SECOND, 365 * 86400 * SECOND, NULL,
              "of a refresh token, and so of a session that nobody uses; at least token_life"),
    EC_OPTION(U32, 0, "password_min", "10", 8, 128, "characters", "the least of a new password"),
    EC_OPTION(U32, 0, "hash_cost", "7", PASSWORD_COST_LEAST, PASSWORD_COST_MOST, NULL,
              "of passwords by yescrypt: each one more doubles the time and the memory of a log-in (7: 64 MiB)"),
    EC_OPTION(U32, 0, "backoff.account_tries", "5", 1, 1000, "attempts",
              "failed log-ins of an account from one address without a wait"),
    EC_OPTION(U32, 0, "backoff.account_hourly", "100", 10, 3600, "attempts",
              "failed log-ins of an account in an hour from all addresses but those where it has logged in before"),
    EC_OPTION(U32, 0, "backoff.address_tries", "20", 1, 100000, "attempts",
              "failed log-ins from an address, of any account, without a wait; not counted of this machine itself"),
    EC_OPTION(DURATION, 0, "backoff.longest", "5m", SECOND, 86400 * SECOND, NULL,
              "the wait doubles with each failure up to this"),
    EC_OPTION_ENUM(0, "registration", REGISTRATION_WORDS, "closed",
                   "may one make an account oneself: closed; approval: an administrator lets it in; open"),
    POST_OPTIONS,
};
static const struct ec_record options = EC_RECORD_OPTIONS(option_rows);

#define COUNTER(name, unit, help) {(uint32_t)sizeof(struct ec_metric), EC_METRIC_COUNTER, (name), (unit), (help)}
static const struct ec_metric metrics[METRICS] = {
    [M_LOGINS] = COUNTER("logins", "logins", "that succeeded"),
    [M_FAILURES] = COUNTER("logins_failed", "logins", "with a wrong name or password"),
    [M_BACKOFFS] = COUNTER("backoffs", "attempts", "that were told to come again later"),
    [M_REFUSED] = COUNTER("tokens_refused", "tokens", "tokens and API keys that were shown and are not good"),
    [M_REUSES] = COUNTER("tokens_reused", "tokens",
                         "refresh tokens that were shown a second time; each ended its session"),
    [M_MAILS] = COUNTER("mails", "letters", "that the mail server took"),
    [M_MAILS_AGAIN] = COUNTER("mails_again", "attempts", "to send a letter that failed and are made again"),
    [M_MAILS_FAILED] = COUNTER("mails_failed", "letters", "that were given up, or found no place in the queue"),
};

/* What configure() read; start() takes it. */
struct auth_state {
    char algorithm[16], *key; /* key NULL: to be made once */
    int64_t life, refresh_life;
    struct mail_server mail;
    char page_url[512];
    uint32_t registration;
    uint32_t password_min, hash_cost, account_tries, account_hourly, address_tries, longest;
};

static void key_free(char *key)
{
    if (key)
        OPENSSL_cleanse(key, strlen(key));
    free(key);
}

static void auth_state_free(void *self, void *state)
{
    struct auth_state *st = state;

    (void)self;
    if (st) {
        key_free(st->key);
        OPENSSL_cleanse(&st->mail, sizeof st->mail);
    }
    free(st);
}

static int64_t number(const struct ec_host *h, const struct ec_conf *c, const char *name)
{
    int64_t v = 0;

    h->conf_num(c, name, 0, &v);
    return v;
}

/* The option, else the variable that the system before this one had. *where: for an error. */
static const char *option_or(const struct ec_host *h, const struct ec_conf *c, const char *option,
                             const char *variable, const char **where)
{
    const char *text = h->conf_text(c, option, 0);

    *where = text ? h->conf_where(c, option, 0) : variable;
    return text ? text : getenv(variable);
}

static int32_t read_algorithm(const struct ec_host *h, const struct ec_conf *c, struct auth_state *st)
{
    static const char *const names[] = {"HS256", "HS384", "HS512", "RS256", "RS384",
                                        "RS512", "ES256", "ES384", "ES512"};
    const char *where, *name = option_or(h, c, "algorithm", "ALGORITHM", &where);

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(name ? name : "HS256", names[i])) {
            strcpy(st->algorithm, names[i]);
            return EC_OK;
        }
    return ec_failf(h, EC_EINVAL,
                    "%s: tokens are not signed with '%.16s': HS256, HS384, HS512, RS256 to RS512 or ES256 to ES512",
                    where, name);
}

/* The PEM file of RS and ES. */
static int32_t read_key_file(const struct ec_host *h, const struct ec_conf *c, struct auth_state *st)
{
    const char *path = h->conf_text(c, "key_file", 0);
    char text[PEM_MAX];
    int32_t err;

    if (!path)
        return ec_failf(h, EC_EINVAL, "auth.algorithm is %s, so auth.key_file has to name its private key",
                        st->algorithm);
    err = key_file_read(h, h->conf_where(c, "key_file", 0), path, text, sizeof text);
    if (!err && !(st->key = strdup(text)))
        err = h->fail(h, EC_ENOMEM, "out of memory");
    OPENSSL_cleanse(text, sizeof text);
    return err;
}

static int32_t read_secret(const struct ec_host *h, const struct ec_conf *c, struct auth_state *st)
{
    const char *where, *text = option_or(h, c, "secret", "SECRET_KEY", &where), *weak;

    if (!text)
        return EC_OK;
    weak = secret_weak(text);
    if (weak)
        return ec_failf(h, EC_EINVAL,
                        "%s: the secret is refused: %s. Leave it out and one is made, or take that of: openssl rand "
                        "-base64 64",
                        where, weak);
    st->key = strdup(text);
    return st->key ? EC_OK : h->fail(h, EC_ENOMEM, "out of memory");
}

static int32_t read_life(const struct ec_host *h, const struct ec_conf *c, struct auth_state *st)
{
    const char *minutes = getenv("ACCESS_TOKEN_EXPIRE_MINUTES");
    int64_t ns;
    char *end;

    st->life = LIFE_DEFAULT;
    if (!h->conf_num(c, "token_life", 0, &ns)) {
        st->life = ns / SECOND;
    } else if (minutes) {
        st->life = strtol(minutes, &end, 10) * 60;
        if (*end || end == minutes || st->life < 60 || st->life > 365 * 86400)
            return ec_failf(h, EC_EINVAL,
                            "ACCESS_TOKEN_EXPIRE_MINUTES: '%.32s' is no number of minutes from 1 to 525600", minutes);
    }
    return EC_OK;
}

static int32_t read_options(struct auth *a, const struct ec_conf *c, struct auth_state *st)
{
    const struct ec_host *h = a->host;
    struct token_keys *keys;
    int32_t err;
    char why[256];

    err = read_algorithm(h, c, st);
    if (!err)
        err = *st->algorithm == 'H' ? read_secret(h, c, st) : read_key_file(h, c, st);
    if (!err)
        err = read_life(h, c, st);
    if (!err)
        err = post_read(h, c, &st->mail, st->page_url);
    if (err)
        return err;
    st->registration = (uint32_t)number(h, c, "registration");
    st->refresh_life = number(h, c, "refresh_life") / SECOND;
    if (st->refresh_life < st->life)
        st->refresh_life = st->life;
    st->password_min = (uint32_t)number(h, c, "password_min");
    st->hash_cost = (uint32_t)number(h, c, "hash_cost");
    st->account_tries = (uint32_t)number(h, c, "backoff.account_tries");
    st->account_hourly = (uint32_t)number(h, c, "backoff.account_hourly");
    st->address_tries = (uint32_t)number(h, c, "backoff.address_tries");
    st->longest = (uint32_t)(number(h, c, "backoff.longest") / SECOND);
    if (!st->key)
        return EC_OK;
    keys = token_keys_new(st->algorithm, st->key, strlen(st->key), st->life, why, sizeof why);
    token_keys_free(keys);
    return keys ? EC_OK : ec_failf(h, EC_EINVAL, "the key of auth.algorithm %s: %s", st->algorithm, why);
}

static int32_t auth_configure(void *self, const struct ec_conf *c, void **state)
{
    struct auth *a = self;
    struct auth_state *st = calloc(1, sizeof *st);
    int32_t err;

    if (!st)
        return a->host->fail(a->host, EC_ENOMEM, "out of memory");
    err = read_options(a, c, st);
    if (err)
        auth_state_free(a, st);
    else
        *state = st;
    return err;
}

static void auth_destroy(void *self)
{
    struct auth *a = self;

    users_free(a->users);
    shelf_free(a->sessions);
    shelf_free(a->apikeys);
    shelf_free(a->recoveries);
    token_keys_free(a->keys);
    guess_free(a);
    free(a);
}

static int32_t auth_create(const struct ec_host *h, void **self)
{
    struct auth *a = calloc(1, sizeof *a);

    if (!a || !(a->users = users_new()) || !(a->sessions = shelf_new(&session_form)) ||
        !(a->apikeys = shelf_new(&apikey_form)) || !(a->recoveries = shelf_new(&recovery_form))) {
        if (a)
            auth_destroy(a);
        return h->fail(h, EC_ENOMEM, "out of memory");
    }
    a->host = h;
    *self = a;
    return EC_OK;
}

static void on_timer(void *self, const void *state, uint64_t now_ns);
static const struct ec_timer lazy = {sizeof lazy, EC_TIMER_WALL, 300 * SECOND, on_timer};

static int32_t auth_setup(void *self)
{
    struct auth *a = self;
    const struct ec_host *h = a->host;
    int32_t err;

    a->store = h->use(h, EC_STORE_ID, &a->store_self);
    if (!a->store)
        return h->fail(h, EC_ENOENT, "there is no store to keep users in");
    a->http = h->use(h, EC_HTTP_ID, &a->http_self);
    err = a->store->kind(a->store_self, h, &users_kind, &a->kind);
    if (!err)
        err = a->store->kind(a->store_self, h, session_form.kind, &a->session_kind);
    if (!err)
        err = a->store->kind(a->store_self, h, apikey_form.kind, &a->key_kind);
    if (!err)
        err = a->store->kind(a->store_self, h, recovery_form.kind, &a->recovery_kind);
    if (!err)
        err = h->topic(h, &audit_topic, &a->audit);
    if (!err)
        err = h->timer(h, &lazy);
    return err || !a->http ? err : routes_declare(a);
}

/* A generated secret: made at the first start, read ever after. lost: what a new one ends. */
static int32_t own_secret(struct auth *a, const char *folder, const char *name, const char *lost, char text[1024])
{
    const struct ec_host *h = a->host;
    char path[PATH_MAX], why[PATH_MAX + 200];
    int rc;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    rc = private_read(path, text, 1024, why, sizeof why);
    if (rc > 0 && strlen(text) + 1 < SECRET_TEXT)
        return ec_failf(h, EC_EINVAL, "%s is damaged: remove it and a new one is made, which ends %s", path, lost);
    if (rc < 0)
        return h->fail(h, EC_EIO, why);
    if (rc > 0)
        return EC_OK;
    if (secret_random(text) || private_write(path, text))
        return ec_failf(h, EC_EIO, "a secret cannot be kept: %s: %s", path, strerror(errno));
    EC_LOG(h, EC_LOG_INFO, "a secret was made: %s", path);
    return EC_OK;
}

/* The key of what is encrypted in the store. It is not that of the tokens, so that those may be changed at will. */
static int32_t make_seal(struct auth *a, const char *folder, struct seal *seal)
{
    char text[1024];
    int32_t err = own_secret(a, folder, "vault", "all second factors", text);

    if (!err && seal_init(seal, text, "eCyber second factor 1"))
        err = a->host->fail(a->host, EC_ENOMEM, "no key can be derived for second factors");
    OPENSSL_cleanse(text, sizeof text);
    return err;
}

static int32_t load_users(struct auth *a, const char *folder)
{
    const struct ec_host *h = a->host;
    struct seal seal;
    uint32_t n, closed;
    int32_t err = make_seal(a, folder, &seal);

    if (err)
        return err;
    err = users_load(a->users, &seal, a->store, a->store_self, a->kind);
    OPENSSL_cleanse(&seal, sizeof seal);
    if (err)
        return ec_failf(h, err, "the users cannot be read from the store (error %d)", err);
    n = users_seal(a->users, &closed);
    if (n)
        EC_LOG(h, EC_LOG_INFO, "the secrets of %u second factors are encrypted from now on", n);
    if (closed)
        EC_LOG(h, EC_LOG_ERROR,
               "the secrets of %u second factors cannot be read: %s/vault is not the one that they were encrypted with. "
               "Their recovery codes are good; else 'ecyberctl users reset'", closed, folder);
    return EC_OK;
}

static int32_t make_keys(struct auth *a, const struct auth_state *st, const char *folder)
{
    char text[1024], why[256];
    int32_t err = st->key ? EC_OK : own_secret(a, folder, "secret", "all tokens", text);
    const char *key = st->key ? st->key : text;

    if (!err) {
        a->keys = token_keys_new(st->algorithm, key, strlen(key), st->life, why, sizeof why);
        if (!a->keys)
            err = a->host->fail(a->host, EC_EINVAL, why);
    }
    OPENSSL_cleanse(text, sizeof text);
    return err;
}

static uint32_t group_number(void)
{
    struct group g, *found = NULL;
    char buf[4096];

    return !getgrnam_r(GROUP, &g, buf, sizeof buf, &found) && found ? (uint32_t)g.gr_gid : UINT32_MAX;
}

/* On the thread of letters. */
static void mail_done(void *arg, int what, const char *why, uint32_t attempts)
{
    static const uint32_t metric[] = {
        [MAIL_SENT] = M_MAILS, [MAIL_AGAIN] = M_MAILS_AGAIN, [MAIL_GIVEN_UP] = M_MAILS_FAILED};
    struct auth *a = arg;

    a->host->metric(a->host, metric[what], 1);
    if (what == MAIL_AGAIN)
        EC_LOG(a->host, EC_LOG_WARNING, "a letter could not be sent and is tried again (attempt %u): %s", attempts,
               why);
    else if (what == MAIL_GIVEN_UP)
        EC_LOG(a->host, EC_LOG_ERROR,
               "a letter was given up after %u attempts: %s. Look at auth.smtp; 'ecyberctl users reset' gives a user another password without", attempts, why);
}

static int32_t auth_start(void *self, const void *state)
{
    struct auth *a = self;
    const struct auth_state *st = state;
    const struct ec_host *h = a->host;
    const char *folder = h->state_dir(h);
    int32_t err;

    if (!folder)
        return h->fail(h, EC_EIO, "there is no state folder for the secret and the one-time password");
    snprintf(a->first, sizeof a->first, "%s/first-password", folder);
    a->life = st->life;
    a->refresh_life = (uint64_t)st->refresh_life;
    a->password_min = st->password_min;
    a->hash_cost = st->hash_cost;
    a->registration = st->registration;
    snprintf(a->page_url, sizeof a->page_url, "%s", st->page_url);
    a->group = group_number();
    if (guess_new(a, st->account_tries, st->account_hourly, st->address_tries, st->longest) ||
        password_hash("nobody", 6, a->hash_cost, a->nobody, sizeof a->nobody))
        return h->fail(h, EC_ENOMEM, "out of memory");
    err = make_keys(a, st, folder);
    if (err)
        return err;
    err = load_users(a, folder);
    if (err)
        return err;
    err = shelf_load(a->sessions, a->store, a->store_self, a->session_kind);
    if (!err)
        err = shelf_load(a->apikeys, a->store, a->store_self, a->key_kind);
    if (!err)
        err = shelf_load(a->recoveries, a->store, a->store_self, a->recovery_kind);
    if (err)
        return ec_failf(h, err, "the sessions and API keys cannot be read from the store (error %d)", err);
    session_sweep(a->sessions, a->users, h->now(h));
    err = a->http && !users_count(a->users) ? first_make(a) : EC_OK;
    if (!err && *st->mail.server && !(a->mails = mails_new(&st->mail, mail_done, a)))
        err = h->fail(h, EC_ENOMEM, "the thread of letters cannot be started");
    return err;
}

static void flush_work(void *self, const void *state, void *arg)
{
    (void)state;
    (void)arg;
    apikey_flush(((struct auth *)self)->apikeys);
}

static void on_timer(void *self, const void *state, uint64_t now_ns)
{
    const struct ec_host *h = ((struct auth *)self)->host;

    (void)state;
    (void)now_ns;
    h->work(h, flush_work, NULL); /* where the pool is full, the next time */
}

static void auth_stop(void *self)
{
    struct auth *a = self;
    uint32_t left = mails_free(a->mails);

    a->mails = NULL;
    if (left)
        EC_LOG(a->host, EC_LOG_WARNING, "%u letters were not sent any more", left);
    apikey_flush(a->apikeys);
}

static int32_t auth_bearer(void *self, const char *text, uint32_t len, struct ec_who *who, char *why, uint32_t n)
{
    struct auth *a = self;
    struct token t;
    int32_t err = token_read_again(a->keys, text, len, (int64_t)time(NULL), &t, why, n);

    if (!err)
        err = users_judge(a->users, &t, who, why, n);
    if (!err && session_judge(a->sessions, t.session, t.user, t.stamp, a->host->now(a->host))) {
        snprintf(why, n, "its session has ended");
        err = EC_EPERM;
    }
    if (err)
        a->host->metric(a->host, M_REFUSED, 1);
    return err;
}

static int32_t auth_key(void *self, const char *text, uint32_t len, const char *address, struct ec_who *who, char *why,
                        uint32_t n)
{
    struct auth *a = self;
    int32_t err = apikey_judge(a->apikeys, a->users, text, len, a->host->now(a->host), address, who, why, n);

    if (err)
        a->host->metric(a->host, M_REFUSED, 1);
    return err;
}

/* By its own group, or by the user data base. */
static bool in_group(uint32_t uid, uint32_t gid, uint32_t group)
{
    struct passwd p, *found = NULL;
    char buf[4096];
    gid_t list[256];
    int n = 256;

    if (group == UINT32_MAX)
        return false;
    if (gid == group)
        return true;
    if (getpwuid_r(uid, &p, buf, sizeof buf, &found) || !found || getgrouplist(p.pw_name, gid, list, &n) < 0)
        return false;
    while (n > 0)
        if (list[--n] == group)
            return true;
    return false;
}

static int32_t auth_peer(void *self, uint32_t uid, uint32_t gid, uint32_t pid, struct ec_who *who)
{
    struct auth *a = self;

    (void)pid;
    if (uid && uid != (uint32_t)geteuid() && !in_group(uid, gid, a->group))
        return EC_EPERM;
    memset(who, 0, sizeof *who);
    who->size = sizeof *who;
    who->flags = EC_WHO_LOCAL;
    snprintf(who->name, sizeof who->name, "local:%u", uid);
    roles_print(ROLE_ADMIN, who->roles, sizeof who->roles);
    return EC_OK;
}

static const struct ec_auth service = {
    .size = sizeof service, .bearer = auth_bearer, .peer = auth_peer, .key = auth_key};
static const struct ec_offer offers[] = {{sizeof(struct ec_offer), 0, EC_AUTH_ID, &service}};
static const struct ec_use uses[] = {
    {sizeof(struct ec_use), EC_USE_SETUP | EC_USE_RUN, sizeof(struct ec_store), 0, EC_STORE_ID},
    {sizeof(struct ec_use), EC_USE_SETUP | EC_USE_OPTIONAL, sizeof(struct ec_http), 0, EC_HTTP_ID},
};

static const struct ec_plugin auth = {
    EC_PLUGIN_HEAD,
    .id = "ecyber.auth",
    .name = "auth",
    .version = "0.1.0",
    .summary = "users, roles and tokens",
    .license = "MIT",
    .n_use = 2,
    .use_stride = sizeof uses[0],
    .n_offer = 1,
    .offer_stride = sizeof offers[0],
    .n_metric = METRICS,
    .metric_stride = sizeof metrics[0],
    .use = uses,
    .offer = offers,
    .metric = metrics,
    .options = &options,
    .create = auth_create,
    .setup = auth_setup,
    .configure = auth_configure,
    .state_free = auth_state_free,
    .start = auth_start,
    .stop = auth_stop,
    .destroy = auth_destroy,
};
EC_PLUGIN(auth)
