/* heartbeat.h: heartbeats that are not encrypted (RFC 6520 §4). One that says that it brings more than it does makes a
 * faulty server answer with its memory (Heartbleed, CVE-2014-0160). */
#ifndef TRAFFIC_TLS_HEARTBEAT_H
#define TRAFFIC_TLS_HEARTBEAT_H

#include <stdint.h>

enum heartbeat_fault { HEARTBEAT_SOUND, HEARTBEAT_INVALID, HEARTBEAT_OVERFLOW };

/* A record's content of direction dir. *flying: bit dir is set while a request of that side waits for its answer, which
 * must not be followed by another one. */
enum heartbeat_fault heartbeat_check(uint8_t *flying, uint32_t dir, const uint8_t *d, uint32_t n);

#endif
