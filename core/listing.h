/* listing.h: what --list-plugins, --list-options and --list-NAME print. All [ctl]; each returns an
 * exit code. */
#ifndef CORE_LISTING_H
#define CORE_LISTING_H
#include <stdio.h>
struct plugins;

int listing_plugins(const struct plugins *p, FILE *to);
int listing_options(const struct plugins *p, FILE *to);
/* a plugin's, by ec.list/1 */
int listing_print(const struct plugins *p, const char *name, FILE *to);

#endif
