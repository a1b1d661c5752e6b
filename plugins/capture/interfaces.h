/* interfaces.h: the interfaces of the engine's network namespace over HTTP, and which of them are captured on. */
#ifndef CAPTURE_INTERFACES_H
#define CAPTURE_INTERFACES_H
#define EC_API_LEVEL 1
#include <ecyber/plugin.h>
#include <ecyber/ext/http.h>

#include <pthread.h>

#define LIVE_MAX 64u

struct interfaces {
    const struct ec_host *host;
    const struct ec_http *http;
    void *http_self;
    pthread_mutex_t lock;
    struct { char name[64]; uint32_t sources; } live[LIVE_MAX];
};

/* [ctl] setup(). Nothing where there is no HTTP server. */
void interfaces_declare(struct interfaces *i, const struct ec_host *h);
/* [any] One more (1) or one less (-1) source captures on it. */
void interfaces_live(struct interfaces *i, const char *name, int32_t by);

#endif
