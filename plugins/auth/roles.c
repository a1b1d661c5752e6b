#include "plugins/auth/roles.h"

#include <stdio.h>
#include <string.h>

static const char *const words[ROLES] = {"admin", "operator", "analyst", "viewer", "sensor"};

void roles_print(uint32_t roles, char *to, size_t n)
{
    size_t at = 0;

    *to = '\0';
    for (uint32_t i = 0; i < ROLES && at < n; i++)
        if (roles & (1u << i))
            at += (size_t)snprintf(to + at, n - at, "%s%s", at ? "," : "", words[i]);
}

int roles_parse(const char *text, size_t len, uint32_t *roles)
{
    const char *end = text + len;

    *roles = 0;
    while (text < end) {
        const char *comma = memchr(text, ',', (size_t)(end - text));
        size_t n = (size_t)((comma ? comma : end) - text);
        uint32_t i = 0;

        while (i < ROLES && (strlen(words[i]) != n || memcmp(words[i], text, n)))
            i++;
        if (i == ROLES)
            return -1;
        *roles |= 1u << i;
        text += n + 1;
    }
    return 0;
}
