/* files.h: which files hold the rules. */
#ifndef IDS_FILES_H
#define IDS_FILES_H
#include "plugins/ids/host.h"

#include <stdbool.h>

struct files { char **path; size_t n; };

/* What ids.rule_files and ids.rules_dir name, patterns expanded, each file once, in the order of the configuration and
 * by name within a pattern or folder. Neither set: the installed rules, where there are any. 0 or EC_E*, then
 * host->fail() has the reason. f is to be freed in any case. */
int files_find(const struct ec_host *h, const struct ec_conf *c, struct files *f);
/* Behind those: every *.rules file of a folder of the plugin's state folder (FILES_SOURCES), by name. None there, or
 * no such folder, is as good. */
int files_find_own(const struct ec_host *h, struct files *f, const char *folder);
#define FILES_SOURCES "sources"     /* files that the routes of rule sources keep */
void files_free(struct files *f);
bool files_exist(const char *path);

#endif
