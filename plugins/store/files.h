/* files.h: events in SQLite files, one segment each: a backend. */
#ifndef STORE_FILES_H
#define STORE_FILES_H
#include "plugins/store/backend.h"

struct files {
    struct backend backend;         /* ops: &files_ops */
    struct segment_writer *writer;  /* with `writing` */
    struct segment_id id;           /* of its segment */
    bool unfinished;                /* an index could not be built, and that was said */
};
extern const struct backend_ops files_ops;

void files_damaged(struct backend *b, struct segment_id id, const char *why);
/* keeper.c */
bool keeper_finish(struct backend *b, uint64_t now);
uint32_t keeper_expire(struct backend *b, uint64_t now, struct backend_limits limits);
uint64_t keeper_bytes(struct backend *b, uint32_t *n);

#endif
