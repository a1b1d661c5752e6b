/* One-time codes against the vectors of RFC 4226 and RFC 6238, and base32 against those of RFC 4648. */
#include "tests/unit/unit.h"

#include "plugins/auth/totp.h"

#include <string.h>

static const unsigned char key[] = "12345678901234567890";

START_TEST(hotp_of_rfc_4226)
{
    static const uint32_t want[] = {755224, 287082, 359152, 969429, 338314, 254676, 287922, 162583, 399871, 520489};

    for (uint64_t i = 0; i < 10; i++)
        ck_assert_uint_eq(hotp(key, 20, i, 6), want[i]);
}
END_TEST

START_TEST(totp_of_rfc_6238)
{
    static const struct { uint64_t time; uint32_t code; } want[] = {
        {59, 94287082}, {1111111109, 7081804}, {1111111111, 14050471}, {1234567890, 89005924}, {2000000000, 69279037},
        {20000000000, 65353130},
    };

    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        ck_assert_uint_eq(hotp(key, 20, want[i].time / TOTP_STEP, 8), want[i].code);
}
END_TEST

START_TEST(base32_of_rfc_4648)
{
    static const char *const pair[][2] = {{"", ""}, {"MY======", "f"}, {"MZXQ====", "fo"}, {"MZXW6===", "foo"},
                                          {"MZXW6YQ=", "foob"}, {"MZXW6YTB", "fooba"}, {"mzxw 6ytb oi", "foobar"}};
    unsigned char to[64];

    for (size_t i = 0; i < sizeof pair / sizeof *pair; i++) {
        ck_assert_int_eq(base32_read(pair[i][0], to, sizeof to), (int)strlen(pair[i][1]));
        ck_assert(!memcmp(to, pair[i][1], strlen(pair[i][1])));
    }
    ck_assert_int_eq(base32_read("MZXW1", to, sizeof to), -1);
    ck_assert_int_eq(base32_read("MZXW6YTBOI", to, 3), -1);
}
END_TEST

START_TEST(a_code_counts_once_and_around_its_time)
{
    static const char secret[] = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"; /* of the vectors' key */
    char made[2][TOTP_SECRET];

    ck_assert_uint_eq(totp_step(secret, "081804", 6, 1111111109, 0), 1111111109 / 30);
    ck_assert_uint_eq(totp_step(secret, "081804", 6, 1111111109 + 30, 0), 1111111109 / 30);
    ck_assert_uint_eq(totp_step(secret, "081804", 6, 1111111109 - 30, 0), 1111111109 / 30);
    ck_assert_uint_eq(totp_step(secret, "081804", 6, 1111111109 + 60, 0), 0);
    ck_assert_uint_eq(totp_step(secret, "081804", 6, 1111111109 - 60, 0), 0);
    ck_assert_uint_eq(totp_step(secret, "081804", 6, 1111111109, 1111111109 / 30), 0);
    ck_assert_uint_eq(totp_step(secret, "081805", 6, 1111111109, 0), 0);
    ck_assert_uint_eq(totp_step(secret, "81804", 5, 1111111109, 0), 0);
    ck_assert_uint_eq(totp_step(secret, "0818040", 7, 1111111109, 0), 0);
    ck_assert_uint_eq(totp_step("", "081804", 6, 1111111109, 0), 0);
    ck_assert(!totp_secret(made[0]) && !totp_secret(made[1]));
    ck_assert(strlen(made[0]) == 32 && strcmp(made[0], made[1]));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("auth_totp");
    TCase *c = tcase_create("totp");

    tcase_add_test(c, hotp_of_rfc_4226);
    tcase_add_test(c, totp_of_rfc_6238);
    tcase_add_test(c, base32_of_rfc_4648);
    tcase_add_test(c, a_code_counts_once_and_around_its_time);
    suite_add_tcase(s, c);
    return unit_run(s);
}
