/* Any bytes as a kept baseline: it is read whole or refused with a sentence; what was read is written and read back as
 * the same. */
/* covers: plugins/fim/keep.c plugins/fim/table.c */
#include "plugins/fim/table.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *written(const struct table *t, size_t *n)
{
    char *text = NULL;
    FILE *to = open_memstream(&text, n);

    if (!to || table_write(t, to) || fclose(to))
        abort();
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct table t, again;
    uint32_t over;
    char why[200] = "", *first, *second;
    size_t n, m;

    if (!table_open(&t, 64) || !table_open(&again, 64))
        abort();
    if (!table_read(&t, (const char *)data, size, &over, why, sizeof why)) {
        if (!*why || t.n)
            abort();
    } else {
        first = written(&t, &n);
        if (!table_read(&again, first, n, &over, why, sizeof why) || over || again.n != t.n)
            abort();
        second = written(&again, &m);
        if (n != m)
            abort();
        free(first);
        free(second);
    }
    table_close(&again);
    table_close(&t);
    return 0;
}
