/* conf_json.h: a configuration as a JSON document. */
#ifndef CORE_CONF_JSON_H
#define CORE_CONF_JSON_H
struct conf;
struct json_object;

/* {section: {option: {"value", "from", "live"}}}, every option of every plugin that runs, its name with its dots. value: a
 * number, a boolean, or text as it is written in YAML ("5m"); a list or an object of these; null where there is none. A
 * secret's is "********". from: FILE:LINE:COL, a variable's name, --set NAME, or default. live: it changes at a reload.
 * NULL: out of memory. [any] */
struct json_object *conf_json(const struct conf *c);

/* JSON Schema of every option: {properties: {section: {properties: {option: …}}}}. Durations and sizes are text ("5m",
 * "64MiB"), their bounds x-minimum and x-maximum. x-live: it changes at a reload; x-changeable: while the daemon runs
 * (core/changes.h). conf_schema.c; [any] */
struct json_object *conf_schema(const struct conf *c);

#endif
