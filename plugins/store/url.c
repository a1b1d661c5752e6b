#include "plugins/store/url.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum url_kind url_parse(const char *url, char **clean, char *why, size_t n)
{
    const char *rest = strstr(url, "://");
    size_t scheme = strcspn(url, "+:");
    bool postgres = (scheme == 10 && !strncmp(url, "postgresql", 10)) || (scheme == 8 && !strncmp(url, "postgres", 8));
    bool sqlite = scheme == 6 && !strncmp(url, "sqlite", 6);

    *clean = NULL;
    if (!rest || (!postgres && !sqlite)) {
        snprintf(why, n, "store.url: it begins with neither postgresql:// nor sqlite://");
        return URL_WRONG;
    }
    if (asprintf(clean, "%s%s", postgres ? "postgresql" : "sqlite", rest) < 0) {
        *clean = NULL;
        snprintf(why, n, "out of memory");
        return URL_WRONG;
    }
    return postgres ? URL_POSTGRESQL : URL_SQLITE;
}
