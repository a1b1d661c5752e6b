#include "core/conf/conf_impl.h"

#include "core/conf/utf8.h"

#include <string.h>

/* Words that YAML or a reader would take for something else, and characters that mean something. */
static bool is_plain(const char *text)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-";

    return *text && strspn(text, safe) == strlen(text) && *text != '-' && *text != '.' &&
           strcasecmp(text, "null");
}

static void dump_text(FILE *to, const char *text)
{
    if (is_plain(text)) {
        fputs(text, to);
        return;
    }
    putc('"', to);
    for (const unsigned char *s = (const unsigned char *)text; *s; s++) {
        if (*s == '"' || *s == '\\')
            fprintf(to, "\\%c", *s);
        else if (*s < 0x20 || *s == 0x7f)
            fprintf(to, "\\x%02X", *s);
        else
            putc(*s, to);
    }
    putc('"', to);
}

/* The end of a line: where the value came from. A file or variable may be called anything. */
static void dump_where(FILE *to, const char *where)
{
    size_t len = strlen(where), n;

    fputs("   # ", to);
    for (size_t at = 0; at < len; at += n ? n : 1) {
        n = utf8_char((const unsigned char *)where + at, len - at);
        if (!n || (unsigned char)where[at] < 0x20 || where[at] == 0x7f)
            putc('?', to);
        else
            fwrite(where + at, 1, n, to);
    }
    putc('\n', to);
}

static void dump_list(FILE *to, const struct conf_slot *slot)
{
    for (uint32_t i = 0; i < slot->n; i++) {
        fputs(i ? ", " : "", to);
        dump_text(to, slot->value[i].text);
    }
}

static bool removed_twice(const struct conf_removed *r)
{
    for (const struct conf_removed *other = r->next; other; other = other->next)
        if (!strcmp(other->key, r->key))
            return true;
    return false;
}

static void dump_map(FILE *to, const struct conf_slot *slot, int indent)
{
    for (uint32_t i = 0; i < slot->n; i++) {
        fprintf(to, "%*s", indent, "");
        dump_text(to, slot->value[i].key);
        fputs(": ", to);
        if (slot->row->flags & EC_R_SECRET)
            fputs("\"" ROW_MASK "\"", to);
        else
            dump_text(to, slot->value[i].text);
        dump_where(to, slot->value[i].where);
    }
    for (const struct conf_removed *r = slot->removed; r; r = r->next) {
        if (conf_entry_find(slot, r->key) || removed_twice(r))
            continue;
        fprintf(to, "%*s", indent, "");
        dump_text(to, r->key);
        fputs(": ~\n", to);
    }
}

/* A line that must not be read again (a secret, or no value) is a comment. */
static void dump_slot(FILE *to, const struct conf_slot *slot, const char *name, int indent)
{
    bool map = slot->row->type == EC_T_MAP, list = slot->row->flags & EC_R_LIST;

    if (!slot->present) {
        fprintf(to, "%*s# %s:   # no value\n", indent, "", name);
    } else if (slot->row->flags & EC_R_SECRET) {
        fprintf(to, "%*s# %s: \"%s\"", indent, "", name, ROW_MASK);
        dump_where(to, slot->where);
    } else if (map && (slot->n || slot->removed)) {
        fprintf(to, "%*s%s:\n", indent, "", name);
        dump_map(to, slot, indent + 2);
    } else {
        fprintf(to, "%*s%s: %s", indent, "", name, map ? "{" : list ? "[" : "");
        if (list || slot->n)
            dump_list(to, slot);
        fputs(map ? "}" : list ? "]" : "", to);
        dump_where(to, slot->where);
    }
}

/* Does slot i open a group (its name up to the dot after `depth` bytes) that no earlier slot has
 * opened? */
static bool first_of_group(const struct ec_conf *s, uint32_t i, size_t group)
{
    for (uint32_t j = 0; j < i; j++)
        if (!strncmp(s->slot[j].row->name, s->slot[i].row->name, group))
            return false;
    return true;
}

/* The options whose names start with the `depth` bytes of prefix, each group of them as a mapping.
 */
static void dump_group(FILE *to, const struct ec_conf *s, const char *prefix, size_t depth,
                       int indent)
{
    for (uint32_t i = 0; i < s->n; i++) {
        const char *name = s->slot[i].row->name, *dot;

        if (strncmp(name, prefix, depth))
            continue;
        dot = strchr(name + depth, '.');
        if (!dot) {
            dump_slot(to, &s->slot[i], name + depth, indent);
        } else if (first_of_group(s, i, (size_t)(dot - name) + 1)) {
            fprintf(to, "%*s%.*s:\n", indent, "", (int)(dot - name - (ptrdiff_t)depth),
                    name + depth);
            dump_group(to, s, name, (size_t)(dot - name) + 1, indent + 2);
        }
    }
}

void conf_dump(const struct conf *c, FILE *to)
{
    for (uint32_t i = 0; i < c->n; i++) {
        if (c->section[i].dormant)
            continue;
        fprintf(to, "%s:\n", c->section[i].section);
        dump_group(to, &c->section[i], "", 0, 2);
    }
}
