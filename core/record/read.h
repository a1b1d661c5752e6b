/* read.h: a JSON document (RFC 8259) into a part, by the rows of its shape. What is wrong is said as
 * pydantic 2 says it. */
#ifndef RECORD_READ_H
#define RECORD_READ_H
#include <stdint.h>
#define EC_API_LEVEL 1
#include <ecyber/ext/json.h>

#define READ_DEPTH  32  /* of the document */
#define READ_ERRORS 100 /* that are told of one document */

/* ec_json.read(); h serves interned names. [any] */
int32_t read_document(const struct ec_host *h, const struct ec_shape *s, const char *json,
                      uint64_t len, uint32_t flags, struct ec_part *to, uint32_t cap,
                      ec_json_error_fn *error, void *arg);

#endif
