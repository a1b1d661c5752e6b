/* thread.h: what a thread that a plugin itself starts does first. */
#ifndef EC_THREAD_H
#define EC_THREAD_H

#include <linux/capability.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

int capget(cap_user_header_t head, cap_user_data_t data);           /* of the C library, which declares them nowhere */
int capset(cap_user_header_t head, const cap_user_data_t data);

/* [any] A thread has the capabilities of the one that started it, and [ctl] has CAP_NET_RAW and CAP_NET_ADMIN until the
 * workers run, who open interfaces: for good this thread gives them up. */
static inline void ec_thread_plain(void)
{
    const uint32_t plain = ~(1u << CAP_NET_RAW | 1u << CAP_NET_ADMIN);
    struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

    if (capget(&head, data))
        return;
    data[0].effective &= plain;
    data[0].permitted &= plain;
    data[0].inheritable &= plain;
    (void)capset(&head, data);
}

#ifdef __cplusplus
}
#endif

#endif
