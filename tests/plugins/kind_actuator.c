/* kind_actuator.c: the kind 'actuator': keeps bans in memory, refuses what is on its allow-list, and says in an event
 * what it did, for whom and why. */
#define EC_API_LEVEL 1
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <ecyber/plugin.h>
#include <ecyber/ext/respond.h>

#define BANS 64

struct ban_event { struct ec_part part; uint8_t addr[16]; uint64_t until; uint32_t action, pad; struct ec_span who, why; };
static const struct ec_row rows[] = {
    EC_FIELD_ENUM(0, struct ban_event, action, "action", "ban,unban,refused", "what was done"),
    EC_FIELD(IP, EC_R_COLUMN, struct ban_event, addr, "addr", NULL, "address"),
    EC_FIELD(TIME, 0, struct ban_event, until, "until", NULL, "end of the ban"),
    EC_FIELD(TEXT, 0, struct ban_event, who, "who", NULL, "who asked"),
    EC_FIELD(TEXT, 0, struct ban_event, why, "why", NULL, "and why"),
};
static const struct ec_record record = EC_RECORD_PART(struct ban_event, rows);
static const struct ec_topic topic = {
    sizeof topic, EC_TOPIC_EVENT | EC_TOPIC_RESERVED, "org.ecyber.test.ban/1", "testban", &record, NULL, "a ban" };
static const struct ec_row option_rows[] = {
    EC_OPTION(IP, EC_R_LIVE, "allow", "10.66.0.2", 0, 0, NULL, "address that is never banned"),
};
static const struct ec_record options = EC_RECORD_OPTIONS(option_rows);

struct actuator {
    const struct ec_host *host;
    pthread_mutex_t lock;
    uint32_t topic, n;
    struct ec_ban ban[BANS];
    char allow[64];
};
enum { ACTION_BAN, ACTION_UNBAN, ACTION_REFUSED };

static void tell(struct actuator *a, const uint8_t *addr, uint64_t until, uint32_t action, const char *who,
                 const char *why)
{
    struct ec_build b;
    struct ban_event *e;

    if (a->host->open(a->host, EC_PUB_MAILBOX, a->topic, &b) != EC_OK)
        return;
    if ((e = ec_add(&b, a->topic, sizeof *e))) {
        memcpy(e->addr, addr, 16);
        e->until = until;
        e->action = action;
        e->who = ec_puts(&b, who);
        e->why = ec_puts(&b, why);
    }
    a->host->publish(a->host, &b);
}

static int allowed(const struct actuator *a, const uint8_t *addr)
{
    char text[32];

    snprintf(text, sizeof text, "%u.%u.%u.%u", addr[12], addr[13], addr[14], addr[15]);
    return !strcmp(text, a->allow);
}

static int32_t ban(void *self, const struct ec_ban *b, char *why, uint32_t n)
{
    struct actuator *a = self;
    int32_t err = EC_OK;

    snprintf(why, n, "%s", "");
    if (!b->until_ns || !b->why || !b->prefix || b->prefix > 128) {
        snprintf(why, n, "a ban needs an end, a reason and a prefix of 1 to 128 bits");
        return EC_EINVAL;
    }
    pthread_mutex_lock(&a->lock);
    if (allowed(a, b->addr)) {
        err = EC_EPERM;
        snprintf(why, n, "the allow-list forbids it");
    } else if (a->n == BANS)
        err = EC_EAGAIN;
    else if (!(b->flags & EC_BAN_DRY_RUN))
        a->ban[a->n++] = *b;
    pthread_mutex_unlock(&a->lock);
    tell(a, b->addr, b->until_ns, err ? ACTION_REFUSED : ACTION_BAN, b->who, b->why);
    return err;
}

static int32_t unban(void *self, const uint8_t *addr, uint32_t prefix, const char *who)
{
    struct actuator *a = self;
    uint32_t left = 0, before;

    pthread_mutex_lock(&a->lock);
    before = a->n;
    for (uint32_t i = 0; i < a->n; i++)
        if (a->ban[i].prefix != prefix || memcmp(a->ban[i].addr, addr, 16))
            a->ban[left++] = a->ban[i];
    a->n = left;
    pthread_mutex_unlock(&a->lock);
    if (left == before)
        return EC_ENOENT;
    tell(a, addr, 0, ACTION_UNBAN, who, NULL);
    return EC_OK;
}

static int32_t banned(void *self, const uint8_t *addr, uint64_t *until_ns)
{
    struct actuator *a = self;
    int32_t found = 0;

    pthread_mutex_lock(&a->lock);
    for (uint32_t i = 0; i < a->n && !found; i++)
        if (!memcmp(a->ban[i].addr, addr, 16)) {
            *until_ns = a->ban[i].until_ns;
            found = 1;
        }
    pthread_mutex_unlock(&a->lock);
    return found;
}

static const struct ec_respond respond = { sizeof respond, 0, ban, unban, banned };
static const struct ec_offer offers[] = { { sizeof(struct ec_offer), 0, EC_RESPOND_ID, &respond } };

static int32_t actuator_create(const struct ec_host *h, void **self)
{
    struct actuator *a = *self = calloc(1, sizeof *a);

    if (!a)
        return EC_ENOMEM;
    a->host = h;
    pthread_mutex_init(&a->lock, NULL);
    return EC_OK;
}

static int32_t actuator_setup(void *self)
{
    struct actuator *a = self;

    return a->host->topic(a->host, &topic, &a->topic);
}

static int32_t actuator_configure(void *self, const struct ec_conf *c, void **state)
{
    struct actuator *a = self;
    const char *text = a->host->conf_text(c, "allow", 0);

    pthread_mutex_lock(&a->lock);
    snprintf(a->allow, sizeof a->allow, "%s", text ? text : "");
    pthread_mutex_unlock(&a->lock);
    *state = NULL;
    return EC_OK;
}

static void actuator_destroy(void *self)
{
    struct actuator *a = self;

    pthread_mutex_destroy(&a->lock);
    free(a);
}

static const struct ec_plugin plugin = {
    EC_PLUGIN_HEAD, "org.ecyber.test.actuator", "kind_actuator", "1", "keeps bans in memory", "MIT", NULL,
    0, 0, 1, sizeof offers[0], 0, 0, NULL, offers, NULL, &options,
    actuator_create, actuator_setup, actuator_configure, NULL, NULL, NULL, NULL, NULL, actuator_destroy };
EC_PLUGIN(plugin)
