/* rules sources, rules add-source, rules remove-source, rules update: rules that other hosts keep. */
#include "cli/api.h"
#include "cli/job.h"
#include "cli/listing.h"
#include "cli/safe.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#define SOURCES "/api/rules/sources"

enum { O_CHECKSUM, O_INTERVAL };
const struct cli_option rules_add_source_options[] = {
    {"checksum", "URL", "of a file with the MD5, SHA-256 or SHA-512 of it"},
    {"interval", "DURATION", "between updates, 24h; without it only when somebody asks"},
    {NULL, NULL, NULL},
};
enum { O_DRY };
const struct cli_option rules_update_options[] = {
    {"dry-run", NULL, "only say what would be new, changed and gone"},
    {NULL, NULL, NULL},
};

static const struct listing columns[] = {
    {"NAME", "name"}, {"ON", "enabled"}, {"#RULES", "rules"}, {"#FAILED", "failed"}, {"UPDATED", "updated_at"},
    {"CHECKED", "checked_at"}, {"ERROR", "error"}, {"URL", "url"}, {NULL, NULL},
};

static struct json_object *all(const struct cli *c, int *code)
{
    struct json_object *o = api_call(c, "GET", SOURCES, NULL, code);

    return o ? items_of(o) : NULL;
}

int cmd_rules_sources(const struct cli *c, char *const *args)
{
    int code;
    struct json_object *items = all(c, &code);

    (void)args;
    if (!items)
        return code;
    if (!print_json(c, items))
        listing_print(c, columns, items);
    json_object_put(items);
    return print_end();
}

int cmd_rules_add_source(const struct cli *c, char *const *args)
{
    struct json_object *body = json_object_new_object(), *o;
    int code;

    json_object_object_add(body, "name", json_object_new_string(args[0]));
    json_object_object_add(body, "url", json_object_new_string(args[1]));
    if (c->option[O_CHECKSUM])
        json_object_object_add(body, "checksum_url", json_object_new_string(c->option[O_CHECKSUM]));
    if (c->option[O_INTERVAL])
        json_object_object_add(body, "interval", json_object_new_string(c->option[O_INTERVAL]));
    o = api_call(c, "POST", SOURCES, body, &code);
    json_object_put(body);
    if (!o)
        return code;
    if (!print_json(c, o))
        print_flat(o);
    json_object_put(o);
    return print_end();
}

/* Of this name; 0: none, which was said. */
static uint64_t id_of(struct json_object *items, const char *name)
{
    for (size_t i = 0; i < json_object_array_length(items); i++) {
        struct json_object *o = json_object_array_get_idx(items, i);

        if (!strcmp(get_text(o, "name"), name))
            return get_number(o, "id");
    }
    fputs("ecyberctl: there is no source ", stderr);
    safe_print(stderr, name);
    fputs(": ecyberctl rules sources lists them\n", stderr);
    return 0;
}

static void source_path(struct api_path *p, uint64_t id)
{
    char number[24];

    snprintf(number, sizeof number, "%" PRIu64, id);
    api_path(p, SOURCES);
    api_segment(p, number);
}

int cmd_rules_remove_source(const struct cli *c, char *const *args)
{
    int code;
    struct json_object *items = all(c, &code);
    uint64_t id = items ? id_of(items, args[0]) : 0;
    struct api_path p;

    json_object_put(items);
    if (!id)
        return code ? code : CLI_NOT_FOUND;
    source_path(&p, id);
    json_object_put(api_call(c, "DELETE", p.text, NULL, &code));
    return code;
}

static void print_update(const struct cli *c, struct json_object *r)
{
    struct json_object *problems = get(r, "problems");

    if (c->form == CLI_TSV) {
        print_flat(r);
        return;
    }
    safe_print(stdout, get_text(r, "name"));
    printf(": %s", get_text(r, "outcome"));
    if (get(r, "rules"))
        printf(", %s rules, %s with an error: %s new, %s changed, %s gone", get_text(r, "rules"), get_text(r, "failed"),
               get_text(r, "added"), get_text(r, "changed"), get_text(r, "removed"));
    putchar('\n');
    for (size_t i = 0; json_object_is_type(problems, json_type_array) && i < json_object_array_length(problems); i++) {
        fputs("    ", stdout);
        safe_print(stdout, json_object_get_string(json_object_array_get_idx(problems, i)));
        putchar('\n');
    }
}

static int update_one(const struct cli *c, uint64_t id)
{
    struct api_path p;
    int code = CLI_OK;
    struct json_object *job;

    source_path(&p, id);
    api_segment(&p, "update");
    if (c->option[O_DRY])
        api_query(&p, "dry_run", "true");
    job = api_call(c, "POST", p.text, NULL, &code);
    return job_tell(c, job, code, print_update);
}

/* The first exit code that is none of success; those behind it are updated all the same. */
int cmd_rules_update(const struct cli *c, char *const *args)
{
    int code, one;
    struct json_object *items = all(c, &code);

    if (!items)
        return code;
    for (char *const *name = args; *name; name++) {
        uint64_t id = id_of(items, *name);

        one = id ? update_one(c, id) : CLI_NOT_FOUND;
        code = code ? code : one;
    }
    for (size_t i = 0; !*args && i < json_object_array_length(items); i++) {
        struct json_object *o = json_object_array_get_idx(items, i);

        one = json_object_get_boolean(get(o, "enabled")) ? update_one(c, get_number(o, "id")) : CLI_OK;
        code = code ? code : one;
    }
    json_object_put(items);
    return code;
}
