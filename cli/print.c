#include "cli/print.h"

#include "cli/safe.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NARROWEST 8 /* characters of a column that is made to fit */

static void *need(void *p)
{
    if (p)
        return p;
    fprintf(stderr, "ecyberctl: out of memory\n");
    exit(CLI_FAILED);
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
        t->cell[t->rows * t->columns + i] = need(safe_text(cell[i]));
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

/* The first n characters, the last of them as an ellipsis. Takes the cell over. */
static char *cut_to(char *cell, uint32_t n)
{
    char *shorter = need(malloc(4 * (size_t)n + 4)), *to = shorter;
    const char *s = cell;

    for (uint32_t i = 0; i + 1 < n; i++)
        do
            *to++ = *s++;
        while (((unsigned char)*s & 0xc0) == 0x80);
    strcpy(to, "\xe2\x80\xa6");
    free(cell);
    return shorter;
}

/* Make the widest columns of text narrower until the table fits the terminal; numbers and headings stay whole. */
static void fit(struct table *t, uint32_t *w, uint32_t room)
{
    uint32_t sum = 2 * (t->columns - 1), widest;

    for (uint32_t i = 0; i < t->columns; i++)
        sum += w[i];
    for (; sum > room; sum--) {
        widest = t->columns;
        for (uint32_t i = 0; i < t->columns; i++)
            if (!t->right[i] && w[i] > NARROWEST && w[i] > width(t->head[i]) &&
                (widest == t->columns || w[i] > w[widest]))
                widest = i;
        if (widest == t->columns)
            return;
        w[widest]--;
    }
}

static void cells_cut(struct table *t, const uint32_t *w)
{
    for (uint32_t i = 0; i < t->rows * t->columns; i++)
        if (width(t->cell[i]) > w[i % t->columns])
            t->cell[i] = cut_to(t->cell[i], w[i % t->columns]);
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
    if (!tsv && c->width) {
        fit(t, w, c->width);
        cells_cut(t, w);
    }
    if (c->color)
        printf("\033[1m");
    row_print(t, t->head, w, tsv, c->color ? "\033[0m\n" : "\n");
    for (uint32_t r = 0; r < t->rows; r++)
        row_print(t, (const char *const *)t->cell + (size_t)r * t->columns, w, tsv, "\n");
    for (uint32_t i = 0; i < t->rows * t->columns; i++)
        free(t->cell[i]);
    free(t->cell);
}

static void json_line(struct json_object *o, int flags)
{
    safe_json(stdout, json_object_to_json_string_ext(o, flags));
    putchar('\n');
}

void table_line(struct table *t, const struct cli *c, bool first)
{
    bool tsv = c->form == CLI_TSV;

    for (uint32_t i = 0; first && i < t->columns; i++)
        printf("%s%s", t->head[i], i + 1 == t->columns ? "\n" : tsv ? "\t" : "  ");
    for (uint32_t i = 0; i < t->columns; i++) {
        printf("%s%s", t->cell[i], i + 1 == t->columns ? "\n" : tsv ? "\t" : "  ");
        free(t->cell[i]);
    }
    free(t->cell);
    fflush(stdout);
}

int print_json(const struct cli *c, struct json_object *o)
{
    int flags = JSON_C_TO_STRING_NOSLASHESCAPE |
                (c->form == CLI_JSON ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED
                                     : JSON_C_TO_STRING_PLAIN);

    if (c->form != CLI_JSON && c->form != CLI_JSONL)
        return 0;
    if (c->form == CLI_JSON || !json_object_is_type(o, json_type_array)) {
        json_line(o, flags);
        return 1;
    }
    for (size_t i = 0; i < json_object_array_length(o); i++)
        json_line(json_object_array_get_idx(o, i), flags);
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
        cell = need(safe_text(o ? json_object_get_string(o) : ""));
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

struct json_object *get_path(struct json_object *o, const char *path)
{
    char key[64];

    while (o && *path) {
        size_t n = strcspn(path, ".");

        if (n >= sizeof key)
            return NULL;
        memcpy(key, path, n);
        key[n] = '\0';
        o = get(o, key);
        path += n + (path[n] == '.');
    }
    return o;
}

const char *get_path_text(struct json_object *o, const char *path)
{
    struct json_object *v = get_path(o, path);
    const char *text = v ? json_object_get_string(v) : NULL;

    return text ? text : "";
}
