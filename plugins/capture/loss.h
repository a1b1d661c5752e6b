/* loss.h: frames that an interface or its driver lost, from the kernel's statistics. [any] */
#ifndef CAPTURE_LOSS_H
#define CAPTURE_LOSS_H
#include <stdint.h>

/* rx_dropped + rx_missed_errors + rx_fifo_errors of the interface; 0 where it does not tell
 * ("any"). */
uint64_t loss_read(const char *interface);

#endif
