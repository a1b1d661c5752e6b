#include "cli/scrub.h"

#include <ctype.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BASE64   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_-"
#define KEY_ENDS " \t\r\n\"',;&}])>"
#define NAME_LEN 64                 /* bytes of a name that are looked at */

/* Parts of names of what is secret. */
static const char *const secret_names[] = {"password", "passwd", "passphrase", "pwd", "secret", "token", "cookie",
                                           "authorization", "api_key", "apikey", "api-key", "access_key", "private_key",
                                           "credential", "oinkcode", "otp"};

static bool names_secret(const char *name, size_t n)
{
    char low[NAME_LEN];

    if (n >= sizeof low) {
        name += n - (sizeof low - 1);
        n = sizeof low - 1;
    }
    for (size_t i = 0; i < n; i++)
        low[i] = (char)tolower((unsigned char)name[i]);
    low[n] = '\0';
    for (size_t i = 0; i < sizeof secret_names / sizeof *secret_names; i++)
        if (strstr(low, secret_names[i]))
            return true;
    return false;
}

/* "scheme://user:password@": how much of it after "://" is who logs in, with the '@'; a password may have a '/' that
 * was not encoded. */
static size_t userinfo(const char *at)
{
    size_t n = strcspn(at, " \t\r\n\"'<>"), last = 0;

    for (size_t i = 0; i < n; i++)
        if (at[i] == '@')
            last = i + 1;
    return last;
}

static size_t tail_url(const char *at, bool http, FILE *out)
{
    size_t n = 3, who = userinfo(at + 3), host;

    fputs("://", out);
    if (who)
        fputs(SCRUBBED "@", out);
    n += who;
    if (!http)
        return n;
    host = strcspn(at + n, "/?# \t\r\n\"'<>");
    fwrite(at + n, 1, host, out);
    n += host;
    if (!at[n] || !strchr("/?#", at[n]))
        return n;
    fputs("/" SCRUBBED, out);
    return n + strcspn(at + n, " \t\r\n\"'<>");
}

/* A URL's "://": its host stays. */
static size_t take_url(const char *text, const char *at, FILE *out)
{
    if (strncmp(at, "://", 3))
        return 0;
    return tail_url(at, (at - text >= 4 && !strncasecmp(at - 4, "http", 4)) ||
                            (at - text >= 5 && !strncasecmp(at - 5, "https", 5)), out);
}

/* Things that show what they are by how they begin. */
static size_t take_known(const char *text, const char *at, FILE *out)
{
    static const struct {
        const char *begin, *bytes;
        size_t least;                   /* bytes after the beginning */
    } kinds[] = {{"eyJ", BASE64 ".", 12}, {"eck_", BASE64, 8},
                 {"$2", BASE64 ".$", 20}, {"$argon2", BASE64 ".$,", 10}, {"$y$", BASE64 ".$", 10},
                 {"$1$", BASE64 ".$", 10}, {"$5$", BASE64 ".$", 10}, {"$6$", BASE64 ".$", 10}};

    if (at > text && isalnum((unsigned char)at[-1]) && *at != '$')
        return 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t begin = strlen(kinds[i].begin), n;

        if (strncmp(at, kinds[i].begin, begin))
            continue;
        n = strspn(at + begin, kinds[i].bytes);
        if (n < kinds[i].least)
            continue;
        fputs(SCRUBBED, out);
        return begin + n;
    }
    return 0;
}

static size_t take_pem(const char *at, FILE *out)
{
    size_t line = strcspn(at, "\r\n");
    const char *key = !strncmp(at, "-----BEGIN ", 11) ? strstr(at, "PRIVATE KEY-----") : NULL, *end;

    if (!key || (size_t)(key - at) > line)
        return 0;
    fputs(SCRUBBED, out);
    end = strstr(key, "-----END ");
    end = end ? strstr(end, "KEY-----") : NULL;
    return end ? (size_t)(end + 8 - at) : strlen(at);
}

