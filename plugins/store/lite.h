/* lite.h: SQLite as a struct conn. */
#ifndef STORE_LITE_H
#define STORE_LITE_H
#include "plugins/store/conn.h"

#include <sqlite3.h>

extern const struct dialect lite_dialect;
/* Takes the database over, whatever comes of it. NULL: out of memory. */
struct conn *lite_conn(sqlite3 *db);
sqlite3 *lite_db(struct conn *c);

#endif
