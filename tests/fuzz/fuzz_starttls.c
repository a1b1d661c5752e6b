/* fuzz_starttls.c: protocols that may go on as TLS, through their registration interface; the first byte chooses one. */
/* covers: plugins/traffic/proto/starttls/[gs]*.c */
#include "tests/fuzz/fuzz_proto.h"
#include "plugins/traffic/proto/starttls/starttls.h"

int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n)
{
    static struct fake_traffic *f;

    if (!f)
        f = fake_new(starttls_register);
    if (!n)
        return 0;
    fake_use(f, f->all[d[0] % f->n_all]->name);
    fuzz_conversation(f, d + 1, n - 1);
    return 0;
}
