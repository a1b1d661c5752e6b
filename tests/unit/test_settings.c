#include "tests/unit/unit.h"

#include "plugins/settings/check.h"

#include <string.h>

START_TEST(names_are_shown)
{
    static const char *const good[] = { "eCyber", "Büro 3. Stock", "工場", "a b" };
    static const char *const bad[] = { "", "   ", "a\nb", "a\x1b[1m", "\x7f", "\xc2\x85", "a\xe2\x80\xae" "b",
                                       "\xe2\x81\xa6" };

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        ck_assert_msg(!check_name(good[i], strlen(good[i])), "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(check_name(bad[i], strlen(bad[i])) != NULL, "%zu", i);
}
END_TEST

START_TEST(addresses_are_addresses)
{
    static const char *const good[] = { "a@b", "soc@example.org", "first.last+tag@mail.example.org", "x@xn--bcher-kva.de" };
    static const char *const bad[] = { "", "@", "a@", "@b", "a b@c", "a@b@c", "a@b..c", ".a@b", "a.@b", "a@.b", "a@b.",
                                       "a@-b", "a@b\r\nBcc: x@y", "\"a\"@b", "a@[192.0.2.1]", "\xc3\xa4@b" };
    char longest[SETTINGS_MAIL + 2] = "", local[70];

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        ck_assert_msg(!check_mail(good[i], strlen(good[i])), "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(check_mail(bad[i], strlen(bad[i])) != NULL, "%s", bad[i]);
    memset(longest, 'b', sizeof longest - 1);
    longest[1] = '@';
    ck_assert(!check_mail(longest, SETTINGS_MAIL));
    ck_assert(check_mail(longest, SETTINGS_MAIL + 1));
    memset(local, 'a', sizeof local);
    local[65] = '@';
    ck_assert(check_mail(local, 67));
    local[64] = '@';
    local[65] = 'b';
    ck_assert(!check_mail(local, 66));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("settings");
    TCase *c = tcase_create("check");

    tcase_add_test(c, names_are_shown);
    tcase_add_test(c, addresses_are_addresses);
    suite_add_tcase(s, c);
    return unit_run(s);
}
