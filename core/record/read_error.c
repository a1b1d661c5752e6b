#include "core/record/read_impl.h"

#include <stdio.h>
#include <string.h>

#define INPUT_MAX 4096 /* bytes of a value that an error quotes */
#define PLAIN     (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

size_t read_enter(struct read *r, const char *name)
{
    size_t at = r->at, room = sizeof r->path - at;
    int n = snprintf(r->path + at, room, "%s%s", at ? "." : "", name);

    r->at = n < 0 ? at : (size_t)n < room ? at + (size_t)n : sizeof r->path - 1;
    return at;
}

size_t read_enter_index(struct read *r, size_t index)
{
    char text[24];

    snprintf(text, sizeof text, "%zu", index);
    return read_enter(r, text);
}

void read_leave(struct read *r, size_t at)
{
    r->at = at;
    r->path[at] = '\0';
}

bool read_error(struct read *r, const char *type, const char *msg, struct json_object *input,
                struct json_object *ctx)
{
    const char *text;
    size_t n = 0;

    if (r->errors++ < READ_ERRORS && r->error) {
        text = input ? json_object_to_json_string_length(input, PLAIN, &n) : NULL;
        r->error(r->arg, r->path, type, msg, n <= INPUT_MAX ? text : NULL,
                 ctx ? json_object_to_json_string_ext(ctx, PLAIN) : NULL);
    }
    json_object_put(ctx);
    return false;
}

static const char *decimal(__int128 v, char *end)
{
    unsigned __int128 rest = v < 0 ? -(unsigned __int128)v : (unsigned __int128)v;

    *--end = '\0';
    do
        *--end = (char)('0' + (int)(rest % 10));
    while (rest /= 10);
    if (v < 0)
        *--end = '-';
    return end;
}

bool read_error_bound(struct read *r, const char *type, const char *format,
                      struct json_object *input, const char *key, __int128 bound)
{
    char text[48], msg[256];
    struct json_object *ctx = json_object_new_object();

    json_object_object_add(ctx, key, bound > INT64_MAX ? json_object_new_uint64((uint64_t)bound)
                                                       : json_object_new_int64((int64_t)bound));
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(msg, sizeof msg, format, decimal(bound, text + sizeof text));
#pragma GCC diagnostic pop
    return read_error(r, type, msg, input, ctx);
}

bool read_error_why(struct read *r, const char *type, const char *format,
                    struct json_object *input, const char *key, const char *why)
{
    char msg[1200];
    struct json_object *ctx = json_object_new_object();

    json_object_object_add(ctx, key, json_object_new_string(why));
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(msg, sizeof msg, format, why);
#pragma GCC diagnostic pop
    return read_error(r, type, msg, input, ctx);
}
