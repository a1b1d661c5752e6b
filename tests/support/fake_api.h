/* fake_api.h: an HTTP server and a store for unit tests of plugins that declare routes: no network, documents in
 * memory. A request is made from "name=value" pairs by the rows of the route; the reply is read by its rows. */
#ifndef ECYBER_FAKE_API_H
#define ECYBER_FAKE_API_H
#define EC_API_LEVEL 1
#include <ecyber/ext/http.h>
#include <ecyber/ext/store.h>

extern const struct ec_http fake_http;
extern const struct ec_store fake_store;

/* Forget all routes, documents and what was set below. The next calls of a store's put(), del() and find() fail with
 * fake_fails. fake_event: the JSON of whatever event is asked for; NULL: there is none. */
void fake_reset(void);
extern int32_t fake_fails;
extern const char *fake_event;
uint64_t fake_puts(void); /* documents that were written, ever */
uint32_t fake_documents(void); /* of the first kind that was declared */
/* Change a U64 or a TIME of a document of the first kind; aborts where there is none. Ids count from 1. */
void fake_document_set(uint64_t id, const char *name, uint64_t value);
/* A text of a document of the first kind; and another text in another row, in place of one that is at least as long. */
const char *fake_document_text(uint64_t id, const char *name);
void fake_document_move(uint64_t id, const char *from, const char *to, const char *text);
void fake_forget_routes(void); /* before a plugin declares them again */

/* Who asks from where, from now on. NULL: nobody; "127.0.0.1". */
void fake_caller(const struct ec_who *who, const char *peer);
/* Ask a route. path: of the declaration; param, body: NULL-terminated lists of "name=value" (lists: a,b), or NULL.
 * Returns the status; aborts where there is no such route. */
uint32_t fake_ask(const char *method, const char *path, const char *const *param, const char *const *body);
/* Of the last reply, "" where it is not there: a row (of the first element: "items.username"), a header, the detail. */
const char *fake_reply(const char *name);
const char *fake_header(const char *name);
const char *fake_detail(void);
uint64_t fake_etag(void);             /* of the last reply; 0: none */
void fake_if_match(uint64_t version); /* of the next requests; 0: they have none */
/* Entries of the audit log that the last request made, and the texts of the last of them. */
enum fake_audit { FAKE_ACTION, FAKE_OUTCOME, FAKE_OBJECT, FAKE_DETAIL };
uint32_t fake_audits(void);
const char *fake_audit(enum fake_audit what);
const void *fake_stream(size_t *n); /* what chunk() has sent for the last request, up to 1 MiB */
const struct ec_route *fake_route(uint32_t i); /* NULL: there are no more */

#endif
