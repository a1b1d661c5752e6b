/* fuzz_helper: packets to the helper, each with two bytes of its length in front. What would go to the kernel has to be
 * JSON, and each packet gets its answer. The first byte says which of the kernel's answers fail. */
/* covers: core/helper/message.c core/helper/ruleset.c core/helper/table.c core/helper/text.c */
#include "core/helper/table.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t fails;
static uint32_t answers;

static bool run(void *arg, const char *commands, const char **said)
{
    struct json_tokener *t = json_tokener_new_ex(16);
    struct json_object *o = json_tokener_parse_ex(t, commands, -1);
    static uint32_t turn;

    (void)arg;
    if (!o || json_tokener_get_error(t) != json_tokener_success)
        abort();
    json_object_put(o);
    json_tokener_free(t);
    *said = "Error: it is refused";
    return !(fails >> (turn++ % 8) & 1);
}

static bool send_reply(void *arg, const struct helper_reply *r, size_t bytes)
{
    (void)arg;
    if (helper_reply_check(r, bytes))
        abort();
    answers += !(r->flags & HELPER_MORE);
    return true;
}

static const char *hold(void *arg)
{
    (void)arg;
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct table t = { .run = run, .send = send_reply, .hold = hold, .version = "fuzz" };
    uint32_t packets = 0;

    answers = 0;
    if (!size)
        return 0;
    fails = data[0];
    for (size_t at = 1; size - at >= 2; packets++) {
        size_t n = (size_t)data[at] | (size_t)data[at + 1] << 8;
        struct helper_request *r;

        at += 2;
        n = n < size - at ? n : size - at;
        r = malloc(n ? n : 1);      /* of its own, so that a byte too many is seen */
        memcpy(r, data + at, n);
        table_answer(&t, r, n);
        free(r);
        at += n;
    }
    if (answers != packets)
        abort();
    table_free(&t);
    return 0;
}
