/* pcre:"/regular expression/flags": PCRE2. i s m x A E G as in Perl and PCRE; R counts from the match before; letters
 * of HTTP's buffers put it there (U I P Q H D M C S Y V W Z). */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "plugins/ids/keyword/pcre.h"

#include "plugins/ids/keyword/keyword.h"
#include "plugins/ids/keyword/sticky.h"
#include "plugins/ids/match/verify.h"
#include "plugins/ids/rule/arena.h"

#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pcre { struct element e; pcre2_code *code; bool anchored; };

struct pcre_thread {
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
    uint64_t limits;
};

struct pcre_thread *pcre_thread_new(uint32_t match_limit, uint32_t depth_limit)
{
    struct pcre_thread *t = calloc(1, sizeof *t);

    if (!t)
        return NULL;
    t->data = pcre2_match_data_create(1, NULL);         /* only where the whole match stands is asked for */
    t->context = pcre2_match_context_create(NULL);
    t->stack = pcre2_jit_stack_create(32 * 1024, 512 * 1024, NULL);
    if (!t->data || !t->context) {
        pcre_thread_free(t);
        return NULL;
    }
    pcre2_set_match_limit(t->context, match_limit);
    pcre2_set_depth_limit(t->context, depth_limit);
    if (t->stack)
        pcre2_jit_stack_assign(t->context, NULL, t->stack);
    return t;
}

void pcre_thread_free(struct pcre_thread *t)
{
    if (!t)
        return;
    pcre2_match_data_free(t->data);
    pcre2_match_context_free(t->context);
    pcre2_jit_stack_free(t->stack);
    free(t);
}

uint64_t pcre_thread_limits(struct pcre_thread *t)
{
    uint64_t n = t->limits;

    t->limits = 0;
    return n;
}

static bool pcre_find(const struct element *e, struct verify *v, struct attempt *a)
{
    const struct pcre *p = (const struct pcre *)e;
    int64_t from = (e->flags & ELEMENT_RELATIVE) ? a->anchor : 0;
    uint32_t options = v->base && !(e->flags & ELEMENT_RELATIVE) ? PCRE2_NOTBOL : 0, start, skip;
    const PCRE2_SIZE *ov;
    int rc;

    if (from < 0)
        from = 0;
    if (from > v->len || (p->anchored && options))
        return false;
    start = (uint32_t)from;
    skip = a->resume > start ? a->resume - start : 0;
    if (skip > v->len - start)
        return false;
    rc = pcre2_match(p->code, v->data + start, v->len - start, skip, options, v->pcre->data, v->pcre->context);
    if (rc < 0) {
        v->pcre->limits += rc != PCRE2_ERROR_NOMATCH;
        /* What could not be decided neither holds nor, with '!', does not. */
        return rc != PCRE2_ERROR_NOMATCH && (e->flags & ELEMENT_NEGATED);
    }
    ov = pcre2_get_ovector_pointer(v->pcre->data);
    a->off = start + (uint32_t)ov[0];
    a->len = ov[1] > ov[0] ? (uint32_t)(ov[1] - ov[0]) : 0;
    return true;
}

static void pcre_release(struct element *e)
{
    pcre2_code_free(((struct pcre *)e)->code);
}

static const struct { char flag; uint32_t option; } options[] = {
    { 'i', PCRE2_CASELESS }, { 's', PCRE2_DOTALL }, { 'm', PCRE2_MULTILINE }, { 'x', PCRE2_EXTENDED },
    { 'A', PCRE2_ANCHORED }, { 'E', PCRE2_DOLLAR_ENDONLY }, { 'G', PCRE2_UNGREEDY },
    { 'B', 0 },                             /* the raw payload, as ever */
    { 'O', 0 },                             /* the configured limit holds in any case */
};

