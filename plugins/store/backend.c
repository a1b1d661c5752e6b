#include "plugins/store/backend.h"

#include <stdarg.h>
#include <stdio.h>

void backend_open(struct backend *b)
{
    pthread_mutex_init(&b->writing, NULL);
}

void backend_close(struct backend *b)
{
    pthread_mutex_destroy(&b->writing);
}

void backend_sayf(const struct backend *b, enum stream_level level, const char *fmt, ...)
{
    char text[5200];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    b->say(b->say_arg, level, text);
}
