/* value.h: what people write into a filter, as a value of its field's type. */
#ifndef STORE_VALUE_H
#define STORE_VALUE_H
#include "plugins/store/filter.h"

/* s: n bytes, one value. 0, EC_ENOMEM, or EC_EINVAL and why (n_why bytes): a sentence that names the field. */
int32_t value_parse(struct value *v, const struct field *f, const char *s, size_t n, char *why, size_t n_why);

#endif
