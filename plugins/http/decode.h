/* decode.h: query strings and forms (application/x-www-form-urlencoded, WHATWG URL §5.1) as name and value, and as
 * the JSON object that ec.json/1 reads. */
#ifndef HTTP_DECODE_H
#define HTTP_DECODE_H
#include "lib/text.h"

#include <stdint.h>

#define DECODE_FIELDS 128u          /* in one query or form */

struct decode_field { const char *name, *value; uint32_t name_len, value_len; };
struct decode {                     /* decoded names and values, NUL-terminated as well */
    struct decode_field field[DECODE_FIELDS];
    uint32_t n;
    char *room;
};

/* Decode %XX (and + as a space where `form`) of n bytes into to, which has room for n + 1. -1: a % without two
 * digits, a NUL, or what is not UTF-8; else the length. */
int64_t decode_text(const char *p, size_t n, int form, char *to);
/* 0, or -1 with *why. */
int decode_query(struct decode *d, const char *p, size_t n, const char **why);
void decode_free(struct decode *d);
/* The last value of a name (as FastAPI takes it), NULL: none. */
const struct decode_field *decode_find(const struct decode *d, const char *name);

#endif
