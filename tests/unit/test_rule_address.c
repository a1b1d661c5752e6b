#include "tests/unit/unit.h"

#include "plugins/ids/rule/address.h"
#include "plugins/ids/rule/arena.h"
#include "plugins/ids/rule/vars.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct arena *arena;
static struct vars vars;
static char why[300];
static uint32_t off;

static void setup(void)
{
    arena = arena_new();
    vars_defaults(&vars);
    vars_set(&vars, "LOOP", "[$LOOP,1.2.3.4]");
    vars_set(&vars, "BROKEN", "[10.0.0.0/8,999]");
}

static void teardown(void)
{
    arena_free(arena);
}

static bool parse(enum expr_kind kind, const char *text, const struct rangeset **set)
{
    struct token t = { text, (uint32_t)strlen(text), 0 };

    return address_parse(arena, &vars, kind, t, set, &off, why, sizeof why);
}

static bool has(const struct rangeset *s, const char *text)
{
    uint8_t a[16] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

    if (inet_pton(AF_INET, text, a + 12) != 1)
        ck_assert_int_eq(inet_pton(AF_INET6, text, a), 1);
    return address_in(s, a);
}

static const struct { const char *expr, *in, *out; } addresses[] = {
    { "any", "1.2.3.4", NULL },
    { "1.2.3.4", "1.2.3.4", "1.2.3.5" },
    { "10.0.0.0/8", "10.255.255.255", "11.0.0.0" },
    { "10.1.2.3/8", "10.0.0.1", "9.255.255.255" },
    { "0.0.0.0/0", "255.1.1.1", "::1" },
    { "10.0.0.0/255.0.0.0", "10.9.9.9", "11.0.0.0" },
    { "1.2.3.4-1.2.3.9", "1.2.3.9", "1.2.3.10" },
    { "!10.0.0.0/8", "11.0.0.1", "10.0.0.1" },
    { "![10.0.0.0/8,192.168.0.0/16]", "11.0.0.1", "192.168.3.3" },
    { "[10.0.0.0/8,!10.1.0.0/16]", "10.2.0.0", "10.1.255.255" },
    { "[10.0.0.0/8,![10.1.0.0/16,10.2.0.0/16]]", "10.3.0.0", "10.2.0.1" },
    { "[ 1.1.1.1 , 2.2.2.2 ]", "2.2.2.2", "1.1.1.2" },
    { "[any,!1.2.3.4]", "1.2.3.5", "1.2.3.4" },
    { "$HOME_NET", "192.168.1.1", "8.8.8.8" },
    { "$EXTERNAL_NET", "8.8.8.8", "172.16.0.9" },
    { "[$HOME_NET,!$HTTP_SERVERS,8.8.8.8]", "8.8.8.8", "10.0.0.1" },
    { "2001:db8::/32", "2001:db8:ffff::1", "2001:db9::" },
    { "!2001:db8::/32", "10.0.0.1", "2001:db8::1" },
    { "255.255.255.255", "255.255.255.255", "255.255.255.254" },
    { "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::" },
};

START_TEST(addresses_are_in_and_out)
{
    const struct rangeset *s;

    ck_assert_msg(parse(EXPR_ADDRESS, addresses[_i].expr, &s), "%s: %s", addresses[_i].expr, why);
    ck_assert_msg(has(s, addresses[_i].in), "%s lacks %s", addresses[_i].expr, addresses[_i].in);
    if (addresses[_i].out)
        ck_assert_msg(!has(s, addresses[_i].out), "%s has %s", addresses[_i].expr, addresses[_i].out);
}
END_TEST

static const struct { enum expr_kind kind; const char *expr; uint32_t off; const char *why; } broken[] = {
    { EXPR_ADDRESS, "10.0.0.0/33", 0, "prefix length" },
    { EXPR_ADDRESS, "10.0.0.256", 0, "no address" },
    { EXPR_ADDRESS, "10.0.0.0/255.0.255.0", 0, "holes" },
    { EXPR_ADDRESS, "[1.1.1.1,2.2.2]", 9, "no address" },
    { EXPR_ADDRESS, "[1.1.1.1,,2.2.2.2]", 9, "empty" },
    { EXPR_ADDRESS, "[]", 0, "empty" },
    { EXPR_ADDRESS, "[1.1.1.1", 0, "not closed" },
    { EXPR_ADDRESS, "!any", 1, "excludes everything" },
    { EXPR_ADDRESS, "[10.0.0.0/8,!10.0.0.0/8]", 13, "excludes everything" },
    { EXPR_ADDRESS, "$NOPE", 0, "not defined" },
    { EXPR_ADDRESS, "[1.1.1.1,$NOPE]", 9, "not defined" },
    { EXPR_ADDRESS, "$LOOP", 0, "16 deep" },
    { EXPR_ADDRESS, "[1.1.1.1,$BROKEN]", 9, "'999'" },
    { EXPR_ADDRESS, "1.2.3.9-1.2.3.4", 0, "ends before" },
    { EXPR_PORT, "65536", 0, "no port" },
    { EXPR_PORT, "http", 0, "no port" },
    { EXPR_PORT, ":", 0, "no port" },
    { EXPR_PORT, "90:80", 0, "ends before" },
    { EXPR_PORT, "-1", 0, "no port" },
};

