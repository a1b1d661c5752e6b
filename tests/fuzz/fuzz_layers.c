/* Any bytes as a packet of any link type: every layer and field lies within it. */
/* covers: plugins/packets/layers.c */
#include "plugins/packets/layers.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t link[] = { 1, 101, 113, 276, 0, 228, 229, 108, 9 };
    static struct layers l;
    uint8_t *copy;

    if (!size || size > 65536)
        return 0;
    copy = malloc(size);            /* of its own, so that a byte too many is seen */
    memcpy(copy, data + 1, size - 1);
    layers_read(&l, link[data[0] % (sizeof link / sizeof link[0])], copy, (uint32_t)size - 1);
    free(copy);
    if (l.n > LAYERS_MAX || l.n_field > LAYER_FIELDS)
        abort();
    for (uint32_t i = 0; i < l.n; i++)
        if (l.layer[i].off > size - 1 || l.layer[i].len > size - 1 - l.layer[i].off ||
            l.layer[i].field + l.layer[i].n_field > l.n_field)
            abort();
    for (uint32_t i = 0; i < l.n_field; i++)
        if (!l.field[i].name || !memchr(l.field[i].value, 0, LAYER_VALUE))
            abort();
    return 0;
}
