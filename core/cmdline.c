#include "buildconf.h"

#include "core/cmdline.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPT_WORKERS = 256,
    OPT_BATCH,
    OPT_SET,
    OPT_STAY,
    OPT_USER,
    OPT_ALONE,
    OPT_DUMP,
    OPT_LIST_PLUGINS,
    OPT_LIST_OPTIONS,
    OPT_BUILD_INFO,
    OPT_VERSION,
    OPT_HELP
};

static const struct option table[] = {
    {"workers", required_argument, NULL, OPT_WORKERS},
    {"batch", required_argument, NULL, OPT_BATCH},
    {"stay", no_argument, NULL, OPT_STAY},
    {"set", required_argument, NULL, OPT_SET},
    {"user", required_argument, NULL, OPT_USER},
    {"alone", no_argument, NULL, OPT_ALONE},
    {"dump-config", no_argument, NULL, OPT_DUMP},
    {"list-plugins", no_argument, NULL, OPT_LIST_PLUGINS},
    {"list-options", no_argument, NULL, OPT_LIST_OPTIONS},
    {"build-info", no_argument, NULL, OPT_BUILD_INFO},
    {"version", no_argument, NULL, OPT_VERSION},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

void cmdline_help(FILE *to)
{
    fputs(
        "usage: ecyberd [-T] [-c FILE] [-r CAPTURE]… [-i INTERFACE]… [--set KEY=VALUE]…\n"
        "\n"
        "  -c FILE            the configuration; default: " ECYBER_CONFDIR
        "/ecyber.yaml where it exists\n"
        "  -r CAPTURE         replay a capture file or a folder of them, and end (repeatable)\n"
        "  --stay             with -r: do not end with the last capture, but when asked to\n"
        "  -i INTERFACE       watch an interface; \"any\": all of them\n"
        "  -T                 check the configuration and all that plugins read, and end\n"
        "  --workers N        packet threads; 0: all on one thread, the same from run to run\n"
        "  --batch N          frames fetched at once\n"
        "  --set KEY=VALUE    one option, over files and environment (repeatable)\n"
        "  --user NAME        started by root: what the engine runs as (or a free number); default:\n"
        "                     " ECYBER_USER "; a replay that ends by itself: root\n"
        "  --alone            started by root: no launcher and no helper; everything stays root\n"
        "  --dump-config      print every option with its origin\n"
        "  --list-plugins     print the plugins, and why one is left out\n"
        "  --list-options     print the options of the daemon and of every plugin\n"
        "  --list-keywords    print the rule keywords; --list-NAME: any list that a plugin offers\n"
        "  --build-info       print how this program was built\n"
        "  --version  --help\n"
        "\n"
        "Signals: TERM, INT stop (a second INT: at once), HUP opens the log anew and reloads.\n"
        "Exit codes: 0 fine, 1 failed, 2 wrong usage, 6 wrong configuration.\n",
        to);
}

/* Appends "PREFIX" + text to a list of strings. false: out of memory. */
static bool append(char ***list, uint32_t *n, const char *prefix, const char *text)
{
    char **more = reallocarray(*list, *n + 1, sizeof *more);

    if (!more)
        return false;
    *list = more;
    if (asprintf(&more[*n], "%s%s", prefix, text) < 0)
        return false;
    ++*n;
    return true;
}

/* --list-NAME is any list of a plugin, so getopt cannot know it: take it out of argv. */
static int take_list(struct cmdline *c, int argc, char **argv)
{
    int kept = 1;

    for (int i = 1; i < argc; i++) {
        const char *a = argv[i];

        if (!strncmp(a, "--list-", 7) && a[7] && strcmp(a, "--list-plugins") != 0 &&
            strcmp(a, "--list-options") != 0) {
            c->mode = MODE_LIST;
            c->list = a + 7;
        } else {
            argv[kept++] = argv[i];
        }
    }
    argv[kept] = NULL;
    return kept;
}

static bool take_option(struct cmdline *c, int opt)
{
    switch (opt) {
    case 'T': c->mode = MODE_TEST; return true;
    case 'c': c->file = optarg; return true;
    case 'r': c->replay = true; return append(&c->source, &c->n_source, "file:", optarg);
    case 'i': return append(&c->source, &c->n_source, "live:", optarg);
    case OPT_WORKERS: return append(&c->set, &c->n_set, "core.workers=", optarg);
    case OPT_BATCH: return append(&c->set, &c->n_set, "core.batch=", optarg);
    case OPT_STAY: c->stay = true; return append(&c->set, &c->n_set, "core.after_replay=", "stay");
    case OPT_SET: return append(&c->set, &c->n_set, "", optarg);
    case OPT_USER: c->user = optarg; return true;
    case OPT_ALONE: c->alone = true; return true;
    case OPT_DUMP: c->mode = MODE_DUMP; return true;
    case OPT_LIST_PLUGINS: c->mode = MODE_LIST_PLUGINS; return true;
    case OPT_LIST_OPTIONS: c->mode = MODE_LIST_OPTIONS; return true;
    case OPT_BUILD_INFO: c->mode = MODE_BUILD_INFO; return true;
    case OPT_VERSION: c->mode = MODE_VERSION; return true;
    case OPT_HELP: c->mode = MODE_HELP; return true;
    default: return false;
    }
}

int cmdline_parse(struct cmdline *c, int argc, char **argv, FILE *err)
{
    int opt;

    *c = (struct cmdline){ .mode = MODE_RUN };
    argc = take_list(c, argc, argv);
    opterr = 0;
    optind = 0;                     /* glibc: begin anew, also after a parse that was left midway */
    while ((opt = getopt_long(argc, argv, ":Tc:r:i:", table, NULL)) != -1) {
        const char *word = argv[optind - 1];
        char letter[] = { '-', (char)optopt, '\0' };

        if (optopt > 0 && optopt < OPT_WORKERS && (opt == '?' || opt == ':'))
            word = letter;          /* of several behind one '-': optind stands on them still */
        if (opt == ':') {
            fprintf(err, "ecyberd: %s needs a value; see --help\n", word);
            return EXIT_USAGE;
        }
        if (!take_option(c, opt)) {
            fprintf(err, "ecyberd: there is no option %s; see --help\n", word);
            return EXIT_USAGE;
        }
    }
    if (optind < argc) {
        fprintf(err, "ecyberd: '%s' belongs to no option; see --help\n", argv[optind]);
        return EXIT_USAGE;
    }
    return EXIT_FINE;
}

void cmdline_free(struct cmdline *c)
{
    for (uint32_t i = 0; i < c->n_source; i++)
        free(c->source[i]);
    for (uint32_t i = 0; i < c->n_set; i++)
        free(c->set[i]);
    free(c->source);
    free(c->set);
}
