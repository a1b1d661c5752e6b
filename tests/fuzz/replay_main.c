/* main() of a fuzz target that is built without libFuzzer: gives each file of the corpus to the target
 * once, so that every build replays what the fuzzer has found. */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_path(const char *path, unsigned *count);

static int replay_file(const char *path, size_t size, unsigned *count)
{
    FILE *in = fopen(path, "rb");
    /* An exact allocation lets ASan see a read past the end; malloc(0) may be NULL. */
    uint8_t *data = malloc(size ? size : 1);
    int ok = in && data && fread(data, 1, size, in) == size;

    if (ok) {
        LLVMFuzzerTestOneInput(data, size);
        ++*count;
    } else {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
    }
    free(data);
    if (in)
        fclose(in);
    return ok ? 0 : -1;
}

static int replay_folder(const char *path, unsigned *count)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    int rc = 0;

    if (!dir) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return -1;
    }
    while ((entry = readdir(dir))) {
        char child[4096];

        if (entry->d_name[0] == '.')
            continue;
        snprintf(child, sizeof child, "%s/%s", path, entry->d_name);
        if (replay_path(child, count))
            rc = -1;
    }
    closedir(dir);
    return rc;
}

static int replay_path(const char *path, unsigned *count)
{
    struct stat st;

    if (stat(path, &st)) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return -1;
    }
    return S_ISDIR(st.st_mode) ? replay_folder(path, count)
                               : replay_file(path, (size_t)st.st_size, count);
}

/* The corpus of the program fuzz_NAME is tests/fuzz/corpus/NAME in the source tree, whose place
 * `make check` gives as $srcdir. */
static int replay_own_corpus(const char *program, unsigned *count)
{
    const char *srcdir = getenv("srcdir");
    const char *name = strrchr(program, '/');
    char path[4096];

    name = name ? name + 1 : program;
    if (!strncmp(name, "lt-", 3))
        name += 3;
    if (!strncmp(name, "fuzz_", 5))
        name += 5;
    snprintf(path, sizeof path, "%s/tests/fuzz/corpus/%s", srcdir ? srcdir : ".", name);
    return replay_path(path, count);
}

int main(int argc, char **argv)
{
    unsigned count = 0;
    int rc = 0;

    printf("1..1\n");
    fflush(stdout);
    if (argc == 1)
        rc = replay_own_corpus(argv[0], &count);
    for (int i = 1; i < argc; i++)
        if (replay_path(argv[i], &count))
            rc = -1;
    rc = rc || !count ? 1 : 0;
    printf("%s 1 - %u inputs replayed\n", rc ? "not ok" : "ok", count);
    return rc;
}
