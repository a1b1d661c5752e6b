/* Any bytes as a MaxMind DB: it is refused with a sentence, or every look-up ends. */
/* covers: plugins/geoip/database.c plugins/geoip/place.c plugins/geoip/records.c */
#include "plugins/geoip/set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libmaxminddb 1.7.1 loses a list (4 KiB) where the metadata of a damaged file breaks off in a description. */
const char *__lsan_default_suppressions(void)
{
    return "leak:libmaxminddb.so\n";
}

static const uint8_t addresses[][16] = {
    { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 66, 0, 10 },
    { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 198, 51, 100, 7 },
    { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 81, 2, 69, 160 },
    { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1, 1, 1, 1 },
    { 0x20, 0x01, 0x0d, 0xb8, 1 },
    { 0x20, 0x02, 1, 1, 1, 1 },
    { 0xfd, 0x66, 1 },
};

static void say(void *arg, const char *sentence)
{
    (void)arg;
    if (!*sentence)
        abort();
}

/* All that is known lies in the database and is text. */
static void look(const struct set *s, const uint8_t *address)
{
    struct found f;
    uint32_t bad, sum = 0;

    if (!set_find(s, address, &f, &bad))
        return;
    for (uint32_t i = 0; f.place[1] && i < f.place[1]->org_len; i++)
        sum += (uint8_t)f.org[i] < 0x20;
    if (sum || (f.place[0] && strlen(f.place[0]->country) > 2) || (f.place[1] && f.place[1]->org_len > PLACE_ORG_MAX))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("input", 0);
    char path[64];
    const char *paths[] = { path };
    struct set_source from = { paths, 1, 1 << 24, say, NULL };
    struct set *s;

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size || !(s = set_open(&from, NULL, false)))
        abort();
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++)
        look(s, addresses[i]);
    set_unref(s);
    close(fd);
    return 0;
}
