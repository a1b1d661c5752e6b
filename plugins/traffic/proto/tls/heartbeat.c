/* heartbeat.c: heartbeats that are not encrypted. */
#include "heartbeat.h"

enum { REQUEST = 1, RESPONSE = 2, HEADER = 3, PADDING = 16 };   /* types; bytes, those of padding at least */

enum heartbeat_fault heartbeat_check(uint8_t *flying, uint32_t dir, const uint8_t *d, uint32_t n)
{
    uint32_t payload, waits = 1u << dir;

    if (n < HEADER || (d[0] != REQUEST && d[0] != RESPONSE))
        return HEARTBEAT_INVALID;
    if (d[0] == REQUEST && *flying & waits)
        return HEARTBEAT_INVALID;
    *flying = (uint8_t)(d[0] == REQUEST ? *flying | waits : *flying & ~(1u << !dir));
    payload = (uint32_t)d[1] << 8 | d[2];
    if (payload > n - HEADER)
        return HEARTBEAT_OVERFLOW;
    return payload + HEADER + PADDING > n ? HEARTBEAT_INVALID : HEARTBEAT_SOUND;
}
