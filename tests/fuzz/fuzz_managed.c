/* The managed rules' file: any bytes. What is taken is written back as it was. */
/* covers: plugins/ids/manage/managed.c */
#include "plugins/ids/manage/managed.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char why[200] = "";
    bool newer;
    struct managed *m = managed_read((const char *)data, size, &newer, why, sizeof why);
    size_t n = 0;
    char *text;

    if (!m) {
        if (!*why)
            abort();
        return 0;
    }
    text = managed_write(m, &n);
    if (!text || n != size || memcmp(text, data, n) != 0)
        abort();
    free(text);
    managed_release(m);
    return 0;
}
