/* file.c: bodies as files. */
#include "file.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "events.h"
#include "multipart.h"
#include "transaction.h"

static const struct ec_traffic *traffic;

void file_setup(const struct ec_traffic *t) { traffic = t; }

static const bstr *header(const struct http_tx *t, uint32_t dir, const char *name)
{
    const htp_table_t *all = dir == EC_TO_SERVER ? t->htp->request_headers : t->htp->response_headers;
    const htp_header_t *h = text_header(all, name, strlen(name));

    return h ? h->value : NULL;
}

/* What the sender calls it, else the path that was asked for. */
static struct bytes name_of(const struct http_tx *t, uint32_t dir)
{
    const bstr *disposition = header(t, dir, "content-disposition");
    const bstr *path = t->htp->parsed_uri ? t->htp->parsed_uri->path : NULL;
    struct bytes name = { NULL, 0 };

    if (disposition)
        name = parameter("filename=", bstr_ptr(disposition), (uint32_t)bstr_len(disposition));
    if (!name.n && path) {
        name.p = bstr_ptr(path);
        name.n = (uint32_t)bstr_len(path);
    }
    return name;
}

/* Bodies of requests by other methods mean nothing. */
static bool is_file(const struct http_tx *t, uint32_t dir)
{
    return dir == EC_TO_CLIENT || t->htp->request_method_number == HTP_M_POST ||
           t->htp->request_method_number == HTP_M_PUT;
}

/* The body of a request begins: is it a form, whose parts may be files? */
static void form_open(struct http_tx *t)
{
    const bstr *type = header(t, EC_TO_SERVER, "content-type");
    struct multipart *m;

    if (!type || bstr_begins_with_c_nocase(type, "multipart/form-data") != 1 || !(m = malloc(sizeof *m)))
        return;
    if (multipart_open(m, bstr_ptr(type), (uint32_t)bstr_len(type)))
        t->form = m;
    else
        free(m);
}

static void form_file(void *arg, const struct multipart *m, bool whole)
{
    struct http_tx *t = arg;
    struct ec_file file = { .size = sizeof file, .dir = EC_TO_SERVER, .bytes = m->bytes, .name = m->name,
                            .name_len = m->n_name };

    file.flags = (whole ? (uint32_t)EC_FILE_WHOLE : 0) | (m->gaps ? (uint32_t)EC_FILE_GAPS : 0);
    if (traffic->file)
        traffic->file(t->s->c, t->x, &file);
}

static void form_data(struct http_tx *t, const uint8_t *d, uint64_t n)
{
    multipart_data(t->form, d, n, form_file, t);
    if (t->form->odd_header)
        transaction_report(traffic, t, events_part_header());
    if (t->form->empty_file)
        transaction_report(traffic, t, events_part_empty());
}

void file_data(struct http_tx *t, uint32_t dir, const uint8_t *d, uint64_t n)
{
    struct http_file *f = &t->file[dir];

    if (f->closed || !n)
        return;
    if (!f->open && !is_file(t, dir)) {
        f->closed = true;
        return;
    }
    if (!f->open && dir == EC_TO_SERVER)
        form_open(t);
    f->open = true;
    f->bytes += n;
    f->gaps |= !d;
    if (dir == EC_TO_SERVER && t->form)
        form_data(t, d, n);
}

static uint64_t digits(const uint8_t **d, const uint8_t *end, bool *any)
{
    uint64_t v = 0;

    for (*any = false; *d < end && **d >= '0' && **d <= '9' && v < UINT64_MAX / 10 - 1; ++*d) {
        v = v * 10 + (uint64_t)(**d - '0');
        *any = true;
    }
    return v;
}

void range_read(struct http_range *r, const uint8_t *d, uint32_t n)
{
    const uint8_t *end = d + n;
    bool first, last;

    memset(r, 0, sizeof *r);
    if (n < 6 || strncasecmp((const char *)d, "bytes ", 6))
        return;
    d += 6;
    r->first = digits(&d, end, &first);
    if (!first || d == end || *d++ != '-')
        return;
    r->last = digits(&d, end, &last);
    r->known = last && r->first <= r->last;
    if (d < end && *d++ == '/')
        r->size = digits(&d, end, &r->sized);
}

