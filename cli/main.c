#include "buildconf.h"

#include "cli/cli.h"
#include "cli/explain.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ARGS_MAX 64

static int cmd_explain(const struct cli *c, char *const *args)
{
    char name[] = "explain", *argv[] = {name, args[0], NULL};

    (void)c;
    return explain_main(args[0] ? 2 : 1, argv);
}

static const struct cli_command commands[] = {
    {"status", "", "the daemon: plugins, packets, events, metrics", cmd_status, NULL},
    {"alerts list", "[FIELD=VALUE ...]", "stored alerts, the newest first", cmd_alerts_list, events_options},
    {"alerts tail", "", "alerts as they come", cmd_alerts_tail, tail_options},
    {"alerts show", "ID", "one alert with all its fields", cmd_alerts_show, NULL},
    {"alerts explain", "ID", "why it fired: the rule, and for each match buffer, offset and bytes", cmd_alerts_explain,
     NULL},
    {"alerts ack", "ID ...", "acknowledge alerts: somebody looks at them", cmd_alerts_ack, alerts_change_options},
    {"alerts close", "ID ...", "close alerts: done with", cmd_alerts_close, alerts_change_options},
    {"alerts dismiss", "ID ...", "close alerts as false positives", cmd_alerts_dismiss, alerts_change_options},
    {"alerts reopen", "ID ...", "open alerts again", cmd_alerts_reopen, alerts_change_options},
    {"flows", "[FIELD=VALUE ...]", "stored flows, the newest first", cmd_flows, events_options},
    {"connections", "", "flows that are alive now, those with the latest packets first", cmd_connections, NULL},
    {"top", "", "the 20 hosts with most bytes in flows that have ended", cmd_top, NULL},
    {"devices", "", "the hosts that were seen, the latest first", cmd_devices, NULL},
    {"ban", "ADDRESS", "block an address or a network", cmd_ban, ban_options},
    {"unban", "ADDRESS", "end a ban, by its address or its id", cmd_unban, NULL},
    {"bans", "", "what is banned, by whom, why and until when", cmd_bans, NULL},
    {"rules list", "[FIELD=VALUE ...]", "rules with what became of them: state=failed, sid=2000001, source=managed ...",
     cmd_rules_list, items_options},
    {"rules show", "GID:SID", "one rule with its text, where it stands, and how often it matched", cmd_rules_show,
     NULL},
    {"rules enable", "GID:SID ...", "switch rules on, also those behind a '#'; they are in force then",
     cmd_rules_enable, rules_change_options},
    {"rules disable", "GID:SID ...", "switch rules off", cmd_rules_disable, rules_change_options},
    {"rules validate", "[FILE]", "what is wrong with rules, and where; no file or -: standard input",
     cmd_rules_validate, NULL},
    {"rules reload", "", "read all rules anew, and wait until they are in force or refused", cmd_rules_reload, NULL},
    {"rules sources", "", "where rules are fetched from, and how that went", cmd_rules_sources, NULL},
    {"rules add-source", "NAME URL", "fetch rules from there: a text, or a tar or zip archive of *.rules",
     cmd_rules_add_source, rules_add_source_options},
    {"rules remove-source", "NAME", "take a source away, with its rules", cmd_rules_remove_source, NULL},
    {"rules update", "[NAME ...]", "fetch rules and put them in force; no name: those of every source that is on",
     cmd_rules_update, rules_update_options},
    {"users list", "", "who may log in", cmd_users_list, NULL},
    {"users add", "NAME", "make a user; asks for the password", cmd_users_add, users_add_options},
    {"users passwd", "NAME", "give a user another password; asks for it", cmd_users_passwd, NULL},
    {"users reset", "NAME", "a password for once, no second factor: for who has lost both", cmd_users_reset, NULL},
    {"users import", "FILE", "the users of the system before this one, from its SQLite file", cmd_users_import,
     users_import_options},
    {"ml list", "", "the models that score flows", cmd_ml_list, NULL},
    {"ml explain", "ID", "a score: the features that made it, and what they contributed", cmd_ml_explain, NULL},
    {"store backup", "DIR|FILE.tar", "copy events and documents as they stand now, also while the daemon writes",
     cmd_store_backup, store_backup_options},
    {"store restore", "DIR|FILE.tar", "put such a copy in place, for a daemon that is stopped", cmd_store_restore,
     store_restore_options},
    {"rules test", "FILE CAPTURE", "the alerts that these rules alone raise on a capture; nothing is put in force",
     cmd_rules_test, NULL},
    {"replay", "CAPTURE", "what the rules in force find in a capture; the live engine is not touched", cmd_replay,
     NULL},
    {"tls self-signed", "[NAME ...]", "make cert.pem and key.pem here, for these names or addresses",
     cmd_tls_self_signed, NULL},
    {"plugins list", "", "every plugin, and why one is left out", cmd_plugins_list, NULL},
    {"plugins info", "NAME", "one plugin: what it uses and offers, its metrics", cmd_plugins_info, NULL},
    {"plugins new", "NAME", "a folder with a plugin to begin with, its test and its Makefile", cmd_plugins_new, NULL},
    {"config get", "[OPTION]", "options with their values and where these come from; or those of a section",
     cmd_config_get, NULL},
    {"config diff", "", "the options that do not have their default", cmd_config_diff, NULL},
    {"config set", "OPTION=VALUE ...", "change options that need no restart; they outlast one", cmd_config_set,
     config_change_options},
    {"config reset", "OPTION ...", "take changes back, so that the files hold again", cmd_config_reset,
     config_change_options},
    {"config check", "[FILE]", "check a configuration file against the running daemon's plugins", cmd_config_check,
     NULL},
    {"reload", "", "read the configuration anew, and wait until it runs or is refused", cmd_reload, NULL},
    {"drops", "", "an exact account of every packet and event", cmd_drops, NULL},
    {"support-dump", "[FILE.tar.gz]", "what helps to find a fault, in one file, without secrets", cmd_support_dump,
     NULL},
    {"explain", "[FILE]",
     "the alerts of an eve.json with buffer, offset and bytes; no file or -: standard input", cmd_explain, NULL},
    {"stop", "", "end the daemon in order", cmd_stop, NULL},
};
#define COMMANDS (sizeof commands / sizeof *commands)

static void usage(FILE *to)
{
    fprintf(to, "usage: ecyberctl [-s SOCKET] [-a SOCKET] [-o table|tsv|json|jsonl] COMMAND\n\n");
    for (size_t i = 0; i < COMMANDS; i++) {
        char name[48];

        snprintf(name, sizeof name, "%s%s%s", commands[i].name, *commands[i].args ? " " : "", commands[i].args);
        fprintf(to, "  %-24s %s\n", name, commands[i].help);
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

    for (size_t i = 0; i < COMMANDS; i++) {
        const struct cli_command *cmd = &commands[i];
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
