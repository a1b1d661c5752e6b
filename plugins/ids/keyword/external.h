/* external.h: keywords that other plugins bring, by ec.keyword/1. */
#ifndef IDS_KEYWORD_EXTERNAL_H
#define IDS_KEYWORD_EXTERNAL_H
#include <stdbool.h>
#include <stdint.h>

struct build;
struct ec_host;
struct ec_keyword;

#define EXTERNAL_MAX 256
struct keyword_list {
    uint32_t n;
    struct keyword_external { const struct ec_keyword *k; void *self; const struct ec_host *host; } list[EXTERNAL_MAX];
};

/* 0, or EC_E*: broken, taken, or too many. */
int32_t external_add(struct keyword_list *l, const struct ec_host *h, const struct ec_keyword *k, void *self);
bool external_known(const struct keyword_list *l, const char *name);
int external_parse(struct build *b, const char *name);

#endif
