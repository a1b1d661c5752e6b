#include "core/conf/conf_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Who may change an option over the network must not thereby choose files, read secrets, or prepare what the next start
 * does as another user. */
bool conf_changeable(const struct ec_row *row)
{
    return row->flags & EC_R_LIVE && !(row->flags & (EC_R_SECRET | EC_R_PATH | EC_R_LOCAL));
}

static const char *why_not(const struct ec_row *row)
{
    if (row->flags & EC_R_SECRET)
        return "is a secret";
    if (row->flags & EC_R_PATH)
        return "names a file";
    if (row->flags & EC_R_LOCAL)
        return "is for whoever has the machine";
    return "takes effect at a start only";
}

/* "core.log.level": the first dot ends the section. */
static struct conf_slot *slot_of(struct conf_loader *l, const char *option, struct ec_conf **section,
                                 const struct conf_place *p)
{
    const char *dot = strchr(option, '.');
    char name[64];
    struct conf_slot *slot;

    if (!dot || (size_t)(dot - option) >= sizeof name) {
        conf_error(l, p, false, "'%.64s' is no option: write SECTION.OPTION, as in core.log.level", option);
        return NULL;
    }
    memcpy(name, option, (size_t)(dot - option));
    name[dot - option] = '\0';
    *section = conf_section_find(l->c, name);
    if (!*section || (*section)->dormant) {
        conf_error(l, p, false, "'%.64s' is no option: no plugin '%s' runs", option, name);
        return NULL;
    }
    slot = conf_slot_find(*section, dot + 1);
    if (!slot)
        conf_unknown_option(l, *section, dot + 1, p);
    return slot;
}

static void apply_change(struct conf_loader *l, const struct yaml_node *k, struct conf_place *p)
{
    struct ec_conf *section = NULL;
    struct conf_slot *slot;

    p->line = k->line;
    p->col = k->col;
    slot = slot_of(l, k->text, &section, p);
    if (!slot)
        return;
    if (!conf_changeable(slot->row))
        conf_error(l, p, false, "%s cannot be changed here, for it %s: write it into the configuration file", k->text,
                   why_not(slot->row));
    else if (!k->value || k->value->kind != YAML_SCALAR)
        conf_error(l, p, false, "%s: a text is expected, as --set takes it", k->text);
    else
        conf_apply_text(l, section, slot, k->value->text, p);
}

static void changes_error(uint32_t line, uint32_t col, const char *text, void *arg)
{
    struct conf_loader *l = arg;
    struct conf_place p = { .from = CONF_FILE, .file = l->in->changes, .line = line, .col = col };

    conf_error(l, &p, false, "%s", text);
}

static void apply(struct conf_loader *l, const char *text, size_t len)
{
    struct conf_place p = { .from = CONF_FILE, .file = l->in->changes };
    struct yaml_node *root;

    l->source++;
    if (!yaml_parse(&l->c->mem, text, len, &root, changes_error, l) || !root || yaml_is_null(root))
        return;
    if (root->kind != YAML_MAPPING) {
        changes_error(root->line, root->col, "a mapping is expected: one 'SECTION.OPTION: \"value\"' a line", l);
        return;
    }
    for (const struct yaml_node *k = root->child; k; k = k->next)
        apply_change(l, k, &p);
}

void conf_apply_changes(struct conf_loader *l)
{
    size_t len;
    char *text;

    if (l->in->changes_text) {
        apply(l, l->in->changes_text, strlen(l->in->changes_text));
        return;
    }
    if (eaccess(l->in->changes, R_OK)) {
        struct conf_place p = { .from = CONF_FILE, .file = l->in->changes };

        if (errno == ENOENT || errno == ENOTDIR)
            return;
        if (errno == EACCES && l->in->changes_lenient) {
            conf_warn(l, &p, "cannot be read: %s; what was changed over the API is left out", strerror(errno));
            return;
        }
    }
    text = conf_read(l, l->in->changes, &len);
    if (text)
        apply(l, text, len);
    free(text);
}
