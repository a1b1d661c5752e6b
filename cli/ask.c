/* One request over the control socket, and its reply. */
#include "cli/cli.h"
#include "cli/dial.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REPLY_MAX     (64u << 20)
#define REPLY_SECONDS 15
#define REQUEST_MAX   4096

/* "plugin" "my \"name\"": as core's control socket takes it. 0, or −1: too long, or a control
 * character. */
static int request_make(char *to, const char *const *word)
{
    size_t n = 0;

    for (; *word; word++) {
        to[n++] = '"';
        for (const char *p = *word; *p; p++) {
            if ((unsigned char)*p < 0x20 || *p == 0x7f || n > REQUEST_MAX - 8)
                return -1;
            if (*p == '"' || *p == '\\')
                to[n++] = '\\';
            to[n++] = *p;
        }
        to[n++] = '"';
        to[n++] = word[1] ? ' ' : '\n';
        if (n > REQUEST_MAX - 8)
            return -1;
    }
    to[n] = '\0';
    return 0;
}

/* Everything up to the newline; NULL: there was none. */
static char *reply_read(int fd)
{
    size_t n = 0, room = 0;
    char *text = NULL;
    ssize_t got;

    do {
        if (room - n < 2) {
            char *more = room < REPLY_MAX ? realloc(text, room = room ? 2 * room : 65536) : NULL;

            if (!more)
                break;
            text = more;
        }
        got = read(fd, text + n, room - n - 1);
        n += got > 0 ? (size_t)got : 0;
    } while (got > 0 && text[n - 1] != '\n');
    if (n && text[n - 1] == '\n') {
        text[n - 1] = '\0';
        return text;
    }
    free(text);
    return NULL;
}

static int error_code(const char *word)
{
    static const struct {
        const char *word;
        int code;
    } codes[] = {{"usage", CLI_USAGE}, {"not_found", CLI_NOT_FOUND}, {"refused", CLI_REFUSED},
                 {"bad_config", CLI_BAD_CONFIG}};

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (!strcmp(word, codes[i].word))
            return codes[i].code;
    return CLI_FAILED;
}

/* The reply, unless it says that the daemon could not do it. */
static struct json_object *reply_judge(struct json_object *o, int *code)
{
    struct json_object *e, *v;
    const char *message = "it failed and did not say why";

    if (!o) {
        fprintf(stderr, "ecyberctl: what came back is no JSON\n");
        *code = CLI_FAILED;
        return NULL;
    }
    if (!json_object_is_type(o, json_type_object) || !json_object_object_get_ex(o, "error", &e))
        return o;
    *code = json_object_object_get_ex(e, "code", &v) ? error_code(json_object_get_string(v))
                                                     : CLI_FAILED;
    if (json_object_object_get_ex(e, "message", &v))
        message = json_object_get_string(v);
    fprintf(stderr, "ecyberctl: %s\n", message);
    json_object_put(o);
    return NULL;
}

struct json_object *cli_ask(const struct cli *c, const char *const *word, int *code)
{
    char request[REQUEST_MAX];
    struct json_object *o;
    char *reply;
    int fd;

    if (request_make(request, word)) {
        fprintf(stderr, "ecyberctl: an argument is too long or has control characters\n");
        *code = CLI_USAGE;
        return NULL;
    }
    fd = dial(c->socket, "ecyberd is not running", "-s SOCKET", REPLY_SECONDS, code);
    if (fd < 0)
        return NULL;
    /* Who refuses may do so before it has read anything: the reply says why then. */
    reply = send(fd, request, strlen(request), MSG_NOSIGNAL) < 0 && errno != EPIPE ? NULL
                                                                                   : reply_read(fd);
    close(fd);
    if (!reply) {
        fprintf(stderr, "ecyberctl: ecyberd did not answer within %d s, or ended\n", REPLY_SECONDS);
        *code = CLI_FAILED;
        return NULL;
    }
    o = json_tokener_parse(reply);
    free(reply);
    return reply_judge(o, code);
}
