/* fuzz_recognise.c: every probe of the protocols that have only a name, in each direction, over TCP and UDP. */
/* covers: plugins/traffic/proto/recognise/[a-z]*.c */
#include <stdlib.h>
#include <string.h>

#include "plugins/traffic/proto/recognise/recognise.h"
#include "tests/support/fake_traffic.h"

int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n)
{
    static struct fake_traffic *f;
    uint8_t *own;

    if (!f)
        f = fake_new(recognise_register);
    if (!n || n > 4096 || !(own = malloc(n)))
        return 0;
    memcpy(own, d, n);                  /* of its size, so that a byte too far is seen */
    for (uint32_t i = 0; i < f->n_all; i++)
        for (uint32_t dir = 0; dir < 4; dir++) {
            int32_t answer = f->all[i]->probe(own, (uint32_t)n, dir);
            if (answer != EC_NO && answer != EC_YES && answer != EC_MORE)
                abort();
        }
    free(own);
    return 0;
}
