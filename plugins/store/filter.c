#include "plugins/store/filter.h"

#include "plugins/store/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct ec_filter *filter_at(const struct ec_filter *f, uint32_t stride, uint32_t i)
{
    return (const void *)((const char *)f + (size_t)i * stride);
}

char *filter_key_path(const struct field *f, const char *key)
{
    struct text t = { 0 };

    text_printf(&t, "%s.\"", f->hop[0]);
    text_wire(&t, (const uint8_t *)key, strlen(key));
    text_put(&t, "\"");
    if (t.failed)
        text_free(&t);
    return t.base;
}

static int32_t unknown(const struct fields *fields, const char *name, char *why, size_t n)
{
    const char *near = field_nearest(fields, name);
    struct text shown = { 0 };
    size_t len = strnlen(name, 65);

    text_wire(&shown, (const uint8_t *)name, len > 64 ? 64 : len);
    snprintf(why, n, near ? "there is no field '%s%s'; the nearest is '%s'" : "there is no field '%s%s'",
             shown.base ? shown.base : "", len > 64 ? "…" : "", near);
    text_free(&shown);
    return EC_EINVAL;
}

/* The values of a condition: several with EQ and NE, none with HAS. */
static int32_t term_values(struct term *t, const struct ec_filter *f, char *why, size_t n)
{
    bool several = f->op == EC_F_EQ || f->op == EC_F_NE;
    const char *at = f->value ? f->value : "";
    int32_t err = EC_OK;
    uint32_t most = 1;

    if (f->op == EC_F_HAS)
        return EC_OK;
    for (const char *s = at; several && *s; s++)
        most += *s == ',';
    if (most > FILTER_VALUES) {
        snprintf(why, n, "%s: more than %d values", t->field->path, FILTER_VALUES);
        return EC_EINVAL;
    }
    if (!(t->value = calloc(most, sizeof *t->value)))
        return EC_ENOMEM;
    while (!err) {
        size_t len = several ? strcspn(at, ",") : strlen(at);

        err = value_parse(&t->value[t->n_value++], t->field, at, len, why, n);
        at += len;
        if (!*at++)
            break;
    }
    if (!err && !several && t->value[0].range) {
        snprintf(why, n, "%s: a network can only be equal or not, not less or greater", t->field->path);
        err = EC_EINVAL;
    }
    return err;
}

static int32_t term_make(struct term *t, const struct fields *fields, const struct ec_filter *f, char *why, size_t n)
{
    const char *key;

    t->op = f->op;
    if (!f->field || !(t->field = field_find(fields, f->field, &key)))
        return unknown(fields, f->field ? f->field : "", why, n);
    if (f->op < EC_F_EQ || f->op > EC_F_HAS) {
        snprintf(why, n, "%s: there is no comparison %u", t->field->path, f->op);
        return EC_EINVAL;
    }
    if (t->field->type == EC_T_MAP && !key && f->op != EC_F_HAS) {
        snprintf(why, n, "%s holds names and values: ask for %s.NAME", t->field->path, t->field->path);
        return EC_EINVAL;
    }
    if (key && !(t->key = filter_key_path(t->field, key)))
        return EC_ENOMEM;
    return term_values(t, f, why, n);
}

int32_t filter_terms(struct filter *to, const struct fields *fields, const struct ec_filter *f, uint32_t n_f,
                     uint32_t stride, char *why, size_t n)
{
    int32_t err = EC_OK;

    memset(to, 0, sizeof *to);
    to->until = INT64_MAX;
    snprintf(why, n, "out of memory");
    if (n_f > FILTER_TERMS) {
        snprintf(why, n, "more than %d conditions", FILTER_TERMS);
        return EC_EINVAL;
    }
    if (n_f && !(to->term = calloc(n_f, sizeof *to->term)))
        return EC_ENOMEM;
    for (uint32_t i = 0; !err && i < n_f; i++)
        err = term_make(&to->term[to->n_term++], fields, filter_at(f, stride, i), why, n);
    if (err)
        filter_free(to);
    return err;
}

static void hash_add(uint64_t *h, const void *p, size_t n)
{
    const uint8_t *s = p;

    for (size_t i = 0; i < n; i++)
        *h = (*h ^ s[i]) * UINT64_C(0x100000001b3);     /* FNV-1a */
}

