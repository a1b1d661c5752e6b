/* covers: plugins/bridge/reject.c */
/* fuzz_reject: any frame that was rejected, and its answer to both ends. */
#include <stdlib.h>
#include <string.h>

#include "plugins/bridge/reject.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *to = malloc(REJECT_ROOM), *again = malloc(REJECT_ROOM);

    for (int sender = 0; sender < 2 && to && again; sender++) {
        uint32_t n = reject_answer(to, data, (uint32_t)size, sender);

        if (n > REJECT_ROOM || (n && reject_answer(again, to, n, true) > REJECT_ROOM))
            abort();
    }
    free(to);
    free(again);
    return 0;
}
