#include "plugins/jobs/view.h"

#include "lib/utf8.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MEMBERS \
    "{\"title\":\"Job\",\"type\":\"object\",\"required\":[\"id\",\"kind\",\"state\",\"progress\",\"created_at\"," \
    "\"started_at\",\"ended_at\",\"by\"],\"properties\":{\"id\":{\"type\":\"integer\",\"minimum\":1}," \
    "\"kind\":{\"type\":\"string\",\"description\":\"what it does: packets.replay, rules.test\"}," \
    "\"state\":{\"enum\":[\"queued\",\"running\",\"done\",\"failed\",\"cancelled\"]}," \
    "\"progress\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":100,\"description\":\"percent\"}," \
    "\"created_at\":{\"type\":\"string\",\"description\":\"when it was asked for\"}," \
    "\"started_at\":{\"type\":[\"string\",\"null\"]},\"ended_at\":{\"type\":[\"string\",\"null\"]}," \
    "\"by\":{\"type\":[\"string\",\"null\"],\"description\":\"who asked for it\"}," \
    "\"error\":{\"type\":\"string\",\"description\":\"why it failed, a sentence\"}," \
    "\"result\":{\"type\":\"object\",\"description\":\"what came of it, by its kind\"}}}"
const char view_one_schema[] = MEMBERS;
const char view_list_schema[] =
    "{\"title\":\"Jobs\",\"type\":\"object\",\"required\":[\"items\",\"next_cursor\"],\"properties\":{\"items\":"
    "{\"type\":\"array\",\"items\":" MEMBERS "},\"next_cursor\":{\"type\":[\"string\",\"null\"]}}}";

static const char *const words[] = { "queued", "running", "done", "failed", "cancelled" };

static struct json_object *moment(uint64_t ns)
{
    time_t second = (time_t)(ns / 1000000000u);
    char text[48];
    struct tm tm;
    size_t n;

    if (!ns)
        return NULL;
    gmtime_r(&second, &tm);
    n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + n, sizeof text - n, ".%06u+0000", (unsigned)(ns % 1000000000u / 1000u));
    return json_object_new_string(text);
}

static struct json_object *one(struct job *j)
{
    struct json_object *o = json_object_new_object(), *result;

    if (!o)
        return NULL;
    json_object_object_add(o, "id", json_object_new_uint64(j->id));
    json_object_object_add(o, "kind", json_object_new_string(j->kind));
    json_object_object_add(o, "state", json_object_new_string(words[j->state]));
    json_object_object_add(o, "progress", json_object_new_int((int)j->progress));
    json_object_object_add(o, "created_at", moment(j->created_ns));
    json_object_object_add(o, "started_at", moment(j->started_ns));
    json_object_object_add(o, "ended_at", moment(j->ended_ns));
    json_object_object_add(o, "by", j->by[0] ? json_object_new_string(j->by) : NULL);
    if (j->error[0])
        json_object_object_add(o, "error", json_object_new_string(j->error));
    result = j->result ? json_tokener_parse(j->result) : NULL;
    if (result)
        json_object_object_add(o, "result", result);
    free(j->result);
    j->result = NULL;
    return o;
}

/* json-c copies any bytes, and an error or a result may quote what others wrote, or be cut within a character. */
static char *text_of(struct json_object *o)
{
    char *text = o ? strdup(json_object_to_json_string_ext(o, JSON_C_TO_STRING_NOSLASHESCAPE)) : NULL;

    if (text)
        utf8_mend(text, strlen(text));
    json_object_put(o);
    return text;
}

char *view_one(struct job *j)
{
    return text_of(one(j));
}

char *view_list(struct job *j, uint32_t n, bool more)
{
    struct json_object *o = json_object_new_object(), *items = json_object_new_array();
    char cursor[24];

    for (uint32_t i = 0; i < n; i++)
        json_object_array_add(items, one(&j[i]));
    json_object_object_add(o, "items", items);
    snprintf(cursor, sizeof cursor, "%" PRIu64, n ? j[n - 1].id : 0);
    json_object_object_add(o, "next_cursor", more ? json_object_new_string(cursor) : NULL);
    return text_of(o);
}
