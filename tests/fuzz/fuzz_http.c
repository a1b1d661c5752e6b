/* fuzz_http.c: the http parser, through its registration interface. */
/* covers: plugins/traffic/proto/http/[a-z]*.c */
#include "tests/fuzz/fuzz_proto.h"
#include "plugins/traffic/proto/http/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n)
{
    static struct fake_traffic *f;

    if (!f)
        f = fake_new(http_register);
    fuzz_conversation(f, d, n);
    return 0;
}
