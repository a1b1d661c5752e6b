#include "tests/unit/unit.h"

#include "cli/scrub.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

/* What is planted in each, and has to be gone. */
#define PLANTED "s3cretPlanted0815"

static const char *const hide[] = {
    "password=" PLANTED, "password: " PLANTED " and more", "PASSWORD = \"a " PLANTED "\"",
    "db_passwd='" PLANTED "'", "{\"password\":\"" PLANTED "\"}", "{\"smtp_password\" : \"x\\\"" PLANTED "\"}",
    "  secret: " PLANTED "\n",
    "GET /x?a=1&token=" PLANTED "&b=2", "api_key=" PLANTED, "X-API-Key: " PLANTED, "Cookie: a=1; sid=" PLANTED,
    "Authorization: Digest username=u, response=" PLANTED, "sent Bearer " PLANTED, "Basic " PLANTED "==",
    "postgresql://user:" PLANTED "@db/x", "postgresql://u:p/" PLANTED "@db/x", "redis://:" PLANTED "@h",
    "https://hooks.example/services/" PLANTED, "http://h/?k=" PLANTED, "https://u:" PLANTED "@h:8443",
    "a eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0." PLANTED, "eck_" PLANTED, "hash $2b$12$" PLANTED "abcdefghij",
    "$argon2id$v=19$m=65536,t=3,p=4$" PLANTED, "$6$salt$" PLANTED, "$y$j9T$salt$" PLANTED,
    "-----BEGIN PRIVATE KEY-----\n" PLANTED "\n-----END PRIVATE KEY-----\n",
    "-----BEGIN EC PRIVATE KEY-----\n" PLANTED, "oinkcode=" PLANTED, "client_secret=" PLANTED,
};

/* What helps to find a fault stays as it is. */
static const char *const keep[] = {
    "", "eve.file: /var/log/eve.json", "10.0.0.7:443 -> [2001:db8::1]:53", "uptime: 12 h", "SHA-256 0123abcdef",
    "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n", "https://host:8443", "file:///x",
    "the secret is long",
    "VmRSS:\t 1234 kB", "12 dollars: $2", "keyJumble", "basic", "bearer of news", "https://", "://", "=", ":", "\"",
    "a@b",
};

START_TEST(hides)
{
    char *made = scrub_text(hide[_i]);

    ck_assert_ptr_nonnull(made);
    ck_assert_msg(!strstr(made, PLANTED) && strstr(made, SCRUBBED), "%s -> %s", hide[_i], made);
    free(made);
}
END_TEST

START_TEST(keeps)
{
    char *made = scrub_text(keep[_i]);

    ck_assert_str_eq(made, keep[_i]);
    free(made);
}
END_TEST

START_TEST(surroundings)
{
    char *made = scrub_text("store.url: 'postgresql://ecyber:" PLANTED "@db:5432/x' token=" PLANTED ", next 7");

    ck_assert_str_eq(made, "store.url: 'postgresql://***@db:5432/x' token=***, next 7");
    free(made);
    made = scrub_text("POST https://hooks.example:8443/a/b?c=d failed");
    ck_assert_str_eq(made, "POST https://hooks.example:8443/*** failed");
    free(made);
}
END_TEST

START_TEST(json)
{
    struct json_object *o = json_tokener_parse(
        "{\"a\":[1,null,true,\"Bearer " PLANTED "\"],\"mail\":{\"password\":{\"value\":\"" PLANTED "\",\"live\":false}"
        "},"
        "\"tokens\":7,\"token\":\"\",\"api_keys\":[\"" PLANTED "\"],\"https://h/" PLANTED "\":1.5,\"url\":\"x\"}");
    struct json_object *clean = scrub_json(o);

    ck_assert_str_eq(json_object_to_json_string_ext(clean, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
                     "{\"a\":[1,null,true,\"Bearer ***\"],\"mail\":{\"password\":{\"value\":\"***\",\"live\":false}},"
                     "\"tokens\":7,\"token\":\"\",\"api_keys\":[\"***\"],\"https://h/***\":1.5,\"url\":\"x\"}");
    json_object_put(clean);
    ck_assert_ptr_nonnull(strstr(json_object_to_json_string(o), PLANTED));
    json_object_put(o);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scrub");
    TCase *one = tcase_create("text"), *two = tcase_create("json");

    tcase_add_loop_test(one, hides, 0, (int)(sizeof hide / sizeof *hide));
    tcase_add_loop_test(one, keeps, 0, (int)(sizeof keep / sizeof *keep));
    tcase_add_test(one, surroundings);
    tcase_add_test(two, json);
    suite_add_tcase(suite, one);
    suite_add_tcase(suite, two);
    return unit_run(suite);
}
