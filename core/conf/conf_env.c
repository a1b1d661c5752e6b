#include "core/conf/conf_impl.h"

#include "core/conf/nearest.h"
#include "core/folder.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX        "ECYBER_"
#define NAME_BYTES    192
#define TYPING_ERRORS 2 /* so near to a valid name, a variable without "__" was meant for us */

/* "ids", "log.level" -> ECYBER_IDS__LOG__LEVEL. */
static void variable_name(const char *section, const char *option, char *to, size_t n)
{
    size_t at = (size_t)snprintf(to, n, PREFIX "%s__", section);

    for (; *option && at + 3 < n; option++) {
        if (*option == '.')
            to[at++] = '_';
        to[at++] = isalnum((unsigned char)*option) ? *option : '_';
    }
    to[at] = '\0';
    for (; at; at--)
        to[at - 1] = (char)toupper((unsigned char)to[at - 1]);
}

/* "A__B__C" -> "A_B_C": how somebody writes it who does not know of the double underscore. */
static void collapse(const char *name, char *to)
{
    do {
        *to++ = *name;
        name += name[0] == '_' && name[1] == '_' ? 2 : 1;
    } while (to[-1]);
}

static bool sounds_secret(const char *name)
{
    return strcasestr(name, "secret") || strcasestr(name, "passw") || strcasestr(name, "token") ||
           strcasestr(name, "key") || strcasestr(name, "url");
}

struct target {
    struct ec_conf *s;
    struct conf_slot *slot;
    const char *key;
};

/* Which option is it? With a mapping, what follows its name is the entry's key. */
static bool variable_target(const struct conf *c, const char *name, struct target *t)
{
    char want[NAME_BYTES];
    size_t best = 0;

    for (uint32_t i = 0; i < c->n; i++)
        for (uint32_t j = 0; j < c->section[i].n; j++) {
            struct conf_slot *slot = &c->section[i].slot[j];
            size_t len;

            variable_name(c->section[i].section, slot->row->name, want, sizeof want);
            len = strlen(want);
            if (!strcmp(name, want)) {
                *t = (struct target){&c->section[i], slot, NULL};
                return true;
            }
            if (slot->row->type == EC_T_MAP && len > best && !strncmp(name, want, len) &&
                !strncmp(name + len, "__", 2) && name[len + 2]) {
                *t = (struct target){&c->section[i], slot, name + len + 2};
                best = len;
            }
        }
    return best > 0;
}

/* The nearest variable; *secret: its option, or what it sounds like, is one. Returns the distance,
 * best[0] = 0: none. */
static uint32_t variable_nearest(const struct conf *c, const char *name, bool collapsed, char *best,
                                 bool *secret)
{
    struct nearest near = {name, NULL, 0};
    char want[NAME_BYTES], other[NAME_BYTES];

    *best = '\0';
    *secret = sounds_secret(name);
    for (uint32_t i = 0; i < c->n; i++)
        for (uint32_t j = 0; j < c->section[i].n; j++) {
            variable_name(c->section[i].section, c->section[i].slot[j].row->name, want,
                          sizeof want);
            collapse(want, other);
            nearest_try(&near, collapsed ? other : want);
            if (near.best != (collapsed ? other : want))
                continue;
            strcpy(best, want);
            near.best = best;
            if (c->section[i].slot[j].row->flags & EC_R_SECRET)
                *secret = true;
        }
    return near.best ? near.distance : UINT32_MAX;
}

static const struct ec_conf *variable_section(const struct conf *c, const char *name)
{
    char want[NAME_BYTES];

    for (uint32_t i = 0; i < c->n; i++) {
        variable_name(c->section[i].section, "", want, sizeof want);
        if (!strncmp(name, want, strlen(want)))
            return &c->section[i];
    }
    return NULL;
}

