#include "core/log/log_limit.h"

#include "core/log/log.h"

/* The words of struct ec_site.priv. */
enum {
    TAT = 0,     /* when the bucket will be full again, ns (GCRA's theoretical arrival time) */
    REFUSED = 1, /* lines not yet told about */
    NEXT = 2,    /* of the list of sites that ever refused; 0: not on it */
    WHO = 3      /* its owner's name */
};

#define LAST ((uint64_t)1)          /* NEXT at the end of the list */

static uint64_t sites = LAST;       /* sites are static, so they are never taken off */

static bool bucket_take(struct ec_site *site, uint64_t now, uint32_t rate, uint32_t burst)
{
    uint64_t step = 1000000000u / rate, room = step * (burst ? burst - 1 : 0);
    uint64_t tat = __atomic_load_n(&site->priv[TAT], __ATOMIC_RELAXED), next;

    do {
        if (tat > now + room)
            return false;
        next = (tat > now ? tat : now) + step;
    } while (!__atomic_compare_exchange_n(&site->priv[TAT], &tat, next, true, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));
    return true;
}

static void site_enlist(struct ec_site *site, const char *who)
{
    uint64_t free_mark = 0, head;

    if (!__atomic_compare_exchange_n(&site->priv[NEXT], &free_mark, LAST, false, __ATOMIC_RELAXED,
                                     __ATOMIC_RELAXED))
        return;
    __atomic_store_n(&site->priv[WHO], (uint64_t)(uintptr_t)who, __ATOMIC_RELAXED);
    head = __atomic_load_n(&sites, __ATOMIC_RELAXED);
    do
        __atomic_store_n(&site->priv[NEXT], head, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&sites, &head, (uint64_t)(uintptr_t)site, true,
                                        __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

bool log_limit_take(struct ec_site *site, const char *who, uint64_t now_ns, uint32_t rate,
                    uint32_t burst, uint64_t *suppressed)
{
    *suppressed = 0;
    if (!rate || bucket_take(site, now_ns, rate, burst)) {
        if (__atomic_load_n(&site->priv[REFUSED], __ATOMIC_RELAXED))
            *suppressed = __atomic_exchange_n(&site->priv[REFUSED], 0, __ATOMIC_RELAXED);
        return true;
    }
    __atomic_add_fetch(&site->priv[REFUSED], 1, __ATOMIC_RELAXED);
    site_enlist(site, who);
    return false;
}

void log_limit_flush(uint64_t now_ns, uint32_t rate,
                     void (*fn)(const struct ec_site *site, const char *who, uint64_t suppressed))
{
    uint64_t at = __atomic_load_n(&sites, __ATOMIC_ACQUIRE);

    while (at != LAST) {
        struct ec_site *site = (struct ec_site *)(uintptr_t)at;
        const char *who =
            (const char *)(uintptr_t)__atomic_load_n(&site->priv[WHO], __ATOMIC_RELAXED);

        if (__atomic_load_n(&site->priv[REFUSED], __ATOMIC_RELAXED) &&
            (!rate || bucket_take(site, now_ns, rate, 1)))
            fn(site, who, __atomic_exchange_n(&site->priv[REFUSED], 0, __ATOMIC_RELAXED));
        at = __atomic_load_n(&site->priv[NEXT], __ATOMIC_RELAXED);
    }
}
