/* fuzz_tls.c: the tls parser, through its registration interface. */
/* covers: plugins/traffic/proto/tls/[a-z]*.c */
#include "tests/fuzz/fuzz_proto.h"
#include "plugins/traffic/proto/tls/tls.h"

int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n)
{
    static struct fake_traffic *f;

    if (!f)
        f = fake_new(tls_register);
    fuzz_conversation(f, d, n);
    return 0;
}
