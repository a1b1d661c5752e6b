/* asset.h: files of the page, embedded as gzip. Filled in setup(), read-only afterwards. */
#ifndef HTTP_ASSET_H
#define HTTP_ASSET_H
#include "plugins/http/sdk.h"
#include "lib/text.h"

struct asset { const struct ec_asset *a; char etag[24]; };
struct assets { struct asset *asset; uint32_t n; };

/* EC_OK, or EC_E* and why */
int32_t assets_add(struct assets *all, const struct ec_asset *a, char *why, uint32_t n);
void assets_free(struct assets *all);
const struct asset *assets_find(const struct assets *all, const char *path, size_t n);      /* NULL: none */
/* The bytes as they were before gzip, for a client that does not take it. false: they are damaged, or over 64 MiB. */
bool asset_inflate(const struct asset *a, struct text *out);
/* Does an Accept-Encoding header allow gzip (RFC 9110 §12.5.3)? NULL: no header. */
bool accepts_gzip(const char *header);
/* Does an If-None-Match header name this ETag, or any (RFC 9110 §13.1.2)? etag: with its quotes. */
bool etag_matches(const char *header, const char *etag);
void etag_of(const void *p, size_t n, char etag[24]);      /* strong, of the bytes */

#endif