START_TEST(broken_expressions_say_where_and_why)
{
    const struct rangeset *s;

    ck_assert_msg(!parse(broken[_i].kind, broken[_i].expr, &s), "%s was taken", broken[_i].expr);
    ck_assert_msg(strstr(why, broken[_i].why) != NULL, "%s: %s", broken[_i].expr, why);
    ck_assert_msg(off == broken[_i].off, "%s: offset %u", broken[_i].expr, off);
}
END_TEST

static const struct { const char *expr; int in, out; } ports[] = {
    { "any", 0, -1 }, { "80", 80, 81 }, { "1024:", 65535, 1023 }, { ":1023", 0, 1024 }, { "80:90", 85, 91 },
    { "!80", 79, 80 }, { "[80,443,8000:8080]", 8001, 8081 }, { "[1:100,!50]", 51, 50 }, { "$HTTP_PORTS", 80, 81 },
    { "![80,443]", 444, 443 }, { "$FILE_DATA_PORTS", 143, 142 }, { "0:65535", 65535, -1 },
};

START_TEST(ports_are_in_and_out)
{
    const struct rangeset *s;

    ck_assert_msg(parse(EXPR_PORT, ports[_i].expr, &s), "%s: %s", ports[_i].expr, why);
    ck_assert(port_in(s, (uint16_t)ports[_i].in));
    if (ports[_i].out >= 0)
        ck_assert(!port_in(s, (uint16_t)ports[_i].out));
}
END_TEST

/* Random lists of ports against one truth table. */
START_TEST(port_sets_agree_with_a_table)
{
    srand(20);
    for (int round = 0; round < 300; round++) {
        bool plus[64] = { false }, minus[64] = { false }, any_plus = false;
        char text[400] = "[";
        const struct rangeset *s;
        size_t n = 1;

        for (int k = 0, m = rand() % 6 + 1; k < m; k++) {
            int lo = rand() % 64, hi = lo + rand() % (64 - lo), neg = rand() % 3 == 0;

            n += (size_t)snprintf(text + n, sizeof text - n, "%s%s%d:%d", k ? "," : "", neg ? "!" : "", lo, hi);
            any_plus |= !neg;
            for (int p = lo; p <= hi; p++)
                (neg ? minus : plus)[p] = true;
        }
        snprintf(text + n, sizeof text - n, "]");
        if (!parse(EXPR_PORT, text, &s)) {
            for (int p = 0; p < 64; p++)
                ck_assert_msg(!plus[p] || minus[p], "%s: %s", text, why);
            continue;
        }
        for (int p = 0; p < 64; p++)
            ck_assert_msg(port_in(s, (uint16_t)p) == ((any_plus ? plus[p] : true) && !minus[p]), "%s at %d", text, p);
    }
}
END_TEST

START_TEST(single_ports_are_listed)
{
    const struct rangeset *s;
    uint16_t list[4];

    ck_assert(parse(EXPR_PORT, "[443,80,81]", &s));
    ck_assert_uint_eq(port_list(s, list, 4), 3);
    ck_assert_uint_eq(list[0], 80);
    ck_assert_uint_eq(list[2], 443);
    ck_assert(parse(EXPR_PORT, "1:5", &s));
    ck_assert_uint_eq(port_list(s, list, 4), 0);
    ck_assert_uint_eq(port_list(NULL, list, 4), 0);
}
END_TEST

#define COUNT(a) (int)(sizeof(a) / sizeof((a)[0]))

int main(void)
{
    Suite *suite = suite_create("rule-address");
    TCase *tc = tcase_create("expressions");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, addresses_are_in_and_out, 0, COUNT(addresses));
    tcase_add_loop_test(tc, broken_expressions_say_where_and_why, 0, COUNT(broken));
    tcase_add_loop_test(tc, ports_are_in_and_out, 0, COUNT(ports));
    tcase_add_test(tc, port_sets_agree_with_a_table);
    tcase_add_test(tc, single_ports_are_listed);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
