/* cli.h: what every command of ecyberctl knows: the options, the daemon at the other end, the exit
 * codes. */
#ifndef CLI_CLI_H
#define CLI_CLI_H
#include <stdbool.h>
#include <stdint.h>
struct json_object;

enum {
    CLI_OK = 0,
    CLI_FAILED = 1,
    CLI_USAGE = 2,
    CLI_NOT_RUNNING = 3,
    CLI_NOT_FOUND = 4,
    CLI_REFUSED = 5,
    CLI_BAD_CONFIG = 6
};

enum cli_form { CLI_TABLE, CLI_TSV, CLI_JSON, CLI_JSONL };

struct cli {
    const char *socket;
    enum cli_form form;
    bool color;
};

/* One command. args: the words after its name, NULL-terminated. Returns an exit code; errors go to
 * stderr. */
typedef int cli_fn(const struct cli *c, char *const *args);
struct cli_command {
    const char *name;               /* one word or two */
    const char *args;               /* "" or "NAME" (one) or "[FILE]" (at most one) */
    const char *help;
    cli_fn *run;
};

cli_fn cmd_status, cmd_plugins_list, cmd_plugins_info, cmd_config_check, cmd_reload, cmd_drops,
    cmd_stop;

/* Ask the daemon. word: the command and its arguments, NULL-terminated. Returns the reply, to be
 * put; NULL: *code is the exit code, and why was printed on stderr. */
struct json_object *cli_ask(const struct cli *c, const char *const *word, int *code);

#endif