static void hash_text(uint64_t *h, const char *s)
{
    hash_add(h, s ? s : "\1", (s ? strlen(s) : 1) + 1);
}

static uint64_t query_hash(const struct ec_query *q)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    hash_add(&h, &q->flags, sizeof q->flags);
    hash_add(&h, &q->since_ns, sizeof q->since_ns);
    hash_add(&h, &q->until_ns, sizeof q->until_ns);
    hash_text(&h, q->type);
    hash_text(&h, q->text);
    for (uint32_t i = 0; i < q->n_filter; i++) {
        const struct ec_filter *f = filter_at(q->filter, q->filter_stride, i);

        hash_add(&h, &f->op, sizeof f->op);
        hash_text(&h, f->field);
        hash_text(&h, f->value);
    }
    return h;
}

#define WORDS_MAX 32
/* The words of a text as FTS5's expression and as a tsquery: all of them, each quoted. Letters and digits make a word,
 * as they do for those who write them (text_word()). */
static int32_t words_make(struct filter *to, const char *s, char *why, size_t n)
{
    struct text t = { 0 }, lexemes = { 0 };
    uint32_t count = 0;
    size_t len;

    for (const char *at = s; (len = text_word(&at)) && count < WORDS_MAX; at += len) {
        text_printf(&t, "%s\"%.*s\"", count ? " AND " : "", (int)len, at);
        text_put(&lexemes, count++ ? "&'" : "'");
        text_lower(&lexemes, at, len);
        text_put(&lexemes, "'");
    }
    to->words = t.base;             /* the filter's, whatever comes of it */
    to->lexemes = lexemes.base;
    if (t.failed || lexemes.failed)
        return EC_ENOMEM;
    if (!count) {
        snprintf(why, n, "text: there is no word in it");
        return EC_EINVAL;
    }
    return EC_OK;
}

/* As the JSON prints it: what is not UTF-8 as \xHH, for not every database takes it. */
static char *printable(const char *s)
{
    struct text t = { 0 };

    text_put(&t, "");
    text_wire(&t, (const uint8_t *)s, strlen(s));
    if (t.failed)
        text_free(&t);
    return t.base;
}

int32_t filter_query(struct filter *to, const struct fields *fields, const struct ec_query *q, char *why, size_t n)
{
    int32_t err = filter_terms(to, fields, q->filter, q->n_filter, q->filter_stride, why, n);

    if (err)
        return err;
    to->hash = query_hash(q);
    to->since = q->since_ns > INT64_MAX ? INT64_MAX : (int64_t)q->since_ns;
    to->until = !q->until_ns || q->until_ns > INT64_MAX ? INT64_MAX : (int64_t)q->until_ns;
    if (q->type && !(to->type = printable(q->type)))
        err = EC_ENOMEM;
    if (!err && q->text && *q->text) {
        char *text = printable(q->text);

        err = text ? words_make(to, text, why, n) : EC_ENOMEM;
        free(text);
    }
    if (err)
        filter_free(to);
    return err;
}

void filter_free(struct filter *f)
{
    for (uint32_t i = 0; i < f->n_term; i++) {
        for (uint32_t k = 0; k < f->term[i].n_value; k++)
            free(f->term[i].value[k].text);
        free(f->term[i].value);
        free(f->term[i].key);
    }
    free(f->term);
    free(f->type);
    free(f->words);
    free(f->lexemes);
    memset(f, 0, sizeof *f);
}

#define FIRST_PARAMETER 3           /* ?1 and ?2 are the rows */

static void bind_any(struct sql *s, const struct value *v, bool last, const char *text, int64_t integer)
{
    if (s->n_bind == sizeof s->bind / sizeof s->bind[0]) {
        s->full = true;
        return;
    }
    s->bind[s->n_bind].value = v;
    s->bind[s->n_bind].last = last;
    s->bind[s->n_bind].text = text;
    s->bind[s->n_bind].integer = integer;
    text_printf(&s->text, "?%u", FIRST_PARAMETER + s->n_bind++);
}

static void bind_integer(struct sql *s, const char *before, int64_t v)
{
    text_put(&s->text, before);
    bind_any(s, NULL, false, NULL, v);
}