static const struct { char flag; const char *buffer; } buffers[] = {
    { 'U', "http.uri" }, { 'I', "http.uri.raw" }, { 'P', "http.request_body" }, { 'Q', "http.response_body" },
    { 'H', "http.header" }, { 'D', "http.header.raw" }, { 'M', "http.method" }, { 'C', "http.cookie" },
    { 'S', "http.stat_code" }, { 'Y', "http.stat_msg" }, { 'V', "http.user_agent" }, { 'W', "http.host" },
    { 'Z', "http.host.raw" },
};

static int pcre_buffer(struct build *b, struct token flag, const struct view **view)
{
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++) {
        if (flag.s[0] != buffers[i].flag)
            continue;
        *view = sticky_view(b, buffers[i].buffer);
        if (*view && b->view && b->view != *view)
            return build_fail(b, flag.off, "the flag %c contradicts the buffer '%s' that is open", flag.s[0],
                              b->view->name);
        return *view ? 0 : -1;
    }
    return build_fail(b, flag.off, "pcre does not know the flag '%c'", flag.s[0]);
}

static int pcre_flags(struct build *b, struct token t, struct pcre *p, uint32_t *opt, const struct view **view)
{
    for (uint32_t i = 0; i < t.len; i++) {
        size_t k = 0;

        if (t.s[i] == 'R') {
            p->e.flags |= ELEMENT_RELATIVE;
            continue;
        }
        while (k < sizeof options / sizeof options[0] && options[k].flag != t.s[i])
            k++;
        if (k < sizeof options / sizeof options[0])
            *opt |= options[k].option;
        else if (pcre_buffer(b, token_sub(t, i, 1), view))
            return -1;
    }
    p->anchored = *opt & PCRE2_ANCHORED;
    return 0;
}

static int pcre_compile(struct build *b, struct token t, struct pcre *p, uint32_t opt)
{
    PCRE2_UCHAR text[160];
    PCRE2_SIZE at;
    int err;

    p->code = pcre2_compile((PCRE2_SPTR)t.s, t.len, opt | PCRE2_NEVER_UTF | PCRE2_NEVER_BACKSLASH_C, &err, &at, NULL);
    if (!p->code) {
        pcre2_get_error_message(err, text, sizeof text);
        return build_fail(b, t.off + (uint32_t)at, "regular expression: %s", (const char *)text);
    }
    pcre2_jit_compile(p->code, PCRE2_JIT_COMPLETE);     /* without JIT it is interpreted */
    p->e.release = pcre_release;
    return 0;
}

static int pcre_parse(struct build *b)
{
    struct token t = b->option->value;
    struct pcre *p = arena_alloc(b->arena, sizeof *p);
    const struct view *view = b->view;
    const char *slash;
    uint32_t opt = 0, end;
    bool negated;

    if (!p)
        return build_fail(b, 0, "out of memory");
    negated = t.s[0] == '!';
    if (t.s[negated] != '/' && build_quoted(b, &t, &negated))
        return -1;
    if (negated && t.s[0] == '!')
        t = token_sub(t, 1, t.len - 1);
    slash = t.len > 1 && t.s[0] == '/' ? memrchr(t.s + 1, '/', t.len - 1) : NULL;
    if (!slash)
        return build_fail(b, t.off, "pcre takes \"/regular expression/flags\"");
    end = (uint32_t)(slash - t.s);
    p->e.keyword = "pcre";
    p->e.find = pcre_find;
    p->e.flags = negated ? ELEMENT_NEGATED : 0;
    if (pcre_flags(b, token_sub(t, end + 1, t.len - end - 1), p, &opt, &view) ||
        pcre_compile(b, token_sub(t, 1, end - 1), p, opt))
        return -1;
    if (build_add(b, view, &p->e)) {
        pcre_release(&p->e);
        return -1;
    }
    return 0;
}

static const struct keyword rows[] = {
    { "pcre", NULL, KW_VALUE, pcre_parse, "a regular expression (PCRE2): \"/…/ismxAEGRUIPQHDMCSYVWZ\"" },
};
KEYWORD_FAMILY(keyword_pcre, rows);
