/* ecyberctl explain: the alerts of an eve.json for people: who, what, and for each match of the rule the
 * buffer, where in it, and the bytes. Reads a file or standard input, so it needs no daemon. */
#include "cli/explain.h"

#include "cli/safe.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the bytes of a match, so many hexadecimal digits are printed. */
#define HEX_SHOWN 64

static const char *text_of(struct json_object *object, const char *key)
{
    struct json_object *value;

    if (!json_object_object_get_ex(object, key, &value) || !value)
        return "";
    return json_object_get_string(value);
}

static int64_t number_of(struct json_object *object, const char *key)
{
    struct json_object *value;

    return json_object_object_get_ex(object, key, &value) ? json_object_get_int64(value) : 0;
}

static struct json_object *child_of(struct json_object *object, const char *key)
{
    struct json_object *value = NULL;

    json_object_object_get_ex(object, key, &value);
    return value;
}

static void print_row(FILE *out, const char *label, const char *text)
{
    if (!*text)
        return;
    fprintf(out, "  %-8s ", label);
    safe_print(out, text);
    putc('\n', out);
}

static void print_endpoint(FILE *out, struct json_object *event, const char *ip, const char *port)
{
    const char *address = text_of(event, ip);

    fprintf(out, strchr(address, ':') ? "[%s]" : "%s", address);
    if (child_of(event, port))
        fprintf(out, ":%lld", (long long)number_of(event, port));
}

static void print_way(FILE *out, struct json_object *event)
{
    const char *app = text_of(event, "app_proto");

    fprintf(out, "  %-8s ", "way");
    print_endpoint(out, event, "src_ip", "src_port");
    fputs(" -> ", out);
    print_endpoint(out, event, "dest_ip", "dest_port");
    fputs("  ", out);
    safe_print(out, text_of(event, "proto"));
    if (*app) {
        putc('/', out);
        safe_print(out, app);
    }
    if (child_of(event, "pcap_cnt"))
        fprintf(out, "  packet %lld", (long long)number_of(event, "pcap_cnt"));
    putc('\n', out);
}

/* "content in http.uri at offset 4, length 3: "abc" = 61 62 63" */
static void print_match(FILE *out, struct json_object *match, size_t i)
{
    const char *hex = text_of(match, "bytes");

    fprintf(out, "  %-8s ", i ? "" : "because");
    safe_print(out, text_of(match, "keyword"));
    fputs(" in ", out);
    safe_print(out, text_of(match, "buffer"));
    fprintf(out, " at offset %lld, length %lld: \"", (long long)number_of(match, "offset"),
            (long long)number_of(match, "length"));
    safe_print(out, text_of(match, "printable"));
    fputs("\" =", out);
    for (size_t n = 0; n < HEX_SHOWN && hex[n] && hex[n + 1]; n += 2)
        fprintf(out, " %.2s", hex + n);
    fputs(strlen(hex) > HEX_SHOWN ? " ...\n" : "\n", out);
}

void explain_alert(FILE *out, struct json_object *event)
{
    struct json_object *alert = child_of(event, "alert"), *why = child_of(child_of(event, "ecyber"), "why");
    struct json_object *matches = child_of(why, "matches");
    size_t n = json_object_is_type(matches, json_type_array) ? json_object_array_length(matches) : 0;
    char text[160];

    safe_print(out, text_of(event, "timestamp"));
    snprintf(text, sizeof text, "  [%lld:%lld:%lld]  ", (long long)number_of(alert, "gid"),
             (long long)number_of(alert, "signature_id"), (long long)number_of(alert, "rev"));
    fputs(text, out);
    safe_print(out, text_of(alert, "signature"));
    putc('\n', out);
    print_row(out, "class", text_of(alert, "category"));
    snprintf(text, sizeof text, "severity %lld, %s", (long long)number_of(alert, "severity"), text_of(alert, "action"));
    print_row(out, "rated", text);
    print_way(out, event);
    print_row(out, "rule", text_of(why, "rule"));
    for (size_t i = 0; i < n; i++)
        print_match(out, json_object_array_get_idx(matches, i), i);
    putc('\n', out);
}

/* One line of the file: 1 an alert that was printed, 0 another event, -1 no JSON. */
static int explain_line(FILE *out, struct json_tokener *tokener, const char *line, size_t length)
{
    struct json_object *event, *alert;
    int printed = 0;

    json_tokener_reset(tokener);
    event = json_tokener_parse_ex(tokener, line, (int)length);
    if (!json_object_is_type(event, json_type_object)) {
        json_object_put(event);
        return -1;
    }
    alert = child_of(event, "alert");
    if (alert && !strcmp(text_of(event, "event_type"), "alert")) {
        explain_alert(out, event);
        printed = 1;
    }
    json_object_put(event);
    return printed;
}

long explain_stream(FILE *in, FILE *out, const char *name)
{
    struct json_tokener *tokener = json_tokener_new();
    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    long n = 0, alerts = 0;
    int rc = 0;

    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
    while ((length = getline(&line, &room, in)) > 0) {
        n++;
        rc = length > INT32_MAX - 1 ? -1 : explain_line(out, tokener, line, (size_t)length);
        if (rc < 0) {
            fprintf(stderr, "ecyberctl: %s:%ld: this line is not a JSON object\n", name, n);
            break;
        }
        if (rc)
            fflush(out);
        alerts += rc;
    }
    free(line);
    json_tokener_free(tokener);
    return rc < 0 || ferror(in) || ferror(out) ? -1 : alerts;
}

int explain_main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "-";
    FILE *in = stdin;
    long alerts;

    if (argc > 2) {
        fprintf(stderr, "usage: ecyberctl explain [FILE | -]\n");
        return 2;
    }
    if (strcmp(name, "-") && !(in = fopen(name, "re"))) {
        fprintf(stderr, "ecyberctl: %s: %s\n", name, strerror(errno));
        return errno == ENOENT ? 4 : 1;
    }
    alerts = explain_stream(in, stdout, name);
    if (in != stdin)
        fclose(in);
    if (alerts >= 0)
        fprintf(stderr, "%ld alert%s\n", alerts, alerts == 1 ? "" : "s");
    return alerts < 0 ? 1 : 0;
}
