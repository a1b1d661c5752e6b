/* Any text as a configuration file; after a first line "#environ", "#set" or "#env" its lines are environment variables,
 * settings of the command line, or a .env file. What is accepted is dumped, and the dump has to give the same again. */
/* covers: core/conf/conf_*.c core/conf/row*.c */
#include "core/conf/conf_impl.h"

#include "tests/unit/conf_fixture.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LINES_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[64];

static void ignore(const char *sentence, void *arg)
{
    (void)sentence;
    (void)arg;
}

static void fatal_change(const char *section, const char *name, void *arg)
{
    const struct ec_row *row = row_find(section[0] == 'c' ? &fixture_core : &fixture_all, name);

    (void)arg;
    if (!(row->flags & EC_R_SECRET))    /* a dump does not hold these */
        abort();
}

static void remove_folder(void)
{
    char path[96];

    snprintf(path, sizeof path, "%s/.env", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/x", folder);
    unlink(path);
    rmdir(folder);
}

static void write_file(const char *name, const void *data, size_t size)
{
    char path[96];
    FILE *f;

    if (!*folder) {
        strcpy(folder, "/tmp/ecyber-fuzz-XXXXXX");
        if (!mkdtemp(folder))
            abort();
        atexit(remove_folder);
    }
    snprintf(path, sizeof path, "%s/%s", folder, name);
    f = fopen(path, "w");
    if (!f || fwrite(data, 1, size, f) != size || fclose(f))
        abort();
}

static struct conf *load(struct conf_input *in)
{
    in->warn = ignore;
    return conf_load(in, fixture_sections, FIXTURE_SECTIONS, ignore, NULL);
}

static struct conf *load_yaml(const void *data, size_t size)
{
    char path[64];
    struct conf_input in = { .file = path };
    struct conf *c;
    int fd = memfd_create("conf", MFD_CLOEXEC);

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    c = load(&in);
    close(fd);
    return c;
}

/* Its lines without the first, as strings. */
static uint32_t split_lines(const uint8_t *data, size_t size, const char **line)
{
    const uint8_t *end = data + size, *next;
    uint32_t n = 0;

    for (data = memchr(data, '\n', size); data && n < LINES_MAX; data = next) {
        data++;
        next = memchr(data, '\n', (size_t)(end - data));
        line[n++] = strndup((const char *)data, (size_t)((next ? next : end) - data));
    }
    line[n] = NULL;
    return n;
}

static struct conf *load_lines(const uint8_t *data, size_t size, bool set)
{
    const char *line[LINES_MAX + 1];
    uint32_t n = split_lines(data, size, line);
    struct conf_input in = { .environ = set ? NULL : line, .n_set = set ? n : 0, .set = line };
    struct conf *c = load(&in);

    while (n)
        free((char *)line[--n]);
    return c;
}

static struct conf *load_any(const uint8_t *data, size_t size)
{
    char path[96];
    struct conf_input in = { .file = path };

    if (size >= 9 && !memcmp(data, "#environ\n", 9))
        return load_lines(data, size, false);
    if (size >= 5 && !memcmp(data, "#set\n", 5))
        return load_lines(data, size, true);
    if (size < 5 || memcmp(data, "#env\n", 5))
        return load_yaml(data, size);
    write_file("x", "{}", 2);
    write_file(".env", data, size);
    snprintf(path, sizeof path, "%s/x", folder);
    return load(&in);
}

/* Values can be asked for by any name, type and index. */
static void ask(const struct conf *c)
{
    const struct ec_conf *s = conf_of(c, "all");
    int64_t v;
    double d;

    for (uint32_t i = 0; i < fixture_all.n_row; i++)
        for (uint32_t j = 0; j <= conf_count(s, fixture_all_rows[i].name); j++) {
            const char *name = fixture_all_rows[i].name, *text = conf_text(s, name, j);

            conf_num(s, name, j, &v);
            conf_f64(s, name, j, &d);
            conf_key(s, name, j);
            if ((text && strlen(text) > YAML_BYTES_MAX) || !conf_where(s, name, j))
                abort();
        }
}

static void dump_and_reload(const struct conf *c)
{
    char *text = NULL;
    size_t n;
    FILE *to = open_memstream(&text, &n);
    struct conf *again;

    conf_dump(c, to);
    fclose(to);
    again = load_yaml(text, n);
    if (!again)
        abort();
    conf_diff(c, again, fatal_change, NULL);
    conf_keep(again, c, fatal_change, NULL);
    conf_free(again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct conf *c = load_any(data, size);

    if (c) {
        ask(c);
        dump_and_reload(c);
    }
    conf_free(c);
    return 0;
}
