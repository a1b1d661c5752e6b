/* JSON into a part: what is taken, what is refused and in which words, and that what was written reads back. */
#include "core/record/service.h"
#include "tests/unit/unit.h"
#include "testhost.h"

#include <json-c/json.h>
#include <stdlib.h>

struct port { uint32_t number, proto; struct ec_span name; };
struct inner { uint32_t a, pad; uint64_t b; };
struct thing {
    struct ec_part part;
    uint64_t u64, time, duration, size;
    int64_t i64;
    double f64;
    uint32_t u32, word, name, maybe;
    uint16_t u16;
    uint8_t u8, yes, ip[16], mac[6];
    struct ec_span text, wire, bytes, hex, net;
    struct ec_list texts, numbers, ports, map, maps;
    struct inner inner;
};
static const struct ec_row port_rows[] = {
    { EC_T_U32, 0, 0, 0, offsetof(struct port, number), "number", NULL, NULL, NULL, NULL, "", 1, 65535 },
    { EC_T_ENUM, 0, 0, 0, offsetof(struct port, proto), "proto", NULL, "tcp,udp,sctp", "tcp", NULL, "", 0, 0 },
    { EC_T_TEXT, 0, 0, 0, offsetof(struct port, name), "name", NULL, NULL, "any", NULL, "", 1, 8 },
};
static const struct ec_record port_record = EC_RECORD_ELEMENT(struct port, port_rows);
static const struct ec_row inner_rows[] = {
    EC_FIELD(U32, 0, struct inner, a, "a", NULL, ""),
    EC_FIELD(U64, 0, struct inner, b, "deep.b", NULL, ""),
};
static const struct ec_record inner_record = EC_RECORD_ELEMENT(struct inner, inner_rows);
static const struct ec_row thing_rows[] = {
    EC_FIELD_OPT(U64, 0, 1, struct thing, u64, "u64", NULL, ""),
    EC_FIELD_OPT(TIME, 0, 2, struct thing, time, "when.time", NULL, ""),
    EC_FIELD_OPT(DURATION, 0, 3, struct thing, duration, "when.duration", NULL, ""),
    EC_FIELD_OPT(SIZE, 0, 4, struct thing, size, "size", NULL, ""),
    EC_FIELD_OPT(I64, 0, 5, struct thing, i64, "i64", NULL, ""),
    EC_FIELD_OPT(F64, 0, 6, struct thing, f64, "f64", NULL, ""),
    EC_FIELD(U32, 0, struct thing, u32, "u32", NULL, ""),
    EC_FIELD_ENUM(EC_R_OPT, struct thing, word, "word", "one,two,three", ""),
    { EC_T_NAME, EC_R_OPT, 8, 0, offsetof(struct thing, name), "name", NULL, "things", NULL, NULL, "", 0, 0 },
    EC_FIELD_OPT(U32, 0, 9, struct thing, maybe, "maybe", NULL, ""),
    EC_FIELD_OPT(U16, 0, 10, struct thing, u16, "u16", NULL, ""),
    { EC_T_U8, 0, 0, 0, offsetof(struct thing, u8), "u8", NULL, NULL, "7", NULL, "", 5, 9 },
    { EC_T_BOOL, 0, 0, 0, offsetof(struct thing, yes), "yes", NULL, NULL, "yes", NULL, "", 0, 0 },
    EC_FIELD_OPT(IP, 0, 11, struct thing, ip, "ip", NULL, ""),
    EC_FIELD_OPT(MAC, 0, 12, struct thing, mac, "mac", NULL, ""),
    { EC_T_TEXT, EC_R_OPT, 13, 0, offsetof(struct thing, text), "text", NULL, NULL, NULL, NULL, "", 2, 5 },
    EC_FIELD_OPT(WIRE, 0, 14, struct thing, wire, "wire", NULL, ""),
    EC_FIELD_OPT(BYTES, 0, 15, struct thing, bytes, "bytes", NULL, ""),
    EC_FIELD_OPT(HEX, 0, 16, struct thing, hex, "hex", NULL, ""),
    { EC_T_TEXT, EC_R_OPT, 17, 0, offsetof(struct thing, net), "net", NULL, "cidr", NULL, NULL, "", 0, 0 },
    EC_FIELD(TEXT, EC_R_LIST, struct thing, texts, "texts", NULL, ""),
    { EC_T_U32, EC_R_LIST, 0, 0, offsetof(struct thing, numbers), "numbers", NULL, NULL, "[80, \"443\"]", NULL, "", 0, 0 },
    EC_FIELD_LIST(&port_record, struct thing, ports, "ports", ""),
    EC_FIELD(MAP, 0, struct thing, map, "map", NULL, ""),
    EC_FIELD(MAP, EC_R_LIST, struct thing, maps, "maps", NULL, ""),
    { EC_T_RECORD, EC_R_INLINE | EC_R_OPT, 20, 0, offsetof(struct thing, inner), "inner", &inner_record, NULL, NULL, NULL, "",
      0, 0 },
};
static const struct ec_record thing_record = EC_RECORD_PART(struct thing, thing_rows);

