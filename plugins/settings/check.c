#include "plugins/settings/check.h"

#include <string.h>

/* C0, DEL, C1 (U+0080…U+009F), and the marks that turn the direction of writing (U+200E…F, U+202A…E, U+2066…9). */
static int is_control(const unsigned char *p, size_t left)
{
    if (*p < 0x20 || *p == 0x7f)
        return 1;
    if (left > 1 && p[0] == 0xc2 && p[1] < 0xa0)
        return 1;
    if (left < 3 || p[0] != 0xe2)
        return 0;
    return (p[1] == 0x80 && (p[2] == 0x8e || p[2] == 0x8f || (p[2] >= 0xaa && p[2] <= 0xae))) ||
           (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9);
}

const char *check_name(const char *text, size_t n)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t blank = 0;

    for (size_t i = 0; i < n; i++) {
        if (is_control(p + i, n - i))
            return "Value error, it holds a character that cannot be shown";
        blank += p[i] == ' ';
    }
    return blank == n ? "Value error, it is empty" : NULL;
}

static int is_atom(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

/* Words of the given characters with single dots between them. */
static int is_dotted(const char *p, size_t n, int (*fits)(char))
{
    if (!n || p[0] == '.' || p[n - 1] == '.')
        return 0;
    for (size_t i = 0; i < n; i++)
        if (!(fits(p[i]) || (p[i] == '.' && p[i - 1] != '.')))
            return 0;
    return 1;
}

static int is_host(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

/* local@domain, as RFC 5321's Dot-string and Domain; no quoted local parts, no address literals. */
const char *check_mail(const char *text, size_t n)
{
    const char *at = memchr(text, '@', n);
    size_t local = at ? (size_t)(at - text) : 0;

    if (!at || n > SETTINGS_MAIL || local > 64 || !is_dotted(text, local, is_atom) ||
        !is_dotted(at + 1, n - local - 1, is_host) || at[1] == '-')
        return "value is not a valid email address";
    return NULL;
}
