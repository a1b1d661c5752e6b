/* url.h: may a webhook have this address? */
#ifndef WEBHOOKS_URL_H
#define WEBHOOKS_URL_H
#include <stdbool.h>

/* NULL: yes; else what is wrong, in a sentence. plain: http:// is taken as well as https://. */
const char *url_wrong(const char *url, bool plain);

#endif