static void bind_text(struct sql *s, const char *before, const char *text)
{
    text_put(&s->text, before);
    bind_any(s, NULL, false, text, 0);
}

void sql_bind(const struct sql *s, struct stmt *st)
{
    for (uint32_t i = 0; i < s->n_bind; i++) {
        const struct value *v = s->bind[i].value;
        struct cell c = { .kind = SCHEMA_INTEGER, .integer = s->bind[i].integer };

        if (v && v->kind == SCHEMA_BLOB)
            c = (struct cell){ .kind = SCHEMA_BLOB, .bytes = s->bind[i].last ? v->last : v->first, .len = 16 };
        else if (v)
            c = (struct cell){ .kind = v->kind, .integer = v->integer, .real = v->real, .bytes = v->text };
        else if (s->bind[i].text)
            c = (struct cell){ .kind = SCHEMA_TEXT, .bytes = s->bind[i].text };
        if (c.kind == SCHEMA_TEXT)
            c.len = (uint32_t)strlen(c.bytes);
        stmt_bind(st, FIRST_PARAMETER + i, &c);
    }
}

void sql_free(struct sql *s)
{
    text_free(&s->text);
}

/* (expr = ?3 OR expr BETWEEN ?4 AND ?5 …), or its like. NE is EQ here: the caller turns it round. */
static void compare(struct sql *s, const struct term *t, const char *expr, bool fold)
{
    static const char *const op[] = {
        [EC_F_EQ] = "=", [EC_F_NE] = "=", [EC_F_LT] = "<", [EC_F_LE] = "<=", [EC_F_GT] = ">", [EC_F_GE] = ">="};

    if (t->op == EC_F_HAS) {
        text_printf(&s->text, "%s IS NOT NULL", expr);
        return;
    }
    text_put(&s->text, "(");
    for (uint32_t i = 0; i < t->n_value; i++) {
        const struct value *v = &t->value[i];

        text_printf(&s->text, fold ? "%slower(%s)%slower(" : "%s%s%s", i ? " OR " : "", expr,
                    v->range ? " BETWEEN " : op[t->op]);
        bind_any(s, v, false, NULL, 0);
        text_put(&s->text, fold ? ")" : "");
        if (v->range) {
            text_put(&s->text, " AND ");
            bind_any(s, v, true, NULL, 0);
        }
    }
    text_put(&s->text, ")");
}

/* json_each(j.text,'$."dns"."answers"') a0, json_each(a0.value,'$."x"') a1 …: the arrays above a field. Returns in
 * `source` what the value itself is taken from. */
static void json_arrays(struct text *to, const struct field *f, const struct reach *r, char source[32])
{
    snprintf(source, 32, "%s", r->schema ? r->dialect->json : r->dialect->document);
    for (uint32_t i = 0; i + 1 < f->n_hop; i++) {
        text_printf(to, "%s%s%s,", i ? "," : "", r->dialect->each, source);
        text_sql_string(to, f->hop[i]);
        text_printf(to, ") a%u", i);
        snprintf(source, 32, "a%u.value", i);
    }
}

static void term_json(struct sql *s, const struct term *t, const struct reach *r)
{
    const struct field *f = t->field;
    struct text expr = { 0 };
    char source[32];

    if (t->key) {
        text_printf(&s->text, "EXISTS(SELECT 1 FROM %s%s,", r->dialect->each,
                    r->schema ? r->dialect->json : r->dialect->document);
        bind_text(s, "", t->key);
        text_put(&s->text, ") a WHERE ");
        compare(s, t, r->dialect->member, false);
        text_put(&s->text, ")");
        return;
    }
    if (f->n_hop > 1)
        text_put(&s->text, "EXISTS(SELECT 1 FROM ");
    json_arrays(&s->text, f, r, source);
    if (f->n_hop > 1)
        text_put(&s->text, " WHERE ");
    r->dialect->value(&expr, f, source, f->hop[f->n_hop - 1]);
    if (expr.failed)
        s->text.failed = true;
    else
        compare(s, t, expr.base, false);
    if (f->n_hop > 1)
        text_put(&s->text, ")");
    text_free(&expr);
}

#define HAS_COLUMN 1
#define HAS_INDEX  2

