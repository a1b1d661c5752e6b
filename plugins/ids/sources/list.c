#include "plugins/ids/sources/list.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT 1

struct sources_list *list_new(void)
{
    struct sources_list *l = calloc(1, sizeof *l);

    if (l)
        l->next_id = 1;
    return l;
}

void list_free(struct sources_list *l)
{
    for (uint32_t i = 0; l && i < l->n; i++)
        free(l->source[i]);
    free(l);
}

struct source *list_find(const struct sources_list *l, uint32_t id)
{
    for (uint32_t i = 0; i < l->n; i++)
        if (l->source[i]->id == id)
            return l->source[i];
    return NULL;
}

struct source *list_named(const struct sources_list *l, const char *name)
{
    for (uint32_t i = 0; i < l->n; i++)
        if (!strcmp(l->source[i]->name, name))
            return l->source[i];
    return NULL;
}

struct source *list_add(struct sources_list *l, const struct source *s)
{
    struct source *copy = l->n < SOURCES_MAX && l->next_id < UINT32_MAX ? malloc(sizeof *copy) : NULL;

    if (!copy)
        return NULL;
    *copy = *s;
    copy->id = l->next_id++;
    l->source[l->n++] = copy;
    return copy;
}

void list_remove(struct sources_list *l, uint32_t id)
{
    for (uint32_t i = 0; i < l->n; i++)
        if (l->source[i]->id == id) {
            free(l->source[i]);
            memmove(&l->source[i], &l->source[i + 1], (l->n - i - 1) * sizeof l->source[0]);
            l->n--;
            return;
        }
}

