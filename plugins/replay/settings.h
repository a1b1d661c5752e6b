/* settings.h: the configuration of a child, made of the running daemon's. */
#ifndef REPLAY_SETTINGS_H
#define REPLAY_SETTINGS_H
#include <stddef.h>
#include <stdint.h>

struct settings {
    const char *folder;             /* absolute; holds the child's state in `state` */
    const char *rules;              /* absolute name of a file: these rules and their alerts alone; NULL: the daemon's */
    const char *const *plugins;     /* loaded beside capture, traffic, ids and eve; with their options */
    uint32_t n_plugin;
    uint64_t memory;                /* of the child: its tables get a quarter of it */
};

/* live: the answer to "config" of ec.daemon/1. A document in YAML (JSON is), to be freed; NULL and a sentence. */
char *settings_make(const char *live, const struct settings *s, char *why, size_t n);
/* core.state_dir of it, to be freed; NULL: there is none. */
char *settings_state_dir(const char *live);

#endif
