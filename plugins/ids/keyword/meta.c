/* What describes a rule: msg sid rev gid classtype priority reference metadata target noalert. */
#include "plugins/ids/keyword/keyword.h"
#include "plugins/ids/rule/arena.h"
#include "plugins/ids/rule/classes.h"

#include <string.h>

static int meta_once(struct build *b, uint32_t bit)
{
    if (b->have & bit)
        return build_fail(b, b->option->name.off, "'%.*s' stands twice in the rule", (int)b->option->name.len,
                          b->option->name.s);
    b->have |= bit;
    return 0;
}

static int msg_parse(struct build *b)
{
    struct token t = b->option->value;

    if (meta_once(b, BUILD_MSG) || build_quoted(b, &t, NULL))
        return -1;
    b->rule->msg = build_text(b, t);
    return b->rule->msg ? 0 : -1;
}

static int meta_number(struct build *b, uint32_t bit, int64_t min, int64_t max, uint32_t *v)
{
    int64_t n;

    if (meta_once(b, bit) || build_number(b, b->option->value, min, max, &n))
        return -1;
    *v = (uint32_t)n;
    return 0;
}

static int sid_parse(struct build *b)
{
    return meta_number(b, BUILD_SID, 1, UINT32_MAX, &b->rule->sid);
}

static int rev_parse(struct build *b)
{
    return meta_number(b, BUILD_REV, 0, UINT32_MAX, &b->rule->rev);
}

static int gid_parse(struct build *b)
{
    return meta_number(b, BUILD_GID, 0, UINT32_MAX, &b->rule->gid);
}

static int priority_parse(struct build *b)
{
    return meta_number(b, BUILD_PRIORITY, 1, 255, &b->rule->priority);
}

static int classtype_parse(struct build *b)
{
    struct token t = b->option->value;
    const struct class *k = b->env->classes ? classes_get(b->env->classes, t) : NULL;

    if (meta_once(b, BUILD_CLASS))
        return -1;
    /* A name that the classification file lacks is still the rule's own word for it. */
    b->rule->category = k ? k->description : build_text(b, t);
    if (k && !(b->have & BUILD_PRIORITY))
        b->rule->priority = k->priority;
    return b->rule->category ? 0 : -1;
}

static int reference_parse(struct build *b)
{
    if (memchr(b->option->value.s, ',', b->option->value.len))
        return 0;
    return build_fail(b, b->option->value.off, "a reference is 'SCHEME,ID'");
}

static int meta_pair(struct build *b, struct token t, size_t *cap)
{
    struct rule *r = b->rule;
    struct token key = t, value = { t.s, 0, t.off };
    struct pair *p;

    for (uint32_t i = 0; i < t.len; i++)
        if (t.s[i] == ' ' || t.s[i] == '\t') {
            key = token_sub(t, 0, i);
            value = token_trim(token_sub(t, i, t.len - i));
            break;
        }
    p = arena_grow(b->arena, (void *)(uintptr_t)r->metadata, r->n_pair, cap, sizeof *p);
    if (!p)
        return build_fail(b, 0, "out of memory");
    r->metadata = p;
    p[r->n_pair].key = build_text(b, key);
    p[r->n_pair].value = build_text(b, value);
    return p[r->n_pair].key && p[r->n_pair++].value ? 0 : -1;
}

/* Pairs of one name stand together, in the order of their first. */
static void meta_group(struct pair *p, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t to = i + 1;

        for (uint32_t j = i + 1; j < n; j++)
            if (!strcmp(p[j].key, p[i].key)) {
                struct pair x = p[j];

                memmove(p + to + 1, p + to, (j - to) * sizeof *p);
                p[to++] = x;
            }
    }
}

static int metadata_parse(struct build *b)
{
    struct token rest = b->option->value, t;
    size_t cap = b->rule->n_pair;

    while (token_cut(&rest, ',', &t))
        if (t.len && meta_pair(b, t, &cap))
            return -1;
    if (b->rule->n_pair)
        meta_group((struct pair *)(uintptr_t)b->rule->metadata, b->rule->n_pair);
    return 0;
}

static int target_parse(struct build *b)
{
    struct token t = b->option->value;

    if (meta_once(b, BUILD_TARGET))
        return -1;
    b->rule->target = token_is(t, "src_ip") ? 1 : token_is(t, "dest_ip") ? 2 : 0;
    return b->rule->target ? 0 : build_fail(b, t.off, "the target is src_ip or dest_ip");
}

static int noalert_parse(struct build *b)
{
    b->rule->flags |= RULE_NOALERT;
    return 0;
}

static const struct keyword rows[] = {
    { "msg", NULL, KW_VALUE | KW_META, msg_parse, "what the alert says" },
    { "sid", NULL, KW_VALUE | KW_META, sid_parse, "the rule's number; needed" },
    { "rev", NULL, KW_VALUE | KW_META, rev_parse, "the rule's revision" },
    { "gid", NULL, KW_VALUE | KW_META, gid_parse, "the group of numbers that sid belongs to; default 1" },
    { "classtype", NULL, KW_VALUE | KW_META, classtype_parse, "a name of the classification file" },
    { "priority", NULL, KW_VALUE | KW_META, priority_parse, "1 is the most severe; default: of the classtype, or 3" },
    { "reference", NULL, KW_VALUE | KW_META, reference_parse, "SCHEME,ID: where to read more" },
    { "metadata", NULL, KW_VALUE | KW_META, metadata_parse, "NAME VALUE, …: shown with the alert" },
    { "target", NULL, KW_VALUE | KW_META, target_parse, "which end is attacked: src_ip or dest_ip" },
    { "noalert", NULL, KW_BARE | KW_META, noalert_parse, "match, and do what else the rule says, without an alert" },
};
KEYWORD_FAMILY(keyword_meta, rows);