struct login { struct ec_part part; struct ec_span user, password; };
static const struct ec_row login_rows[] = {
    EC_FIELD(TEXT, 0, struct login, user, "user", NULL, ""),
    { EC_T_TEXT, EC_R_SECRET, 0, 0, offsetof(struct login, password), "password", NULL, NULL, NULL, NULL, "", 8, 64 },
};
static const struct ec_record login_record = EC_RECORD_PART(struct login, login_rows);

static const struct ec_plugin nobody = { EC_PLUGIN_HEAD, .id = "t.nobody", .name = "nobody", .version = "1" };
static struct testhost *t;
static struct record_service *service;
static const struct ec_shape *shape, *login;
static union { struct ec_part part; struct thing thing; uint64_t room[8192]; } out;
static char said[65536];
static uint32_t errors;

static void setup(void)
{
    t = testhost_new(&nobody);
    ck_assert_int_eq(testhost_start(t), 0);
    testhost_host(t)->intern(testhost_host(t), "things", "hammer");
    testhost_host(t)->intern(testhost_host(t), "things", "nail");
    service = record_service_new(testhost_host(t));
    shape = record_json.shape(service, &thing_record);
    login = record_json.shape(service, &login_record);
    ck_assert_ptr_nonnull(shape);
    ck_assert_ptr_nonnull(login);
}

static void teardown(void)
{
    record_service_free(service);
    testhost_free(t);
}

/* "at|type|msg|input|ctx\n" for each. */
static void on_error(void *arg, const char *at, const char *type, const char *msg, const char *input, const char *ctx)
{
    size_t n = strlen(said);

    ck_assert_ptr_eq(arg, &errors);
    errors++;
    snprintf(said + n, sizeof said - n, "%s|%s|%s|%s|%s\n", at, type, msg, input ? input : "-", ctx ? ctx : "-");
}

static int32_t read_with(const struct ec_shape *s, const char *json, uint32_t flags)
{
    said[0] = '\0';
    errors = 0;
    memset(&out, 0xee, sizeof out);
    return record_json.read(service, s, json, strlen(json), flags, &out.part, sizeof out, on_error, &errors);
}

static void takes(const char *json, uint32_t flags)
{
    int32_t rc = read_with(shape, json, flags);

    ck_assert_msg(rc == EC_OK && !errors, "%s: %d: %s", json, rc, said);
    ck_assert_uint_eq(out.part.size, sizeof(struct thing));
    ck_assert_uint_eq(out.part.total % 8, 0);
}

static void refuses(const char *json, uint32_t flags, const char *want)
{
    int32_t rc = read_with(shape, json, flags);

    ck_assert_int_eq(rc, EC_EINVAL);
    ck_assert_str_eq(said, want);
}

static const char *span(struct ec_span s)
{
    return testhost_text(&out.part, s);
}

