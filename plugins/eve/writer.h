/* writer.h: one event as one line of EVE JSON: the common keys, then each part under its root. */
#ifndef EVE_WRITER_H
#define EVE_WRITER_H
#include <stdbool.h>
#include <stdint.h>
#define EC_API_LEVEL 1
#include <ecyber/plugin.h>

#include "plugins/eve/json.h"

struct writer;
/* Compiles every topic that h knows. NULL: out of memory, or a table that cannot be written; *topic
 * is then its name. */
struct writer *writer_new(const struct ec_host *h, const char **topic);
void writer_free(struct writer *w);

enum writer_result {
    WRITER_OK,
    WRITER_MALFORMED /* written, but something in it was left out */,
    WRITER_FAILED
};
/* Appends one line with its newline to j. FAILED: nothing was appended (no memory, or no event).
 * [sub] */
enum writer_result writer_line(const struct writer *w, struct json *j, const struct ec_event *ev);
uint32_t writer_topic(const struct ec_event *ev); /* of part 0; 0: there is none */

#endif
