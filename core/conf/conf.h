/* conf.h: the configuration: files, .env, environment and command line, merged, typed and checked against the option
 * rows of every plugin (and of the core, section "core") before any plugin sees it. A conf is immutable. */
#ifndef CORE_CONF_H
#define CORE_CONF_H
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
struct ec_record;
struct ec_conf;

/* One section that may stand in the configuration. */
struct conf_section {
    const char *name;
    const struct ec_record *options;    /* NULL: it has none */
    bool dormant;                       /* of a plugin that is installed but does not run: skipped, with a warning */
};
struct conf_input {
    const char *file;               /* NULL: none, defaults only. Its folder's conf.d is read too, and .env */
    const char *const *environ;     /* "ECYBER_PLUGIN__KEY=value", NULL at its end; a dot in a key is a double
                                     * underscore */
    uint32_t n_set;
    const char *const *set;         /* "plugin.key=value" */
    const char *text;               /* in place of what `file` has; NULL: read it */
    const char *changes;            /* file of what was changed while the daemon ran (core/changes.h), after the other
                                     * files; one that is not there is empty. NULL: none */
    bool changes_lenient;           /* one that may not be read is a warning, and left out */
    const char *changes_text;       /* in place of what that has; NULL: read it */
    bool partial;                   /* the first look, at "core" alone, before the plugins are known: passes over what
                                     * belongs to other sections, reports nothing (the load of all does) and gives
                                     * what could be read; NULL only without memory */
    /* Names in .env that do not begin with ECYBER_; the texts are valid until it returns. NULL: nobody listens */
    void (*other)(const char *name, const char *value);
    void (*warn)(const char *sentence, void *arg);      /* with the arg of conf_load(); NULL: nobody listens */
};
struct conf;
/* NULL on errors: each was handed to err as one sentence with its place (FILE:LINE:COL, or the variable's name and
 * value with secrets masked, or the path) and the nearest valid name. */
#define CONF_ERRORS_MAX 50         /* reported one by one; the last sentence says how many more there are */
struct conf *conf_load(const struct conf_input *in, const struct conf_section *s, uint32_t n,
                       void (*err)(const char *sentence, void *arg), void *arg);
const struct ec_conf *conf_of(const struct conf *c, const char *section);
void conf_dump(const struct conf *c, FILE *to);     /* YAML with each value's origin as a comment; secrets masked */
void conf_free(struct conf *c);
struct ec_row;
bool conf_changeable(const struct ec_row *row);     /* may it stand in `changes`: live, no path, no secret */
/* Options without EC_R_LIVE whose value differs: fn(section, name) for each. */
void conf_diff(const struct conf *a, const struct conf *b, void (*fn)(const char *section, const char *name, void *arg),
               void *arg);

/* Before next is handed to anybody: give every option without EC_R_LIVE the value that it has in old, and call fn for
 * each that differed. 0 or EC_ENOMEM. */
int conf_keep(struct conf *next, const struct conf *old,
              void (*fn)(const char *section, const char *name, void *arg), void *arg);

/* As struct ec_host says. */
int32_t conf_num(const struct ec_conf *c, const char *name, uint32_t i, int64_t *v);
int32_t conf_f64(const struct ec_conf *c, const char *name, uint32_t i, double *v);
const char *conf_text(const struct ec_conf *c, const char *name, uint32_t i);
const char *conf_key(const struct ec_conf *c, const char *name, uint32_t i);
uint32_t conf_count(const struct ec_conf *c, const char *name);
const char *conf_where(const struct ec_conf *c, const char *name, uint32_t i);

#endif
