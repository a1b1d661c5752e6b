/* ecyberctl completion: a script for a shell, made of the commands that there are. */
#include "cli/cli.h"
#include "cli/print.h"

#include <stdio.h>
#include <string.h>

/* The command's words so far in `name`, at most two; what may follow in `list`. */
static const char head[] =
    "_ecyberctl()\n"
    "{\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} w name= n=0 i list=\n"
    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "        w=${COMP_WORDS[i]}\n"
    "        case $w in\n"
    "            -s|--socket|-a|--api|-o|--output) ((i++)) ;;\n"
    "            -*) ;;\n"
    "            *) ((n++ < 2)) && name=\"$name${name:+ }$w\" ;;\n"
    "        esac\n"
    "    done\n"
    "    case $name in\n";
static const char tail[] =
    "    esac\n"
    "    COMPREPLY=($(compgen -W \"$list\" -- \"$cur\"))\n"
    "}\n"
    "complete -o default -F _ecyberctl ecyberctl\n";

/* Is it the first command of this first word? */
static bool first_of(size_t at, size_t n)
{
    for (size_t i = 0; i < at; i++)
        if (!strncmp(cli_commands[i].name, cli_commands[at].name, n) && strchr(" ", cli_commands[i].name[n]))
            return false;
    return true;
}

static void first_words(void)
{
    printf("        '') list='");
    for (size_t i = 0; i < cli_command_count; i++) {
        size_t n = strcspn(cli_commands[i].name, " ");

        if (first_of(i, n))
            printf("%.*s ", (int)n, cli_commands[i].name);
    }
    printf("--socket --api --output --help --version' ;;\n");
}

/* What may follow the first word of the command at `at`. */
static void second_words(size_t at)
{
    const char *name = cli_commands[at].name;
    size_t n = strcspn(name, " ");

    if (!name[n] || !first_of(at, n))
        return;
    printf("        '%.*s') list='", (int)n, name);
    for (size_t i = at; i < cli_command_count; i++)
        if (!strncmp(cli_commands[i].name, name, n + 1))
            printf("%s ", cli_commands[i].name + n + 1);
    printf("' ;;\n");
}

/* A name of one word has the command's first argument behind it, where there is one. */
static void options(const struct cli_command *cmd)
{
    bool one = !strchr(cmd->name, ' ');

    printf("        '%s'%s%s%s) list='", cmd->name, one ? "|'" : "", one ? cmd->name : "", one ? " '*" : "");
    for (const struct cli_option *o = cmd->option; o && o->name; o++)
        printf("--%s ", o->name);
    printf("--help' ;;\n");
}

int cmd_completion(const struct cli *c, char *const *args)
{
    bool zsh = !strcmp(args[0], "zsh");

    (void)c;
    if (!zsh && strcmp(args[0], "bash")) {
        fprintf(stderr, "ecyberctl: completion: bash or zsh\n");
        return CLI_USAGE;
    }
    if (zsh)
        printf("autoload -U +X bashcompinit && bashcompinit\n");
    fputs(head, stdout);
    first_words();
    for (size_t i = 0; i < cli_command_count; i++)
        second_words(i);
    for (size_t i = 0; i < cli_command_count; i++)
        options(&cli_commands[i]);
    fputs(tail, stdout);
    return print_end();
}
