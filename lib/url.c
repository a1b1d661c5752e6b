#include "lib/url.h"

#include <curl/curl.h>
#include <string.h>

static bool has(CURLU *u, CURLUPart part)
{
    char *text = NULL;
    bool there = !curl_url_get(u, part, &text, 0) && text && *text;

    curl_free(text);
    return there;
}

static const char *parts_wrong(CURLU *u, bool plain)
{
    char *scheme = NULL;
    const char *why = NULL;

    if (curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) || !scheme)
        why = "Input should be a valid URL";
    else if (strcmp(scheme, "https") != 0 && !(plain && !strcmp(scheme, "http")))
        why = plain ? "URL scheme should be 'http' or 'https'"
                    : URL_PLAIN " (an option of the plugin, plain, allows 'http')";
    else if (has(u, CURLUPART_USER) || has(u, CURLUPART_PASSWORD))
        why = "URL should hold no user and no password";
    else if (!has(u, CURLUPART_HOST))
        why = "Input should be a valid URL, empty host";
    curl_free(scheme);
    return why;
}

const char *url_wrong(const char *url, bool plain)
{
    CURLU *u = curl_url();
    const char *why = "Input should be a valid URL";

    for (const unsigned char *p = (const unsigned char *)url; *p; p++)
        if (*p <= ' ' || *p >= 0x7f) {
            curl_url_cleanup(u);
            return why;
        }
    if (u && !curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME))
        why = parts_wrong(u, plain);
    curl_url_cleanup(u);
    return why;
}
