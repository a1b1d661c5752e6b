/* ecyberctl plugins new: a folder with a plugin that builds, has a test and says hello, under a name of one's own. */
#include "buildconf.h"

#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPLATE  ECYBER_DATADIR "/template"
#define NAME_MOST 32                /* bytes; plugin.h: [a-z][a-z0-9_]{0,31} */
#define FILE_MOST 65536             /* bytes of a file of the template */

static const char *const files[] = {"hello.c", "test_hello.c", "Makefile"};
#define FILES (sizeof files / sizeof *files)

/* The name becomes an identifier of C too. */
static int name_check(const char *name)
{
    static const char *const taken[] = {"auto", "break", "calloc", "case", "char", "const", "continue", "default", "do",
                                        "double", "else", "enum", "extern", "float", "for", "free", "goto", "if",
                                        "inline", "int", "long", "malloc", "register", "restrict", "return", "short",
                                        "signed", "sizeof", "static", "struct", "switch", "typedef", "union",
                                        "unsigned", "void", "volatile", "while", "options", "metrics", "topic"};
    size_t n = strlen(name);
    char file[sizeof ECYBER_PLUGINDIR + NAME_MOST + 8];

    if (!n || n > NAME_MOST || name[0] < 'a' || name[0] > 'z' ||
        strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != n) {
        fprintf(stderr, "ecyberctl: a plugin's name has 1 to %d of a-z, 0-9 and _, and begins with a letter\n",
                NAME_MOST);
        return CLI_USAGE;
    }
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        if (strcmp(name, taken[i]))
            continue;
        fprintf(stderr, "ecyberctl: '%s' is a word of C, or of the template; choose another name\n", name);
        return CLI_USAGE;
    }
    snprintf(file, sizeof file, "%s/%s.so", ECYBER_PLUGINDIR, name);
    if (!access(file, F_OK)) {
        fprintf(stderr, "ecyberctl: there is a plugin '%s' already: %s\n", name, file);
        return CLI_REFUSED;
    }
    return CLI_OK;
}

/* What the plugin says stays: "hello, world", "says hello". */
static int greets(const char *text, const char *at)
{
    return !strncmp(at, "hello, world", 12) || (at - text >= 5 && !strncmp(at - 5, "says ", 5));
}

/* text with the name in place of "hello". Returns 0 or -1. */
static int write_named(FILE *out, const char *text, const char *name)
{
    const char *at = text, *next;

    for (; (next = strstr(at, "hello")); at = next + 5) {
        fwrite(at, 1, (size_t)(next - at), out);
        fputs(greets(text, next) ? "hello" : name, out);
    }
    fputs(at, out);
    return ferror(out) ? -1 : 0;
}

static int read_whole(const char *file, char *to, size_t most)
{
    char path[sizeof TEMPLATE + 32];
    size_t n;
    FILE *f;

    snprintf(path, sizeof path, TEMPLATE "/%s", file);
    f = fopen(path, "re");
    if (!f) {
        fprintf(stderr, "ecyberctl: the plugin to copy is missing: %s: %s\n", path, strerror(errno));
        return -1;
    }
    n = fread(to, 1, most - 1, f);
    to[n] = '\0';
    fclose(f);
    if (n && n < most - 1)
        return 0;
    fprintf(stderr, "ecyberctl: %s cannot be read\n", path);
    return -1;
}

/* "hello.c" as "NAME/NAME.c". */
static void path_make(char *to, size_t room, const char *file, const char *name)
{
    const char *hello = strstr(file, "hello");

    if (hello)
        snprintf(to, room, "%s/%.*s%s%s", name, (int)(hello - file), file, name, hello + 5);
    else
        snprintf(to, room, "%s/%s", name, file);
}

static int copy(const char *file, const char *name)
{
    static char text[FILE_MOST];
    char path[128];
    int fd, bad;
    FILE *out;

    if (read_whole(file, text, sizeof text))
        return -1;
    path_make(path, sizeof path, file, name);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    out = fd < 0 ? NULL : fdopen(fd, "w");
    bad = !out || write_named(out, text, name);
    if (out ? fclose(out) : fd >= 0 && close(fd))
        bad = 1;
    if (bad)
        fprintf(stderr, "ecyberctl: %s: %s\n", path, strerror(errno));
    return bad ? -1 : 0;
}

int cmd_plugins_new(const struct cli *c, char *const *args)
{
    const char *name = args[0];
    int code = name_check(name);
    char path[128];

    (void)c;
    if (code)
        return code;
    if (mkdir(name, 0777)) {
        code = errno == EEXIST ? CLI_REFUSED : CLI_FAILED;
        fprintf(stderr, "ecyberctl: the folder %s cannot be made: %s\n", name, strerror(errno));
        return code;
    }
    for (size_t i = 0; i < FILES; i++) {
        if (!copy(files[i], name))
            continue;
        for (size_t made = 0; made <= i; made++) {
            path_make(path, sizeof path, files[made], name);
            unlink(path);
        }
        rmdir(name);
        return CLI_FAILED;
    }
    printf("%s/%s.c, %s/test_%s.c and %s/Makefile: 'make -C %s check' builds and tests it, 'make -C %s install' puts "
           "it where the daemon looks\n", name, name, name, name, name, name, name);
    return fflush(stdout) ? CLI_FAILED : CLI_OK;
}
