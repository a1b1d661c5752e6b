#include "cli/listing.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/api.h"

#define PAGE      1000
#define LIST_MOST 100000

enum { O_LIMIT, O_ALL, O_TEXT, O_SINCE, O_UNTIL, O_IP };
const struct cli_option events_options[] = {
    {"limit", "N", "at most so many (50)"},
    {"all", NULL, "as many as there are, up to 100000"},
    {"text", "WORDS", "all of these words stand in it"},
    {"since", "TIME", "not older: 2026-11-22T18:00:00Z, or how long ago: 15m, 24h, 7d"},
    {"until", "TIME", "only older ones"},
    {"ip", "ADDRESS", "either side is this address, or in this network"},
    {NULL, NULL, NULL},
};

/* The first of those: what is no event has no time and no ends. */
const struct cli_option items_options[] = {
    {"limit", "N", "at most so many (50)"},
    {"all", NULL, "as many as there are, up to 100000"},
    {"text", "WORDS", "all of these words stand in it"},
    {NULL, NULL, NULL},
};

static void endpoint(struct json_object *event, const char *ip, const char *port, char *to, size_t n)
{
    const char *address = get_text(event, ip);

    if (!get(event, port))
        snprintf(to, n, "%s", address);
    else
        snprintf(to, n, strchr(address, ':') ? "[%s]:%s" : "%s:%s", address, get_text(event, port));
}

static void joined(struct json_object *list, char *to, size_t n)
{
    size_t at = 0;

    *to = '\0';
    for (size_t i = 0; i < json_object_array_length(list) && at < n; i++) {
        const char *text = json_object_get_string(json_object_array_get_idx(list, i));

        at += (size_t)snprintf(to + at, n - at, "%s%s", i ? "," : "", text ? text : "");
    }
}

/* The cells of one object; texts that are put together stand in room. */
static void cells_of(const struct listing *columns, struct json_object *o, const char **cell, char room[][256])
{
    for (uint32_t i = 0; columns[i].head && i < TABLE_COLUMNS; i++) {
        const char *path = columns[i].path;
        struct json_object *v;

        cell[i] = room[i];
        if (!strcmp(path, "<"))
            endpoint(o, "src_ip", "src_port", room[i], sizeof room[i]);
        else if (!strcmp(path, ">"))
            endpoint(o, "dest_ip", "dest_port", room[i], sizeof room[i]);
        else if (json_object_is_type(v = get_path(o, path), json_type_array))
            joined(v, room[i], sizeof room[i]);
        else
            cell[i] = get_path_text(o, path);
    }
}

static void heads_of(const struct listing *columns, const char **head)
{
    uint32_t i = 0;

    for (; columns[i].head && i < TABLE_COLUMNS; i++)
        head[i] = columns[i].head;
    head[i] = NULL;
}

void listing_print(const struct cli *c, const struct listing *columns, struct json_object *items)
{
    const char *head[TABLE_COLUMNS + 1], *cell[TABLE_COLUMNS];
    char room[TABLE_COLUMNS][256];
    struct table t;

    heads_of(columns, head);
    table_open(&t, head);
    for (size_t i = 0; i < json_object_array_length(items); i++) {
        cells_of(columns, json_object_array_get_idx(items, i), cell, room);
        table_row(&t, cell);
    }
    table_print(&t, c);
}

void listing_line(const struct cli *c, const struct listing *columns, struct json_object *item, bool first)
{
    const char *head[TABLE_COLUMNS + 1], *cell[TABLE_COLUMNS];
    char room[TABLE_COLUMNS][256];
    struct table t;

    heads_of(columns, head);
    table_open(&t, head);
    cells_of(columns, item, cell, room);
    table_row(&t, cell);
    table_line(&t, c, first);
}

struct json_object *items_of(struct json_object *o)
{
    struct json_object *items = get(o, "items");

    items = json_object_is_type(items, json_type_array) ? json_object_get(items) : json_object_new_array();
    json_object_put(o);
    return items;
}

/* FIELD=VALUE. 0, or −1 after a message. */
static int filter_add(struct api_path *p, const char *word)
{
    const char *equals = strchr(word, '=');
    char name[64];

    if (!equals || equals == word || (size_t)(equals - word) >= sizeof name) {
        fprintf(stderr, "ecyberctl: '%s' is not FIELD=VALUE, such as src_ip=10.0.0.1 or alert.severity=1\n", word);
        return -1;
    }
    snprintf(name, sizeof name, "%.*s", (int)(equals - word), word);
    api_query(p, name, equals + 1);
    return 0;
}

static int query_make(const struct cli *c, const char *path, char *const *args, struct api_path *p)
{
    api_path(p, path);
    api_query(p, "since", c->option[O_SINCE]);
    api_query(p, "until", c->option[O_UNTIL]);
    api_query(p, "ip", c->option[O_IP]);
    api_query(p, "q", c->option[O_TEXT]);
    for (; *args; args++)
        if (filter_add(p, *args))
            return -1;
    return 0;
}

/* Page after page into all, up to limit. The exit code. */
static int pages(const struct cli *c, const struct api_path *query, uint32_t limit, struct json_object *all)
{
    char cursor[256] = "", text[16];
    int code;

    do {
        size_t have = json_object_array_length(all), n;
        struct api_path p = *query;
        struct json_object *o, *items;

        snprintf(text, sizeof text, "%zu", limit - have < PAGE ? limit - have : PAGE);
        api_query(&p, "limit", text);
        api_query(&p, "cursor", cursor);
        o = api_call(c, "GET", p.text, NULL, &code);
        if (!o)
            return code ? code : CLI_FAILED;
        snprintf(cursor, sizeof cursor, "%s", get_text(o, "next_cursor"));
        items = items_of(o);
        n = json_object_array_length(items);
        for (size_t i = 0; i < n; i++)
            json_object_array_add(all, json_object_get(json_object_array_get_idx(items, i)));
        json_object_put(items);
    } while (*cursor && json_object_array_length(all) < limit);
    return CLI_OK;
}

/* 0: it is no number from 1 to LIST_MOST. */
static uint32_t limit_of(const struct cli *c)
{
    const char *text = c->option[O_LIMIT];
    unsigned long v;

    if (c->option[O_ALL])
        return LIST_MOST;
    if (!text)
        return 50;
    v = strspn(text, "0123456789") == strlen(text) && strlen(text) < 7 ? strtoul(text, NULL, 10) : 0;
    return v <= LIST_MOST ? (uint32_t)v : 0;
}

int events_list(const struct cli *c, const char *path, const struct listing *columns, char *const *args)
{
    struct api_path p;
    struct json_object *all;
    uint32_t limit = limit_of(c);
    int code;

    if (!limit) {
        fprintf(stderr, "ecyberctl: --limit is a number from 1 to %d\n", LIST_MOST);
        return CLI_USAGE;
    }
    if (query_make(c, path, args, &p))
        return CLI_USAGE;
    all = json_object_new_array();
    code = pages(c, &p, limit, all);
    if (!code && !print_json(c, all))
        listing_print(c, columns, all);
    json_object_put(all);
    return code ? code : print_end();
}

int object_show(const struct cli *c, const char *path)
{
    int code;
    struct json_object *o = api_call(c, "GET", path, NULL, &code);

    if (!o)
        return code;
    if (!print_json(c, o))
        print_flat(o);
    json_object_put(o);
    return print_end();
}
