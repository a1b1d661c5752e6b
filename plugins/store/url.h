/* url.h: what store.url says: which database, in the form that its library takes. */
#ifndef STORE_URL_H
#define STORE_URL_H
#include <stddef.h>

enum url_kind { URL_WRONG, URL_SQLITE, URL_POSTGRESQL };
/* "postgresql+asyncpg://…", "postgres://…", "sqlite+aiosqlite:///…": a driver behind '+' is dropped. *clean is then the
 * caller's to free; WRONG: why (n bytes), without what may be a password, or memory ran out. */
enum url_kind url_parse(const char *url, char **clean, char *why, size_t n);

#endif
