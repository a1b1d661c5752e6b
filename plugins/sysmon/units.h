/* units.h: the services that systemd keeps, asked over D-Bus (org.freedesktop.systemd1), which answers everybody. */
#ifndef SYSMON_UNITS_H
#define SYSMON_UNITS_H
#include <stdbool.h>
#include <stdint.h>

#define UNITS_MAX 2048u

struct unit { char name[128], description[160], load[16], active[16], sub[24]; };
struct units { uint32_t n, over; struct unit *unit; };

struct sd_bus;
/* Services only. bus: NULL: the system's. false: why says in a sentence why there is no answer. Blocks for at most 5 s,
 * so for the pool. */
bool units_read(struct units *u, struct sd_bus *bus, char *why, uint32_t n);
void units_free(struct units *u);

#endif
