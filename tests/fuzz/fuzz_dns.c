/* fuzz_dns.c: the dns parser, through its registration interface. */
/* covers: plugins/traffic/proto/dns/[a-z]*.c */
#include "tests/fuzz/fuzz_proto.h"
#include "plugins/traffic/proto/dns/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n)
{
    static struct fake_traffic *f;

    if (!f)
        f = fake_new(dns_register);
    fuzz_conversation(f, d, n);
    return 0;
}
