/* client.h: the daemon's end of the helper: ec.helper/1, and the thread that talks to it and gets a new one when it
 * dies. Nothing is started before somebody asks for something. */
#ifndef CORE_HELPER_CLIENT_H
#define CORE_HELPER_CLIENT_H
#ifndef EC_API_LEVEL
# define EC_API_LEVEL 1
#endif
#include <ecyber/ext/helper.h>

#include <stdbool.h>

extern const struct ec_helper helper_service;   /* its functions take no self: there is one helper */

/* [ctl] Before any open(). refuse: NULL, or the sentence that open() then says, static. program: NULL: the
 * installed one. replay: the daemon replays, and stays for its page and its API. */
void helper_client_configure(const char *refuse, const char *program, bool replay);

#endif
