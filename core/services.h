/* services.h: what the daemon itself offers to plugins: ec.json/1, ec.daemon/1, ec.helper/1. All
 * [ctl]. */
#ifndef CORE_SERVICES_H
#define CORE_SERVICES_H
struct instance;

/* Stands for the daemon where services are bound; made on the first call. NULL: out of memory. */
struct instance *services_core(void);
void services_reset(void);          /* the plugins' topics are forgotten */
void services_close(void);          /* no plugin is left */

#endif