bool range_sound(const uint8_t *d, uint32_t n)
{
    const uint8_t *end = d + n;
    uint64_t first, last, size;
    bool have[3] = { false, false, false };

    while (d < end && *d == ' ')
        d++;
    while (d < end && *d != ' ')
        d++;
    while (d < end && *d == ' ')
        d++;
    if (d < end && *d == '*') {
        if (end - ++d > 1 && *d++ == '/')
            (void)digits(&d, end, &have[0]);
        return have[0];
    }
    first = digits(&d, end, &have[0]);
    if (!have[0] || d == end || *d++ != '-')
        return false;
    last = digits(&d, end, &have[1]);
    if (!have[1] || first > last || d == end || *d++ != '/' || d == end)
        return false;
    if (*d == '*')
        return true;
    size = digits(&d, end, &have[2]);
    return have[2] && last < size && (d == end || *d < '0' || *d > '9');
}

/* FNV-1a */
static uint64_t hash(uint64_t h, const bstr *s)
{
    for (size_t i = 0; s && i < bstr_len(s); i++)
        h = (h ^ bstr_ptr(s)[i]) * UINT64_C(0x100000001b3);
    return h;
}

/* Enter [from, to), joined with what it touches. False: too many. */
static bool range_enter(struct http_whole *w, uint64_t from, uint64_t to)
{
    uint32_t i = 0, last;

    while (i < w->n && w->part[i].to < from)
        i++;
    for (last = i; last < w->n && w->part[last].from <= to; last++) {
        from = w->part[last].from < from ? w->part[last].from : from;
        to = w->part[last].to > to ? w->part[last].to : to;
    }
    if (last == i && w->n == RANGES_MAX)
        return false;
    memmove(&w->part[i + 1], &w->part[last], (w->n - last) * sizeof w->part[0]);
    w->n = w->n - (last - i) + 1;
    w->part[i].from = from;
    w->part[i].to = to;
    return true;
}

/* Was this the last range that was missing? A range of another file begins anew. */
static bool range_completes(struct http_tx *t, const struct http_range *r, const struct http_file *f)
{
    struct http_whole *w;
    uint64_t name = hash(hash(UINT64_C(0xcbf29ce484222325), t->htp->request_hostname), t->htp->request_uri);

    if (!r->known || !r->sized || f->gaps || r->last >= r->size || f->bytes != r->last - r->first + 1)
        return false;
    if (!t->s->whole && !(t->s->whole = calloc(1, sizeof *w)))
        return false;
    w = t->s->whole;
    if (w->size != r->size || w->name != name) {
        w->size = r->size;
        w->name = name;
        w->n = 0;
    }
    if (!range_enter(w, r->first, r->last + 1) || w->part[0].from || w->part[0].to < w->size)
        return false;
    w->size = 0;
    return true;
}

void file_end(struct http_tx *t, uint32_t dir, bool whole)
{
    struct http_file *f = &t->file[dir];
    struct ec_file file = { .size = sizeof file, .dir = dir, .bytes = f->bytes };
    const bstr *value = dir == EC_TO_CLIENT ? header(t, dir, "content-range") : NULL;
    struct http_range range = { false, false, 0, 0, 0 };
    struct bytes name;

    if (!f->open || f->closed)
        return;
    f->closed = true;
    if (dir == EC_TO_SERVER && t->form) {
        multipart_end(t->form, form_file, t);
        return;
    }
    name = name_of(t, dir);
    file.name = name.p;
    file.name_len = name.n;
    if (name.n > HTTP_FILE_NAME_MAX)
        transaction_report(traffic, t, events_file_name());
    if (value)
        range_read(&range, bstr_ptr(value), (uint32_t)bstr_len(value));
    if (value && !range_sound(bstr_ptr(value), (uint32_t)bstr_len(value)))
        transaction_report(traffic, t, events_range());
    file.first = range.first;
    file.last = range.last;
    file.flags = (whole ? (uint32_t)EC_FILE_WHOLE : 0) | (f->gaps ? (uint32_t)EC_FILE_GAPS : 0) |
                 (range.known ? (uint32_t)EC_FILE_RANGE : 0);
    if (!traffic->file)
        return;
    traffic->file(t->s->c, t->x, &file);
    if (!whole || !range_completes(t, &range, f) || f->bytes == range.size)
        return;
    file.bytes = range.size;
    file.flags = EC_FILE_WHOLE;
    traffic->file(t->s->c, t->x, &file);
}
