#include "cli/api.h"
#include "cli/print.h"
#include "cli/users.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define LETTERS 20 /* 100 bits */

/* In groups of five, without letters and digits that look alike. 0; −1: no randomness. */
static int password_make(char to[LETTERS + LETTERS / 5])
{
    static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";
    unsigned char r[LETTERS];
    size_t at = 0;

    if (getrandom(r, sizeof r, 0) != sizeof r)
        return -1;
    for (size_t i = 0; i < sizeof r; i++) {
        if (i && i % 5 == 0)
            to[at++] = '-';
        to[at++] = letters[r[i] & 31];
    }
    to[at] = '\0';
    explicit_bzero(r, sizeof r);
    return 0;
}

int cmd_users_reset(const struct cli *c, char *const *args)
{
    char id[32], password[LETTERS + LETTERS / 5];
    struct json_object *body, *o;
    int code = user_number(c, args[0], id, sizeof id);

    if (code)
        return code;
    if (password_make(password)) {
        fprintf(stderr, "ecyberctl: there is no randomness for a password\n");
        return CLI_FAILED;
    }
    body = json_object_new_object();
    json_object_object_add(body, "password", json_object_new_string(password));
    json_object_object_add(body, "must_change", json_object_new_boolean(1));
    json_object_object_add(body, "disable_2fa", json_object_new_boolean(1));
    o = user_reset(c, id, body, &code);
    json_object_put(body);
    json_object_put(o);
    if (!code) {
        printf("%s\n", password);
        fprintf(stderr, "ecyberctl: this is the password of %s until the next log-in, which asks for another; all "
                        "sessions and the second factor have ended\n", args[0]);
    }
    explicit_bzero(password, sizeof password);
    return code ? code : print_end();
}
