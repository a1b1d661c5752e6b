/* read_impl.h: what the files read*.c share, and nobody else includes. */
#ifndef RECORD_READ_IMPL_H
#define RECORD_READ_IMPL_H
#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/record/read.h"
#include "core/record/shape.h"

struct read {
    const struct ec_host *host;
    const char *json; /* the document */
    uint64_t len;
    uint32_t flags;   /* EC_JSON_* */
    uint8_t *base;    /* the part */
    uint32_t used, cap;
    bool full;        /* the part is longer than cap */
    bool secret;      /* there are secrets in this record: its objects are not quoted */
    ec_json_error_fn *error;
    void *arg;
    uint32_t errors;
    size_t at;        /* bytes of path */
    char path[1024];
};

/* read_error.c: where we are, and what is wrong there. Each returns false. */
size_t read_enter(struct read *r, const char *name);         /* returns what read_leave() takes */
size_t read_enter_index(struct read *r, size_t index);
void read_leave(struct read *r, size_t at);
/* input: NULL: it must not be quoted. ctx: one more reference that is given away; NULL: none. */
bool read_error(struct read *r, const char *type, const char *msg, struct json_object *input,
                struct json_object *ctx);
/* Adds {key: number} to the message, which has one %s for it. */
bool read_error_bound(struct read *r, const char *type, const char *format,
                      struct json_object *input, const char *key, __int128 bound);
/* The same with a text. */
bool read_error_why(struct read *r, const char *type, const char *format,
                    struct json_object *input, const char *key, const char *why);

/* read_value.c: one value of the row (of a list: an element) to `to`. false: an error was told. */
bool read_value(struct read *r, const struct ec_row *row, struct json_object *v, uint8_t *to);
/* A map's value or name, whatever bytes. */
bool read_span(struct read *r, const void *bytes, size_t n, struct ec_span *span);
/* n zeroed bytes at the end of the part, 8-aligned; NULL: it is full. */
void *read_room(struct read *r, uint64_t n);

/* read_bytes.c: text that stands for bytes. The number of bytes written, or −1. `to` has room for n. */
ptrdiff_t read_base64(uint8_t *to, const char *s, size_t n);
ptrdiff_t read_hex(uint8_t *to, const char *s, size_t n);
bool read_mac(uint8_t to[6], const char *s);
bool read_ip(uint8_t to[16], const char *s);

#endif
