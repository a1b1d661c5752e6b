/* multipart.c: the parts of a form that is sent. */
#include "multipart.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

struct bytes parameter(const char *key, const uint8_t *d, uint32_t n)
{
    const uint32_t len = (uint32_t)strlen(key);
    struct bytes value = { NULL, 0 };

    for (uint32_t i = 0; i + len <= n; i++) {
        const uint8_t *end;
        if (strncasecmp((const char *)d + i, key, len) || (i && d[i - 1] != ';' && d[i - 1] != ' '))
            continue;
        value.p = d + i + len;
        value.n = n - i - len;
        if (value.n && *value.p == '"') {
            value.p++;
            end = memchr(value.p, '"', --value.n);
        } else {
            end = memchr(value.p, ';', value.n);
        }
        if (end)
            value.n = (uint32_t)(end - value.p);
        break;
    }
    return value;
}

bool multipart_open(struct multipart *m, const uint8_t *type, uint32_t n)
{
    static const char form[] = "multipart/form-data";
    struct bytes boundary;

    memset(m, 0, offsetof(struct multipart, name));
    if (n < sizeof form - 1 || strncasecmp((const char *)type, form, sizeof form - 1))
        return false;
    boundary = parameter("boundary=", type, n);
    if (!boundary.n || boundary.n > BOUNDARY_MAX)
        return false;
    memcpy(m->delimiter, "\r\n--", 4);
    memcpy(m->delimiter + 4, boundary.p, boundary.n);
    m->n_delimiter = 4 + boundary.n;
    m->matched = m->ghost = 2;                  /* the first one may stand at the very beginning */
    return true;
}

static void part_ends(struct multipart *m, bool whole, multipart_file_fn *fn, void *arg)
{
    if (whole && m->state == PART_DATA && m->n_name && m->ghost)
        m->empty_file = true;
    if (m->state == PART_DATA && m->named)
        fn(arg, m, whole);
    m->named = m->gaps = false;
    m->n_name = m->n_line = 0;
    m->bytes = 0;
}

/* A colon, and something behind it? */
static bool header_sound(const uint8_t *d, uint32_t n)
{
    const uint8_t *end = d + n, *at = memchr(d, ':', n);

    if (!at)
        return false;
    do
        at++;
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\r'));
    return at < end;
}

/* One header of a part; n without the line's end. */
static void part_header(struct multipart *m)
{
    static const char key[] = "content-disposition:";
    struct bytes name;

    m->odd_header |= !m->gaps && !header_sound(m->line, m->n_line);
    if (m->n_line < sizeof key - 1 || strncasecmp((const char *)m->line, key, sizeof key - 1))
        return;
    name = parameter("filename=", m->line, m->n_line);
    m->named = name.p != NULL;
    m->n_name = name.n < PART_NAME_MAX ? name.n : PART_NAME_MAX;
    if (m->n_name)
        memcpy(m->name, name.p, m->n_name);
}

/* A byte of the headers, or of the line behind a delimiter. */
static void head_byte(struct multipart *m, uint8_t c)
{
    if (c != '\n') {
        if (m->n_line < PART_LINE_MAX)
            m->line[m->n_line++] = c;
        return;
    }
    if (m->n_line && m->line[m->n_line - 1] == '\r')
        m->n_line--;
    if (m->state == PART_AFTER) {
        m->state = m->n_line >= 2 && !memcmp(m->line, "--", 2) ? PART_END : PART_HEADERS;
    } else if (m->n_line) {
        part_header(m);
    } else {
        m->state = PART_DATA;
        m->matched = m->ghost = 2;              /* of an empty part it begins with the headers' last line end */
    }
    m->n_line = 0;
}

/* Content, up to the next delimiter. Returns how many bytes were taken. Only the delimiter's first byte is a CR. */
static uint64_t content(struct multipart *m, const uint8_t *d, uint64_t n, multipart_file_fn *fn, void *arg)
{
    uint64_t at = 0;

    while (at < n) {
        if (!m->matched) {
            const uint8_t *cr = memchr(d + at, '\r', n - at);
            uint64_t plain = cr ? (uint64_t)(cr - d) - at : n - at;
            m->bytes += plain;
            at += plain;
            if (!cr)
                break;
        }
        if (d[at] == m->delimiter[m->matched]) {
            at++;
            if (++m->matched < m->n_delimiter)
                continue;
            part_ends(m, true, fn, arg);
            m->state = PART_AFTER;
            m->matched = m->ghost = 0;
            break;
        }
        m->bytes += m->matched - m->ghost;      /* not the delimiter after all */
        m->matched = m->ghost = 0;
    }
    return at;
}

void multipart_data(struct multipart *m, const uint8_t *d, uint64_t n, multipart_file_fn *fn, void *arg)
{
    uint64_t at = 0;

    if (!d) {
        m->gaps = true;
        m->matched = m->ghost = 0;
        m->bytes += m->state == PART_DATA ? n : 0;
        return;
    }
    while (at < n && m->state != PART_END) {
        if (m->state == PART_AFTER || m->state == PART_HEADERS)
            head_byte(m, d[at++]);
        else
            at += content(m, d + at, n - at, fn, arg);
    }
}

void multipart_end(struct multipart *m, multipart_file_fn *fn, void *arg)
{
    part_ends(m, false, fn, arg);
    m->state = PART_END;
}
