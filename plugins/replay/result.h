/* result.h: what a child left behind: its events, its account, its log. */
#ifndef REPLAY_RESULT_H
#define REPLAY_RESULT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;

/* What came of it, from its folder: {"packets", "bytes", "flows", "events", "alerts", "severity": {"1": …}, "types":
 * {"alert": …}, "signatures": [{"gid", "sid", "signature", "alerts"}]}; what cannot be read is left out. lost: events
 * that were not written. */
struct json_object *result_read(const char *folder, uint64_t *lost);
/* Why it did not go well, in a sentence, of its log: what it says of its capture, or else its last error. false:
 * nothing. */
bool result_sentence(const char *folder, char *why, size_t n);
/* Of a check of rules: for each line of the log that names the file `rules`, what follows its name ("2:35: sid 2: …").
 * An array of texts; at most `most`. */
struct json_object *result_problems(const char *folder, const char *rules, uint32_t most);

/* A page of the events: lines from the byte `at` on, of this type (NULL: any), at most `limit`, as one JSON text
 * {"items", "next_cursor"}; to be freed. NULL: there is none, errno says why; EINVAL: no line begins at that byte. It
 * looks at some 64 MiB at most, so a page may be short and have a cursor all the same. */
char *result_page(int fd, uint64_t at, const char *type, uint32_t limit, size_t *len);

#endif
