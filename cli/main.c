#include "buildconf.h"

#include "cli/cli.h"
#include "cli/explain.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int cmd_explain(const struct cli *c, char *const *args)
{
    char name[] = "explain", *argv[] = {name, args[0], NULL};

    (void)c;
    return explain_main(args[0] ? 2 : 1, argv);
}

static const struct cli_command commands[] = {
    {"status", "", "the daemon: plugins, packets, events, metrics", cmd_status},
    {"plugins list", "", "every plugin, and why one is left out", cmd_plugins_list},
    {"plugins info", "NAME", "one plugin: what it uses and offers, its metrics", cmd_plugins_info},
    {"config check", "[FILE]", "check a configuration file against the running daemon's plugins",
     cmd_config_check},
    {"reload", "", "read the configuration anew, and wait until it runs or is refused", cmd_reload},
    {"drops", "", "an exact account of every packet and event", cmd_drops},
    {"explain", "[FILE]",
     "the alerts of an eve.json with buffer, offset and bytes; no file or -: standard input",
     cmd_explain},
    {"stop", "", "end the daemon in order", cmd_stop},
};
#define COMMANDS (sizeof commands / sizeof *commands)

static void usage(FILE *to)
{
    fprintf(to, "usage: ecyberctl [-s SOCKET] [-o table|tsv|json|jsonl] COMMAND\n\n");
    for (size_t i = 0; i < COMMANDS; i++) {
        char name[40];

        snprintf(name, sizeof name, "%s %s", commands[i].name, commands[i].args);
        fprintf(to, "  %-20s %s\n", name, commands[i].help);
    }
    fprintf(to, "\n  -s, --socket SOCKET  the daemon's control socket (%s/control.sock)\n",
            ECYBER_RUNDIR);
    fprintf(to,
            "  -o, --output FORM    table (on a terminal), tsv (in a pipe), json, jsonl\n"
            "      --help, --version\n\n"
            "exit codes: 0 ok, 1 failed, 2 usage, 3 daemon not running, 4 not found, 5 refused, "
            "6 bad configuration\n");
}

/* How many words of argv are this command's name; 0: it is another. */
static int name_words(const char *name, int argc, char **argv)
{
    size_t first = strcspn(name, " ");

    if (argc < 1 || strlen(argv[0]) != first || strncmp(argv[0], name, first))
        return 0;
    if (!name[first])
        return 1;
    return argc > 1 && !strcmp(argv[1], name + first + 1) ? 2 : 0;
}

static int wrong(const char *what, const char *name, const char *rest)
{
    fprintf(stderr, "ecyberctl: %s%s%s%s%s; 'ecyberctl --help' shows how\n", what, *name ? "'" : "",
            name, *name ? "'" : "", rest);
    return CLI_USAGE;
}

static int run(const struct cli *c, int argc, char **argv)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        const struct cli_command *cmd = &commands[i];
        int words = name_words(cmd->name, argc, argv), left = argc - words;

        if (!words)
            continue;
        if (left > (*cmd->args != '\0'))
            return wrong("", cmd->name, " takes fewer arguments");
        if (!left && *cmd->args && *cmd->args != '[')
            return wrong("", cmd->name, " needs an argument");
        return cmd->run(c, argv + words);
    }
    return argc ? wrong("there is no command ", argv[0], "") : wrong("no command is given", "", "");
}

static int form_parse(const char *word, enum cli_form *form)
{
    static const char *const words[] = {"table", "tsv", "json", "jsonl"};

    for (int i = 0; i < 4; i++) {
        if (strcmp(word, words[i]))
            continue;
        *form = (enum cli_form)i;
        return 0;
    }
    return -1;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"socket", required_argument, NULL, 's'},
                                            {"output", required_argument, NULL, 'o'},
                                            {"help", no_argument, NULL, 'h'},
                                            {"version", no_argument, NULL, 'V'},
                                            {NULL, 0, NULL, 0}};
    struct cli c = {ECYBER_RUNDIR "/control.sock", isatty(STDOUT_FILENO) ? CLI_TABLE : CLI_TSV,
                    false};
    int o;

    while ((o = getopt_long(argc, argv, "+s:o:h", options, NULL)) != -1) {
        switch (o) {
        case 's':
            c.socket = optarg;
            break;
        case 'o':
            if (form_parse(optarg, &c.form))
                return wrong("there is no output form ", optarg, "");
            break;
        case 'h':
            usage(stdout);
            return fflush(stdout) ? CLI_FAILED : CLI_OK;
        case 'V':
            printf("ecyberctl %s\n", PACKAGE_VERSION);
            return fflush(stdout) ? CLI_FAILED : CLI_OK;
        default:
            return CLI_USAGE;
        }
    }
    c.color = c.form == CLI_TABLE && isatty(STDOUT_FILENO) &&
              !(getenv("NO_COLOR") && *getenv("NO_COLOR")) &&
              !(getenv("TERM") && !strcmp(getenv("TERM"), "dumb"));
    return run(&c, argc - optind, argv + optind);
}
