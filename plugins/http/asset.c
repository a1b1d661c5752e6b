#include "plugins/http/asset.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#define INFLATED_MAX (64u << 20)

void etag_of(const void *p, size_t n, char etag[24])
{
    const uint8_t *b = p;
    uint64_t h = UINT64_C(0xcbf29ce484222325);      /* FNV-1a */

    for (size_t i = 0; i < n; i++)
        h = (h ^ b[i]) * UINT64_C(0x100000001b3);
    snprintf(etag, 24, "\"%016" PRIx64 "\"", h);
}

const struct asset *assets_find(const struct assets *all, const char *path, size_t n)
{
    for (uint32_t i = 0; i < all->n; i++)
        if (strlen(all->asset[i].a->path) == n && !memcmp(all->asset[i].a->path, path, n))
            return &all->asset[i];
    return NULL;
}

int32_t assets_add(struct assets *all, const struct ec_asset *a, char *why, uint32_t n)
{
    struct asset *bigger;

    if (!a || a->size < sizeof *a || !a->path || *a->path != '/' || !a->type || !a->gzip || a->len < 18) {
        snprintf(why, n, "an asset lacks its size, path, type or bytes");
        return EC_EINVAL;
    }
    if (assets_find(all, a->path, strlen(a->path))) {
        snprintf(why, n, "there is an asset %s already", a->path);
        return EC_EEXIST;
    }
    if (!(bigger = reallocarray(all->asset, all->n + 1, sizeof *bigger))) {
        snprintf(why, n, "out of memory");
        return EC_ENOMEM;
    }
    all->asset = bigger;
    bigger[all->n].a = a;
    etag_of(a->gzip, a->len, bigger[all->n++].etag);
    return EC_OK;
}

void assets_free(struct assets *all)
{
    free(all->asset);
    *all = (struct assets){ 0 };
}

bool asset_inflate(const struct asset *a, struct text *out)
{
    z_stream z = { .next_in = (Bytef *)(uintptr_t)a->a->gzip, .avail_in = a->a->len };
    int rc = Z_OK;

    if (inflateInit2(&z, 15 + 16) != Z_OK)
        return false;
    while (rc == Z_OK && out->n < INFLATED_MAX) {
        char *room = text_room(out, 16384);

        if (!room)
            break;
        z.next_out = (Bytef *)room;
        z.avail_out = 16384;
        rc = inflate(&z, Z_NO_FLUSH);
        out->n += 16384 - z.avail_out;
    }
    inflateEnd(&z);
    return rc == Z_STREAM_END;
}

/* Is the weight that may follow a coding zero: ";q=0", "; q=0.000"? */
static bool refused(const char *p, size_t n)
{
    const char *q = memchr(p, '=', n);

    if (!memchr(p, ';', n) || !q)
        return false;
    for (q++; q < p + n; q++)
        if (*q >= '1' && *q <= '9')
            return false;
    return true;
}

bool accepts_gzip(const char *header)
{
    while (header && *header) {
        size_t n = strcspn(header, ","), name;

        header += strspn(header, " \t");
        n = strcspn(header, ",");
        name = strcspn(header, ",; \t");
        if ((name == 4 && !strncasecmp(header, "gzip", 4)) || (name == 1 && *header == '*'))
            return !refused(header, n);
        header += n + (header[n] == ',');
    }
    return false;
}

bool etag_matches(const char *header, const char *etag)
{
    size_t len = strlen(etag);

    while (header && *header) {
        size_t n;

        header += strspn(header, " \t,");
        if (*header == '*')
            return true;
        if (!strncmp(header, "W/", 2))
            header += 2;
        n = strcspn(header, ",");
        if (n >= len && !memcmp(header, etag, len))
            return true;
        header += n;
    }
    return false;
}
