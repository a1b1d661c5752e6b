/* file.c: bodies as files. */
#include "file.h"

#include <string.h>
#include <strings.h>

#include "transaction.h"

static const struct ec_traffic *traffic;

void file_setup(const struct ec_traffic *t) { traffic = t; }

static const bstr *header(const struct http_tx *t, uint32_t dir, const char *name)
{
    const htp_table_t *all = dir == EC_TO_SERVER ? t->htp->request_headers : t->htp->response_headers;
    const htp_header_t *h = all ? htp_table_get_c(all, name) : NULL;

    return h ? h->value : NULL;
}

struct bytes { const uint8_t *p; uint32_t n; };

/* The value of `filename` in Content-Disposition (RFC 6266): a quoted string or a token. */
static struct bytes disposition_name(const uint8_t *d, uint32_t n)
{
    static const char key[] = "filename=";
    const uint32_t len = sizeof key - 1;
    struct bytes name = { NULL, 0 };

    for (uint32_t i = 0; i + len <= n; i++) {
        const uint8_t *end;
        if (strncasecmp((const char *)d + i, key, len) || (i && d[i - 1] != ';' && d[i - 1] != ' '))
            continue;
        name.p = d + i + len;
        name.n = n - i - len;
        if (name.n && *name.p == '"') {
            name.p++;
            end = memchr(name.p, '"', --name.n);
        } else {
            end = memchr(name.p, ';', name.n);
        }
        if (end)
            name.n = (uint32_t)(end - name.p);
        break;
    }
    return name;
}

/* What the sender calls it, else the path that was asked for. */
static struct bytes name_of(const struct http_tx *t, uint32_t dir)
{
    const bstr *disposition = header(t, dir, "content-disposition");
    const bstr *path = t->htp->parsed_uri ? t->htp->parsed_uri->path : NULL;
    struct bytes name = { NULL, 0 };

    if (disposition)
        name = disposition_name(bstr_ptr(disposition), (uint32_t)bstr_len(disposition));
    if (!name.n && path) {
        name.p = bstr_ptr(path);
        name.n = (uint32_t)bstr_len(path);
    }
    return name;
}

/* Forms have files in their parts; the bodies of other methods mean nothing. */
static bool is_file(const struct http_tx *t, uint32_t dir)
{
    const bstr *type = header(t, dir, "content-type");

    if (dir == EC_TO_CLIENT)
        return true;
    if (t->htp->request_method_number != HTP_M_POST && t->htp->request_method_number != HTP_M_PUT)
        return false;
    return !type || bstr_index_of_c_nocase(type, "multipart/form-data") != 0;
}

void file_data(struct http_tx *t, uint32_t dir, uint64_t n, bool gap)
{
    struct http_file *f = &t->file[dir];

    if (f->closed || !n)
        return;
    if (!f->open && !is_file(t, dir)) {
        f->closed = true;
        return;
    }
    f->open = true;
    f->bytes += n;
    f->gaps |= gap;
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
    name = name_of(t, dir);
    file.name = name.p;
    file.name_len = name.n;
    if (value)
        range_read(&range, bstr_ptr(value), (uint32_t)bstr_len(value));
    file.first = range.first;
    file.last = range.last;
    file.flags = (whole ? (uint32_t)EC_FILE_WHOLE : 0) | (f->gaps ? (uint32_t)EC_FILE_GAPS : 0) |
                 (range.known ? (uint32_t)EC_FILE_RANGE : 0);
    if (traffic->file)
        traffic->file(t->s->c, t->x, &file);
}
