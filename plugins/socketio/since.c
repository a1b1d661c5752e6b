#include "plugins/socketio/since.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND UINT64_C(1000000000)

static int digits(const char *p, size_t n)
{
    int v = 0;

    for (size_t i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9')
            return -1;
        v = v * 10 + (p[i] - '0');
    }
    return v;
}

static int date(const char *p, uint64_t *ns)
{
    struct tm t = { .tm_year = digits(p, 4) - 1900, .tm_mon = digits(p + 5, 2) - 1, .tm_mday = digits(p + 8, 2) };
    long zone = 0;
    time_t v;

    if (strlen(p) < 20 || p[4] != '-' || p[7] != '-' || (p[10] != 'T' && p[10] != ' ') || p[13] != ':' || p[16] != ':')
        return -1;
    t.tm_hour = digits(p + 11, 2);
    t.tm_min = digits(p + 14, 2);
    t.tm_sec = digits(p + 17, 2);
    if (t.tm_year < 70 || t.tm_year > 400 || t.tm_mon < 0 || t.tm_mon > 11 || t.tm_mday < 1 || t.tm_mday > 31 ||
        t.tm_hour < 0 || t.tm_hour > 23 || t.tm_min < 0 || t.tm_min > 59 || t.tm_sec < 0 || t.tm_sec > 60)
        return -1;
    p += 19;
    if (*p == '.')
        p += 1 + strspn(p + 1, "0123456789");
    if ((*p == '+' || *p == '-') && strlen(p) == 6 && p[3] == ':' && digits(p + 1, 2) >= 0 && digits(p + 4, 2) >= 0)
        zone = (*p == '-' ? -60L : 60L) * (digits(p + 1, 2) * 60 + digits(p + 4, 2));
    else if (strcmp(p, "Z") != 0 && strcmp(p, "z") != 0)
        return -1;
    v = timegm(&t) - zone;
    *ns = v < 0 ? 0 : (uint64_t)v * SECOND;
    return v < 0 ? -1 : 0;
}

int since_read(const char *p, uint64_t now_ns, uint64_t *ns)
{
    static const struct { char unit; uint64_t seconds; } units[] = {
        { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 },
    };
    size_t n = strspn(p, "0123456789");
    uint64_t v = n && n < 11 ? strtoull(p, NULL, 10) : 0;

    if (n && n < 11 && !p[n]) {
        *ns = v * SECOND;
        return 0;
    }
    for (unsigned i = 0; n && n < 8 && i < sizeof units / sizeof units[0]; i++)
        if (p[n] == units[i].unit && !p[n + 1]) {
            v *= units[i].seconds * SECOND;
            *ns = v < now_ns ? now_ns - v : 0;
            return 0;
        }
    return strlen(p) >= 20 ? date(p, ns) : -1;
}
