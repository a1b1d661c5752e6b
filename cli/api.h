/* api.h: the daemon's HTTP API, over its Unix socket: the caller is who the kernel says it is. */
#ifndef CLI_API_H
#define CLI_API_H
#include <stddef.h>

#include "cli/cli.h"

/* Ask. method: "GET"; path: with its query, percent-encoded; body: a JSON object, NULL: none. Returns the answer, to be
 * put, or NULL. *code is the exit code: CLI_OK with NULL is an answer without a body; else why was printed on stderr.
 * */
struct json_object *api_call(const struct cli *c, const char *method, const char *path, struct json_object *body,
                             int *code);

/* The same with POST and len bytes of a file as the body. */
struct json_object *api_upload(const struct cli *c, const char *path, int file, uint64_t len, int *code);

/* Follow a stream of server-sent events until it ends or fn returns other than 0. type: the event's, data: its JSON,
 * both valid within fn. Returns an exit code; why was printed. */
typedef int api_event_fn(void *arg, const char *type, struct json_object *data);
int api_follow(const struct cli *c, const char *path, api_event_fn *fn, void *arg);

/* A path is put together here. One that grew too long is found out by api_call(). */
struct api_path {
    char text[4096];
    size_t n;
};
void api_path(struct api_path *p, const char *path);                         /* begin */
void api_segment(struct api_path *p, const char *text);                      /* "/" and text, encoded */
void api_query(struct api_path *p, const char *name, const char *value);     /* value NULL or "": nothing */

#endif
