#include "plugins/capture/loss.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint64_t counter_read(const char *interface, const char *name)
{
    char path[256], text[32];
    ssize_t n;
    int fd;

    if (strchr(interface, '/') ||
        (size_t)snprintf(path, sizeof path, "/sys/class/net/%s/statistics/%s", interface, name) >=
            sizeof path)
        return 0;
    if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
        return 0;
    n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    return strtoull(text, NULL, 10);
}

uint64_t loss_read(const char *interface)
{
    return counter_read(interface, "rx_dropped") + counter_read(interface, "rx_missed_errors") +
           counter_read(interface, "rx_fifo_errors");
}
