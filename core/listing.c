#include "core/listing.h"

#include "core/cmdline.h"
#include "core/extension.h"
#include "core/host.h"
#include "core/instance.h"
#include "core/log/mark.h"
#include "core/options.h"
#include "core/plugins.h"
#include "core/record/record.h"

#include <ecyber/ext/list.h>

#include <string.h>

static int flushed(FILE *to)
{
    return fflush(to) || ferror(to) ? EXIT_FAILED : EXIT_FINE;
}

int listing_plugins(const struct plugins *p, FILE *to)
{
    fputs("plugin\tversion\tstatus\tfile\tsummary\n", to);
    for (uint32_t k = 0; k < p->n; k++) {
        const struct instance *i = p->all[k];
        const char *text = i->status == INSTANCE_REFUSED ? i->why : i->d.summary;

        fprintf(to, "%s\t%s\t%s\t%s\t%s\n", i->d.name, i->d.version,
                i->status == INSTANCE_REFUSED ? "left out" : "fine", i->path, text ? text : "");
    }
    for (uint32_t k = 0; k < p->n_dormant; k++)
        fprintf(to, "%s\t\tnot enabled\t\tcore.plugins does not name it\n", p->dormant[k]);
    return flushed(to);
}

static const char *type_name(const struct ec_row *r)
{
    static const char *const names[] = {
        [EC_T_U8] = "number",       [EC_T_U16] = "number",        [EC_T_U32] = "number",
        [EC_T_U64] = "number",      [EC_T_I64] = "number",        [EC_T_F64] = "decimal",
        [EC_T_BOOL] = "yes or no",  [EC_T_IP] = "address",        [EC_T_MAC] = "MAC address",
        [EC_T_TIME] = "time",       [EC_T_DURATION] = "duration", [EC_T_SIZE] = "size",
        [EC_T_TEXT] = "text",       [EC_T_WIRE] = "text",         [EC_T_BYTES] = "base64",
        [EC_T_HEX] = "hexadecimal", [EC_T_ENUM] = "one of",       [EC_T_NAME] = "name",
        [EC_T_RECORD] = "record",   [EC_T_MAP] = "map",
    };

    return names[r->type];
}

static void print_options(const char *section, const struct ec_record *r, FILE *to)
{
    for (uint32_t k = 0; r && k < r->n_row; k++) {
        struct ec_row buf;
        const struct ec_row *row = record_row(r, k, &buf);

        fprintf(to, "%s.%s\t%s%s%s%s\t%s\t", section, row->name,
                row->flags & EC_R_LIST ? "list of " : "", type_name(row),
                row->type == EC_T_ENUM ? " " : "", row->type == EC_T_ENUM ? row->allow : "",
                row->def ? row->def : "");
        if (row->min || row->max)
            fprintf(to, "%lld..%lld", (long long)row->min, (long long)row->max);
        fprintf(to, "\t%s\t%s\t%s\n", row->unit ? row->unit : "",
                row->flags & EC_R_LIVE ? "reload" : "restart", row->help ? row->help : "");
    }
}

int listing_options(const struct plugins *p, FILE *to)
{
    fputs("option\ttype\tdefault\trange\tunit\tchanges at\thelp\n", to);
    print_options(OPTIONS_SECTION, &options_table, to);
    for (uint32_t k = 0; k < p->n; k++)
        if (p->all[k]->d.id[0])
            print_options(p->all[k]->d.name, p->all[k]->d.options, to);
    return flushed(to);
}

struct listing {
    const char *name;
    FILE *to;
    bool found, failed;
    char names[512];
    const struct ec_listing *now;
};

static void print_row(void *arg, const char *const *cell)
{
    const struct listing *l = arg;

    for (uint32_t c = 0; c < l->now->n_column; c++)
        fprintf(l->to, "%s%s", c ? "\t" : "", cell[c] ? cell[c] : "");
    fputc('\n', l->to);
}

static void print_list(struct instance *i, const void *vtable, void *arg)
{
    struct listing *l = arg;
    size_t at = strlen(l->names);
    struct ec_mark old;
    int32_t err;

    l->now = vtable;
    snprintf(l->names + at, sizeof l->names - at, "%s%s", at ? ", " : "", l->now->name);
    if (strcmp(l->now->name, l->name) != 0 || !l->now->n_column || l->now->n_column > 16)
        return;
    l->found = true;
    print_row(l, l->now->column);
    host_why_clear();
    old = mark_enter(i->d.name, "list");
    err = l->now->each(i->self, print_row, l);
    mark_leave(old);
    if (err) {
        fprintf(stderr, "ecyberd: %s: %s\n", i->d.name, host_why(i, err));
        l->failed = true;
    }
}

int listing_print(const struct plugins *p, const char *name, FILE *to)
{
    struct listing l = { .name = name, .to = to };

    extension_each(p->order, p->n_order, EC_LIST_ID, print_list, &l);
    if (!l.found) {
        fprintf(stderr, "ecyberd: no plugin has a list of %s; there is: plugins, options%s%s\n",
                name, l.names[0] ? ", " : "", l.names);
        return EXIT_USAGE;
    }
    return l.failed ? EXIT_FAILED : flushed(to);
}
