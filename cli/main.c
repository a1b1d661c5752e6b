#include "buildconf.h"

#include "cli/cli.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ARGS_MAX 64

static void usage(FILE *to)
{
    fprintf(to, "usage: ecyberctl [-s SOCKET] [-a SOCKET] [-o table|tsv|json|jsonl] COMMAND\n\n");
    for (size_t i = 0; i < cli_command_count; i++) {
        const struct cli_command *cmd = &cli_commands[i];
        char name[48];

        snprintf(name, sizeof name, "%s%s%s", cmd->name, *cmd->args ? " " : "", cmd->args);
        fprintf(to, "  %-24s %s\n", name, cmd->help);
    }
    fprintf(to,
            "\n'ecyberctl COMMAND --help' says what options a command has.\n\n"
            "  -s, --socket SOCKET  the daemon's control socket (%s/control.sock)\n"
            "  -a, --api SOCKET     the socket of its HTTP API (api.sock beside the control socket)\n",
            ECYBER_RUNDIR);
    fprintf(to,
            "  -o, --output FORM    table (on a terminal), tsv (in a pipe), json, jsonl\n"
            "      --help, --version\n\n"
            "exit codes: 0 ok, 1 failed, 2 usage, 3 daemon not running, 4 not found, 5 refused, "
            "6 bad configuration\n");
}

static int command_help(const struct cli_command *cmd)
{
    printf("usage: ecyberctl %s%s%s%s\n%s\n", cmd->name, cmd->option ? " [OPTION ...]" : "", *cmd->args ? " " : "",
           cmd->args, cmd->help);
    for (const struct cli_option *o = cmd->option; o && o->name; o++) {
        char name[40];

        snprintf(name, sizeof name, "--%s%s%s", o->name, o->value ? " " : "", o->value ? o->value : "");
        printf("%s  %-20s %s\n", o == cmd->option ? "\n" : "", name, o->help);
    }
    return fflush(stdout) ? CLI_FAILED : CLI_OK;
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

/* A command's own option at argv[0], "--name VALUE" or "--name=VALUE". Returns the words that it took, 0: there is no
 * such option or its value is missing. */
static int option_take(const struct cli_command *cmd, struct cli *c, char **argv)
{
    const char *name = argv[0] + 2;
    size_t n = strcspn(name, "=");

    for (int i = 0; cmd->option && cmd->option[i].name && i < CLI_OPTIONS; i++) {
        const struct cli_option *o = &cmd->option[i];

        if (strlen(o->name) != n || strncmp(o->name, name, n) || (!o->value && name[n]))
            continue;
        c->option[i] = !o->value ? "" : name[n] ? name + n + 1 : argv[1];
        return !c->option[i] ? 0 : o->value && !name[n] ? 2 : 1;
    }
    return 0;
}

/* What follows a command's name: its options into c, the other words into args. */
static int words_take(const struct cli_command *cmd, struct cli *c, char **argv, char **args)
{
    int n = 0, took;

    while (*argv) {
        if (!strcmp(*argv, "--")) {
            while (*++argv && n < ARGS_MAX)
                args[n++] = *argv;
            break;
        }
        if ((!strcmp(*argv, "-o") || !strcmp(*argv, "--output")) && argv[1]) {
            if (form_parse(argv[1], &c->form))
                return -wrong("there is no output form ", argv[1], "");
            argv += 2;
        } else if (!strcmp(*argv, "-m") && argv[1]) {
            char word[] = "--note", *note[] = {word, argv[1], NULL};

            if (!option_take(cmd, c, note))
                return -wrong("", *argv, " is no option of this command");
            argv += 2;
        } else if (!strncmp(*argv, "--", 2)) {
            took = option_take(cmd, c, argv);
            if (!took)
                return -wrong("", *argv, " is no option of this command, or its value is missing");
            argv += took;
        } else if (n == ARGS_MAX) {
            return -wrong("there are too many arguments", "", "");
        } else {
            args[n++] = *argv++;
        }
    }
    args[n] = NULL;
    return n;
}

/* As many as a command takes: "FILE CAPTURE" two. */
static int most_words(const char *args)
{
    int n = *args != '\0';

    if (strstr(args, "..."))
        return ARGS_MAX;
    for (; *args; args++)
        n += *args == ' ';
    return n;
}

static bool asks_help(char **argv)
{
    for (; *argv && strcmp(*argv, "--"); argv++)
        if (!strcmp(*argv, "--help") || !strcmp(*argv, "-h"))
            return true;
    return false;
}

static void look_of(struct cli *c)
{
    struct winsize w = {0};

    if (c->form != CLI_TABLE || !isatty(STDOUT_FILENO))
        return;
    c->color = !(getenv("NO_COLOR") && *getenv("NO_COLOR")) && !(getenv("TERM") && !strcmp(getenv("TERM"), "dumb"));
    if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &w))
        c->width = w.ws_col;
}

static int run(struct cli *c, int argc, char **argv)
{
    char *args[ARGS_MAX + 1] = {NULL};

    for (size_t i = 0; i < cli_command_count; i++) {
        const struct cli_command *cmd = &cli_commands[i];
        int words = name_words(cmd->name, argc, argv), left;

        if (!words)
            continue;
        if (asks_help(argv + words))
            return command_help(cmd);
        left = words_take(cmd, c, argv + words, args);
        if (left < 0)
            return -left;
        if (left > most_words(cmd->args))
            return wrong("", cmd->name, " takes fewer arguments");
        if (!left && *cmd->args && *cmd->args != '[')
            return wrong("", cmd->name, " needs an argument");
        if (*cmd->args != '[' && !strstr(cmd->args, "...") && left < most_words(cmd->args))
            return wrong("", cmd->name, " needs more arguments");
        look_of(c);
        return cmd->run(c, args);
    }
    return argc ? wrong("there is no command ", argv[0], "") : wrong("no command is given", "", "");
}

/* The API's socket stands beside the control socket, unless it was given. */
static void api_beside(struct cli *c, char *room, size_t n)
{
    const char *slash = strrchr(c->socket, '/');

    snprintf(room, n, "%.*sapi.sock", slash ? (int)(slash - c->socket + 1) : 0, c->socket);
    c->api = room;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"socket", required_argument, NULL, 's'},
                                            {"api", required_argument, NULL, 'a'},
                                            {"output", required_argument, NULL, 'o'},
                                            {"help", no_argument, NULL, 'h'},
                                            {"version", no_argument, NULL, 'V'},
                                            {NULL, 0, NULL, 0}};
    struct cli c = {.socket = ECYBER_RUNDIR "/control.sock", .form = isatty(STDOUT_FILENO) ? CLI_TABLE : CLI_TSV};
    char api[4096];
    int o;

    while ((o = getopt_long(argc, argv, "+s:a:o:h", options, NULL)) != -1) {
        switch (o) {
        case 's':
            c.socket = optarg;
            break;
        case 'a':
            c.api = optarg;
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
    if (!c.api)
        api_beside(&c, api, sizeof api);
    return run(&c, argc - optind, argv + optind);
}
