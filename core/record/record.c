#include "core/record/record.h"

#define EC_API_LEVEL 1
#include <ecyber/plugin.h>

#include <stdio.h>
#include <string.h>

/* Bytes and alignment of a type at its offset; a RECORD's depend on its row. */
static const struct { uint8_t bytes, align;
} shape[] = {
    [EC_T_U8] = {1, 1},   [EC_T_U16] = {2, 2},  [EC_T_U32] = {4, 4},      [EC_T_U64] = {8, 8},
    [EC_T_I64] = {8, 8},  [EC_T_F64] = {8, 8},  [EC_T_BOOL] = {1, 1},     [EC_T_IP] = {16, 1},
    [EC_T_MAC] = {6, 1},  [EC_T_TIME] = {8, 8}, [EC_T_DURATION] = {8, 8}, [EC_T_SIZE] = {8, 8},
    [EC_T_TEXT] = {8, 4}, [EC_T_WIRE] = {8, 4}, [EC_T_BYTES] = {8, 4},    [EC_T_HEX] = {8, 4},
    [EC_T_ENUM] = {4, 4}, [EC_T_NAME] = {4, 4}, [EC_T_RECORD] = {16, 4},  [EC_T_MAP] = {16, 4},
};

struct check { char *why; uint32_t n; };

static int bad(const struct check *c, const struct ec_row *row, uint32_t i, const char *what)
{
    if (row && row->name)
        snprintf(c->why, c->n, "row '%s': %s", row->name, what);
    else
        snprintf(c->why, c->n, "row %u: %s", i, what);
    return EC_EINVAL;
}

bool record_name_ok(const char *name)
{
    size_t n = name ? strlen(name) : 0;

    return n >= 1 && n <= 32 && name[0] >= 'a' && name[0] <= 'z' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == n;
}

const struct ec_row *record_row(const struct ec_record *r, uint32_t i, struct ec_row *row)
{
    const uint8_t *p = (const uint8_t *)r->row + (size_t)i * r->row_stride;

    if (r->row_stride >= sizeof *row)
        return (const struct ec_row *)(const void *)p;
    memset(row, 0, sizeof *row);
    memcpy(row, p, r->row_stride);
    return row;
}

/* "a.b_c": dots part JSON objects or YAML mappings. */
static bool row_name_ok(const char *s)
{
    size_t n = strlen(s);

    return n >= 1 && n <= 128 && s[0] != '.' && s[n - 1] != '.' && !strstr(s, "..") &&
           strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == n;
}

/* Two rows must not want the same place: the same name, or a value where the other needs an object.
 */
static bool row_names_clash(const struct ec_row *a, const struct ec_row *b)
{
    size_t na = strlen(a->name), nb = strlen(b->name);
    const struct ec_row *shorter = na < nb ? a : b;

    if (na == nb)
        return !strcmp(a->name, b->name);
    return !strncmp(a->name, b->name, na < nb ? na : nb) &&
           (na < nb ? b->name[na] : a->name[nb]) == '.' &&
           !(shorter->type == EC_T_RECORD && (shorter->flags & EC_R_INLINE));
}

static int check_names(const struct check *c, const struct ec_record *r)
{
    for (uint32_t i = 0; i < r->n_row; i++) {
        struct ec_row a_buf, b_buf;
        const struct ec_row *a = record_row(r, i, &a_buf);

        for (uint32_t k = 0; k < i; k++)
            if (row_names_clash(record_row(r, k, &b_buf), a))
                return bad(c, a, i, "its name stands twice, or inside another row's");
    }
    return EC_OK;
}

