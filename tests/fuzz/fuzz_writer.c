/* Any bytes as a sealed block: what the writer makes of it is one object of strict JSON on one line, or
 * nothing. The head is kept sane in what the bus itself writes (the block's size); all else is the input's. */
/* covers: core/record/writer.c core/record/program*.c */
#include "core/record/shape.h"
#include "core/record/writer.h"
#include "testhost.h"

#include <json-c/json.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct element { struct ec_span text; uint32_t number, word; };
static const struct ec_row element_rows[] = {
    EC_FIELD(WIRE, 0, struct element, text, "text", NULL, ""),
    EC_FIELD(U32, 0, struct element, number, "number", NULL, ""),
    EC_FIELD_ENUM(0, struct element, word, "word", "zero,one", ""),
};
static const struct ec_record element_record = EC_RECORD_ELEMENT(struct element, element_rows);
struct thing {
    struct ec_part part;
    struct ec_span text, bytes, hex;
    struct ec_list texts, numbers, elements, map, maps;
    uint64_t time;
    double f64;
    uint32_t name, maybe;
    uint8_t ip[16];
};
static const struct ec_row thing_rows[] = {
    EC_FIELD(TEXT, 0, struct thing, text, "a.text", NULL, ""),
    EC_FIELD(BYTES, 0, struct thing, bytes, "a.bytes", NULL, ""),
    EC_FIELD(HEX, 0, struct thing, hex, "b.c.hex", NULL, ""),
    EC_FIELD(WIRE, EC_R_LIST, struct thing, texts, "texts", NULL, ""),
    EC_FIELD(F64, EC_R_LIST, struct thing, numbers, "numbers", NULL, ""),
    EC_FIELD_LIST(&element_record, struct thing, elements, "elements", ""),
    EC_FIELD(MAP, 0, struct thing, map, "map", NULL, ""),
    EC_FIELD(MAP, EC_R_LIST, struct thing, maps, "maps", NULL, ""),
    EC_FIELD(TIME, 0, struct thing, time, "time", NULL, ""),
    EC_FIELD(F64, 0, struct thing, f64, "f64", NULL, ""),
    EC_FIELD_NAME(0, struct thing, name, "name", "things", ""),
    EC_FIELD_OPT(U32, 0, 1, struct thing, maybe, "maybe", NULL, ""),
    EC_FIELD(IP, 0, struct thing, ip, "ip", NULL, ""),
};
static const struct ec_record thing_record = EC_RECORD_PART(struct thing, thing_rows);
static const struct ec_topic topics[] = {
    { (uint32_t)sizeof(struct ec_topic), EC_TOPIC_EVENT, "t.thing/1", "thing", &thing_record, NULL, "" },
    { (uint32_t)sizeof(struct ec_topic), EC_TOPIC_NESTED, "t.why/1", "ecyber.why", &thing_record, NULL, "" },
};
static const struct ec_plugin nobody = { EC_PLUGIN_HEAD, .id = "t.nobody", .name = "nobody", .version = "1" };

static struct testhost *t;
static struct shapes *shapes;
static struct writer *w;

static void finish(void)
{
    writer_free(w);
    shapes_free(shapes);
    testhost_free(t);
}

static void prepare(void)
{
    const char *topic;

    t = testhost_new(&nobody);
    testhost_topic(t, &topics[0]);
    testhost_topic(t, &topics[1]);
    if (testhost_start(t) || !(shapes = shapes_new(testhost_host(t))) ||
        !(w = writer_new(testhost_host(t), shapes, &topic)))
        abort();
    atexit(finish);
}

/* One object, and nothing behind it. */
static void check_object(const struct json *j)
{
    struct json_tokener *tok = json_tokener_new_ex(64);
    struct json_object *o;
    size_t n = json_length(j);

    json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    if (!n || memchr(j->base, '\n', n))
        abort();
    o = json_tokener_parse_ex(tok, j->base, (int)n);
    if (json_tokener_get_error(tok) == json_tokener_continue || !o || !json_object_is_type(o, json_type_object))
        abort();
    json_object_put(o);
    json_tokener_free(tok);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json j = { 0 };
    struct ec_event *ev;

    if (!w)
        prepare();
    if (size < sizeof *ev || size > 65536)
        return 0;
    ev = malloc(size);              /* exact, so that ASan sees a read past its end */
    if (!ev)
        abort();
    memcpy(ev, data, size);
    ev->size = sizeof *ev;
    ev->total = (uint32_t)size;
    if (writer_event(w, &j, ev) != WRITER_FAILED)
        check_object(&j);
    else if (json_length(&j))
        abort();
    json_free(&j);
    free(ev);
    return 0;
}
