/* The users of the system before this one, from its SQLite file. */
#include "cli/api.h"
#include "cli/print.h"
#include "cli/users.h"

#include <json-c/json.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { O_ROLES };
const struct cli_option users_import_options[] = {
    {"roles", "ROLE,...", "of who was no superuser (viewer); superusers become admin"},
    {NULL, NULL, NULL},
};

enum { NAME, EMAIL, FULL_NAME, HASH, ACTIVE, SUPERUSER, TWO_FACTOR, SECRET };
static const char query[] = "SELECT username, email, full_name, hashed_password, is_active, is_superuser,"
                            " is_two_factor_enabled, two_factor_secret FROM users ORDER BY id";

struct tally { unsigned made, there, failed; int code; };

static const char *column(sqlite3_stmt *st, int i)
{
    const char *text = (const char *)sqlite3_column_text(st, i);

    return text ? text : "";
}

static bool is_there(struct json_object *all, const char *name)
{
    for (size_t i = 0; i < json_object_array_length(all); i++)
        if (!strcasecmp(get_text(json_object_array_get_idx(all, i), "username"), name))
            return true;
    return false;
}

static struct json_object *body_of(sqlite3_stmt *st, const char *roles)
{
    static const struct { int column; const char *key; } text[] = {
        {NAME, "username"}, {EMAIL, "email"}, {FULL_NAME, "full_name"}, {HASH, "password_hash"}};
    struct json_object *body = json_object_new_object();

    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        if (*column(st, text[i].column))
            json_object_object_add(body, text[i].key, json_object_new_string(column(st, text[i].column)));
    json_object_object_add(body, "is_active", json_object_new_boolean(sqlite3_column_int(st, ACTIVE)));
    json_object_object_add(body, "roles", words(sqlite3_column_int(st, SUPERUSER) ? "admin" : roles));
    json_object_object_add(body, "must_change", json_object_new_boolean(0));
    if (sqlite3_column_int(st, TWO_FACTOR) && *column(st, SECRET))
        json_object_object_add(body, "two_factor_secret", json_object_new_string(column(st, SECRET)));
    return body;
}

static void take_over(const struct cli *c, sqlite3_stmt *st, struct json_object *all, struct tally *t)
{
    const char *name = column(st, NAME), *roles = c->option[O_ROLES] ? c->option[O_ROLES] : "viewer";
    struct json_object *body, *o;
    int code;

    if (is_there(all, name)) {
        fprintf(stderr, "ecyberctl: %.64s is there already, and stays as he is\n", name);
        t->there++;
        return;
    }
    body = body_of(st, roles);
    o = api_call(c, "POST", "/api/users", body, &code);
    json_object_put(body);
    if (o) {
        t->made++;
    } else {
        fprintf(stderr, "ecyberctl: %.64s was not taken over\n", name);
        t->failed++;
        t->code = code;
    }
    json_object_put(o);
}

int cmd_users_import(const struct cli *c, char *const *args)
{
    struct tally t = {.code = CLI_OK};
    struct json_object *all = NULL;
    sqlite3_stmt *st = NULL;
    sqlite3 *db = NULL;
    int rc = sqlite3_open_v2(args[0], &db, SQLITE_OPEN_READONLY, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(db, query, -1, &st, NULL);
    if (rc == SQLITE_OK && (all = users_all(c, &t.code)))
        while ((rc = sqlite3_step(st)) == SQLITE_ROW)
            take_over(c, st, all, &t);
    if (rc != SQLITE_OK && rc != SQLITE_DONE) {
        fprintf(stderr, "ecyberctl: %s: %s\n", args[0], db ? sqlite3_errmsg(db) : "out of memory");
        t.code = CLI_USAGE;
    }
    sqlite3_finalize(st);
    sqlite3_close(db);
    if (all)
        printf("%u users taken over, %u were there, %u failed\n", t.made, t.there, t.failed);
    json_object_put(all);
    return t.code ? t.code : print_end();
}
