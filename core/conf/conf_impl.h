/* conf_impl.h: what the files core/conf*.c share, and nobody else includes.
 *
 * Each section has a slot for each of its rows. Sources are applied in order, from the defaults to
 * the command line: a later one replaces a value or a whole list; of a mapping it replaces the
 * entries that it names. */
#ifndef CORE_CONF_IMPL_H
#define CORE_CONF_IMPL_H
#include "core/conf/conf.h"
#include "core/conf/conf_mem.h"
#include "core/conf/conf_yaml.h"
#include "core/conf/row.h"

struct conf_value {
    const char *key;   /* MAP */
    const char *text;  /* as written; of EC_R_PATH absolute */
    const char *where; /* "FILE:LINE:COL", "environment variable NAME", "--set NAME", "default" */
    struct row_value v;
};
struct conf_removed {
    const char *key;
    struct conf_removed *next;
};
struct conf_slot {
    const struct ec_row *row;
    struct conf_value *value;
    struct conf_removed *removed; /* MAP: what a source took away, so that a dump can do so again */
    uint32_t n, cap;
    bool present;      /* a value or a default was given; an empty list is present */
    const char *where; /* of the whole option */
    uint32_t source;   /* number of the source that set it last */
};
struct ec_conf {
    const char *section;
    const struct ec_record *options;
    bool dormant;
    uint32_t n;
    struct conf_slot *slot;
};
struct conf {
    struct conf_mem mem;
    uint32_t n;
    struct ec_conf *section;
};

enum conf_from { CONF_DEFAULT, CONF_FILE, CONF_ENV_FILE, CONF_ENVIRONMENT, CONF_SET };
struct conf_place { /* where a value comes from */
    enum conf_from from;
    const char *file; /* CONF_FILE, CONF_ENV_FILE */
    uint32_t line, col;
    const char *name, *value; /* the variable or option; its value */
};
struct conf_loader {
    struct conf *c;
    const struct conf_input *in;
    void (*err)(const char *sentence, void *arg);
    void *arg;
    const char *folder;      /* of the configuration file: relative paths count from there */
    uint32_t errors, source; /* sentences so far; number of the source that is being applied */
};

/* conf_error.c. secret: do not show the place's value. */
void conf_error(struct conf_loader *l, const struct conf_place *p, bool secret,
                const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void conf_warn(struct conf_loader *l, const struct conf_place *p, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void conf_no_memory(struct conf_loader *l);
void conf_error_end(struct conf_loader *l); /* says how many sentences were left out */
const char *conf_origin(struct conf_loader *l, const struct conf_place *p); /* for conf_where() */

/* conf_apply.c: values into slots. Errors are reported; nothing is returned. */
struct ec_conf *conf_section_find(const struct conf *c, const char *name);
struct conf_slot *conf_slot_find(const struct ec_conf *s, const char *name);
/* The entry of a mapping; NULL: none. */
struct conf_value *conf_entry_find(const struct conf_slot *slot, const char *key);
/* text: as a variable or the command line gives it; lists with commas or as a YAML flow, mappings
 * as a YAML flow. */
void conf_apply_text(struct conf_loader *l, struct ec_conf *s, struct conf_slot *slot,
                     const char *text, const struct conf_place *p);
/* One entry of a mapping. */
void conf_apply_entry(struct conf_loader *l, struct ec_conf *s, struct conf_slot *slot,
                      const char *key, const char *text, const struct conf_place *p);
void conf_apply_node(struct conf_loader *l, struct ec_conf *s, struct conf_slot *slot,
                     const struct yaml_node *n, const struct conf_place *p);

/* conf_file.c: the configuration file and conf.d. conf_read: NULL where it failed, which was
 * reported. */
char *conf_read(struct conf_loader *l, const char *path, size_t *len);
void conf_apply_yaml(struct conf_loader *l, const char *name, const char *text, size_t len);
void conf_apply_files(struct conf_loader *l);
void conf_unknown_option(struct conf_loader *l, const struct ec_conf *s, const char *path, const struct conf_place *p);
void conf_apply_changes(struct conf_loader *l);     /* conf_changes.c */

/* conf_env.c: .env, the environment, the command line. */
void conf_apply_env_file(struct conf_loader *l);
void conf_apply_environment(struct conf_loader *l);
void conf_apply_set(struct conf_loader *l);

#endif
