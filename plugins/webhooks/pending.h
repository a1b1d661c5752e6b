/* pending.h: deliveries that an orderly stop leaves undone, in a file until the next start. Text, for each delivery a line
 * "HOOK DUE ATTEMPT LENGTH ID EVENT TYPE" (EVENT "-": none) and the body, each with a newline at its end. */
#ifndef WEBHOOKS_PENDING_H
#define WEBHOOKS_PENDING_H
#include "plugins/webhooks/queue.h"

/* Write all that waits, and empty the queue. The file is replaced as a whole; without deliveries there is none. How many,
 * or −1 with errno. */
int64_t pending_save(struct queue *q, const char *path);
/* Put back what the file has, and remove it. *lost: deliveries that had no room, and 1 where the file breaks off or is
 * damaged: from there on nothing is read. How many, or −1 with errno: the file cannot be read. 0: there is none. */
int64_t pending_load(struct queue *q, const char *path, uint32_t *lost);
/* The same of n bytes. text[n] is NUL. */
uint32_t pending_parse(struct queue *q, const char *text, size_t n, uint32_t *lost);

#endif
