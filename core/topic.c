#include "core/topic.h"

#include "core/instance.h"
#include "core/record/record.h"

#include <stdio.h>
#include <string.h>

#define TOPIC_MAX 1024

static struct { const struct ec_topic *topic; struct instance *owner; } topics[TOPIC_MAX];
static uint32_t count;

uint32_t topic_count(void)
{
    return count;
}

const struct ec_topic *topic_get(uint32_t id)
{
    return id && id <= count ? topics[id - 1].topic : NULL;
}

struct instance *topic_owner(uint32_t id)
{
    return id && id <= count ? topics[id - 1].owner : NULL;
}

uint32_t topic_find(const char *name)
{
    if (name)
        for (uint32_t i = 0; i < count; i++)
            if (!strcmp(topics[i].topic->name, name))
                return i + 1;
    return 0;
}

void topic_reset(void)
{
    memset(topics, 0, sizeof topics);
    count = 0;
}

/* "ec.dns/1", "org.example.hello/1-draft.2" */
static int name_check(const char *s, char *why, uint32_t n)
{
    const char *slash = s ? strchr(s, '/') : NULL;

    if (!slash || slash == s || !slash[1] || strlen(s) > 127 ||
        strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_.-/") != strlen(s) ||
        strchr(slash + 1, '/')) {
        snprintf(why, n, "topic '%.127s': a topic's name is like org.example.hello/1", s ? s : "");
        return EC_EINVAL;
    }
    return EC_OK;
}

/* Is b an object within a, as "ecyber.geoip.src" is in "ecyber.geoip"? */
static bool root_within(const char *a, const char *b)
{
    size_t n = strlen(a);

    return !strncmp(a, b, n) && b[n] == '.';
}

static int root_check(const struct ec_topic *t, char *why, uint32_t n)
{
    const char *s = t->root;

    if (!s || !*s || strlen(s) > 63 || *s == '.' || s[strlen(s) - 1] == '.' || strstr(s, "..") ||
        strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_.") != strlen(s)) {
        snprintf(why, n, "topic '%s': its root '%.63s' is no dotted name of small letters", t->name,
                 s ? s : "");
        return EC_EINVAL;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct ec_topic *o = topics[i].topic;

        if (root_within(o->root, s) || root_within(s, o->root)) {
            snprintf(why, n, "topic '%s': its root '%s' and %s's '%s' lie one within the other",
                     t->name, s, o->name, o->root);
            return EC_EEXIST;
        }
        /* An event and a nested record may share one: a flow of its own, and the flow that an alert
         * carries. */
        if (!strcmp(o->root, s) && (o->flags & EC_TOPIC_EVENT) == (t->flags & EC_TOPIC_EVENT)) {
            snprintf(why, n, "topic '%s': its root '%s' is %s's already", t->name, s, o->name);
            return EC_EEXIST;
        }
    }
    return EC_OK;
}

static int topic_check(const struct ec_topic *t, char *why, uint32_t n)
{
    char detail[512];
    int rc;

    if (!t || t->size < sizeof *t) {
        snprintf(why, n, "a topic's struct is shorter than level 1's");
        return EC_EINVAL;
    }
    if ((rc = name_check(t->name, why, n)))
        return rc;
    if (topic_find(t->name)) {
        snprintf(why, n, "topic '%s' is declared already, by %s", t->name,
                 topics[topic_find(t->name) - 1].owner
                     ? topics[topic_find(t->name) - 1].owner->d.name
                     : "the core");
        return EC_EEXIST;
    }
    if (!(t->flags & (EC_TOPIC_EVENT | EC_TOPIC_ATTRIBUTE | EC_TOPIC_NESTED))) {
        snprintf(why, n, "topic '%s' is neither an event, an attribute nor nested", t->name);
        return EC_EINVAL;
    }
    if ((rc = record_check(t->record, RECORD_PART, detail, sizeof detail))) {
        snprintf(why, n, "topic '%s': %s", t->name, detail);
        return rc;
    }
    return root_check(t, why, n);
}

int topic_declare(struct instance *owner, const struct ec_topic *t, uint32_t *id, char *why,
                  uint32_t n)
{
    int rc = topic_check(t, why, n);

    if (rc)
        return rc;
    if (count == TOPIC_MAX) {
        snprintf(why, n, "topic '%s': there are %d topics already", t->name, TOPIC_MAX);
        return EC_ELIMIT;
    }
    topics[count].topic = t;
    topics[count].owner = owner;
    *id = ++count;
    return EC_OK;
}
