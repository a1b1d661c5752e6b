#include "plugins/http/visible.h"

#include <stdlib.h>
#include <string.h>

#include "plugins/http/input.h"

/* The event_type that a page is of; NULL: it is no page of one type. */
static const char *page_type(const struct route *t)
{
    const struct ec_topic *topic;

    if (!(t->r->flags & EC_RT_EVENTS) || !t->r->topic)
        return NULL;
    topic = t->host->topic_get(t->host, t->host->topic_find(t->host, t->r->topic));
    return topic ? topic->root : NULL;
}

bool visible_type(const struct routes *all, const char *type, const char *roles)
{
    bool declared = false;

    for (uint32_t i = 0; i < all->n; i++) {
        const char *root = page_type(&all->route[i]);

        if (!root || strcmp(root, type) != 0)
            continue;
        if (roles_allow(all->route[i].r->roles, roles))
            return true;
        declared = true;
    }
    return !declared;
}

static bool has_word(const char *list, const char *word)
{
    size_t n = strlen(word);

    for (; list && *list; list += strcspn(list, ","), list += *list == ',')
        if (strcspn(list, ",") == n && !memcmp(list, word, n))
            return true;
    return false;
}

bool visible_not(const struct routes *all, const char *roles, char **list)
{
    size_t used = 0;

    *list = NULL;
    for (uint32_t i = 0; i < all->n; i++) {
        const char *root = page_type(&all->route[i]);
        char *grown;

        if (!root || has_word(*list, root) || visible_type(all, root, roles))
            continue;
        grown = realloc(*list, used + strlen(root) + 2);
        if (!grown) {
            free(*list);
            *list = NULL;
            return false;
        }
        if (used)
            grown[used++] = ',';
        strcpy(grown + used, root);
        used += strlen(root);
        *list = grown;
    }
    return true;
}

/* The head stands in front of everything that came from the wire, so the first key of that name is its own. */
bool visible_type_of(const char *json, uint32_t len, char own[VISIBLE_TYPE_MAX])
{
    static const char key[] = "\"event_type\":\"";
    const char *p = memmem(json, len, key, sizeof key - 1), *end;

    if (!p)
        return false;
    p += sizeof key - 1;
    end = memchr(p, '"', len - (size_t)(p - json));
    if (!end || (size_t)(end - p) >= VISIBLE_TYPE_MAX)
        return false;
    memcpy(own, p, (size_t)(end - p));
    own[end - p] = '\0';
    return true;
}

bool visible_event(const struct routes *all, const char *type, const char *roles, const char *json, uint32_t len)
{
    char own[VISIBLE_TYPE_MAX];

    if (!visible_type_of(json, len, own))
        return false;
    return type ? !strcmp(type, own) : visible_type(all, own, roles);
}