START_TEST(every_type)
{
    struct ec_list l;
    struct port p;
    struct ec_pair pair;
    uint32_t number;

    takes("{\"u64\":18446744073709551615,\"when\":{\"time\":\"2026-11-22T14:30:00.5Z\",\"duration\":\"90s\"},"
          "\"size\":\"4k\",\"i64\":-9223372036854775808,\"f64\":0.25,\"u32\":4294967295,\"word\":\"three\","
          "\"name\":\"nail\",\"maybe\":null,\"u16\":65535,\"u8\":9,\"yes\":false,\"ip\":\"192.0.2.7\","
          "\"mac\":\"02:00:5e:10:00:fF\",\"text\":\"caf\\u00e9s\",\"wire\":\"\",\"bytes\":\"aGVsbG8=\",\"hex\":\"deAD\","
          "\"net\":\"10.0.0.0/8\",\"texts\":[\"a\",\"bc\"],\"numbers\":[1,2e0],"
          "\"ports\":[{\"number\":53,\"proto\":\"udp\",\"name\":\"dns\"},{\"number\":80}],\"map\":{\"k\":\"v\"},"
          "\"maps\":{\"k\":[\"v\",\"w\"],\"l\":[]},\"inner\":{\"a\":1,\"deep\":{\"b\":2}}}  \r\n\t", 0);
    ck_assert_uint_eq(out.thing.u64, UINT64_MAX);
    ck_assert_uint_eq(out.thing.time, UINT64_C(1795357800500000000));
    ck_assert_uint_eq(out.thing.duration, UINT64_C(90000000000));
    ck_assert_uint_eq(out.thing.size, 4096);
    ck_assert_int_eq(out.thing.i64, INT64_MIN);
    ck_assert_double_eq(out.thing.f64, 0.25);
    ck_assert_uint_eq(out.thing.u32, UINT32_MAX);
    ck_assert_uint_eq(out.thing.word, 2);
    ck_assert_uint_eq(out.thing.name, 2);
    ck_assert_uint_eq(out.thing.u16, 65535);
    ck_assert_uint_eq(out.thing.u8, 9);
    ck_assert_uint_eq(out.thing.yes, 0);
    ck_assert_int_eq(memcmp(out.thing.ip, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\7", 16), 0);
    ck_assert_int_eq(memcmp(out.thing.mac, "\2\0\x5e\x10\0\xff", 6), 0);
    ck_assert_str_eq(span(out.thing.text), "caf\xc3\xa9s");
    ck_assert_uint_ne(out.thing.wire.off, 0);
    ck_assert_uint_eq(out.thing.wire.len, 0);
    ck_assert_str_eq(span(out.thing.bytes), "hello");
    ck_assert_uint_eq(out.thing.hex.len, 2);
    ck_assert_int_eq(memcmp(ec_bytes(&out.part, out.thing.hex), "\xde\xad", 2), 0);
    ck_assert_uint_eq(out.part.has, 0x13fd7f);
    l = out.thing.numbers;
    ck_assert_uint_eq(l.n, 2);
    memcpy(&number, (uint8_t *)&out + l.off + l.stride, 4);
    ck_assert_uint_eq(number, 2);
    l = out.thing.ports;
    ck_assert_uint_eq(l.n, 2);
    memcpy(&p, (uint8_t *)&out + l.off + l.stride, sizeof p);
    ck_assert_uint_eq(p.number, 80);
    ck_assert_uint_eq(p.proto, 0);
    ck_assert_str_eq(span(p.name), "any");
    ck_assert_uint_eq(out.thing.maps.n, 2);
    memcpy(&pair, (uint8_t *)&out + out.thing.maps.off + sizeof pair, sizeof pair);
    ck_assert_str_eq(span(pair.key), "k");
    ck_assert_str_eq(span(pair.value), "w");
    ck_assert_uint_eq(out.thing.inner.b, 2);
}
END_TEST

START_TEST(defaults_and_absence)
{
    uint32_t number;

    takes("{\"u32\":1}", 0);
    ck_assert_uint_eq(out.part.has, 0);
    ck_assert_uint_eq(out.thing.u8, 7);
    ck_assert_uint_eq(out.thing.yes, 1);
    ck_assert_uint_eq(out.thing.numbers.n, 2);
    memcpy(&number, (uint8_t *)&out + out.thing.numbers.off + 4, 4);
    ck_assert_uint_eq(number, 443);
    ck_assert_uint_eq(out.thing.text.off, 0);
    ck_assert_uint_eq(out.thing.texts.n, 0);
    takes("{\"maybe\":5}", EC_JSON_PARTIAL);
    ck_assert_uint_eq(out.part.has, 1u << 9);
    ck_assert_uint_eq(out.thing.u8, 0);
    ck_assert_uint_eq(out.thing.numbers.n, 0);
    refuses("{}", 0, "u32|missing|Field required|{}|-\n");
    refuses("{\"u32\":1,\"inner\":{\"a\":1}}", 0, "inner.deep|missing|Field required|{\"a\":1}|-\n");
    refuses("{\"u32\":1,\"ports\":[{\"proto\":\"udp\"}]}", 0,
            "ports.0.number|missing|Field required|{\"proto\":\"udp\"}|-\n");
}
END_TEST

START_TEST(pydantics_words)
{
    static const struct { const char *json, *says; } all[] = {
        { "{\"u32\":\"12\"}", "u32|int_type|Input should be a valid integer|\"12\"|-\n" },
        { "{\"u32\":true}", "u32|int_type|Input should be a valid integer|true|-\n" },
        { "{\"u32\":null}", "u32|int_type|Input should be a valid integer|-|-\n" },
        { "{\"u32\":1.5}",
          "u32|int_from_float|Input should be a valid integer, got a number with a fractional part|1.5|-\n" },
        { "{\"u32\":1e999}", "u32|finite_number|Input should be a finite number|1e999|-\n" },
        { "{\"u32\":-1}",
          "u32|greater_than_equal|Input should be greater than or equal to 0|-1|{\"ge\":0}\n" },
        { "{\"u32\":4294967296}",
          "u32|less_than_equal|Input should be less than or equal to 4294967295|4294967296|{\"le\":4294967295}\n" },
        { "{\"u32\":1e20}",
          "u32|less_than_equal|Input should be less than or equal to 4294967295|1e20|{\"le\":4294967295}\n" },
        { "{\"u32\":1,\"u64\":18446744073709551616}",
          "u64|less_than_equal|Input should be less than or equal to 18446744073709551615|18446744073709551615|"
          "{\"le\":18446744073709551615}\n" },
        { "{\"u32\":1,\"i64\":-9223372036854775809}",
          "i64|greater_than_equal|Input should be greater than or equal to -9223372036854775808|-9223372036854775808|"
          "{\"ge\":-9223372036854775808}\n" },
        { "{\"u32\":1,\"u8\":4}", "u8|greater_than_equal|Input should be greater than or equal to 5|4|{\"ge\":5}\n" },
        { "{\"u32\":1,\"u8\":10}", "u8|less_than_equal|Input should be less than or equal to 9|10|{\"le\":9}\n" },
        { "{\"u32\":1,\"f64\":\"1\"}", "f64|float_type|Input should be a valid number|\"1\"|-\n" },
        { "{\"u32\":1,\"f64\":1e999}", "f64|finite_number|Input should be a finite number|1e999|-\n" },
        { "{\"u32\":1,\"yes\":1}", "yes|bool_type|Input should be a valid boolean|1|-\n" },
        { "{\"u32\":1,\"text\":5}", "text|string_type|Input should be a valid string|5|-\n" },
        { "{\"u32\":1,\"text\":\"a\"}",
          "text|string_too_short|String should have at least 2 characters|\"a\"|{\"min_length\":2}\n" },
        { "{\"u32\":1,\"text\":\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\"}", NULL },
        { "{\"u32\":1,\"text\":\"abcdef\"}",
          "text|string_too_long|String should have at most 5 characters|\"abcdef\"|{\"max_length\":5}\n" },
        { "{\"u32\":1,\"ports\":[{\"number\":1,\"name\":\"\"}]}",
          "ports.0.name|string_too_short|String should have at least 1 character|\"\"|{\"min_length\":1}\n" },
        { "{\"u32\":1,\"word\":\"four\"}",
          "word|enum|Input should be 'one', 'two' or 'three'|\"four\"|{\"expected\":\"'one', 'two' or 'three'\"}\n" },
        { "{\"u32\":1,\"word\":1}",
          "word|enum|Input should be 'one', 'two' or 'three'|1|{\"expected\":\"'one', 'two' or 'three'\"}\n" },
        { "{\"u32\":1,\"name\":\"saw\"}",
          "name|value_error|Value error, this name is not known|\"saw\"|{\"error\":\"this name is not known\"}\n" },
        { "{\"u32\":1,\"ip\":\"10.0.0.256\"}",
          "ip|ip_any_address|value is not a valid IPv4 or IPv6 address|\"10.0.0.256\"|-\n" },
        { "{\"u32\":1,\"mac\":\"02:00:5e\"}", "mac|mac_address_format|Unrecognized format|\"02:00:5e\"|-\n" },
        { "{\"u32\":1,\"when\":{\"time\":\"soon\"}}",
          "when.time|datetime_from_date_parsing|Input should be a valid datetime or date, input is too short|\"soon\"|"
          "{\"error\":\"input is too short\"}\n" },
        { "{\"u32\":1,\"when\":{\"time\":[]}}", "when.time|datetime_type|Input should be a valid datetime|[]|-\n" },
        { "{\"u32\":1,\"when\":{\"duration\":\"long\"}}",
          "when.duration|time_delta_parsing|Input should be a valid timedelta, a number and ns, us, ms, s, m, h, d or w, "
          "such as 90s or 1.5h|\"long\"|{\"error\":\"a number and ns, us, ms, s, m, h, d or w, such as 90s or 1.5h\"}\n" },
        { "{\"u32\":1,\"size\":\"big\"}",
          "size|byte_size|could not parse value and unit from byte string|\"big\"|-\n" },
        { "{\"u32\":1,\"bytes\":\"a\"}",
          "bytes|bytes_invalid_encoding|Data should be valid base64|\"a\"|{\"encoding\":\"base64\"}\n" },
        { "{\"u32\":1,\"hex\":\"0g\"}",
          "hex|bytes_invalid_encoding|Data should be valid hex|\"0g\"|{\"encoding\":\"hex\"}\n" },
        { "{\"u32\":1,\"texts\":\"a\"}", "texts|list_type|Input should be a valid list|\"a\"|-\n" },
        { "{\"u32\":1,\"texts\":[\"a\",2]}", "texts.1|string_type|Input should be a valid string|2|-\n" },
        { "{\"u32\":1,\"map\":[]}", "map|dict_type|Input should be a valid dictionary|[]|-\n" },
        { "{\"u32\":1,\"map\":{\"k\":1}}", "map.k|string_type|Input should be a valid string|1|-\n" },
        { "{\"u32\":1,\"maps\":{\"k\":\"v\"}}", "maps.k|list_type|Input should be a valid list|\"v\"|-\n" },
        { "{\"u32\":1,\"maps\":{\"k\":[1]}}", "maps.k.0|string_type|Input should be a valid string|1|-\n" },
        { "{\"u32\":1,\"ports\":[7]}",
          "ports.0|model_attributes_type|Input should be a valid dictionary or object to extract fields from|7|-\n" },
        { "[]", "|model_attributes_type|Input should be a valid dictionary or object to extract fields from|[]|-\n" },
        { "null", "|model_attributes_type|Input should be a valid dictionary or object to extract fields from|-|-\n" },
        { "12", "|model_attributes_type|Input should be a valid dictionary or object to extract fields from|12|-\n" },
        { "{\"u32\":1,\"u33\":{\"a\":1}}", "u33|extra_forbidden|Extra inputs are not permitted|{\"a\":1}|-\n" },
        { "{\"u32\":1,\"when\":{\"never\":1}}", "when.never|extra_forbidden|Extra inputs are not permitted|1|-\n" },
        { "{\"when\":[],\"x\":1}",
          "when|model_attributes_type|Input should be a valid dictionary or object to extract fields from|[]|-\n"
          "u32|missing|Field required|{\"when\":[],\"x\":1}|-\n"
          "x|extra_forbidden|Extra inputs are not permitted|1|-\n" },
    };

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (all[i].says)
            refuses(all[i].json, 0, all[i].says);
        else
            takes(all[i].json, 0);
    ck_assert_int_eq(read_with(shape, "{\"u32\":1,\"net\":\"10.0.0.0/33\"}", 0), EC_EINVAL);
    ck_assert_ptr_nonnull(strstr(said, "net|value_error|Value error, '10.0.0.0/33' is not an address or a network"));
}
END_TEST

START_TEST(what_is_no_json)
{
    static const char *const bad[] = {
        "", " ", "{", "{\"u32\":1", "{\"u32\":1,}", "{\"u32\":01}", "{'u32':1}", "{\"u32\":1}x", "{\"u32\":1}{}", "nul",
        "{\"u32\":\"\xff\"}", "{\"u32\":1 /* */}", "{\"u\\u000032\":1}", "{\"text\":\"a\\u0000b\",\"u32\":1}",
        "{\"text\":\"a\nb\",\"u32\":1}", "\xef\xbb\xbf{\"u32\":1}", "{\"u32\":0x10}", "{\"u32\":.5}", "\"",
        "{\"f64\":NaN,\"u32\":1}", "{\"f64\":nan,\"u32\":1}", "{\"f64\":-Infinity,\"u32\":1}", "{\"u32\":1,}", "{\"yes\":True}",
        "{u32:1}", "{\"u32\":-}", "{\"u32\":1e}", "{\"u32\":1e+}", "{\"u32\":-01}", "{\"u32\":1.e1}", "{\"u32\":1 2}",
        "{\"u32\" 1}", "{\"u32\":}", "{,}", "{\"u32\":1,,\"u8\":7}", "{\"u32\":TRUE}", "{\"u32\":-.5}", "{\"u32\":--1}", "{\"u32\":1-1}",
        "{\"u32\":+1}", "{\"u32\":1.}", "[1,]", "{\"text\":\"\\x41\"}",
    };
    char deep[256] = "";

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(read_with(shape, bad[i], 0) == EC_EINVAL, "%s", bad[i]);
        ck_assert_uint_eq(errors, 1);
        ck_assert_msg(strstr(said, "|json_invalid|JSON decode error|{}|{\"error\":\"") != NULL, "%s: %s", bad[i], said);
    }
    refuses("{\"u32\":1}x", 0, "9|json_invalid|JSON decode error|{}|{\"error\":\"unexpected character\"}\n");
    takes("{\"u32\":1,\"f64\":-1.5e-05,\"i64\":-0,\"text\":\"\\\\u00\"}", 0);
    takes("{\"u32\":1,\"wire\":\"\\\\u0000\"}", 0);     /* a backslash and five characters, not a NUL */
    strcpy(deep, "{\"x\":");
    for (int i = 0; i < 31; i++)
        strcat(deep, "[");
    strcat(deep, "0");
    for (int i = 0; i < 31; i++)
        strcat(deep, "]");
    strcat(deep, "}");
    ck_assert_int_eq(read_with(shape, deep, EC_JSON_PARTIAL), EC_EINVAL);
    ck_assert_ptr_nonnull(strstr(said, "x|extra_forbidden"));
    memmove(deep + 6, deep + 5, strlen(deep + 5) + 1);
    deep[5] = '[';
    strcpy(strrchr(deep, '}'), "]}");
    ck_assert_int_eq(read_with(shape, deep, EC_JSON_PARTIAL), EC_EINVAL);
    ck_assert_ptr_nonnull(strstr(said, "|json_invalid|"));
}
END_TEST

START_TEST(a_query_string_is_coerced)
{
    takes("{\"u32\":\"12\",\"f64\":\"1.5\",\"yes\":\"OFF\",\"numbers\":\"8\",\"texts\":\"one\",\"i64\":\"-3\","
          "\"when\":{\"duration\":\"90\"}}", EC_JSON_COERCE);
    ck_assert_uint_eq(out.thing.u32, 12);
    ck_assert_double_eq(out.thing.f64, 1.5);
    ck_assert_uint_eq(out.thing.yes, 0);
    ck_assert_int_eq(out.thing.i64, -3);
    ck_assert_uint_eq(out.thing.numbers.n, 1);
    ck_assert_uint_eq(out.thing.texts.n, 1);
    ck_assert_uint_eq(out.thing.duration, UINT64_C(90000000000));
    refuses("{\"u32\":\"x\"}", EC_JSON_COERCE,
            "u32|int_parsing|Input should be a valid integer, unable to parse string as an integer|\"x\"|-\n");
    refuses("{\"u32\":\"\"}", EC_JSON_COERCE,
            "u32|int_parsing|Input should be a valid integer, unable to parse string as an integer|\"\"|-\n");
    refuses("{\"u32\":\"99999999999999999999999999999999999999999999\"}", EC_JSON_COERCE,
            "u32|less_than_equal|Input should be less than or equal to 4294967295|"
            "\"99999999999999999999999999999999999999999999\"|{\"le\":4294967295}\n");
    refuses("{\"u32\":\"1\",\"f64\":\"x\"}", EC_JSON_COERCE,
            "f64|float_parsing|Input should be a valid number, unable to parse string as a number|\"x\"|-\n");
    refuses("{\"u32\":\"1\",\"yes\":\"perhaps\"}", EC_JSON_COERCE,
            "yes|bool_parsing|Input should be a valid boolean, unable to interpret input|\"perhaps\"|-\n");
}
END_TEST

START_TEST(lax_as_pydantic_is)
{
    takes("{\"u32\":\"12\",\"f64\":\"1.5\",\"yes\":\"on\"}", EC_JSON_LAX);
    takes("{\"u32\":true,\"yes\":1}", EC_JSON_LAX);
    refuses("{\"u32\":1,\"yes\":2}", EC_JSON_LAX,
            "yes|bool_parsing|Input should be a valid boolean, unable to interpret input|2|-\n");
    refuses("{\"u32\":1,\"yes\":[]}", EC_JSON_LAX, "yes|bool_type|Input should be a valid boolean|[]|-\n");
    refuses("{\"u32\":1,\"texts\":\"a\"}", EC_JSON_LAX, "texts|list_type|Input should be a valid list|\"a\"|-\n");
    refuses("{\"u32\":1,\"text\":5}", EC_JSON_LAX, "text|string_type|Input should be a valid string|5|-\n");
}
END_TEST

START_TEST(secrets_are_never_quoted)
{
    char json[256];
    int64_t n;

    ck_assert_int_eq(read_with(login, "{\"user\":\"bob\",\"password\":\"short\"}", 0), EC_EINVAL);
    ck_assert_str_eq(said, "password|string_too_short|String should have at least 8 characters|-|{\"min_length\":8}\n");
    ck_assert_int_eq(read_with(login, "{\"pasword\":\"correct horse\"}", 0), EC_EINVAL);
    ck_assert_ptr_null(strstr(said, "correct"));
    ck_assert_uint_eq(errors, 3);
    ck_assert_int_eq(read_with(login, "{\"user\":\"bob\",\"password\":\"correct horse\"}", 0), EC_OK);
    n = record_json.part(service, login, &out.part, 0, json, sizeof json);
    ck_assert_int_gt(n, 0);
    json[n] = '\0';
    ck_assert_str_eq(json, "{\"user\":\"bob\",\"password\":\"***\"}");
    n = record_json.part(service, login, &out.part, EC_JSON_SECRETS, json, sizeof json);
    ck_assert_int_eq(n, (int64_t)strlen("{\"user\":\"bob\",\"password\":\"correct horse\"}"));
    json[n] = '\0';
    ck_assert_str_eq(json, "{\"user\":\"bob\",\"password\":\"correct horse\"}");
    ck_assert_int_eq(record_json.part(service, login, &out.part, 0, json, 7), 31);
    ck_assert_int_eq(memcmp(json, "{\"user\"orrect", 7), 0);
}
END_TEST

START_TEST(empty_lists_are_written_where_asked)
{
    char json[512];
    int64_t n;

    ck_assert_int_eq(read_with(shape, "{\"u32\":1,\"numbers\":[]}", EC_JSON_PARTIAL), EC_OK);
    n = record_json.part(service, shape, &out.part, 0, json, sizeof json);
    ck_assert_int_gt(n, 0);
    json[n] = '\0';
    ck_assert_ptr_null(strchr(json, '['));
    n = record_json.part(service, shape, &out.part, EC_JSON_LISTS, json, sizeof json);
    ck_assert_int_gt(n, 0);
    json[n] = '\0';
    ck_assert(strstr(json, "\"texts\":[],\"numbers\":[],\"ports\":[],\"map\":{},\"maps\":{}"));
}
END_TEST

START_TEST(too_little_room_and_too_many_errors)
{
    static const char json[] = "{\"u32\":1,\"texts\":[\"aaaaaaaaaaaaaaaaaaaaaaaa\",\"b\"],\"map\":{\"k\":\"v\"},"
                               "\"maps\":{\"k\":[\"v\"]},\"bytes\":\"aGVsbG8=\",\"ports\":[{\"number\":1}]}";
    static char many[8192] = "{\"u32\":1";
    uint32_t total;
    uint8_t *room;

    takes(json, 0);
    total = out.part.total;
    for (uint32_t cap = 0; cap <= total; cap++) {
        room = malloc(cap + 1);     /* exact, so that ASan sees a byte too many */
        ck_assert_int_eq(record_json.read(service, shape, json, strlen(json), 0, (void *)room, cap, on_error, &errors),
                         cap < total ? EC_ELIMIT : EC_OK);
        free(room);
    }
    for (int i = 0; i < 500; i++)
        sprintf(many + strlen(many), ",\"x%d\":0", i);
    strcat(many, "}");
    ck_assert_int_eq(read_with(shape, many, 0), EC_EINVAL);
    ck_assert_uint_eq(errors, 100);
}
END_TEST

/* Random documents that the rows allow. */
static uint32_t seed;

static uint32_t dice(uint32_t n)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % n;
}

