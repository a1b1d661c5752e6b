/* control.h: the control socket: one request a line, "COMMAND ARG…\n", answered by one JSON
 * document and a newline. A Unix socket, mode 0660; on the control thread's event loop. Only root,
 * the daemon's own user and the group ecyber are heard. At most 32 clients, 4 KiB a request, 10 s
 * from the first byte of a request to the last of its reply. What fails is answered by {"error":
 * {"code": "not_found", "message": "a sentence"}}. */
#ifndef CORE_CONTROL_H
#define CORE_CONTROL_H
#include <stdbool.h>
#include <stdint.h>
struct event_base;
struct json_object;

#define CONTROL_CLIENTS 32
#define CONTROL_REQUEST 4096
#define CONTROL_SECONDS 10

enum control_code {
    CONTROL_FAILED,                 /* "failed": it was tried */
    CONTROL_USAGE,                  /* "usage": no such command, a wrong argument */
    CONTROL_NOT_FOUND,              /* "not_found" */
    CONTROL_REFUSED,                /* "refused": not allowed */
    CONTROL_BAD_CONFIG              /* "bad_config" */
};

/* Handles one command: args is NULL-terminated. Returns the reply (owned by the caller), or NULL
 * and a sentence in why. */
typedef struct json_object *control_fn(char *const *args, char *why, uint32_t n);
/* [ctl] before control_ask() and control_open() */
int control_command(const char *name, const char *help, control_fn *fn);
/* For a handler that returns NULL: the kind of its error; CONTROL_FAILED where it does not say. */
void control_error(enum control_code code);
/* For a handler: root or the daemon's own user asks, so that it may be shown what they can read. */
bool control_asked_by_owner(void);
/* For a handler that cannot answer yet: it returns NULL, and calls control_finish() exactly once, after it has returned.
 * o NULL: nobody will answer any more, for the daemon ends. NULL: out of memory. */
struct control_later;
struct control_later *control_later(void);
void control_forget(struct control_later *l);   /* it answers at once after all */
void control_finish(struct control_later *l, struct json_object *o);
void control_fail(struct control_later *l, enum control_code code, const char *why);    /* in its place: an error */

/* One request, as it would come over the socket; owner: root or the daemon's own user asks. fn is called exactly once, at
 * once or later: EC_OK, or EC_E* where text is an error. text: JSON with its newline, free() it; NULL: out of memory.
 * line is changed. [ctl] */
typedef void control_answer_fn(void *arg, int32_t err, char *text);
void control_ask(char *line, bool owner, control_answer_fn *fn, void *arg);

int control_open(struct event_base *base, const char *path, char *why, uint32_t n);    /* [ctl] */
void control_close(void);

#endif
