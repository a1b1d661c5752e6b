#include "cli/print.h"
#include "cli/rules.h"
#include "cli/safe.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 262144

char *rules_take(const char *name)
{
    FILE *in = strcmp(name, "-") ? fopen(name, "re") : stdin;
    char *text = in ? malloc(TEXT_MAX + 2) : NULL;
    size_t n = text ? fread(text, 1, TEXT_MAX + 1, in) : 0;
    const char *why = !in ? strerror(errno) : !text ? "out of memory" : ferror(in) ? strerror(errno)
        : n > TEXT_MAX ? "it is longer than 256 KiB; ecyberd -T checks whole files" : NULL;

    if (in && in != stdin)
        fclose(in);
    if (!why) {
        text[n] = '\0';
        return text;
    }
    fprintf(stderr, "ecyberctl: %s: %s\n", name, why);
    free(text);
    return NULL;
}

/* FILE:LINE:COLUMN: sentence (what to do) */
static void print_problem(const char *file, struct json_object *o)
{
    printf("%s:%s:%s: ", file, get_text(o, "line"), get_text(o, "column"));
    safe_print(stdout, get_text(o, "msg"));
    fputs(" (", stdout);
    safe_print(stdout, get_text(o, "hint"));
    puts(")");
}

int cmd_rules_validate(const struct cli *c, char *const *args)
{
    const char *name = args[0] ? args[0] : "-", *file = strcmp(name, "-") ? name : "standard input";
    char *text = rules_take(name);
    struct json_object *body, *o, *problems;
    int code, valid;
    size_t n;

    if (!text)
        return CLI_NOT_FOUND;
    body = json_object_new_object();
    json_object_object_add(body, "text", json_object_new_string(text));
    free(text);
    o = api_call(c, "POST", "/api/rules/validate", body, &code);
    json_object_put(body);
    if (!o)
        return code;
    valid = json_object_get_boolean(get(o, "valid"));
    problems = get(o, "problems");
    n = json_object_is_type(problems, json_type_array) ? json_object_array_length(problems) : 0;
    if (!print_json(c, o)) {
        for (size_t i = 0; i < n; i++)
            print_problem(file, json_object_array_get_idx(problems, i));
        printf("%s: %s rules are sound, %s problems\n", file, get_text(o, "n_rules"), get_text(o, "n_problems"));
    }
    json_object_put(o);
    code = print_end();
    return code ? code : valid ? CLI_OK : CLI_BAD_CONFIG;
}
