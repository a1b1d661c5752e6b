/* sdk.h: the level of the plugin ABI that this plugin was written against, and the extensions that it meets. */
#ifndef HTTP_SDK_H
#define HTTP_SDK_H
#ifndef EC_API_LEVEL
# define EC_API_LEVEL 1
#endif
#include <ecyber/plugin.h>
#include <ecyber/ext/auth.h>
#include <ecyber/ext/daemon.h>
#include <ecyber/ext/http.h>
#include <ecyber/ext/json.h>
#include <ecyber/ext/store.h>

static inline const struct ec_row *record_row(const struct ec_record *r, uint32_t i)
{
    return (const struct ec_row *)(const void *)((const char *)r->row + (size_t)i * r->row_stride);
}

#endif
