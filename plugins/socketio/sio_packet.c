#include "plugins/socketio/sio_packet.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>

static struct json_object *parse(const char *p, size_t n)
{
    struct json_tokener *t = n && n < INT32_MAX ? json_tokener_new_ex(SIO_DEPTH) : NULL;
    struct json_object *o = NULL;

    if (!t)
        return NULL;
    json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    o = json_tokener_parse_ex(t, p, (int)n);
    if (json_tokener_get_error(t) != json_tokener_success || json_tokener_get_parse_end(t) != n) {
        json_object_put(o);
        o = NULL;
    }
    json_tokener_free(t);
    return o;
}

bool sio_is_array(const char *json, size_t n)
{
    struct json_object *o = parse(json, n);
    bool good = json_object_is_type(o, json_type_array);

    json_object_put(o);
    return good;
}

/* Each {"_placeholder":true,"num":k} names one of the attachments. The depth is bounded by the parser. */
static bool placeholders_fit(struct json_object *o, uint32_t blobs)
{
    struct json_object *flag, *num;

    if (json_object_is_type(o, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(o); i++)
            if (!placeholders_fit(json_object_array_get_idx(o, i), blobs))
                return false;
    } else if (json_object_is_type(o, json_type_object)) {
        if (json_object_object_get_ex(o, "_placeholder", &flag) && json_object_get_boolean(flag) &&
            (!json_object_object_get_ex(o, "num", &num) || !json_object_is_type(num, json_type_int) ||
             json_object_get_int64(num) < 0 || json_object_get_int64(num) >= blobs))
            return false;
        json_object_object_foreach(o, key, value) {
            (void)key;
            if (!placeholders_fit(value, blobs))
                return false;
        }
    }
    return true;
}

static bool reserved(const char *name)
{
    static const char *const names[] = { "connect", "connect_error", "disconnect", "disconnecting", "newListener",
                                         "removeListener" };

    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!strcmp(name, names[i]))
            return true;
    return false;
}

static const char *skip_space(const char *p, const char *end)
{
    while (p < end && strchr(" \t\r\n", *p))
        p++;
    return p;
}

/* The array without its first element, a string: cut from the text, so that the rest stays as it was sent. */
static void cut_name(struct text *args, const char *p, const char *end)
{
    p = skip_space(skip_space(p, end) + 1, end) + 1;
    while (p < end && *p != '"')
        p += *p == '\\' ? 2 : 1;
    p = skip_space(p + 1, end);
    if (p < end && *p == ',')
        p++;
    text_puts(args, "[");
    if (p < end)
        text_add(args, p, (size_t)(end - p));
}

static const char *read_event(struct sio_packet *k, struct json_object *o, const char *p, size_t n)
{
    struct json_object *first = json_object_is_type(o, json_type_array) ? json_object_array_get_idx(o, 0) : NULL;
    const char *name = json_object_is_type(first, json_type_string) ? json_object_get_string(first) : NULL;

    if (!name)
        return "an event is not an array that starts with its name";
    if (strlen(name) != (size_t)json_object_get_string_len(first) || strlen(name) > SIO_NAME_MAX || reserved(name))
        return "the name of an event is reserved or too long";
    memcpy(k->name, name, strlen(name) + 1);
    cut_name(&k->args, p, p + n);
    return NULL;
}

static const char *read_data(struct sio_packet *k, const char *p, size_t n)
{
    struct json_object *o;
    const char *why = NULL;

    if (k->type == SIO_DISCONNECT || (k->type == SIO_CONNECT && !n)) {
        text_puts(&k->args, "{}");
        return n ? "DISCONNECT has data" : NULL;
    }
    if (!(o = parse(p, n)))
        return "the data are not JSON";
    if (!placeholders_fit(o, k->blobs))
        why = "a placeholder names an attachment that does not exist";
    else if (k->type == SIO_EVENT || k->type == SIO_BINARY_EVENT)
        why = read_event(k, o, p, n);
    else if (!json_object_is_type(o, k->type == SIO_CONNECT ? json_type_object : json_type_array))
        why = "the data have the wrong type";
    else
        text_add(&k->args, p, n);
    json_object_put(o);
    return why;
}

/* Up to 15 digits from *p on. 1: there were some, 0: none, -1: too many. */
static int number(const char **p, const char *end, uint64_t *v)
{
    const char *from = *p;

    for (*v = 0; *p < end && **p >= '0' && **p <= '9'; ++*p) {
        if (*p - from == 15)
            return -1;
        *v = *v * 10 + (uint64_t)(**p - '0');
    }
    return *p > from;
}

static const char *read_space(struct sio_packet *k, const char **p, const char *end)
{
    const char *comma;
    size_t n, name;

    strcpy(k->space, "/");
    if (*p == end || **p != '/')
        return NULL;
    comma = memchr(*p, ',', (size_t)(end - *p));
    n = (size_t)((comma ? comma : end) - *p);
    for (name = 0; name < n && (*p)[name] != '?'; name++)   /* what follows it is of no use */
        if (!(*p)[name])
            return "the namespace has a NUL";
    if (name > SIO_NAME_MAX)
        return "the namespace is too long";
    memcpy(k->space, *p, name);
    k->space[name] = '\0';
    *p += n + (comma != NULL);
    return NULL;
}

int sio_read(struct sio_packet *k, const char *p, size_t n, const char **why)
{
    const char *end = p + n;
    uint64_t v = 0;
    int rc;

    memset(k, 0, sizeof *k);
    if (!n || *p < '0' || *p > '6' || *p == '4') {
        *why = "there is no such packet";
        return -1;
    }
    k->type = (enum sio_type)(*p++ - '0');
    if (k->type >= SIO_BINARY_EVENT) {
        if (number(&p, end, &v) != 1 || p == end || *p++ != '-' || v > SIO_BLOBS_MAX) {
            *why = "the number of attachments is missing or too high";
            return -1;
        }
        k->blobs = (uint32_t)v;
    }
    if ((*why = read_space(k, &p, end)))
        return -1;
    rc = number(&p, end, &k->id);
    k->has_id = rc == 1;
    *why = rc < 0 ? "the acknowledgement's number is too long" : read_data(k, p, (size_t)(end - p));
    if (!*why && (k->type == SIO_ACK || k->type == SIO_BINARY_ACK) && !k->has_id)
        *why = "an acknowledgement has no number";
    text_add(&k->args, "", 1);      /* beyond its length, for who takes it for a string */
    k->args.n -= k->args.n != 0;
    if (!*why && k->args.bad)
        *why = "out of memory";
    return *why ? -1 : 0;
}

void sio_free(struct sio_packet *k)
{
    text_free(&k->args);
}

void sio_head(struct text *t, enum sio_type type, const char *space, uint32_t blobs, bool has_id, uint64_t id)
{
    text_printf(t, "%d", (int)type);
    if (type >= SIO_BINARY_EVENT)
        text_printf(t, "%" PRIu32 "-", blobs);
    if (strcmp(space, "/") != 0) {
        text_puts(t, space);
        text_puts(t, ",");
    }
    if (has_id)
        text_printf(t, "%" PRIu64, id);
}