static void unknown_variable(struct conf_loader *l, const struct conf_place *p)
{
    const struct ec_conf *s = variable_section(l->c, p->name);
    char best[NAME_BYTES];
    bool secret, separated = strstr(p->name, "__") != NULL;
    uint32_t distance = variable_nearest(l->c, p->name, !separated, best, &secret);

    if (s && s->dormant)
        conf_warn(l, p, "the variable is skipped: plugin '%s' is installed but does not run",
                  s->section);
    else if ((!separated && distance > TYPING_ERRORS) || (!s && l->in->partial))
        return; /* not meant as configuration */
    else if (!separated)
        conf_error(l, p, secret,
                   "two underscores separate section and option; the nearest valid name is %s",
                   best);
    else if (s)
        conf_error(l, p, secret, "section '%s' has no such option; the nearest valid name is %s",
                   s->section, best);
    else
        conf_error(l, p, secret, "there is no such section; the nearest valid name is %s", best);
}

static void apply_variable(struct conf_loader *l, const struct conf_place *p)
{
    struct target t;

    if (strncmp(p->name, PREFIX, strlen(PREFIX)))
        return;
    if (!variable_target(l->c, p->name, &t))
        unknown_variable(l, p);
    else if (t.key)
        conf_apply_entry(l, t.s, t.slot, t.key, p->value, p);
    else
        conf_apply_text(l, t.s, t.slot, p->value, p);
}

/* NAME=VALUE at `at`: ends name and value in place. */
static bool split(char *line, char **name, char **value)
{
    char *equals = strchr(line, '=');

    if (!equals || equals == line)
        return false;
    *equals = '\0';
    *name = line;
    *value = equals + 1;
    while (isalnum((unsigned char)*line) || *line == '_')
        line++;
    return !*line;
}

static char unescape(char c)
{
    return c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
}

/* 'as it is', "with \n \" \\ escapes", or bare up to " #". In place; NULL: the quote is not closed.
 */
static char *env_value(char *text)
{
    char quote, *from, *to;

    text += strspn(text, " \t");
    quote = *text;
    if (quote != '\'' && quote != '"') {
        for (to = text; *to && !(*to == '#' && (to == text || to[-1] == ' ' || to[-1] == '\t'));
             to++)
            ;
        while (to > text && strchr(" \t", to[-1]))
            to--;
        *to = '\0';
        return text;
    }
    for (from = to = ++text; *from && *from != quote; from++) {
        if (quote == '"' && *from == '\\' && from[1])
            *to++ = unescape(*++from);
        else
            *to++ = *from;
    }
    if (!*from ||
        (from[1] && from[1 + strspn(from + 1, " \t")] && from[1 + strspn(from + 1, " \t")] != '#'))
        return NULL;
    *to = '\0';
    return text;
}

static void apply_env_line(struct conf_loader *l, const char *path, uint32_t number, char *line)
{
    struct conf_place p = {.from = CONF_ENV_FILE, .file = path, .line = number};
    char *name, *value, *start = line;

    start += strspn(start, " \t");
    if (!*start || *start == '#')
        return;
    if (!strncmp(start, "export ", 7))
        start += 7 + strspn(start + 7, " \t");
    p.col = (uint32_t)(start - line) + 1;
    if (!split(start, &name, &value)) {
        conf_error(l, &p, false, "a line has to be NAME=VALUE");
        return;
    }
    p.name = name;
    value = env_value(value);
    if (!value) {
        p.value = "";
        conf_error(l, &p, true,
                   "the quotes of the value are not closed, or something follows them");
        return;
    }
    p.value = value;
    if (l->in->other && strncmp(name, PREFIX, strlen(PREFIX)))
        l->in->other(name, value);
    apply_variable(l, &p);
}

static void apply_env_text(struct conf_loader *l, const char *path, char *text, size_t len)
{
    struct conf_place p = {.from = CONF_ENV_FILE, .file = path, .line = 1, .col = 1};
    uint32_t number = 1;

    if (memchr(text, 0, len)) {
        conf_error(l, &p, false, "the file contains a NUL character");
        return;
    }
    for (char *line = text, *end; line; line = end, number++) {
        end = strchr(line, '\n');
        if (end)
            *end++ = '\0';
        line[strcspn(line, "\r")] = '\0';
        apply_env_line(l, path, number, line);
    }
}