/* "Bearer abc", "Basic abc". */
static size_t take_scheme(const char *text, const char *at, FILE *out)
{
    size_t word = !strncasecmp(at, "bearer ", 7) ? 7 : !strncasecmp(at, "basic ", 6) ? 6 : 0, n;

    if (!word || (at > text && isalnum((unsigned char)at[-1])))
        return 0;
    n = strspn(at + word, BASE64 ".~");
    if (n < 4)
        return 0;
    fwrite(at, 1, word, out);
    fputs(SCRUBBED, out);
    return word + n;
}

/* Behind '=' or ':' of a secret's name: the rest of a header's line, else up to the end of the word or the quote. */
static size_t take_value(const char *text, const char *at, FILE *out)
{
    size_t name = 0, n = 1;
    const char *end = at;

    if (*at != '=' && *at != ':')
        return 0;
    while (end > text && end[-1] == ' ')
        end--;
    if (end > text && (end[-1] == '"' || end[-1] == '\''))
        end--;
    while (name < NAME_LEN && end - name > text && (isalnum((unsigned char)end[-1 - (long)name]) ||
                                                   strchr("_-.", end[-1 - (long)name])))
        name++;
    if (!names_secret(end - name, name))
        return 0;
    n += strspn(at + n, " \t=");
    fwrite(at, 1, n, out);
    if (at[n] == '"' || at[n] == '\'') {
        char quote[2] = {at[n], '\0'};
        size_t m = n + 1;

        fputc(at[n], out);
        while (at[m] && at[m] != quote[0])
            m += at[m] == '\\' && at[m + 1] ? 2 : 1;
        fputs(SCRUBBED, out);
        return m;
    }
    if (!at[n] || strchr("\r\n", at[n]))
        return n;
    fputs(SCRUBBED, out);
    /* A header or a line of YAML has spaces in its value; a query or a log line has not. */
    return *at == ':' ? n + strcspn(at + n, "\r\n") : n + strcspn(at + n, KEY_ENDS);
}

char *scrub_text(const char *text)
{
    char *made = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&made, &size);
    bool bad;

    if (!out)
        return NULL;
    for (const char *at = text; *at;) {
        size_t n = take_value(text, at, out);

        if (!n)
            n = take_url(text, at, out);
        if (!n)
            n = take_known(text, at, out);
        if (!n)
            n = take_scheme(text, at, out);
        if (!n)
            n = take_pem(at, out);
        if (!n)
            fputc(*at++, out);
        at += n;
    }
    bad = ferror(out);
    if (fclose(out) || bad) {
        free(made);
        return NULL;
    }
    return made;
}

static struct json_object *scrub(struct json_object *o, bool secret);

static struct json_object *scrub_object(struct json_object *o, bool secret)
{
    struct json_object *made = json_object_new_object();

    json_object_object_foreach(o, name, v) {
        struct json_object *copy = v ? scrub(v, secret || names_secret(name, strlen(name))) : NULL;
        char *key = scrub_text(name);

        if (!made || !key || (v && !copy) || json_object_object_add(made, key, copy)) {
            free(key);
            json_object_put(copy);
            json_object_put(made);
            return NULL;
        }
        free(key);
    }
    return made;
}

static struct json_object *scrub_array(struct json_object *o, bool secret)
{
    struct json_object *made = json_object_new_array();

    for (size_t i = 0; made && i < json_object_array_length(o); i++) {
        struct json_object *v = json_object_array_get_idx(o, i), *copy = v ? scrub(v, secret) : NULL;

        if (!(v && !copy) && !json_object_array_add(made, copy))
            continue;
        json_object_put(copy);
        json_object_put(made);
        return NULL;
    }
    return made;
}

static struct json_object *scrub_string(struct json_object *o, bool secret)
{
    char *text = secret && json_object_get_string_len(o) ? strdup(SCRUBBED) : scrub_text(json_object_get_string(o));
    struct json_object *made = text ? json_object_new_string(text) : NULL;

    free(text);
    return made;
}

static struct json_object *scrub(struct json_object *o, bool secret)
{
    switch (json_object_get_type(o)) {
    case json_type_object:
        return scrub_object(o, secret);
    case json_type_array:
        return scrub_array(o, secret);
    case json_type_string:
        return scrub_string(o, secret);
    default:
        return json_object_get(o);
    }
}

struct json_object *scrub_json(struct json_object *o)
{
    return scrub(o, false);
}
