/* status.h: what the daemon answers on its control socket: status, plugins, plugin NAME, reload, drops, stop. */
#ifndef CORE_STATUS_H
#define CORE_STATUS_H
struct daemon;

void status_commands(struct daemon *d);         /* [ctl] before control_open(); d outlives the socket */

#endif