void conf_apply_env_file(struct conf_loader *l)
{
    const char *slash = strrchr(l->in->file, '/');
    char path[4096], *text, *whole;
    size_t len;

    snprintf(path, sizeof path, "%.*s.env", slash ? (int)(slash - l->in->file + 1) : 0,
             l->in->file);
    if (folder_access(path, F_OK))
        return;
    l->source++;
    text = conf_read(l, path, &len);
    if (!text)
        return;
    whole = conf_strndup(&l->c->mem, text, len);
    free(text);
    if (whole)
        apply_env_text(l, path, whole, len);
    else
        conf_no_memory(l);
}

void conf_apply_environment(struct conf_loader *l)
{
    l->source++;
    for (uint32_t i = 0; l->in->environ && l->in->environ[i]; i++) {
        const char *entry = l->in->environ[i], *equals = strchr(entry, '=');
        struct conf_place p = {.from = CONF_ENVIRONMENT};

        if (!equals || strncmp(entry, PREFIX, strlen(PREFIX)))
            continue;
        p.name = conf_strndup(&l->c->mem, entry, (size_t)(equals - entry));
        p.value = equals + 1;
        if (p.name)
            apply_variable(l, &p);
        else
            conf_no_memory(l);
    }
}

/* The section is what stands before the first dot. */
static void unknown_setting(struct conf_loader *l, const struct conf_place *p)
{
    struct nearest near = {p->name, NULL, 0};
    char full[NAME_BYTES], best[NAME_BYTES] = "";
    bool secret = sounds_secret(p->name), known = false;

    for (uint32_t i = 0; i < l->c->n; i++) {
        const struct ec_conf *s = &l->c->section[i];
        size_t len = strlen(s->section);

        if (!strncmp(p->name, s->section, len) && p->name[len] == '.') {
            known = true;
            if (s->dormant) {
                conf_warn(l, p, "it is skipped: plugin '%s' is installed but does not run",
                          s->section);
                return;
            }
        }
        for (uint32_t j = 0; j < s->n; j++) {
            snprintf(full, sizeof full, "%s.%s", s->section, s->slot[j].row->name);
            nearest_try(&near, full);
            if (near.best == full) {
                memcpy(best, full, sizeof best);
                near.best = best;
            }
        }
    }
    if (known || !l->in->partial)
        conf_error(l, p, secret, "there is no such option; the nearest is '%s'", best);
}

static bool setting_target(const struct conf *c, const char *name, struct target *t)
{
    const char *dot = strchr(name, '.');
    size_t best = 0;

    for (uint32_t i = 0; dot && i < c->n; i++) {
        struct ec_conf *s = &c->section[i];

        if (strlen(s->section) != (size_t)(dot - name) ||
            strncmp(s->section, name, (size_t)(dot - name)))
            continue;
        for (uint32_t j = 0; j < s->n; j++) {
            const char *option = s->slot[j].row->name;
            size_t len = strlen(option);

            if (!strcmp(dot + 1, option)) {
                *t = (struct target){s, &s->slot[j], NULL};
                return true;
            }
            if (s->slot[j].row->type == EC_T_MAP && len > best && !strncmp(dot + 1, option, len) &&
                dot[1 + len] == '.' && dot[2 + len]) {
                *t = (struct target){s, &s->slot[j], dot + 2 + len};
                best = len;
            }
        }
    }
    return best > 0;
}

void conf_apply_set(struct conf_loader *l)
{
    for (uint32_t i = 0; i < l->in->n_set; i++) {
        const char *entry = l->in->set[i], *equals = strchr(entry, '=');
        struct conf_place p = {.from = CONF_SET, .name = entry};
        struct target t;

        l->source++;
        if (!equals) {
            conf_error(l, &p, false, "it has to be SECTION.OPTION=VALUE");
            continue;
        }
        p.name = conf_strndup(&l->c->mem, entry, (size_t)(equals - entry));
        p.value = equals + 1;
        if (!p.name)
            conf_no_memory(l);
        else if (!setting_target(l->c, p.name, &t))
            unknown_setting(l, &p);
        else if (t.key)
            conf_apply_entry(l, t.s, t.slot, t.key, p.value, &p);
        else
            conf_apply_text(l, t.s, t.slot, p.value, &p);
    }
}
