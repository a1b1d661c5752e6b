#include "core/conf/conf_yaml.h"

#include "core/conf/conf_mem.h"
#include "core/conf/utf8.h"

#include <libfyaml.h>
#include <stdio.h>
#include <string.h>

/* A frame of the stack: a collection that is open, and the key that waits for its value. */
struct frame {
    struct yaml_node *node, *key;
};

struct builder {
    struct conf_mem *mem;
    struct fy_parser *parser;
    yaml_error_fn *err;
    void *arg;
    struct yaml_node *root;
    struct frame stack[YAML_DEPTH_MAX];
    uint32_t depth, nodes, documents;
    uint32_t line, col; /* of the last node: for an empty value, which has no place of its own */
    bool failed;
};

static bool fatal(struct builder *b, uint32_t line, uint32_t col, const char *text)
{
    b->err(line, col, text, b->arg);
    b->failed = true;
    return false;
}

bool yaml_is_null(const struct yaml_node *n)
{
    return n->kind == YAML_SCALAR && n->plain &&
           (!*n->text || !strcmp(n->text, "~") || !strcasecmp(n->text, "null"));
}

/* libfyaml takes bytes that are no UTF-8 for the end of its input, so they are found here. */
static bool text_is_clean(struct builder *b, const char *text, size_t len)
{
    const unsigned char *s = (const unsigned char *)text;
    uint32_t line = 1, col = 1;

    if (len > YAML_BYTES_MAX)
        return fatal(b, 1, 1, "the text is longer than 4 MiB");
    for (size_t at = 0, n; at < len; at += n) {
        n = utf8_char(s + at, len - at);
        if (!n)
            return fatal(b, line, col, "this is not UTF-8: save the file in that encoding");
        if ((s[at] < 0x20 && s[at] != '\n' && s[at] != '\t' && s[at] != '\r') || s[at] == 0x7f)
            return fatal(b, line, col,
                         "a control character: write it as an escape in double quotes");
        line += s[at] == '\n';
        col = s[at] == '\n' ? 1 : col + 1;
    }
    return true;
}

static bool key_is_new(struct builder *b, const struct yaml_node *map, const struct yaml_node *key)
{
    char text[256];

    for (const struct yaml_node *k = map->child; k; k = k->next)
        if (!strcmp(k->text, key->text)) {
            snprintf(text, sizeof text, "duplicate key '%.64s': it stands in line %u already",
                     key->text, k->line);
            b->err(key->line, key->col, text, b->arg);
            return false;
        }
    return true;
}

static bool attach_key(struct builder *b, struct frame *top, struct yaml_node *n)
{
    struct yaml_node *map = top->node;

    if (n->kind != YAML_SCALAR)
        return fatal(b, n->line, n->col, "a key has to be a plain word, not a list or mapping");
    if (++map->n > YAML_KEYS_MAX)
        return fatal(b, n->line, n->col, "more than 4,096 keys in one mapping");
    top->key = n;
    if (!key_is_new(b, map, n))
        return true; /* its value hangs on a key that hangs nowhere */
    if (map->last)
        map->last->next = n;
    else
        map->child = n;
    map->last = n;
    return true;
}

static bool attach(struct builder *b, struct yaml_node *n)
{
    struct frame *top = b->depth ? &b->stack[b->depth - 1] : NULL;

    if (!top) {
        b->root = n;
    } else if (top->node->kind == YAML_SEQUENCE) {
        top->node->n++;
        if (top->node->last)
            top->node->last->next = n;
        else
            top->node->child = n;
        top->node->last = n;
    } else if (!top->key) {
        return attach_key(b, top, n);
    } else {
        top->key->value = n;
        top->key = NULL;
    }
    return true;
}

/* A new node at the event's place, put where it belongs. NULL: stop. */
static struct yaml_node *node_add(struct builder *b, struct fy_event *e, enum yaml_kind kind,
                                  const char *text, size_t len, bool plain)
{
    const struct fy_mark *mark = fy_event_start_mark(e);
    struct yaml_node *n = conf_alloc(b->mem, sizeof *n);

    if (mark) {
        b->line = (uint32_t)mark->line + 1;
        b->col = (uint32_t)mark->column +
                 (kind != YAML_SCALAR || plain || !mark->column); /* the quote is before it */
    }
    if (++b->nodes > YAML_NODES_MAX)
        return fatal(b, b->line, b->col, "more than 200,000 values"), NULL;
    if (!n || (kind == YAML_SCALAR &&
               !(n->text = conf_strndup(b->mem, text ? text : "", text ? len : 0))))
        return fatal(b, b->line, b->col, "out of memory"), NULL;
    n->kind = kind;
    n->plain = plain;
    n->line = b->line;
    n->col = b->col;
    if (kind == YAML_SCALAR && text && strlen(n->text) != len)
        return fatal(b, n->line, n->col, "a text must not contain a NUL character"), NULL;
    if (kind == YAML_SCALAR && text && utf8_valid(text, len) != len)
        return fatal(b, n->line, n->col, "an escape makes a text that is not UTF-8"), NULL;
    return attach(b, n) ? n : NULL;
}

