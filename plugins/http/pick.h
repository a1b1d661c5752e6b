/* pick.h: ?fields= of a page of events: of each event its `id`, its `event_type` and the keys that are named. */
#ifndef HTTP_PICK_H
#define HTTP_PICK_H
#include "lib/text.h"

#include <stdint.h>

#define PICK_FIELDS 64u
#define PICK_NAME 96u               /* bytes of a name, with its NUL */

struct pick { uint32_t n; char name[PICK_FIELDS][PICK_NAME]; };     /* n 0: whole events */

/* [any] page: {"items":[…],…}; what stands beside the items stays. A name of an object keeps all of it; one of a member
 * of a list of objects, that of each. false: out of memory, or no such page; it is as it was. */
bool pick_page(struct text *page, const struct pick *p);

#endif
