#include "plugins/ids/rule/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *file_fill(FILE *in, size_t *len)
{
    size_t cap = 65536;
    char *text = malloc(cap), *more;

    *len = 0;
    while (text) {
        size_t got = fread(text + *len, 1, cap - *len, in);

        *len += got;
        if (!got || *len > FILE_MAX_BYTES)
            break;
        if (*len < cap)
            continue;
        more = realloc(text, cap *= 2);
        if (!more)
            free(text);
        text = more;
    }
    return text;
}

char *file_read(const char *path, size_t *len, char *why, size_t n)
{
    FILE *in = fopen(path, "re");
    char *text;

    if (!in) {
        snprintf(why, n, "%s: %s", path, strerror(errno));
        return NULL;
    }
    errno = 0;
    text = file_fill(in, len);
    if (!text || ferror(in)) {
        snprintf(why, n, "%s: %s", path, text ? strerror(errno) : "out of memory");
        free(text);
        text = NULL;
    } else if (*len > FILE_MAX_BYTES) {
        snprintf(why, n, "%s: longer than %zu MiB", path, FILE_MAX_BYTES >> 20);
        free(text);
        text = NULL;
    }
    fclose(in);
    return text;
}
