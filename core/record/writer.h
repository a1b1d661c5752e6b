/* writer.h: one event as one object of EVE JSON: the common keys, then each part under its root. */
#ifndef RECORD_WRITER_H
#define RECORD_WRITER_H
#include <stdbool.h>
#include <stdint.h>
#define EC_API_LEVEL 1
#include <ecyber/plugin.h>

#include "core/record/json.h"

struct shapes;
struct writer;
/* Gets the shape of every topic that h knows. NULL: out of memory, or a table that cannot be written; *topic
 * is then its name. */
struct writer *writer_new(const struct ec_host *h, struct shapes *shapes, const char **topic);
void writer_free(struct writer *w);

enum writer_result {
    WRITER_OK,
    WRITER_MALFORMED /* written, but something in it was left out */,
    WRITER_FAILED
};
/* Appends one object to j, without a newline. FAILED: nothing was appended (no memory, or no event).
 * [any] */
enum writer_result writer_event(const struct writer *w, struct json *j, const struct ec_event *ev);

#endif
