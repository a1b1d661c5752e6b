/* cli.h: what every command of ecyberctl knows: the options, the daemon at the other end, the exit
 * codes. */
#ifndef CLI_CLI_H
#define CLI_CLI_H
#include <stdbool.h>
#include <stddef.h>
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

#define CLI_OPTIONS 16                  /* of one command */

struct cli {
    const char *socket;
    enum cli_form form;
    bool color;
    const char *api;                    /* socket of the HTTP API */
    uint32_t width;                     /* columns of the terminal; 0: no limit */
    const char *option[CLI_OPTIONS];    /* values of the command's own options, in their order; NULL: not given */
};

/* One command. args: the words after its name, NULL-terminated. Returns an exit code; errors go to
 * stderr. */
typedef int cli_fn(const struct cli *c, char *const *args);
struct cli_option {
    const char *name, *value, *help;    /* "limit", "N", "…"; value NULL: it takes none, and is "" where given */
};
struct cli_command {
    const char *name;                   /* one word or two */
    const char *args;                   /* "" or "NAME" (one) or "[FILE]" (at most one) or "[FIELD=VALUE ...]" (any) */
    const char *help;
    cli_fn *run;
    const struct cli_option *option;    /* ends with a name NULL; NULL: none */
};

cli_fn cmd_status, cmd_plugins_list, cmd_plugins_info, cmd_plugins_new, cmd_config_check, cmd_config_get,
    cmd_config_diff, cmd_config_set, cmd_config_reset, cmd_reload, cmd_drops, cmd_stop,
    cmd_alerts_list, cmd_alerts_tail, cmd_alerts_show, cmd_alerts_explain, cmd_alerts_ack,
    cmd_alerts_close, cmd_alerts_dismiss, cmd_alerts_reopen, cmd_flows, cmd_top, cmd_devices, cmd_connections, cmd_ban,
    cmd_unban, cmd_bans,
    cmd_users_list, cmd_users_add, cmd_users_passwd, cmd_users_reset, cmd_users_import, cmd_ml_list,
    cmd_ml_explain, cmd_rules_list, cmd_rules_show, cmd_rules_enable, cmd_rules_disable, cmd_rules_validate,
    cmd_rules_reload, cmd_rules_test, cmd_rules_sources, cmd_rules_add_source, cmd_rules_remove_source,
    cmd_rules_update, cmd_replay, cmd_tls_self_signed, cmd_store_backup, cmd_store_restore,
    cmd_support_dump, cmd_apikeys_list, cmd_apikeys_delete, cmd_completion, cmd_plugins_reload;

/* The options of each, beside its run function. */
extern const struct cli_option events_options[], tail_options[], ban_options[], users_add_options[],
    alerts_change_options[], config_change_options[], store_backup_options[], store_restore_options[],
    users_import_options[], items_options[], rules_change_options[], rules_add_source_options[], rules_update_options[];

extern const struct cli_command cli_commands[];
extern const size_t cli_command_count;

/* Ask the daemon. word: the command and its arguments, NULL-terminated. Returns the reply, to be
 * put; NULL: *code is the exit code, and why was printed on stderr. */
struct json_object *cli_ask(const struct cli *c, const char *const *word, int *code);

#endif