static void term_column(struct sql *s, const struct term *t, const struct reach *r)
{
    const struct table *table = &r->schema->table[t->field->table];
    bool by_index = r->dialect->by_key ||
                    ((r->has[t->field->table][t->field->column] & HAS_INDEX) && t->op != EC_F_HAS);
    struct text expr = { 0 };

    text_put(&s->text, by_index ? "e.row IN(SELECT x.key>>8 FROM " : "EXISTS(SELECT 1 FROM ");
    text_sql_name(&s->text, table->name);
    text_put(&s->text, by_index ? " x WHERE x.key BETWEEN ?1<<8 AND (?2<<8)+255 AND "
                                : " x WHERE x.key BETWEEN e.row<<8 AND (e.row<<8)+255 AND ");
    text_put(&expr, "x.");
    text_sql_name(&expr, table->column[t->field->column].name);
    if (expr.failed)
        s->text.failed = true;
    else
        compare(s, t, expr.base, false);
    text_put(&s->text, ")");
    text_free(&expr);
}

static bool has_column(const struct reach *r, const struct field *f)
{
    return r->schema && f->place == FIELD_COLUMN && (r->has[f->table][f->column] & HAS_COLUMN);
}

static void term_sql(struct sql *s, const struct term *t, const struct reach *r)
{
    const struct field *f = t->field;
    bool fold = r->dialect->fold && f->sql[0] && !strcmp(f->sql[0], "proto");
    char expr[32];

    if (r->schema && f->place == FIELD_HEAD) {
        snprintf(expr, sizeof expr, "e.%s", f->sql[0]);
        compare(s, t, expr, fold);
    } else if (r->schema && f->place == FIELD_EITHER) {
        text_put(&s->text, "(");
        snprintf(expr, sizeof expr, "e.%s", f->sql[0]);
        compare(s, t, expr, fold);
        text_put(&s->text, " OR ");
        snprintf(expr, sizeof expr, "e.%s", f->sql[1]);
        compare(s, t, expr, fold);
        text_put(&s->text, ")");
    } else if (has_column(r, f)) {
        term_column(s, t, r);
    } else {
        term_json(s, t, r);
    }
}

void filter_sql(const struct filter *f, const struct reach *r, struct sql *to)
{
    if (f->since)
        bind_integer(to, " AND e.ts>=", f->since);
    if (f->until != INT64_MAX)
        bind_integer(to, " AND e.ts<", f->until);
    if (f->type)
        bind_text(to, " AND e.event_type=", f->type);
    if (f->words && r->words) {
        bind_text(to, r->dialect->words[0], r->dialect->lexemes ? f->lexemes : f->words);
        text_put(&to->text, r->dialect->words[1]);
    } else if (f->words) {
        text_put(&to->text, " AND 1=0");
    }
    for (uint32_t i = 0; i < f->n_term; i++) {
        text_put(&to->text, " AND ");
        if (f->term[i].op == EC_F_NE)
            text_put(&to->text, "(");
        term_sql(to, &f->term[i], r);
        if (f->term[i].op == EC_F_NE)
            text_put(&to->text, ") IS NOT TRUE");
    }
}

void filter_expression(const struct field *f, const char *key, const struct reach *r, int side, struct sql *to,
                       struct text *join)
{
    char source[32];

    if (key) {
        text_printf(join, " CROSS JOIN %s%s,", r->dialect->each, r->dialect->json);
        text_sql_string(join, key);
        text_put(join, ") a");
        text_put(&to->text, r->dialect->member);
    } else if (f->place == FIELD_HEAD || f->place == FIELD_EITHER) {
        text_printf(&to->text, "e.%s", f->sql[side]);
    } else if (has_column(r, f)) {
        const struct table *table = &r->schema->table[f->table];

        text_put(join, r->dialect->join);
        text_sql_name(join, table->name);
        text_put(join, " x ON x.key BETWEEN e.row<<8 AND (e.row<<8)+255");
        text_put(join, r->dialect->by_key ? " AND x.key BETWEEN ?1<<8 AND (?2<<8)+255" : "");
        text_put(&to->text, "x.");
        text_sql_name(&to->text, table->column[f->column].name);
    } else {
        if (f->n_hop > 1)
            text_put(join, " CROSS JOIN ");
        json_arrays(join, f, r, source);
        r->dialect->value(&to->text, f, source, f->hop[f->n_hop - 1]);
    }
}
