/* What a look-up costs: nanoseconds for addresses drawn at random, and for ten that come again and again.
 * usage: bench_geoip DATABASE… */
#include "plugins/geoip/set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ADDRESSES (1u << 20)

static void say(void *arg, const char *sentence)
{
    (void)arg;
    fprintf(stderr, "%s\n", sentence);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void measure(const struct set *s, const char *what, uint8_t (*address)[16], uint32_t mask)
{
    uint32_t known = 0, bad;
    struct found f;
    double t = now();

    for (uint32_t i = 0; i < ADDRESSES; i++)
        known += set_find(s, address[i & mask], &f, &bad);
    printf("geoip: %s: %.0f ns a look-up, %.1f %% known\n", what, (now() - t) / ADDRESSES,
           100.0 * known / ADDRESSES);
}

int main(int argc, char **argv)
{
    struct set_source from = { (const char *const *)argv + 1, (uint32_t)argc - 1, UINT64_C(1) << 30, say, NULL };
    uint8_t (*address)[16] = calloc(ADDRESSES, sizeof *address);
    double t = now();
    struct set *s = set_open(&from, NULL, false);

    if (!s || !address || !set_count(s))
        return 1;
    printf("geoip: %u databases, %.1f MiB in memory, read in %.0f ms\n", set_count(s),
           (double)set_bytes(s) / 1048576, (now() - t) / 1e6);
    srandom(1);
    for (uint32_t i = 0; i < ADDRESSES; i++) {
        uint32_t a = (uint32_t)random() << 1;

        memcpy(address[i] + 10, "\xff\xff", 2);
        memcpy(address[i] + 12, &a, 4);
        address[i][12] = (uint8_t)(1 + address[i][12] % 223);
    }
    measure(s, "addresses at random", address, ADDRESSES - 1);
    measure(s, "16 addresses again and again", address, 15);
    set_unref(s);
    free(address);
    return 0;
}