static struct json_object *random_text(uint32_t least, uint32_t most)
{
    static const char *const letters[] = { "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x90\xa7", "\"", "\\", "/", "\x01", "\n",
                                           "\x7f", "<", "z" };
    char text[256] = "";

    for (uint32_t n = least + dice(most - least + 1); n; n--)
        strcat(text, letters[dice(12)]);
    return json_object_new_string(text);
}

#define MAYBE(key, value) do { if (dice(2)) json_object_object_add(o, key, (value)); } while (0)

static struct json_object *random_port(void)
{
    static const char *const protos[] = { "tcp", "udp", "sctp" };
    struct json_object *o = json_object_new_object();

    json_object_object_add(o, "number", json_object_new_int64(1 + dice(65535)));
    MAYBE("proto", json_object_new_string(protos[dice(3)]));
    MAYBE("name", random_text(1, 8));
    return o;
}

static struct json_object *random_list(struct json_object *(*element)(void))
{
    struct json_object *list = json_object_new_array();

    for (uint32_t n = dice(5); n; n--)
        json_object_array_add(list, element());
    return list;
}

static struct json_object *any_text(void) { return random_text(0, 20); }
static struct json_object *any_number(void) { return json_object_new_int64(dice(1u << 24)); }

static struct json_object *random_map(struct json_object *(*value)(void))
{
    struct json_object *o = json_object_new_object(), *key, *v;

