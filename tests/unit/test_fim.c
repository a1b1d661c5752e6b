/* fim: what counts as a change, files that are read while they change, the kept table whole, cut and
 * damaged, and watches. */
#include "unit.h"

#include "plugins/fim/table.h"
#include "plugins/fim/watch.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/test_fim.XXXXXX";
static atomic_bool go_on;
static const struct pace pace = { 0, 1u << 20, &go_on };
static const struct meta none;

static const char *at(const char *name)
{
    static char path[2][256];
    static int turn;

    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

static void put(const char *name, const char *text)
{
    FILE *f = fopen(at(name), "w");

    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

static struct meta look(const char *name, const struct meta *known)
{
    struct meta m;

    ck_assert_int_eq(meta_read(at(name), known, &pace, &m), 0);
    return m;
}

START_TEST(changes_have_names)
{
    struct meta a, b;

    ck_assert_uint_eq(meta_compare(&none, &none), META_SAME);
    put("f", "one");
    a = look("f", &none);
    ck_assert(a.type == 'f' && a.hashed && a.size == 3);
    ck_assert_uint_eq(meta_compare(&none, &a), META_CREATED);
    ck_assert_uint_eq(meta_compare(&a, &none), META_DELETED);
    put("f", "two");                            /* of the same size */
    b = look("f", &none);
    ck_assert_uint_eq(meta_compare(&a, &b), META_MODIFIED);
    ck_assert_int_eq(chmod(at("f"), 0600), 0);
    a = look("f", &b);
    ck_assert_uint_eq(meta_compare(&b, &a), META_ATTRIBUTES);
    ck_assert_uint_eq(meta_compare(&a, &a), META_SAME);
    unlink(at("f"));
    b = look("f", &a);
    ck_assert_int_eq(b.type, 0);
    ck_assert_int_eq(symlink("/nowhere", at("f")), 0);
    b = look("f", &a);
    ck_assert(b.type == 'l' && b.hashed);
    ck_assert_uint_eq(meta_compare(&a, &b), META_MODIFIED);
}
END_TEST

START_TEST(content_counts_though_the_time_is_put_back)
{
    struct timespec back[2] = { { 1000, 0 }, { 1000, 0 } };
    struct meta a, b;

    put("g", "one");
    utimensat(AT_FDCWD, at("g"), back, 0);
    a = look("g", &none);
    usleep(20000);                              /* ctime cannot be put back */
    put("g", "two");
    utimensat(AT_FDCWD, at("g"), back, 0);
    b = look("g", &a);
    ck_assert_uint_eq(a.mtime_ns, b.mtime_ns);
    ck_assert_uint_eq(meta_compare(&a, &b), META_MODIFIED);
}
END_TEST

START_TEST(large_files_and_those_given_up_have_no_hash)
{
    const struct pace little = { 0, 2, &go_on };
    struct meta m;

    put("h", "abc");
    ck_assert_int_eq(meta_read(at("h"), &none, &little, &m), 0);
    ck_assert(m.type == 'f' && !m.hashed);
    go_on = true;                               /* the flag says stop */
    ck_assert_int_eq(meta_read(at("h"), &none, &pace, &m), 0);
    ck_assert(!m.hashed);
    go_on = false;
    ck_assert_int_eq(mkfifo(at("fifo"), 0600), 0);
    m = look("fifo", &none);                    /* nobody waits for its other end */
    ck_assert(m.type == 'o' && !m.hashed);
}
END_TEST

static char *kept(const struct table *t, size_t *n)
{
    char *text = NULL;
    FILE *to = open_memstream(&text, n);

    ck_assert_int_eq(table_write(t, to), 0);
    fclose(to);
    return text;
}

static struct table filled(void)
{
    static const char *const paths[] = { "/a", "/a b\n", "/\xff\t\\x41", "/c" };
    struct table t;

    ck_assert(table_open(&t, 4));
    for (uint32_t i = 0; i < 4; i++) {
        struct entry *e = table_make(&t, paths[i]);

        e->base = i == 1 ? none
                         : (struct meta){ .type = 'f', .hashed = i == 2, .mode = 04755, .uid = 7, .size = UINT64_MAX };
        e->last = i == 3 ? none
                         : (struct meta){ .type = 'd', .mode = 0700, .gid = UINT32_MAX, .mtime_ns = 5, .ctime_ns = 6 };
        memset(e->base.sha256, i == 2 ? 0xab : 0, 32);
    }
    ck_assert_ptr_null(table_make(&t, "/one too many"));
    ck_assert_ptr_nonnull(table_make(&t, "/a"));
    return t;
}

START_TEST(what_is_kept_comes_back)
{
    struct table t = filled(), back;
    char why[200], *text;
    uint32_t over;
    size_t n;

    text = kept(&t, &n);
    ck_assert(table_open(&back, 4));
    ck_assert_msg(table_read(&back, text, n, &over, why, sizeof why), "%s", why);
    ck_assert_uint_eq(back.n, 4);
    for (uint32_t i = 0; i <= t.mask; i++)
        for (struct entry *e = t.slot[i]; e; e = e->next) {
            struct entry *other = table_find(&back, e->path);

            ck_assert_ptr_nonnull(other);
            ck_assert_mem_eq(&other->base, &e->base, sizeof e->base);
            ck_assert_mem_eq(&other->last, &e->last, sizeof e->last);
        }
    table_close(&back);
    ck_assert(table_open(&back, 2));
    ck_assert(table_read(&back, text, n, &over, why, sizeof why));
    ck_assert_uint_eq(over, 2);                 /* there is less room now: counted */
    table_close(&back);
    table_close(&t);
    free(text);
}
END_TEST

START_TEST(what_is_cut_or_damaged_is_refused_whole)
{
    static const char *const bad[] = {
        "", "ecyber-fim 2\nend 0\n", "ecyber-fim 1\n", "ecyber-fim 1\nend 1\n", "ecyber-fim 1\nend 0\nend 0\n",
        "ecyber-fim 1\n/a\t-\t-\nend 1\n", "ecyber-fim 1\na\tf,0,0,0,0,0,0,-\t-\nend 1\n",
        "ecyber-fim 1\n/a\tx,0,0,0,0,0,0,-\t-\nend 1\n", "ecyber-fim 1\n/a\tf,10000,0,0,0,0,0,-\t-\nend 1\n",
        "ecyber-fim 1\n/a\tf,0,4294967296,0,0,0,0,-\t-\nend 1\n", "ecyber-fim 1\n/a\tf,0,0,0,0,0,0,abcd\t-\nend 1\n",
        "ecyber-fim 1\n/a\\x00\tf,0,0,0,0,0,0,-\t-\nend 1\n",
        "ecyber-fim 1\n/a\tf,0,0,0,0,0,0,-\t-\n/a\tf,0,0,0,0,0,0,-\t-\nend 2\n",
    };
    struct table t = filled(), back;
    uint32_t over;
    char *text;
    size_t n;

    ck_assert(table_open(&back, 100));
    for (uint32_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char why[200] = "";

        ck_assert_msg(!table_read(&back, bad[i], strlen(bad[i]), &over, why, sizeof why), "%u", i);
        ck_assert(*why && !back.n);
    }
    text = kept(&t, &n);
    for (size_t cut = 0; cut + 1 < n; cut++) {  /* wherever it breaks off */
        char why[200] = "";

        ck_assert_msg(!table_read(&back, text, cut, &over, why, sizeof why), "%zu", cut);
        ck_assert(*why && !back.n);
    }
    free(text);
    table_close(&back);
    table_close(&t);
}
END_TEST

static char told[2000];
static void hear(void *arg, const char *path)
{
    (void)arg;
    if (strlen(told) + strlen(path) + 2 < sizeof told)
        strcat(strcat(told, path), "\n");
}

START_TEST(folders_tell_of_changes)
{
    struct watch w;

    ck_assert(watch_open(&w));
    ck_assert_int_eq(mkdir(at("dir"), 0700), 0);
    ck_assert_int_eq(watch_add(&w, at("dir")), 0);
    ck_assert_int_eq(watch_add(&w, at("dir")), 0);
    ck_assert_uint_eq(w.n, 1);
    ck_assert_int_ne(watch_add(&w, at("not there")), 0);
    put("dir/x", "1");
    ck_assert(!watch_read(&w, hear, NULL));
    ck_assert_ptr_nonnull(strstr(told, "/dir/x\n"));
    unlink(at("dir/x"));
    rmdir(at("dir"));
    told[0] = '\0';
    ck_assert(!watch_read(&w, hear, NULL));
    ck_assert_ptr_nonnull(strstr(told, "/dir\n"));
    ck_assert_uint_eq(w.n, 0);                  /* its watch went with it */
    watch_close(&w);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fim");
    TCase *c = tcase_create("fim");
    char command[64];
    int code;

    if (!mkdtemp(folder))
        return 1;
    tcase_add_test(c, changes_have_names);
    tcase_add_test(c, content_counts_though_the_time_is_put_back);
    tcase_add_test(c, large_files_and_those_given_up_have_no_hash);
    tcase_add_test(c, what_is_kept_comes_back);
    tcase_add_test(c, what_is_cut_or_damaged_is_refused_whole);
    tcase_add_test(c, folders_tell_of_changes);
    suite_add_tcase(suite, c);
    code = unit_run(suite);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) ? 1 : code;
}
