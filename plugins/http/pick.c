#include "plugins/http/pick.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

enum take { TAKE_NOT, TAKE_PARTLY, TAKE_WHOLE };

static enum take take(const struct pick *p, const char *name)
{
    size_t n = strlen(name);
    enum take found = TAKE_NOT;

    for (uint32_t i = 0; i < p->n && found != TAKE_WHOLE; i++)
        if (!strncmp(p->name[i], name, n))
            found = !p->name[i][n] ? TAKE_WHOLE : p->name[i][n] == '.' ? TAKE_PARTLY : found;
    return found;
}

static json_object *picked(const struct pick *p, json_object *of, char name[PICK_NAME], size_t at);

/* The members of an object whose own name is the first `at` bytes of `name`. */
static json_object *picked_object(const struct pick *p, json_object *of, char name[PICK_NAME], size_t at)
{
    json_object *out = json_object_new_object();

    if (!json_object_is_type(of, json_type_object))
        return out;
    json_object_object_foreach(of, key, value) {
        int n = snprintf(name + at, PICK_NAME - at, "%s%s", at ? "." : "", key);
        enum take how = n < 0 || (size_t)n >= PICK_NAME - at ? TAKE_NOT : take(p, name);
        json_object *some = NULL;

        if (!at && (!strcmp(key, "id") || !strcmp(key, "event_type")))
            how = TAKE_WHOLE;
        if (how == TAKE_WHOLE)
            json_object_object_add(out, key, json_object_get(value));
        else if (how == TAKE_PARTLY && (some = picked(p, value, name, at + (size_t)n)))
            json_object_object_add(out, key, some);
    }
    if (at && !json_object_object_length(out)) {
        json_object_put(out);
        out = NULL;
    }
    return out;
}

/* NULL: nothing of it was asked for. */
static json_object *picked(const struct pick *p, json_object *of, char name[PICK_NAME], size_t at)
{
    json_object *out;

    if (json_object_is_type(of, json_type_object))
        return picked_object(p, of, name, at);
    if (!json_object_is_type(of, json_type_array))
        return NULL;
    out = json_object_new_array();
    for (size_t i = 0; i < json_object_array_length(of); i++) {
        json_object *some = picked(p, json_object_array_get_idx(of, i), name, at);

        if (some)
            json_object_array_add(out, some);
    }
    return out;
}

bool pick_page(struct text *page, const struct pick *p)
{
    struct json_tokener *reader = json_tokener_new();
    json_object *all = reader ? json_tokener_parse_ex(reader, page->p, (int)page->n) : NULL, *items;
    struct text out = { 0 };
    const char *json;
    size_t n;

    if (reader)
        json_tokener_free(reader);
    if (!all || !json_object_object_get_ex(all, "items", &items) || !json_object_is_type(items, json_type_array)) {
        json_object_put(all);
        return false;
    }
    for (size_t i = 0; i < json_object_array_length(items); i++) {
        char name[PICK_NAME] = "";

        json_object_array_put_idx(items, i, picked_object(p, json_object_array_get_idx(items, i), name, 0));
    }
    json = json_object_to_json_string_length(all, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &n);
    text_add(&out, json, n);
    json_object_put(all);
    if (out.bad) {
        text_free(&out);
        return false;
    }
    text_free(page);
    *page = out;
    return true;
}
