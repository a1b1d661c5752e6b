/* status.h: what the daemon answers on its control socket: status, plugins, plugin NAME, reload,
 * drops, stop. */
#ifndef CORE_STATUS_H
#define CORE_STATUS_H
struct daemon;

/* [ctl] before control_open(); d outlives the socket */
void status_commands(struct daemon *d);
/* [ctl] After the last event: leave the final account in the state folder, as last-stop.json (what
 * `status` answers). A folder that cannot be written is no error: a replay by an ordinary user has
 * none. */
void status_write_last(struct daemon *d);

#endif
