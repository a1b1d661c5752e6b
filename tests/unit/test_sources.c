/* Rule sources: their list as it is kept, what an archive holds, and checksums. */
#include "plugins/ids/sources/checksum.h"
#include "plugins/ids/sources/list.h"
#include "plugins/ids/sources/unpack.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

static struct sources_list *two(void)
{
    struct sources_list *l = list_new();
    struct source s = { .enabled = true, .interval_ns = UINT64_C(3600000000000), .rules = 7, .name = "one",
                        .url = "https://example.org/\"one\"?a=b", .by = "anna", .why = "it is empty" };

    ck_assert_ptr_nonnull(list_add(l, &s));
    strcpy(s.name, "two.2");
    strcpy(s.checksum_url, "https://example.org/two.md5");
    s.enabled = false;
    ck_assert_ptr_nonnull(list_add(l, &s));
    l->version = 5;
    return l;
}

START_TEST(what_is_written_is_read_back)
{
    struct sources_list *l = two(), *back;
    char why[200] = "";
    bool newer;
    size_t n;
    char *text = list_write(l, &n);

    ck_assert_ptr_nonnull(text);
    back = list_read(text, n, &newer, why, sizeof why);
    ck_assert_msg(back != NULL, "%s", why);
    ck_assert_uint_eq(back->n, 2);
    ck_assert_uint_eq(back->next_id, 3);
    ck_assert_uint_eq(back->version, 5);
    for (unsigned i = 0; i < 2; i++)
        ck_assert_int_eq(memcmp(l->source[i], back->source[i], sizeof *l->source[i]), 0);
    list_remove(back, 1);
    ck_assert_ptr_null(list_find(back, 1));
    ck_assert_ptr_nonnull(list_named(back, "two.2"));
    free(text);
    list_free(l);
    list_free(back);
}
END_TEST

START_TEST(half_a_list_is_refused)
{
    struct sources_list *l = two(), *back;
    char why[200];
    bool newer;
    size_t n;
    char *text = list_write(l, &n);

    for (size_t i = 0; i < n; i++) {
        *why = '\0';
        back = list_read(text, i, &newer, why, sizeof why);
        ck_assert_msg(!back && *why, "%zu bytes", i);
    }
    free(text);
    list_free(l);
}
END_TEST

START_TEST(wrong_members_are_named)
{
    static const struct { const char *text, *why; } bad[] = {
        { "{\"format\":2}", "newer eCyber" }, { "[]", "no JSON object" }, { "{}", "format" },
        { "{\"format\":-2,\"next_id\":1,\"version\":1,\"sources\":[]}", "format" },
        { "{\"format\":1,\"next_id\":0,\"version\":1,\"sources\":[]}", "format" },
        { "{\"format\":1,\"next_id\":2,\"version\":1,\"sources\":[7]}", "source 1: its name" },
        { "{\"format\":1,\"next_id\":2,\"version\":1,\"sources\":[{\"id\":1,\"name\":\"a\",\"url\":\"u\"}]}", "enabled" },
        { "{\"format\":1,\"next_id\":2,\"version\":1,\"sources\":[{\"id\":1,\"name\":\"../a\",\"url\":\"u\",\"enabled\":true}]}",
          "name" },
        { "{\"format\":1,\"next_id\":2,\"version\":1,\"sources\":[{\"id\":2,\"name\":\"a\",\"url\":\"u\",\"enabled\":true}]}",
          "id or name" },
        { "{\"format\":1,\"next_id\":2,\"version\":1,\"sources\":[{\"id\":1,\"name\":\"a\",\"url\":\"\",\"enabled\":true}]}",
          "url" },
        { "{\"format\":1,\"next_id\":2,\"version\":1,\"sources\":[{\"id\":1,\"name\":\"a\",\"url\":\"u\",\"enabled\":true,"
          "\"rules\":-1}]}", "rules" },
        { "{\"format\":1,\"next_id\":2,\"version\":1,\"sources\":[{\"id\":1,\"name\":\"a\",\"url\":\"u\\u0000v\",\"enabled\":true}]}",
          "url" },
    };
    char why[200];
    bool newer;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        *why = '\0';
        ck_assert_ptr_null(list_read(bad[i].text, strlen(bad[i].text), &newer, why, sizeof why));
        ck_assert_msg(strstr(why, bad[i].why) != NULL && newer == !i, "%zu: %s", i, why);
    }
}
END_TEST

START_TEST(names_are_files)
{
    static const char *const bad[] = { "", ".", "..", ".a", "-a", "a/b", "a b", "\xc3\xa4" };
    char name[70];

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(!name_is_good(bad[i]), "%s", bad[i]);
    memset(name, 'a', sizeof name);
    name[65] = '\0';
    ck_assert(!name_is_good(name));
    name[64] = '\0';
    ck_assert(name_is_good(name) && name_is_good("et-open_7.0"));
}
END_TEST

START_TEST(a_text_is_taken_as_it_is)
{
    struct unpacked u;
    char why[200];

    ck_assert_int_eq(unpack("alert x", 7, 100, &u, why, sizeof why), 0);
    ck_assert_str_eq(u.text, "alert x\n");
    free(u.text);
    ck_assert_int_eq(unpack("alert x\n", 8, 7, &u, why, sizeof why), -1);
    ck_assert_ptr_nonnull(strstr(why, "larger than 7"));
    ck_assert_int_eq(unpack("", 0, 7, &u, why, sizeof why), -1);
    ck_assert_int_eq(unpack("a\0b", 3, 7, &u, why, sizeof why), -1);
    ck_assert_ptr_null(u.text);
}
END_TEST

START_TEST(checksums_of_each_kind)
{
    static const char *const good[] = {
        "900150983cd24fb0d6963f7d28e17f72", "900150983CD24FB0D6963F7D28E17F72  abc.txt\n", "MD5 (abc) = 900150983cd24fb0d6963f7d28e17f72",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad *abc\n",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94f"
        "a54ca49f",
    };
    char why[400], digest[65];

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        ck_assert_msg(checksum_holds(good[i], strlen(good[i]), "abc", 3, why, sizeof why), "%zu: %s", i, why);
        ck_assert(!checksum_holds(good[i], strlen(good[i]), "abd", 3, why, sizeof why));
        ck_assert_ptr_nonnull(strstr(why, "should be"));
    }
    ck_assert(!checksum_holds("900150983cd24fb0", 16, "abc", 3, why, sizeof why));
    ck_assert(!checksum_holds("", 0, "abc", 3, why, sizeof why));
    digest_text("abc", 3, digest);
    ck_assert_str_eq(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("sources");
    TCase *t = tcase_create("list"), *u = tcase_create("what_came");

    tcase_add_test(t, what_is_written_is_read_back);
    tcase_add_test(t, half_a_list_is_refused);
    tcase_add_test(t, wrong_members_are_named);
    tcase_add_test(t, names_are_files);
    suite_add_tcase(s, t);
    tcase_add_test(u, a_text_is_taken_as_it_is);
    tcase_add_test(u, checksums_of_each_kind);
    suite_add_tcase(s, u);
    return unit_run(s);
}
