/* program_impl.h: what program.c and program_run.c share, and nobody else includes. */
#ifndef RECORD_PROGRAM_IMPL_H
#define RECORD_PROGRAM_IMPL_H
#include "core/record/program.h"

enum op { OP_OPEN, OP_CLOSE, OP_VALUE, OP_LIST, OP_RECORDS, OP_MAP, OP_MAP_LIST };

struct step {
    uint8_t op, type;
    uint8_t always; /* of a list: print it though it is empty, for its bit says that it is there */
    uint8_t secret;
    uint32_t off, has_off;        /* from the start of the struct; has_off 0: not optional */
    uint32_t has, key_len, width; /* bit; bytes of key; of the member */
    uint32_t n_word, skip;        /* OPEN: steps to its CLOSE, which an absent member leaves out */
    char *key;           /* "\"name\":" */
    const char *space;   /* NAME */
    char **word;         /* ENUM: quoted words */
    struct program *sub; /* RECORDS */
};
struct program {
    const struct ec_host *host;
    uint32_t bytes, n, cap;
    struct step *step;
};

#endif
