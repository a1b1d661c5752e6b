/* replay, rules test: a capture is handed to the daemon; its job is waited for, and shown. */
#include "cli/api.h"
#include "cli/job.h"
#include "cli/print.h"
#include "cli/rules.h"
#include "cli/safe.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Its job, or NULL and an exit code. */
static struct json_object *hand_in(const struct cli *c, const char *name, const char *path, int *code)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    struct json_object *o = NULL;
    struct stat st;

    *code = CLI_NOT_FOUND;
    if (fd < 0 || fstat(fd, &st))
        fprintf(stderr, "ecyberctl: %s: %s\n", name, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        fprintf(stderr, "ecyberctl: %s is no file\n", name);
    else
        o = api_upload(c, path, fd, (uint64_t)st.st_size, code);
    if (fd >= 0)
        close(fd);
    return o;
}

static void print_result(const struct cli *c, struct json_object *result)
{
    static const char *const head[] = {"#ALERTS", "RULE", "SIGNATURE", NULL};
    struct json_object *list = get(result, "signatures");
    size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
    struct table t;

    if (c->form == CLI_TSV) {
        print_flat(result);
        return;
    }
    printf("%s packets, %s flows, %s events, %s alerts, in %s s\n", get_text(result, "packets"),
           get_text(result, "flows"), get_text(result, "events"), get_text(result, "alerts"),
           get_text(result, "seconds"));
    table_open(&t, head);
    for (size_t i = 0; i < n; i++) {
        struct json_object *one = json_object_array_get_idx(list, i);
        char rule[48];

        snprintf(rule, sizeof rule, "%.20s:%.20s", get_text(one, "gid"), get_text(one, "sid"));
        table_row(&t, (const char *const[]){get_text(one, "alerts"), rule, get_text(one, "signature")});
    }
    if (n)
        print_heading(c, "Alerts");
    table_print(&t, c);
}

int cmd_replay(const struct cli *c, char *const *args)
{
    int code;
    struct json_object *job = hand_in(c, args[0], "/api/packets/replay", &code);

    return job_tell(c, job, code, print_result);
}

int cmd_rules_test(const struct cli *c, char *const *args)
{
    struct json_object *kept, *body, *job;
    char *text = rules_take(args[0]);
    struct api_path p;
    int code;

    if (!text)
        return CLI_NOT_FOUND;
    kept = hand_in(c, args[1], "/api/packets/replay?run=false", &code);
    if (!kept) {
        free(text);
        return code;
    }
    body = json_object_new_object();
    json_object_object_add(body, "rules", json_object_new_string(text));
    json_object_object_add(body, "replay", json_object_get(get(kept, "id")));
    free(text);
    job = api_call(c, "POST", "/api/rules/test", body, &code);
    code = job_tell(c, job, code, print_result);
    json_object_put(body);
    job_path(&p, get_number(kept, "id"), NULL);
    json_object_put(kept);
    json_object_put(api_call(c, "DELETE", p.text, NULL, &(int){0}));
    return code;
}
