/* fuzz_mdns.c: the mdns parser, through its registration interface. */
/* covers: plugins/traffic/proto/dns/mdns*.c */
#include "tests/fuzz/fuzz_proto.h"
#include "plugins/traffic/proto/dns/mdns.h"

int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n)
{
    static struct fake_traffic *f;

    if (!f)
        f = fake_new(mdns_register);
    fuzz_conversation(f, d, n);
    return 0;
}