bool name_is_good(const char *name)
{
    static const char may[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t n = strlen(name);

    return n && n < SOURCE_NAME && name[strspn(name, may)] == '\0' && !strchr("._-", name[0]);
}

/* --- as JSON ------------------------------------------------------------------------------------------------------ */

#define TEXT(field, size, must) { #field, offsetof(struct source, field), (size), (must) }
static const struct { const char *name; size_t at, size; bool must; } texts[] = {
    TEXT(name, SOURCE_NAME, true), TEXT(url, SOURCE_URL, true), TEXT(checksum_url, SOURCE_URL, false),
    TEXT(by, SOURCE_BY, false), TEXT(tag, 256, false), TEXT(modified, 64, false), TEXT(digest, 65, false),
    TEXT(why, SOURCE_WHY, false),
};
#define NUMBER(field) { #field, offsetof(struct source, field) }
static const struct { const char *name; size_t at; } numbers[] = {
    NUMBER(interval_ns), NUMBER(version), NUMBER(at_ns), NUMBER(looked_ns), NUMBER(updated_ns), NUMBER(bytes),
};
static const struct { const char *name; size_t at; } counts[] = { NUMBER(id), NUMBER(rules), NUMBER(failed) };
#define N(list) (sizeof (list) / sizeof (list)[0])

static struct json_object *source_json(const struct source *s)
{
    struct json_object *o = json_object_new_object();
    const char *base = (const char *)s;

    for (size_t i = 0; i < N(counts); i++)
        json_object_object_add(o, counts[i].name,
                               json_object_new_int64(*(const uint32_t *)(const void *)(base + counts[i].at)));
    json_object_object_add(o, "enabled", json_object_new_boolean(s->enabled));
    for (size_t i = 0; i < N(texts); i++)
        if (base[texts[i].at])
            json_object_object_add(o, texts[i].name, json_object_new_string(base + texts[i].at));
    for (size_t i = 0; i < N(numbers); i++)
        json_object_object_add(o, numbers[i].name,
                               json_object_new_uint64(*(const uint64_t *)(const void *)(base + numbers[i].at)));
    return o;
}

char *list_write(const struct sources_list *l, size_t *n)
{
    struct json_object *o = json_object_new_object(), *all = json_object_new_array();
    const char *text;
    char *copy;

    for (uint32_t i = 0; i < l->n; i++)
        json_object_array_add(all, source_json(l->source[i]));
    json_object_object_add(o, "format", json_object_new_int(FORMAT));
    json_object_object_add(o, "next_id", json_object_new_int64(l->next_id));
    json_object_object_add(o, "version", json_object_new_uint64(l->version));
    json_object_object_add(o, "sources", all);
    text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
    copy = text ? strdup(text) : NULL;
    *n = copy ? strlen(copy) : 0;
    json_object_put(o);
    return copy;
}

static bool take_number(struct json_object *o, const char *name, uint64_t most, uint64_t *to)
{
    struct json_object *v;

    *to = 0;
    if (!json_object_object_get_ex(o, name, &v))
        return true;
    if (!json_object_is_type(v, json_type_int) || json_object_get_int64(v) < 0)
        return false;
    *to = json_object_get_uint64(v);
    return *to <= most;
}

static bool take_text(struct json_object *o, const char *name, char *to, size_t size, bool must)
{
    struct json_object *v;

    if (!json_object_object_get_ex(o, name, &v))
        return !must;
    if (!json_object_is_type(v, json_type_string) || (size_t)json_object_get_string_len(v) >= size ||
        strlen(json_object_get_string(v)) != (size_t)json_object_get_string_len(v))
        return false;
    strcpy(to, json_object_get_string(v));
    return *to || !must;            /* what is empty is not written */
}

/* The name of the member that is wrong; NULL: none is. */
static const char *take_source(struct json_object *o, struct source *s)
{
    char *base = (char *)s;
    struct json_object *v;
    uint64_t n;

    for (size_t i = 0; i < N(texts); i++)
        if (!take_text(o, texts[i].name, base + texts[i].at, texts[i].size, texts[i].must))
            return texts[i].name;
    for (size_t i = 0; i < N(numbers); i++)
        if (!take_number(o, numbers[i].name, INT64_MAX, (uint64_t *)(void *)(base + numbers[i].at)))
            return numbers[i].name;
    for (size_t i = 0; i < N(counts); i++) {
        if (!take_number(o, counts[i].name, UINT32_MAX, &n))
            return counts[i].name;
        *(uint32_t *)(void *)(base + counts[i].at) = (uint32_t)n;
    }
    if (!json_object_object_get_ex(o, "enabled", &v) || !json_object_is_type(v, json_type_boolean))
        return "enabled";
    s->enabled = json_object_get_boolean(v);
    return name_is_good(s->name) ? NULL : "name";
}

static bool take_all(struct json_object *o, struct sources_list *l, bool *newer, char *why, size_t m)
{
    struct json_object *all;
    uint64_t format, next, last = 0;

    *newer = take_number(o, "format", INT64_MAX, &format) && format > FORMAT;
    if (*newer) {
        snprintf(why, m, "a newer eCyber wrote it");
        return false;
    }
    if (format != FORMAT ||
        !take_number(o, "next_id", UINT32_MAX, &next) || !next || !take_number(o, "version", INT64_MAX, &l->version) ||
        !json_object_object_get_ex(o, "sources", &all) || !json_object_is_type(all, json_type_array) ||
        json_object_array_length(all) > SOURCES_MAX) {
        snprintf(why, m, "these are no sources of format %d", FORMAT);
        return false;
    }
    l->next_id = (uint32_t)next;
    for (size_t i = 0; i < json_object_array_length(all); i++) {
        struct source *s = calloc(1, sizeof *s);
        const char *bad = s ? take_source(json_object_array_get_idx(all, i), s) : "memory";

        if (!bad && (s->id <= last || s->id >= next || list_named(l, s->name)))
            bad = "id or name";
        if (bad) {
            free(s);
            snprintf(why, m, "source %zu: its %s is wrong", i + 1, bad);
            return false;
        }
        last = s->id;
        l->source[l->n++] = s;
    }
    return true;
}

struct sources_list *list_read(const char *text, size_t n, bool *newer, char *why, size_t m)
{
    struct json_tokener *t = n < SOURCES_TEXT ? json_tokener_new_ex(8) : NULL;
    struct json_object *o = t ? json_tokener_parse_ex(t, text, (int)n) : NULL;
    struct sources_list *l = list_new();
    bool good = false;

    *newer = false;
    if (!t || !l)
        snprintf(why, m, n < SOURCES_TEXT ? "out of memory" : "it is larger than 1 MiB");
    else if (!o)
        snprintf(why, m, "byte %zu: %s", json_tokener_get_parse_end(t),
                 json_tokener_error_desc(json_tokener_get_error(t)));
    else if (!json_object_is_type(o, json_type_object))
        snprintf(why, m, "it is no JSON object");
    else
        good = take_all(o, l, newer, why, m);
    json_object_put(o);
    if (t)
        json_tokener_free(t);
    if (good)
        return l;
    list_free(l);
    return NULL;
}