static bool refuse_decoration(struct builder *b, struct fy_token *anchor, struct fy_token *tag)
{
    struct fy_token *token = anchor ? anchor : tag;
    const struct fy_mark *mark = token ? fy_token_start_mark(token) : NULL;
    uint32_t line = mark ? (uint32_t)mark->line + 1 : b->line,
             col = mark ? (uint32_t)mark->column + 1 : b->col;

    if (anchor)
        return fatal(b, line, col, "anchors and aliases are not accepted: write the value out");
    return tag ? fatal(b, line, col, "tags are not accepted") : true;
}

static bool open_collection(struct builder *b, struct fy_event *e, enum yaml_kind kind,
                            struct fy_token *anchor, struct fy_token *tag)
{
    struct yaml_node *n;

    if (!refuse_decoration(b, anchor, tag) || !(n = node_add(b, e, kind, NULL, 0, false)))
        return false;
    if (b->depth == YAML_DEPTH_MAX)
        return fatal(b, n->line, n->col, "nested deeper than 32 levels");
    b->stack[b->depth++] = (struct frame){n, NULL};
    return true;
}

static bool on_scalar(struct builder *b, struct fy_event *e)
{
    struct fy_event_scalar_data *d = &e->scalar;
    size_t len = 0;
    const char *text = d->value ? fy_token_get_text(d->value, &len) : "";

    if (!refuse_decoration(b, d->anchor, d->tag))
        return false;
    return node_add(b, e, YAML_SCALAR, text, len,
                    !d->value || fy_token_scalar_style(d->value) == FYSS_PLAIN);
}

static bool on_event(struct builder *b, struct fy_event *e)
{
    switch (e->type) {
    case FYET_DOCUMENT_START:
        return ++b->documents == 1 ||
               fatal(b, b->line, b->col, "a second document ('---') is not accepted");
    case FYET_SCALAR:
        return on_scalar(b, e);
    case FYET_SEQUENCE_START:
        return open_collection(b, e, YAML_SEQUENCE, e->sequence_start.anchor,
                               e->sequence_start.tag);
    case FYET_MAPPING_START:
        return open_collection(b, e, YAML_MAPPING, e->mapping_start.anchor, e->mapping_start.tag);
    case FYET_SEQUENCE_END:
    case FYET_MAPPING_END:
        b->depth--;
        return true;
    case FYET_ALIAS:
        return refuse_decoration(b, e->alias.anchor, NULL);
    default:
        return true;
    }
}

static void library_errors(struct builder *b, struct fy_diag *diag)
{
    struct fy_diag_error *e;
    void *prev = NULL;
    bool any = false;

    while ((e = fy_diag_errors_iterate(diag, &prev))) {
        if (e->type != FYET_ERROR || !e->msg)
            continue;
        fatal(b, e->line > 0 ? (uint32_t)e->line : b->line,
              e->column > 0 ? (uint32_t)e->column : b->col, e->msg);
        any = true;
    }
    if (!any)
        fatal(b, b->line, b->col, "this is not YAML");
}

static void parse(struct builder *b, struct fy_diag *diag, const char *text, size_t len)
{
    struct fy_event *e;
    bool go_on = true;

    if (fy_parser_set_string(b->parser, text, len)) {
        fatal(b, 1, 1, "out of memory");
        return;
    }
    while (go_on && (e = fy_parser_parse(b->parser))) {
        go_on = on_event(b, e);
        fy_parser_event_free(b->parser, e);
    }
    if (go_on && fy_parser_get_stream_error(b->parser))
        library_errors(b, diag);
}

bool yaml_parse(struct conf_mem *m, const char *text, size_t len, struct yaml_node **root,
                yaml_error_fn *err, void *arg)
{
    struct builder b = {.mem = m, .err = err, .arg = arg, .line = 1, .col = 1};
    struct fy_diag_cfg dc;
    struct fy_parse_cfg pc = {.flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_JSON_NONE};

    *root = NULL;
    if (!text_is_clean(&b, text, len))
        return false;
    fy_diag_cfg_default(&dc);
    dc.fp = NULL;
    dc.level = FYET_ERROR;
    pc.diag = fy_diag_create(&dc);
    if (!pc.diag)
        return fatal(&b, 1, 1, "out of memory");
    fy_diag_set_collect_errors(pc.diag, true);
    b.parser = fy_parser_create(&pc);
    if (b.parser) {
        parse(&b, pc.diag, text, len);
        fy_parser_destroy(b.parser);
    } else {
        fatal(&b, 1, 1, "out of memory");
    }
    fy_diag_destroy(pc.diag);
    *root = b.root;
    return !b.failed;
}
