/* fuzz_ssh.c: the ssh parser, through its registration interface. */
/* covers: plugins/traffic/proto/ssh/[a-z]*.c */
#include "tests/fuzz/fuzz_proto.h"
#include "plugins/traffic/proto/ssh/ssh.h"

int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n)
{
    static struct fake_traffic *f;

    if (!f)
        f = fake_new(ssh_register);
    fuzz_conversation(f, d, n);
    return 0;
}
