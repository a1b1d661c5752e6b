/* What an administrator gives a webhook: its address, its secret; networks of the configuration; and the file of what
 * was pending at a stop. */
/* covers: plugins/webhooks/pending.c:parse_one plugins/webhooks/pending.c:is_word
 * plugins/webhooks/pending.c:pending_parse plugins/webhooks/sign.c:key_of
 * plugins/webhooks/sign.c:sign_is_secret plugins/webhooks/sign.c:sign_body lib/url.c lib/guard.c:guard_parse */
#include "lib/guard.h"
#include "plugins/webhooks/pending.h"
#include "plugins/webhooks/sign.h"
#include "lib/url.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void pending(const char *text, size_t n)
{
    struct queue q;
    uint32_t lost;

    queue_init(&q, 16, 4096);
    if (pending_parse(&q, text, n, &lost) != queue_count(&q))
        abort();
    queue_fini(&q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), signature[SIGN_TEXT];
    struct guard_net net;

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (!guard_parse(text, &net) && net.bits > 128)
        abort();
    if (!url_wrong(text, false) && url_wrong(text, true))
        abort();
    if (sign_is_secret(text, strlen(text)) && sign_body(text, "1-2", 3, text, size, signature))
        abort();
    pending(text, size);
    free(text);
    return 0;
}
