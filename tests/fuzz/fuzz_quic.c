/* fuzz_quic.c: the quic parser, through its registration interface; and what stands behind the encryption, which no
 * mutation passes: frames, and the hello that they carry. */
/* covers: plugins/traffic/proto/quic/[a-z]*.c */
#include "tests/fuzz/fuzz_proto.h"
#include "plugins/traffic/proto/quic/frames.h"
#include "plugins/traffic/proto/quic/quic.h"
#include "plugins/traffic/proto/quic/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n);

static void fuzz_hello(const uint8_t *message, uint32_t n)
{
    struct tls_ja3 ja3 = { NULL, 0, "" };
    struct tls_hello h;
    char ja4[JA4_LEN + 1];

    tls_hello_read(&h, message[0] & 1 ? TLS_CLIENT_HELLO : TLS_SERVER_HELLO, message + 4, n - 4);
    ja3_make(&ja3, &h, TLS_CLIENT_HELLO, message + 4);
    ja3_free(&ja3);
    ja4_make(ja4, &h, message + 4, 'q');
}

int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n)
{
    static struct fake_traffic *f;
    struct crypto c = { .pieces = 0 };
    const uint8_t *message;
    uint32_t len;

    if (!f)
        f = fake_new(quic_register);
    fuzz_conversation(f, d, n);
    frames_read(&c, d, n > 65536 ? 65536 : (uint32_t)n);
    if ((message = crypto_message(&c, &len)))
        fuzz_hello(message, len);
    crypto_drop(&c);
    return 0;
}
