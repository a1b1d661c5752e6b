/* plugins.h: the set of plugins: found, loaded, bound to each other, created and set up.
 * All [ctl]. */
#ifndef CORE_PLUGINS_H
#define CORE_PLUGINS_H
#include <stdbool.h>
#include <stdint.h>
struct instance;
struct options;
struct conf_section;

struct plugins {
    uint32_t n, n_order, n_dormant;
    /* every file that was to be loaded, also those that were left out */
    struct instance **all;
    struct instance **order;        /* those that run, providers before their users */
    const char **dormant;                 /* names of files that core.plugins does not name */
};

/* Load what the options name. Sentences of what is left out go to the log. 0, or EC_E* with a
 * sentence in why: the configuration names a plugin that is not there, or memory ended. */
int plugins_load(struct plugins *p, const struct options *o, char *why, uint32_t n);
/* One section for the core, for each plugin whose rows are known, and (dormant) for each other
 * file. Free the array. */
struct conf_section *plugins_sections(const struct plugins *p, uint32_t *n);
/* Do the plugins that the core's options name exist, and offer what they are chosen for? A sentence
 * each to err; how many errors. [ctl] [cfg] */
uint32_t plugins_check(const struct plugins *p, const struct options *o,
                       void (*err)(const char *sentence, void *arg), void *arg);
/* Bind, create and set up. Whoever fails is left out with its dependants, and it begins anew, so
 * that nothing of it remains. */
void plugins_prepare(struct plugins *p, const struct options *o, uint32_t workers);
void plugins_unprepare(struct plugins *p);      /* destroy all, in reverse; forget their topics */
void plugins_tell(struct plugins *p);           /* log the sentences that were not logged yet */
uint32_t plugins_left_out(const struct plugins *p);
struct instance *plugins_find(const struct plugins *p, const char *name);
void plugins_free(struct plugins *p);

#endif
