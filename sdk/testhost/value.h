/* value.h: option values for the test host: text to what a row's type says. */
#ifndef TESTHOST_VALUE_H
#define TESTHOST_VALUE_H
#define EC_API_LEVEL 1
#include <ecyber/plugin.h>

struct value {
    char *key, *text;               /* key: of a map's entry */
    int64_t num;
    double f64;
};
struct option {
    const struct ec_row *row;
    struct value *v;
    uint32_t n;
};
/* Parse text (NULL: the row's default) into o. 0, EC_EINVAL or EC_ENOMEM. */
int option_set(struct option *o, const struct ec_row *row, const char *text);
void option_clear(struct option *o);

#endif
