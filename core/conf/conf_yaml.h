/* conf_yaml.h: YAML text as a tree of nodes that know where they stand. Bounded: 4 MiB, 32 levels,
 * 200,000 nodes, 4,096 keys in a mapping. Refused: anchors and aliases, tags, duplicate keys, keys
 * that are no scalars, a second document, bytes that are no UTF-8, control characters. */
#ifndef CORE_CONF_YAML_H
#define CORE_CONF_YAML_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf_mem;

#define YAML_BYTES_MAX (4u << 20)
#define YAML_DEPTH_MAX 32
#define YAML_NODES_MAX 200000
#define YAML_KEYS_MAX  4096

enum yaml_kind { YAML_SCALAR, YAML_SEQUENCE, YAML_MAPPING };
struct yaml_node {
    enum yaml_kind kind;
    uint32_t line, col; /* from 1; of its first character */
    bool plain;         /* SCALAR: without quotes */
    const char *text;   /* SCALAR: without NUL inside */
    uint32_t n;         /* SEQUENCE, MAPPING: how many */
    /* SEQUENCE: the items; MAPPING: the keys, each with its value. */
    struct yaml_node *child, *last;
    struct yaml_node *next, *value;
};

typedef void yaml_error_fn(uint32_t line, uint32_t col, const char *text, void *arg);
/* Parses text (any bytes) into m. Each error is handed to err; the tree is then incomplete and of
 * use only to find more errors. *root: NULL where there is no document. Returns false where the
 * tree is not to be looked at. */
bool yaml_parse(struct conf_mem *m, const char *text, size_t len, struct yaml_node **root,
                yaml_error_fn *err, void *arg);
bool yaml_is_null(const struct yaml_node *n); /* nothing, ~ or null, without quotes */

#endif
