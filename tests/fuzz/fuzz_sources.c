/* What a rule source sends, and the list that is kept of them. */
/* covers: plugins/ids/sources/checksum.c plugins/ids/sources/list.c plugins/ids/sources/unpack.c */
#include "plugins/ids/sources/checksum.h"
#include "plugins/ids/sources/list.h"
#include "plugins/ids/sources/unpack.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void archive(const uint8_t *data, size_t size)
{
    struct unpacked u;
    char why[300] = "";

    if (unpack(data, size, 1u << 20, &u, why, sizeof why)) {
        if (!*why || u.text)
            abort();
        return;
    }
    if (strlen(u.text) != u.n || !u.files)
        abort();
    free(u.text);
}

/* What is read is written so that it is read the same. */
static void list(const char *text, size_t n)
{
    char why[300] = "";
    bool newer;
    struct sources_list *l = list_read(text, n, &newer, why, sizeof why), *again;
    size_t len;
    char *out;

    if (!l) {
        if (!*why)
            abort();
        return;
    }
    out = list_write(l, &len);
    again = out ? list_read(out, len, &newer, why, sizeof why) : NULL;
    if (!again || again->n != l->n)
        abort();
    for (uint32_t i = 0; i < l->n; i++)
        if (memcmp(l->source[i], again->source[i], sizeof *l->source[i]) != 0)
            abort();
    free(out);
    list_free(l);
    list_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char why[400];

    if (!size)
        return 0;
    if (data[0] == '{')
        list((const char *)data, size);
    else
        archive(data, size);
    checksum_holds((const char *)data, size, "abc", 3, why, sizeof why);
    return 0;
}
