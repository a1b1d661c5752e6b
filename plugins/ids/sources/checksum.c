#include "plugins/ids/sources/checksum.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct { size_t digits; const char *name; } kinds[] = {
    { 32, "MD5" }, { 64, "SHA256" }, { 128, "SHA512" } };

static bool hash(const char *name, const void *p, size_t n, char to[129])
{
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    EVP_MD *md = EVP_MD_fetch(NULL, name, NULL);
    bool good = md && EVP_Digest(p, n, out, &len, md, NULL);

    EVP_MD_free(md);
    for (unsigned i = 0; good && i < len && i < 64; i++)
        snprintf(to + 2 * i, 3, "%02x", out[i]);
    return good;
}

bool checksum_holds(const char *said, size_t n, const void *p, size_t m, char *why, size_t why_n)
{
    static const char hex[] = "0123456789abcdefABCDEF";
    char is[129] = "";

    for (size_t at = 0, len; at < n; at += len + 1) {
        for (len = 0; at + len < n && said[at + len] && strchr(hex, said[at + len]); len++)
            ;
        for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
            if (len != kinds[i].digits)
                continue;
            if (!hash(kinds[i].name, p, m, is)) {
                snprintf(why, why_n, "%s cannot be computed here", kinds[i].name);
                return false;
            }
            if (!strncasecmp(said + at, is, len))
                return true;
            snprintf(why, why_n, "what came is not what its checksum says: %s is %s, and should be %.*s",
                     kinds[i].name, is, (int)len, said + at);
            return false;
        }
    }
    snprintf(why, why_n, "there is no checksum where it should be: 32, 64 or 128 hexadecimal digits");
    return false;
}

void digest_text(const void *p, size_t n, char to[65])
{
    char all[129] = "";

    hash("SHA256", p, n, all);
    snprintf(to, 65, "%.64s", all);
}