/* Where the value stands in the author's struct. */
static int check_place(const struct check *c, const struct ec_record *r, const struct ec_row *row,
                       uint32_t i)
{
    uint32_t bytes = shape[row->type].bytes, align = shape[row->type].align;

    if (row->flags & EC_R_LIST) {
        bytes = sizeof(struct ec_list);
        align = 4;
    } else if (row->type == EC_T_RECORD && (row->flags & EC_R_INLINE)) {
        bytes = row->sub->bytes;
        align = 1;
    } else if (row->type == EC_T_RECORD) {
        return bad(c, row, i, "a record needs EC_R_LIST or EC_R_INLINE");
    }
    if (row->off > r->bytes || bytes > r->bytes - row->off)
        return bad(c, row, i, "its offset lies outside the struct");
    if (row->off % align)
        return bad(c, row, i, "its offset is not aligned for its type");
    if (!(row->flags & EC_R_OPT))
        return EC_OK;
    if (!r->has_off || r->has_off % 8 || r->bytes < 8 || r->has_off > r->bytes - 8)
        return bad(c, row, i, "it is optional, and the record has no word of bits");
    return row->has < 64 ? EC_OK : bad(c, row, i, "its bit is above 63");
}

static int check_record(const struct check *c, const struct ec_record *r, enum record_kind kind,
                        uint32_t depth, uint32_t objects);

/* "a.b.c": 3 */
static uint32_t names_in(const char *name)
{
    uint32_t n = 1;

    for (; *name; name++)
        n += *name == '.';
    return n;
}

/* objects: that stand around the record's own names. */
static int check_row(const struct check *c, const struct ec_record *r, enum record_kind kind,
                     uint32_t i, uint32_t depth, uint32_t objects)
{
    struct ec_row buf;
    const struct ec_row *row = record_row(r, i, &buf);
    int rc;

    if (!row->name || !row_name_ok(row->name))
        return bad(
            c, row, i,
            "its name is missing or has other characters than letters, digits, '_', '-' and '.'");
    objects += names_in(row->name);
    if (objects > RECORD_OBJECTS)
        return bad(c, row, i, "it lies in more than 16 objects");
    if (!row->type || row->type > EC_T_MAP)
        return bad(c, row, i, "this daemon does not know its type");
    if (row->type == EC_T_ENUM && (!row->allow || !*row->allow))
        return bad(c, row, i, "an ENUM needs its words");
    if (row->type == EC_T_NAME && (!row->allow || !*row->allow))
        return bad(c, row, i, "a NAME needs its space");
    if (row->type == EC_T_RECORD && !row->sub)
        return bad(c, row, i, "a record needs the shape of its element");
    if (row->type == EC_T_RECORD &&
        (rc = check_record(c, row->sub, kind == RECORD_OPTIONS ? kind : RECORD_ELEMENT, depth + 1,
                           row->flags & EC_R_INLINE ? objects : 0)))
        return rc;
    return kind == RECORD_OPTIONS ? EC_OK : check_place(c, r, row, i);
}

static int check_record(const struct check *c, const struct ec_record *r, enum record_kind kind,
                        uint32_t depth, uint32_t objects)
{
    int rc;

    if (depth > RECORD_DEPTH) {
        snprintf(c->why, c->n, "its records are nested more than %d deep", RECORD_DEPTH);
        return EC_EINVAL;
    }
    if (r->size < sizeof *r || (r->n_row && (!r->row || r->row_stride < sizeof(struct ec_row)))) {
        snprintf(c->why, c->n, "its table is shorter than level 1's");
        return EC_EINVAL;
    }
    if (r->n_row > RECORD_ROWS) {
        snprintf(c->why, c->n, "its table has %u rows, at most %d are taken", r->n_row,
                 RECORD_ROWS);
        return EC_EINVAL;
    }
    if (kind == RECORD_PART &&
        (r->bytes < sizeof(struct ec_part) || r->has_off != offsetof(struct ec_part, has))) {
        snprintf(c->why, c->n, "its struct does not start with struct ec_part");
        return EC_EINVAL;
    }
    for (uint32_t i = 0; i < r->n_row; i++)
        if ((rc = check_row(c, r, kind, i, depth, objects)))
            return rc;
    return check_names(c, r);
}

int record_check(const struct ec_record *r, enum record_kind kind, char *why, uint32_t n)
{
    struct check c = { why, n };

    if (!r) {
        snprintf(why, n, "it has no table of rows");
        return EC_EINVAL;
    }
    return check_record(&c, r, kind, 0, 0);
}
