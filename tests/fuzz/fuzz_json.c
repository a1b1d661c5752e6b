/* Any bytes as a request body: read() takes them or says why, stays within the part, and what it took is written as JSON
 * that reads back as the same. The first byte chooses the flags, the second how much room there is. */
/* covers: core/record/read*.c core/record/json.c */
#include "core/record/service.h"
#include "testhost.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct element { struct ec_span text; uint32_t number, word; };
static const struct ec_row element_rows[] = {
    EC_FIELD(WIRE, 0, struct element, text, "text", NULL, ""),
    { EC_T_U32, 0, 0, 0, offsetof(struct element, number), "number", NULL, NULL, "3", NULL, "", 1, 9 },
    EC_FIELD_ENUM(0, struct element, word, "word", "zero,one", ""),
};
static const struct ec_record element_record = EC_RECORD_ELEMENT(struct element, element_rows);
struct thing {
    struct ec_part part;
    struct ec_span text, bytes, hex, net;
    struct ec_list texts, numbers, elements, map, maps;
    uint64_t time, duration, size;
    int64_t i64;
    double f64;
    uint32_t name, u32;
    uint8_t ip[16], mac[6], yes, u8;
};
static const struct ec_row thing_rows[] = {
    { EC_T_TEXT, EC_R_OPT, 0, 0, offsetof(struct thing, text), "a.text", NULL, NULL, NULL, NULL, "", 1, 20 },
    EC_FIELD_OPT(BYTES, 0, 1, struct thing, bytes, "a.bytes", NULL, ""),
    EC_FIELD_OPT(HEX, 0, 2, struct thing, hex, "b.c.hex", NULL, ""),
    { EC_T_TEXT, EC_R_OPT, 3, 0, offsetof(struct thing, net), "net", NULL, "cidr", NULL, NULL, "", 0, 0 },
    EC_FIELD(WIRE, EC_R_LIST, struct thing, texts, "texts", NULL, ""),
    EC_FIELD(F64, EC_R_LIST, struct thing, numbers, "numbers", NULL, ""),
    EC_FIELD_LIST(&element_record, struct thing, elements, "elements", ""),
    EC_FIELD(MAP, 0, struct thing, map, "map", NULL, ""),
    EC_FIELD(MAP, EC_R_LIST, struct thing, maps, "maps", NULL, ""),
    EC_FIELD_OPT(TIME, 0, 4, struct thing, time, "time", NULL, ""),
    EC_FIELD_OPT(DURATION, 0, 5, struct thing, duration, "duration", NULL, ""),
    EC_FIELD_OPT(SIZE, 0, 6, struct thing, size, "size", NULL, ""),
    EC_FIELD_OPT(I64, 0, 7, struct thing, i64, "i64", NULL, ""),
    EC_FIELD_OPT(F64, 0, 8, struct thing, f64, "f64", NULL, ""),
    { EC_T_NAME, EC_R_OPT, 9, 0, offsetof(struct thing, name), "name", NULL, "things", NULL, NULL, "", 0, 0 },
    EC_FIELD(U32, 0, struct thing, u32, "u32", NULL, ""),
    EC_FIELD_OPT(IP, 0, 10, struct thing, ip, "ip", NULL, ""),
    EC_FIELD_OPT(MAC, 0, 11, struct thing, mac, "mac", NULL, ""),
    EC_FIELD_OPT(BOOL, 0, 12, struct thing, yes, "yes", NULL, ""),
    { EC_T_U8, 0, 0, 0, offsetof(struct thing, u8), "u8", NULL, NULL, "7", NULL, "", 0, 0 },
};
static const struct ec_record thing_record = EC_RECORD_PART(struct thing, thing_rows);
static const struct ec_plugin nobody = { EC_PLUGIN_HEAD, .id = "t.nobody", .name = "nobody", .version = "1" };

static struct record_service *service;
static const struct ec_shape *shape;
static uint32_t errors;

static void prepare(void)
{
    struct testhost *t = testhost_new(&nobody);

    testhost_host(t)->intern(testhost_host(t), "things", "hammer");
    if (!(service = record_service_new(testhost_host(t))) || !(shape = record_json.shape(service, &thing_record)))
        abort();
}

static void on_error(void *arg, const char *at, const char *type, const char *msg, const char *input, const char *ctx)
{
    (void)arg;
    if (!at || !*type || !*msg || (input && !*input) || (ctx && *ctx != '{'))
        abort();
    errors++;
}

static int32_t take(const char *json, size_t n, uint32_t flags, void *to, uint32_t cap)
{
    int32_t rc;

    errors = 0;
    rc = record_json.read(service, shape, json, n, flags, to, cap, on_error, NULL);
    if ((rc == EC_EINVAL) != (errors > 0) || errors > 100 || (rc && rc != EC_EINVAL && rc != EC_ELIMIT))
        abort();
    return rc;
}

static char *written(const void *part, int64_t *n)
{
    char *text;

    *n = record_json.part(service, shape, part, 0, NULL, 0);
    if (*n < 2 || !(text = malloc((size_t)*n)))
        abort();
    if (record_json.part(service, shape, part, 0, text, (uint64_t)*n) != *n || text[0] != '{' || text[*n - 1] != '}')
        abort();
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t flags, cap, more = 262144;
    void *part, *again;
    char *first, *second;
    int64_t n, m;

    if (!service)
        prepare();
    if (size < 2 || size > 65536)
        return 0;
    flags = data[0] & (EC_JSON_COERCE | EC_JSON_PARTIAL);
    cap = data[1] ? data[1] * 1024u : (uint32_t)size;
    if (!(part = malloc(cap + 1)) || !(again = malloc(more)))   /* exact, so that ASan sees a write past its end */
        abort();
    if (!take((const char *)data + 2, size - 2, flags, part, cap)) {
        first = written(part, &n);
        if (take(first, (size_t)n, EC_JSON_PARTIAL, again, more))
            abort();
        second = written(again, &m);
        if (n != m || memcmp(first, second, (size_t)n) != 0)
            abort();
        free(first);
        free(second);
    }
    free(part);
    free(again);
    return 0;
}
