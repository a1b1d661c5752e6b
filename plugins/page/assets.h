/* The files of the page, embedded. */
#ifndef PLUGINS_PAGE_ASSETS_H
#define PLUGINS_PAGE_ASSETS_H

#include <stdbool.h>
#include <stdint.h>

struct page_asset {
    const char *path, *type;    /* "/app.js", "text/javascript; charset=utf-8" */
    const unsigned char *gzip;
    uint32_t len;               /* bytes of gzip */
};

/* All of them; *n is how many. Static, never NULL. */
const struct page_asset *page_assets(uint32_t *n);

/* Was the page built? Else there is only "/", which says why it was not. */
bool page_built(void);

#endif
