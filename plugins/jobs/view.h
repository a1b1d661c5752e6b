/* view.h: jobs as JSON. */
#ifndef JOBS_VIEW_H
#define JOBS_VIEW_H
#include "plugins/jobs/table.h"

/* {"id": 12, "kind": …}. To be freed; NULL: out of memory. The job's result is taken, and freed. */
char *view_one(struct job *j);
/* {"items": [ … ], "next_cursor": "…" or null} of n jobs. */
char *view_list(struct job *j, uint32_t n, bool more);
/* Their shapes, as JSON Schema. */
extern const char view_one_schema[], view_list_schema[];

#endif
