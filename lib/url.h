/* url.h: may a request that people ask for have this address? */
#ifndef LIB_URL_H
#define LIB_URL_H
#include <stdbool.h>

/* NULL: yes; else what is wrong, in a sentence. plain: http:// is taken as well as https://. */
const char *url_wrong(const char *url, bool plain);
/* How the sentence begins that an option to allow http:// would mend. */
#define URL_PLAIN "URL scheme should be 'https'"

#endif
