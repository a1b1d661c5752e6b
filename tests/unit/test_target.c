/* Which system stands at an address: the longest prefix says; what is no network or no policy is refused. */
#include "tests/unit/unit.h"

#include <string.h>

#include "plugins/traffic/defrag/defrag.h"
#include "plugins/traffic/target.h"

static uint32_t policy4(const struct targets *t, uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    const uint8_t addr[16] = { [10] = 0xff, [11] = 0xff, [12] = a, [13] = b, [14] = c, [15] = d };

    return target_policy(t, addr, POLICY_BSD);
}

START_TEST(longest)
{
    const uint8_t six[16] = { 0xfd, [15] = 1 };
    struct targets t = { .n = 0 };

    ck_assert_ptr_null(target_add(&t, "10.0.0.0/8", "linux"));
    ck_assert_ptr_null(target_add(&t, "10.1.0.0/15", "windows"));
    ck_assert_ptr_null(target_add(&t, "10.1.2.3", "solaris"));
    ck_assert_ptr_null(target_add(&t, "fd00::/8", "bsd_right"));
    ck_assert_uint_eq(policy4(&t, 10, 200, 0, 1), POLICY_LINUX);
    ck_assert_uint_eq(policy4(&t, 10, 0, 0, 1), POLICY_WINDOWS);
    ck_assert_uint_eq(policy4(&t, 10, 1, 255, 255), POLICY_WINDOWS);
    ck_assert_uint_eq(policy4(&t, 10, 2, 0, 0), POLICY_LINUX);
    ck_assert_uint_eq(policy4(&t, 10, 1, 2, 3), POLICY_SOLARIS);
    ck_assert_uint_eq(policy4(&t, 11, 1, 2, 3), POLICY_BSD);
    ck_assert_uint_eq(target_policy(&t, six, POLICY_BSD), POLICY_BSD_RIGHT);
    ck_assert_ptr_null(target_add(&t, "0.0.0.0/0", "last"));
    ck_assert_uint_eq(policy4(&t, 11, 1, 2, 3), POLICY_LAST);
    ck_assert_ptr_null(target_add(&t, "::/0", "first"));
    ck_assert_uint_eq(policy4(&t, 11, 1, 2, 3), POLICY_LAST);
}
END_TEST

START_TEST(refused)
{
    static const char *const bad[] = { "", "10", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "fd00::/129",
                                       "fd00::x", "1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111", "/8" };
    struct targets t = { .n = 0 };

    for (uint32_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(target_add(&t, bad[i], "linux"), "%s", bad[i]);
    ck_assert_ptr_nonnull(target_add(&t, "10.0.0.0/8", "lin"));
    ck_assert_ptr_nonnull(target_add(&t, "10.0.0.0/8", "linux,"));
    ck_assert_ptr_nonnull(target_add(&t, "10.0.0.0/8", ""));
    ck_assert_uint_eq(t.n, 0);
    for (uint32_t i = 0; i < TARGETS_MAX; i++)
        ck_assert_ptr_null(target_add(&t, "10.0.0.0/8", "linux"));
    ck_assert_ptr_nonnull(target_add(&t, "10.0.0.0/8", "linux"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("target");
    TCase *c = tcase_create("target");

    tcase_add_test(c, longest);
    tcase_add_test(c, refused);
    suite_add_tcase(s, c);
    return unit_run(s);
}
