/* loader.h: finds plugin files, opens them and agrees with them on the ABI. Whatever is wrong with
 * a file is one sentence that names it, both versions and what to do; it never stops the daemon.
 * All [ctl]. */
#ifndef CORE_LOADER_H
#define CORE_LOADER_H
#include <stdbool.h>
#include <stdint.h>
struct ec_plugin;
struct instance;

/* Each *.so of the folder, sorted by name: fn(path, arg). 0, or EC_E* with a sentence: it cannot be
 * read. */
int loader_scan(const char *dir, void (*fn)(const char *path, void *arg), void *arg, char *why,
                uint32_t n);
/* May others than root and the running user change what is loaded? false, with a sentence. */
bool loader_trusts(const char *path, char *why, uint32_t n);
/* Open the instance's path and take over its descriptor. 0, or EC_E* and i->why. The object stays
 * open for ever. */
int loader_open(struct instance *i);
/* The agreement alone: check the descriptor, copy it and its tables into the instance. `what` is
 * its file's name. */
int loader_agree(struct instance *i, const struct ec_plugin *p, const char *what);
void loader_forget(struct instance *i);         /* free what loader_agree() allocated */

#endif