    for (uint32_t n = dice(5); n; n--) {
        key = random_text(0, 4);
        v = value();
        json_object_object_add(o, json_object_get_string(key), v);
        json_object_put(key);
    }
    return o;
}

static struct json_object *any_list(void)
{
    struct json_object *list = random_list(any_text);

    json_object_array_add(list, any_text());
    return list;
}

static struct json_object *random_thing(void)
{
    static const char *const words[] = { "one", "two", "three" };
    struct json_object *o = json_object_new_object(), *when = json_object_new_object(), *inner = json_object_new_object(),
                       *deep = json_object_new_object();
    uint8_t ip[16];
    char text[64];

    json_object_object_add(o, "u32", json_object_new_int64((int64_t)dice(1u << 24) << 8));
    MAYBE("u64", json_object_new_uint64(UINT64_MAX - dice(5)));
    if (dice(2)) {
        snprintf(text, sizeof text, "20%02u-1%u-2%uT0%u:5%u:%02u.%06uZ", dice(100), dice(3), dice(9), dice(10), dice(10),
                 dice(60), dice(1000000));
        json_object_object_add(when, "time", json_object_new_string(text));
    }
    json_object_object_add(when, "duration", json_object_new_int64((int64_t)dice(1u << 24) * 1000));
    json_object_object_add(o, "when", when);
    MAYBE("size", json_object_new_int64(dice(1u << 24)));
    MAYBE("i64", json_object_new_int64((int64_t)dice(1u << 24) - (1 << 23)));
    MAYBE("f64", json_object_new_double((double)dice(1u << 24) / 3.0 - 1e6));
    MAYBE("name", json_object_new_string(dice(2) ? "hammer" : "nail"));
    MAYBE("word", json_object_new_string(words[dice(3)]));
    MAYBE("u8", json_object_new_int64(5 + dice(5)));
    MAYBE("yes", json_object_new_boolean(dice(2)));
    for (int i = 0; i < 16; i++)
        ip[i] = dice(3) ? 0 : (uint8_t)dice(256);
    snprintf(text, sizeof text, "%x:%x::%x:%x", ip[0], ip[1], ip[2], ip[3]);
    MAYBE("ip", json_object_new_string(dice(2) ? text : "203.0.113.9"));
    MAYBE("mac", json_object_new_string("02:00:5e:10:a0:01"));
    MAYBE("text", random_text(2, 5));
    MAYBE("wire", any_text());
    MAYBE("bytes", json_object_new_string(dice(2) ? "aGVsbG8=" : ""));
    MAYBE("hex", json_object_new_string(dice(2) ? "deadbeef" : ""));
    MAYBE("texts", random_list(any_text));
    json_object_object_add(o, "numbers", random_list(any_number));
    MAYBE("ports", random_list(random_port));
    MAYBE("map", random_map(any_text));
    MAYBE("maps", random_map(any_list));
    json_object_object_add(deep, "b", any_number());
    json_object_object_add(inner, "a", any_number());
    json_object_object_add(inner, "deep", deep);
    MAYBE("inner", json_object_get(inner));
    json_object_put(inner);
    return o;
}

