/* cmdline.h: the command line of ecyberd. */
#ifndef CORE_CMDLINE_H
#define CORE_CMDLINE_H
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Exit codes: a contract with scripts. */
enum { EXIT_FINE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_CONFIG = 6 };

enum cmdline_mode {
    MODE_RUN, MODE_TEST, MODE_DUMP, MODE_LIST_PLUGINS, MODE_LIST_OPTIONS, MODE_LIST,
    MODE_BUILD_INFO, MODE_VERSION,
    MODE_HELP
};

struct cmdline {
    enum cmdline_mode mode;
    const char *file;               /* -c; NULL: not given */
    const char *list;               /* MODE_LIST: "keywords" of --list-keywords */
    bool replay;                    /* -r was given: end with the last capture */
    bool stay;                      /* --stay: with -r, not even then */
    bool alone;                     /* --alone: no launcher, as whoever started it */
    const char *user;               /* --user; NULL: not given */
    uint32_t n_source, n_set;
    char **source;                  /* of -r and -i, in their order: "file:PATH", "live:IFACE" */
    char **set;                     /* of --set, --workers, --batch and --stay: "section.key=value" */
};

/* Reads argv (borrowed). EXIT_FINE, or EXIT_USAGE after a sentence on err. */
int cmdline_parse(struct cmdline *c, int argc, char **argv, FILE *err);
void cmdline_free(struct cmdline *c);
void cmdline_help(FILE *to);

#endif
