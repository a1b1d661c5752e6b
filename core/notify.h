/* notify.h: tells systemd how it stands (sd_notify(3)), where it wants to know (NOTIFY_SOCKET). [ctl] */
#ifndef CORE_NOTIFY_H
#define CORE_NOTIFY_H

/* state: "READY=1\nSTATUS=…", "STOPPING=1". Without NOTIFY_SOCKET, or where nobody reads it: nothing happens. */
void notify(const char *state);

#endif
