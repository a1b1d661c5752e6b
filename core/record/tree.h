/* tree.h: a table of rows as the tree of JSON names that it makes: dots open objects, nested records
 * that lie within the struct are unfolded. What writes a record and what reads one walk the same
 * tree. */
#ifndef RECORD_TREE_H
#define RECORD_TREE_H
#include <stdbool.h>
#include <stdint.h>
#define EC_API_LEVEL 1
#include <ecyber/plugin.h>

#define TREE_DEPTH 16 /* of objects in objects: RECORD_OBJECTS */

struct node {
    char *name;
    const struct ec_row *row; /* NULL: an object */
    uint32_t base, has_off;   /* of the struct that the row belongs to; has_off 0: not optional */
    uint32_t has;             /* the bit, where has_off is not 0; of an object too: an optional member */
    struct tree *sub;         /* of the elements, where the row is a list of records */
    struct node *child, *last, *next; /* in the order in which they first appear */
};
struct tree {
    struct node root;
    uint32_t bytes;           /* of the author's struct */
    bool secret;              /* a row in it, or below it, is EC_R_SECRET */
};

/* NULL: out of memory, or deeper than TREE_DEPTH. Keeps pointers to the rows of r, which has passed
 * record_check(). */
struct tree *tree_build(const struct ec_record *r);
void tree_free(struct tree *t);
const struct node *tree_find(const struct node *parent, const char *name); /* NULL: no such child */
uint32_t tree_width(uint16_t type); /* bytes of one value; 0: no such type */

#endif
