#include "core/control/control_request.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EC_API_LEVEL 1
#include <ecyber/plugin.h>

#include "core/control/control.h"
#include "core/conf/utf8.h"

#define COMMANDS_MAX 64

static struct {
    const char *name, *help;
    control_fn *fn;
} commands[COMMANDS_MAX];
static uint32_t n_commands;
static enum control_code failure;

int control_command(const char *name, const char *help, control_fn *fn)
{
    uint32_t i = 0;

    while (i < n_commands && strcmp(commands[i].name, name))
        i++;
    if (i == COMMANDS_MAX)
        return -1;
    if (i == n_commands)
        n_commands++;
    commands[i].name = name;
    commands[i].help = help;
    commands[i].fn = fn;
    return 0;
}

static bool asked_by_owner;
static struct control_later *later;     /* the handler that runs has asked for it */

bool control_asked_by_owner(void)
{
    return asked_by_owner;
}

void control_error(enum control_code code)
{
    failure = code;
}

/* Takes one word from *in, writes it over the start of the same memory. NULL: an open quote, a
 * control character. */
static char *word_take(char **in)
{
    char *r = *in, *w = r, *start = r;
    int quoted = 0;

    for (; *r && (quoted || *r != ' '); r++) {
        if ((unsigned char)*r < 0x20 || *r == 0x7f)
            return NULL;
        if (*r == '"') {
            quoted = !quoted;
            continue;
        }
        if (quoted && *r == '\\' && (r[1] == '"' || r[1] == '\\'))
            r++;
        *w++ = *r;
    }
    if (quoted)
        return NULL;
    *in = *r ? r + 1 : r;
    *w = '\0';
    return start;
}

int control_split(char *line, char *word[CONTROL_WORDS + 1])
{
    int n = 0;

    for (;;) {
        line += strspn(line, " ");
        if (!*line)
            break;
        if (n == CONTROL_WORDS || !(word[n++] = word_take(&line)))
            return -1;
    }
    word[n] = NULL;
    return n;
}

/* File names and plugins' sentences may have any bytes; JSON is UTF-8. */
static void clean(char *text)
{
    size_t len = strlen(text);

    for (size_t at = 0, n; at < len; at += n ? n : 1) {
        n = utf8_char((const unsigned char *)text + at, len - at);
        if (!n)
            text[at] = '?';
    }
}

static char *text_of(struct json_object *o)
{
    const char *text =
        json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
    char *copy = NULL;

    if (!text || asprintf(&copy, "%s\n", text) < 0)
        copy = NULL;
    if (copy)
        clean(copy);
    json_object_put(o);
    return copy;
}

char *control_reply_error(const char *code, const char *message)
{
    struct json_object *o = json_object_new_object(), *e = json_object_new_object();

    json_object_object_add(e, "code", json_object_new_string(code));
    json_object_object_add(e, "message", json_object_new_string(message));
    json_object_object_add(o, "error", e);
    return text_of(o);
}

static char *reply_help(void)
{
    struct json_object *list = json_object_new_array();

    for (uint32_t i = 0; i < n_commands; i++) {
        struct json_object *o = json_object_new_object();

        json_object_object_add(o, "command", json_object_new_string(commands[i].name));
        json_object_object_add(o, "help", json_object_new_string(commands[i].help));
        json_object_array_add(list, o);
    }
    return text_of(list);
}

static const struct {
    const char *name;
    int32_t err;
} codes[] = {
    [CONTROL_FAILED] = {"failed", EC_EIO},         [CONTROL_USAGE] = {"usage", EC_EINVAL},
    [CONTROL_NOT_FOUND] = {"not_found", EC_ENOENT}, [CONTROL_REFUSED] = {"refused", EC_EPERM},
    [CONTROL_BAD_CONFIG] = {"bad_config", EC_EINVAL},
};

struct control_later {
    control_answer_fn *fn;
    void *arg;
};

static void answer_error(const struct control_later *to, enum control_code code, const char *why)
{
    to->fn(to->arg, codes[code].err, control_reply_error(codes[code].name, why));
}

struct control_later *control_later(void)
{
    return later = malloc(sizeof *later);
}

void control_forget(struct control_later *l)
{
    free(l);
    later = NULL;
}

void control_fail(struct control_later *l, enum control_code code, const char *why)
{
    answer_error(l, code, why);
    free(l);
}

void control_finish(struct control_later *l, struct json_object *o)
{
    if (o)
        l->fn(l->arg, EC_OK, text_of(o));
    else
        answer_error(l, CONTROL_FAILED, "the daemon ends");
    free(l);
}

static void run_command(control_fn *fn, char *const *args, const struct control_later *to)
{
    char why[1024] = "it failed and did not say why";
    struct json_object *o;

    failure = CONTROL_FAILED;
    later = NULL;
    o = fn(args, why, sizeof why);
    if (o)
        to->fn(to->arg, EC_OK, text_of(o));
    else if (later)
        *later = *to;
    else
        answer_error(to, failure, why);
}

void control_ask(char *line, bool owner, control_answer_fn *fn, void *arg)
{
    const struct control_later to = {fn, arg};
    char *word[CONTROL_WORDS + 1], why[256];
    int n = control_split(line, word);

    asked_by_owner = owner;
    if (n < 0) {
        answer_error(&to, CONTROL_USAGE,
                     "a request is one line: COMMAND ARG…, at most 16 words, quoted by \"");
        return;
    }
    if (!n || !strcmp(word[0], "help")) {
        fn(arg, EC_OK, reply_help());
        return;
    }
    for (uint32_t i = 0; i < n_commands; i++)
        if (!strcmp(commands[i].name, word[0])) {
            run_command(commands[i].fn, word + 1, &to);
            return;
        }
    snprintf(why, sizeof why, "there is no command '%.64s'; 'help' lists them", word[0]);
    answer_error(&to, CONTROL_USAGE, why);
}
