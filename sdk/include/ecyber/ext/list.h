/* list.h: ec.list/1, the interface of lists that a plugin can print: `ecyberd --list-NAME`. STATUS: draft 1.
 * Implemented by any plugin, once for each list (several offers of this id may stand in one plugin); called by the
 * host's command line after every setup(). A rule engine offers "keywords" so. Include plugin.h first. */
#ifndef EC_EXT_LIST_H
#define EC_EXT_LIST_H
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

#define EC_LIST_ID "ec.list/1-draft.1"

struct ec_listing {
    uint32_t size, n_column;        /* 1…16 */
    const char *name, *help;        /* "keywords": [a-z][a-z0-9-]*, unique in the daemon */
    const char *const *column;      /* headings: "keyword", "status", "help" */
    /* [ctl] after every setup(), without a configuration. Call row() for each row in the order to print, with n_column
     * texts, NULL: empty; they are borrowed until it returns. EC_OK or EC_E* with a sentence by host->fail(). */
    int32_t (*each)(void *self, void (*row)(void *arg, const char *const *cell), void *arg);
};

#ifdef __cplusplus
}
#endif
#endif
