/* control.h: the control socket: one request a line, "COMMAND ARG…\n", answered by one JSON document and a newline.
 * A Unix socket, mode 0660; on the control thread's event loop. At most 32 clients, 4 KiB a request, 10 s a request. */
#ifndef CORE_CONTROL_H
#define CORE_CONTROL_H
#include <stdint.h>
struct event_base;
struct json_object;

/* Handles one command: args is NULL-terminated. Returns the reply (owned by the caller), or NULL and a sentence in why. */
typedef struct json_object *control_fn(char *const *args, char *why, uint32_t n);
int control_command(const char *name, const char *help, control_fn *fn);       /* [ctl] before control_open() */
int control_open(struct event_base *base, const char *path, char *why, uint32_t n);    /* [ctl] */
void control_close(void);

#endif
