#include "cli/print.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *need(void *p)
{
    if (p)
        return p;
    fprintf(stderr, "ecyberctl: out of memory\n");
    exit(CLI_FAILED);
}

/* A copy without control characters: what a capture put into a name must not drive the terminal. */
static char *cell_make(const char *text)
{
    const unsigned char *s = (const unsigned char *)(text ? text : "");
    char *to = need(malloc(4 * strlen((const char *)s) + 1)), *w = to;

    for (; *s; s++) {
        if (*s < 0x20 || *s == 0x7f)
            w += sprintf(w, "\\x%02x", *s);
        else if (*s == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0) /* the control characters of ISO 8859 */
            w += sprintf(w, "\\u%04x", *++s);
        else
            *w++ = (char)*s;
    }
    *w = '\0';
    return to;
}

static uint32_t width(const char *s)        /* characters */
{
    uint32_t n = 0;

    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

void table_open(struct table *t, const char *const *head)
{
    memset(t, 0, sizeof *t);
    for (; head[t->columns] && t->columns < TABLE_COLUMNS; t->columns++) {
        t->right[t->columns] = *head[t->columns] == '#';
        t->head[t->columns] = head[t->columns] + t->right[t->columns];
    }
}

void table_row(struct table *t, const char *const *cell)
{
    if (t->rows == t->room) {
        t->room = t->room ? 2 * t->room : 16;
        t->cell = need(realloc(t->cell, (size_t)t->room * t->columns * sizeof *t->cell));
    }
    for (uint32_t i = 0; i < t->columns; i++)
        t->cell[t->rows * t->columns + i] = cell_make(cell[i]);
    t->rows++;
}

static void row_print(const struct table *t, const char *const *cell, const uint32_t *w, bool tsv,
                      const char *end)
{
    for (uint32_t i = 0; i < t->columns; i++) {
        uint32_t pad = tsv ? 0 : w[i] - width(cell[i]);
        bool last = i + 1 == t->columns;

        printf("%*s%s%*s%s", t->right[i] ? (int)pad : 0, "", cell[i],
               t->right[i] || last ? 0 : (int)pad, "",
               last  ? end
               : tsv ? "\t"
                     : "  ");
    }
}

void table_print(struct table *t, const struct cli *c)
{
    uint32_t w[TABLE_COLUMNS] = {0};
    bool tsv = c->form == CLI_TSV;

    for (uint32_t i = 0; i < t->columns; i++)
        w[i] = width(t->head[i]);
    for (uint32_t i = 0; i < t->rows * t->columns; i++)
        if (width(t->cell[i]) > w[i % t->columns])
            w[i % t->columns] = width(t->cell[i]);
    if (c->color)
        printf("\033[1m");
    row_print(t, t->head, w, tsv, c->color ? "\033[0m\n" : "\n");
    for (uint32_t r = 0; r < t->rows; r++)
        row_print(t, (const char *const *)t->cell + (size_t)r * t->columns, w, tsv, "\n");
    for (uint32_t i = 0; i < t->rows * t->columns; i++)
        free(t->cell[i]);
    free(t->cell);
}

int print_json(const struct cli *c, struct json_object *o)
{
    int flags = JSON_C_TO_STRING_NOSLASHESCAPE |
                (c->form == CLI_JSON ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED
                                     : JSON_C_TO_STRING_PLAIN);

    if (c->form != CLI_JSON && c->form != CLI_JSONL)
        return 0;
    if (c->form == CLI_JSON || !json_object_is_type(o, json_type_array)) {
        printf("%s\n", json_object_to_json_string_ext(o, flags));
        return 1;
    }
    for (size_t i = 0; i < json_object_array_length(o); i++)
        printf("%s\n", json_object_to_json_string_ext(json_object_array_get_idx(o, i), flags));
    return 1;
}

static void flat(const char *path, struct json_object *o)
{
    char next[1024], *cell;

    if (json_object_is_type(o, json_type_object)) {
        json_object_object_foreach(o, key, v) {
            snprintf(next, sizeof next, "%s%s%s", path, *path ? "." : "", key);
            flat(next, v);
        }
    } else if (json_object_is_type(o, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(o); i++) {
            snprintf(next, sizeof next, "%s%s%zu", path, *path ? "." : "", i);
            flat(next, json_object_array_get_idx(o, i));
        }
    } else {
        cell = cell_make(o ? json_object_get_string(o) : "");
        printf("%s\t%s\n", path, cell);
        free(cell);
    }
}

void print_flat(struct json_object *o)
{
    flat("", o);
}

void print_heading(const struct cli *c, const char *text)
{
    printf(c->color ? "\n\033[1m%s\033[0m\n" : "\n%s\n", text);
}

int print_end(void)
{
    if (!fflush(stdout) && !ferror(stdout))
        return CLI_OK;
    fprintf(stderr, "ecyberctl: the output cannot be written\n");
    return CLI_FAILED;
}

struct json_object *get(struct json_object *o, const char *key)
{
    struct json_object *v = NULL;

    return json_object_is_type(o, json_type_object) && json_object_object_get_ex(o, key, &v) ? v
                                                                                             : NULL;
}

const char *get_text(struct json_object *o, const char *key)
{
    struct json_object *v = get(o, key);
    const char *text = v ? json_object_get_string(v) : NULL;

    return text ? text : "";
}

uint64_t get_number(struct json_object *o, const char *key)
{
    return json_object_get_uint64(get(o, key));
}
