/* What a ban costs: one after the other in a bare loop around libnftables, and through the helper; and a whole state:
 * time, and CPU time of both processes, which says more on a machine with other work. In a network namespace of its
 * own, as root. usage: bench_helper HELPER BANS STATE */
#include "core/helper/client.h"

#include <nftables/libnftables.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ONE_AFTER_THE_OTHER 1u
#define AT_ONCE 1024u               /* asked before the first is answered */

static sem_t ready, done;
static int32_t worst;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* CPU time of this process and of the helper, seconds. */
static double cpu(void)
{
    struct ec_helper_status s = { .size = sizeof s };
    struct timespec own, helper = { 0, 0 };
    clockid_t of;

    helper_service.status(NULL, &s);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own);
    if (s.pid && !clock_getcpuclockid((pid_t)s.pid, &of))
        clock_gettime(of, &helper);
    return (double)(own.tv_sec + helper.tv_sec) + (double)(own.tv_nsec + helper.tv_nsec) / 1e9;
}

struct cost { double wall, cpu; };

static struct cost cost_begin(void)
{
    return (struct cost){ now(), cpu() };
}

static struct cost cost_end(struct cost since, uint32_t n)
{
    return (struct cost){ (now() - since.wall) / n, (cpu() - since.cpu) / n };
}

static void on_ready(void *arg)
{
    (void)arg;
    sem_post(&ready);
}

static void on_done(void *arg, int32_t err, const char *text, uint64_t len)
{
    (void)arg;
    if (err && !worst)
        fprintf(stderr, "%.*s\n", (int)len, text);
    worst = err ? err : worst;
    sem_post(&done);
}

static struct ec_helper_entry entry(uint32_t i)
{
    struct ec_helper_entry e = { .prefix = 128, .list = EC_HELPER_BLOCK, .seconds = 3600 };

    e.addr[10] = e.addr[11] = 0xff;
    e.addr[12] = 11;
    e.addr[13] = (uint8_t)(i >> 16);
    e.addr[14] = (uint8_t)(i >> 8);
    e.addr[15] = (uint8_t)i;
    return e;
}

static void sync_state(uint32_t n)
{
    struct ec_helper_entry *all = calloc(n + 1, sizeof *all);

    for (uint32_t i = 0; i < n; i++)
        all[i] = entry(i);
    if (helper_service.request(NULL, EC_HELPER_SYNC, all, n, sizeof *all, on_done, NULL))
        worst = EC_EAGAIN;
    else
        sem_wait(&done);
    free(all);
}

static struct cost through_helper(uint32_t bans, uint32_t window)
{
    struct cost t = cost_begin();
    uint32_t asked = 0;

    for (uint32_t answered = 0; answered < bans && !worst; answered++) {
        for (; asked < bans && asked - answered < window; asked++) {
            struct ec_helper_entry e = entry(asked);

            if (helper_service.request(NULL, EC_HELPER_BAN, &e, 1, sizeof e, on_done, NULL))
                worst = EC_EAGAIN;
        }
        sem_wait(&done);
    }
    return cost_end(t, bans);
}

/* The least that a program of its own would do: the same table and set, one command a ban. */
static struct cost bare(uint32_t bans)
{
    struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);
    char text[512];
    struct cost t;

    nft_ctx_buffer_error(nft);
    nft_ctx_output_set_flags(nft, NFT_CTX_OUTPUT_JSON);
    worst |=
        nft_run_cmd_from_buffer(nft, "add table inet bare; add set inet bare block { type ipv4_addr; flags timeout; }");
    t = cost_begin();
    for (uint32_t i = 0; i < bans && !worst; i++) {
        snprintf(text, sizeof text,
                 "{\"nftables\":[{\"add\":{\"element\":{\"family\":\"inet\",\"table\":\"bare\",\"name\":"
                 "\"block\",\"elem\":[{\"elem\":{\"val\":\"11.%u.%u.%u\",\"timeout\":3600}}]}}}]}",
                 i >> 16 & 255, i >> 8 & 255, i & 255);
        worst |= nft_run_cmd_from_buffer(nft, text);
    }
    t = cost_end(t, bans);
    worst |= nft_run_cmd_from_buffer(nft, "delete table inet bare");
    nft_ctx_free(nft);
    return t;
}

static void print(const char *what, struct cost c, struct cost loop)
{
    printf("firewall: %s: %.0f us a ban, %.0f a second, %.2f of the bare loop; %.0f us of CPU time\n", what,
           c.wall * 1e6, 1 / c.wall, loop.wall / c.wall, c.cpu * 1e6);
}

int main(int argc, char **argv)
{
    uint32_t bans = argc == 4 ? (uint32_t)atoi(argv[2]) : 0, state = argc == 4 ? (uint32_t)atoi(argv[3]) : 0;
    struct cost loop, one, many, whole;
    char why[256];

    sem_init(&ready, 0, 0);
    sem_init(&done, 0, 0);
    helper_client_configure(NULL, argc == 4 ? argv[1] : NULL, false);
    if (!bans || helper_service.open(NULL, on_ready, NULL, why, sizeof why)) {
        fprintf(stderr, "%s\n", bans ? why : "usage: bench_helper HELPER BANS STATE");
        return 1;
    }
    loop = bare(bans);
    helper_service.request(NULL, EC_HELPER_CHECK, NULL, 0, 0, NULL, NULL);      /* starts it */
    sem_wait(&ready);
    sync_state(0);
    one = through_helper(bans, ONE_AFTER_THE_OTHER);
    sync_state(0);
    many = through_helper(bans, AT_ONCE);
    whole = cost_begin();
    sync_state(state);
    whole = cost_end(whole, 1);
    helper_service.close(NULL);
    print("a bare loop around libnftables", loop, loop);
    print("through the helper, each waited for", one, loop);
    print("through the helper, 1024 at once", many, loop);
    printf("firewall: a state of %u bans in place of another: %.0f ms, %.0f ms of CPU time\n", state, whole.wall * 1e3,
           whole.cpu * 1e3);
    return worst != 0;
}