/* part(read(part(read(document)))) = part(read(document)), and each value of the document is in it. */
START_TEST(what_is_written_reads_back)
{
    static char first[65536], second[65536];
    static uint8_t part[65536];
    struct json_object *o;
    int64_t n, m;

    for (seed = 1; seed < 400000000u && !dice(1); seed += 200003) {
        uint32_t start = seed, total;

        o = random_thing();
        takes(json_object_to_json_string(o), 0);
        n = record_json.part(service, shape, &out.part, 0, first, sizeof first - 1);
        ck_assert_int_gt(n, 0);
        first[n] = '\0';
        total = out.part.total;
        memcpy(part, &out, total);
        takes(first, 0);
        m = record_json.part(service, shape, &out.part, 0, second, sizeof second - 1);
        ck_assert_int_eq(n, m);
        second[m] = '\0';
        ck_assert_str_eq(first, second);
        if (json_object_object_get_ex(o, "numbers", NULL) && out.thing.numbers.n) {
            ck_assert_uint_eq(out.part.total, total);
            ck_assert_int_eq(memcmp(part, &out, total), 0);
        }
        json_object_put(o);
        seed = start;
    }
}
END_TEST

/* Shapes: one for each table, none for a table that cannot be. */
START_TEST(shapes)
{
    static const struct ec_row rows[] = { EC_FIELD(U32, 0, struct thing, u32, "a..b", NULL, "") };
    static const struct ec_record broken = EC_RECORD_PART(struct thing, rows);
    static const struct ec_row deep_rows[] = {
        EC_FIELD(U32, 0, struct thing, u32, "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p", NULL, "") };
    static const struct ec_record deep = EC_RECORD_PART(struct thing, deep_rows);
    static const struct ec_record no_part = EC_RECORD_ELEMENT(struct port, port_rows);

    ck_assert_ptr_eq(record_json.shape(service, &thing_record), shape);
    ck_assert_ptr_ne(login, shape);
    ck_assert_ptr_null(record_json.shape(service, &broken));
    ck_assert_ptr_nonnull(record_json.shape(service, &deep));
    ck_assert_ptr_null(record_json.shape(service, &no_part));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("read");
    TCase *tc = tcase_create("json");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, every_type);
    tcase_add_test(tc, defaults_and_absence);
    tcase_add_test(tc, pydantics_words);
    tcase_add_test(tc, what_is_no_json);
    tcase_add_test(tc, a_query_string_is_coerced);
    tcase_add_test(tc, lax_as_pydantic_is);
    tcase_add_test(tc, secrets_are_never_quoted);
    tcase_add_test(tc, empty_lists_are_written_where_asked);
    tcase_add_test(tc, too_little_room_and_too_many_errors);
    tcase_add_test(tc, what_is_written_reads_back);
    tcase_add_test(tc, shapes);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
