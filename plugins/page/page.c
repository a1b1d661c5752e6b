/* page: the web page and the API's documentation, as files of the HTTP server. This file is the glue. */
#define EC_API_LEVEL 1
#include <ecyber/ext/http.h>
#include <ecyber/plugin.h>

#include "plugins/page/assets.h"

#include <stdlib.h>
#include <string.h>

/* ReDoc writes its styles into the page, and searches in a worker that it makes. */
#define REDOC_POLICY "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; worker-src blob:; " \
                     "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/* Swagger UI's icons are data: URIs of its style sheet. */
#define DOCS_POLICY "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; " \
                    "form-action 'self'; frame-ancestors 'none'"

struct page {
    const struct ec_host *host;
    struct ec_asset *asset;
};

static int32_t page_create(const struct ec_host *host, void **self)
{
    struct page *p = calloc(1, sizeof *p);

    if (!p)
        return host->fail(host, EC_ENOMEM, "out of memory");
    p->host = host;
    *self = p;
    return EC_OK;
}

static void page_destroy(void *self)
{
    struct page *p = self;

    free(p->asset);
    free(p);
}

static const char *policy_of(const char *path)
{
    if (!strncmp(path, "/api/docs", 9))
        return DOCS_POLICY;
    return strncmp(path, "/api/redoc", 10) ? NULL : REDOC_POLICY;
}

/* Another plugin may have taken a path: that one file is left out, and said. */
static int32_t declare(struct page *p, const struct ec_http *http, void *http_self)
{
    uint32_t n;
    const struct page_asset *from = page_assets(&n);

    free(p->asset);
    p->asset = calloc(n, sizeof *p->asset);
    if (!p->asset)
        return p->host->fail(p->host, EC_ENOMEM, "out of memory");
    for (uint32_t i = 0; i < n; i++) {
        struct ec_asset *a = &p->asset[i];
        int32_t rc;

        *a = (struct ec_asset){
            .size = sizeof *a,
            .len = from[i].len,
            .path = from[i].path,
            .type = from[i].type,
            .gzip = from[i].gzip,
            .policy = policy_of(from[i].path),
        };
        rc = http->asset(http_self, p->host, a);
        if (rc == EC_EEXIST)
            EC_LOG(p->host, EC_LOG_WARNING, "another plugin serves %s already", a->path);
        else if (rc)
            return rc;
    }
    return EC_OK;
}

static int32_t page_setup(void *self)
{
    struct page *p = self;
    void *http_self;
    const struct ec_http *http = p->host->use(p->host, EC_HTTP_ID, &http_self);

    return http ? declare(p, http, http_self) : EC_OK;
}

static int32_t page_start(void *self, const void *state)
{
    struct page *p = self;

    (void)state;
    if (!page_built())
        EC_LOG(p->host, EC_LOG_WARNING, "the page was left out of this build; the API and ecyberctl work");
    return EC_OK;
}

static const struct ec_use uses[] = {
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_OPTIONAL, sizeof(struct ec_http), 0, EC_HTTP_ID },
};

static const struct ec_plugin page = {
    EC_PLUGIN_HEAD,
    .id = "ecyber.page",
    .name = "page",
    .version = "0.1.0",
    .summary = "the web page",
    .license = "MIT",
    .n_use = 1,
    .use_stride = sizeof uses[0],
    .use = uses,
    .create = page_create,
    .setup = page_setup,
    .start = page_start,
    .destroy = page_destroy,
};
EC_PLUGIN(page)
