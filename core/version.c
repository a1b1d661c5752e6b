#include "buildconf.h"

#include "core/version.h"

#include <event2/event.h>

#if defined(__SANITIZE_THREAD__)
#define SANITIZER "thread"
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZER "address"
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SANITIZER "thread"
#elif __has_feature(address_sanitizer)
#define SANITIZER "address"
#endif
#endif
#ifndef SANITIZER
#define SANITIZER "none"
#endif

const char *version_string(void)
{
    return PACKAGE_VERSION;
}

int version_print_build(FILE *out)
{
    fprintf(out, "version: %s\n", version_string());
    fprintf(out, "compiler: %s\n", __VERSION__);
    fprintf(out, "sanitizer: %s\n", SANITIZER);
#ifdef __OPTIMIZE__
    fprintf(out, "optimised: yes\n");
#else
    fprintf(out, "optimised: no\n");
#endif
    fprintf(out, "libevent: %s\n", event_get_version());
    fprintf(out, "plugins: %s\n", ECYBER_PLUGINDIR);
    fprintf(out, "configuration: %s\n", ECYBER_CONFDIR);
    fprintf(out, "state: %s\n", ECYBER_STATEDIR);
    fprintf(out, "runtime: %s\n", ECYBER_RUNDIR);
    return ferror(out) || fflush(out) ? -1 : 0;
}
