/* list.h: where rules come from: what people set, and what came of the last look at each; kept as JSON. */
#ifndef IDS_SOURCES_LIST_H
#define IDS_SOURCES_LIST_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SOURCES_MAX     64u
#define SOURCE_NAME     65u         /* with their NULs */
#define SOURCE_URL      2049u
#define SOURCE_BY       64u
#define SOURCE_WHY      400u
#define SOURCES_TEXT    (1u << 20)  /* bytes of all as JSON */

struct source {
    uint32_t id;
    bool enabled;                   /* its rules are loaded, and it is updated by itself */
    char name[SOURCE_NAME];         /* of its file too: [A-Za-z0-9][A-Za-z0-9._-]* */
    char url[SOURCE_URL], checksum_url[SOURCE_URL];     /* checksum_url "": none */
    uint64_t interval_ns;           /* between updates; 0: only when somebody asks */
    uint64_t version, at_ns;        /* of the list, and when it was changed by whom */
    char by[SOURCE_BY];

    uint64_t looked_ns, updated_ns; /* 0: never */
    char tag[256], modified[64], digest[65];
    char why[SOURCE_WHY];           /* of the last look's failure; "": it went well */
    uint64_t bytes;
    uint32_t rules, failed;
};
struct sources_list {
    uint32_t n, next_id;
    uint64_t version;               /* +1 with each change by people */
    struct source *source[SOURCES_MAX];         /* by id */
};

struct sources_list *list_new(void);            /* NULL: out of memory */
void list_free(struct sources_list *l);         /* NULL is taken */
struct source *list_find(const struct sources_list *l, uint32_t id);
struct source *list_named(const struct sources_list *l, const char *name);
/* A copy of s gets the next id. NULL: SOURCES_MAX are there, or out of memory. */
struct source *list_add(struct sources_list *l, const struct source *s);
void list_remove(struct sources_list *l, uint32_t id);
bool name_is_good(const char *name);

char *list_write(const struct sources_list *l, size_t *n);      /* to be freed; NULL: out of memory */
/* NULL: why says what is wrong; *newer: it is of a later format. */
struct sources_list *list_read(const char *text, size_t n, bool *newer, char *why, size_t m);

#endif
