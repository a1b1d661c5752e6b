/* scrub.h: what leaves this host in a support dump has no secrets. The daemon masks those that it knows; this takes out
 * what looks like one wherever it stands, and rather too much than too little. */
#ifndef CLI_SCRUB_H
#define CLI_SCRUB_H
struct json_object;

#define SCRUBBED "***"

/* A copy, to be freed; NULL: out of memory. "***" stands for: what follows a name such as password, secret, token,
 * cookie, authorization or api_key and '=' or ':'; user and password of an URL, and path and query of one with http(s);
 * bearer and basic credentials; JSON web tokens; API keys of ours; password hashes ($2b$, $argon2id$, $6$ ...); private
 * keys in PEM. */
char *scrub_text(const char *text);

/* A copy of any JSON, to be put; NULL: out of memory. Each text in it is scrubbed; those under such names are "***". */
struct json_object *scrub_json(struct json_object *o);

#endif
