/* dial.h: a connection to one of the daemon's Unix sockets. */
#ifndef CLI_DIAL_H
#define CLI_DIAL_H

/* who: "ecyberd is not running"; option: "-s SOCKET". Returns a descriptor; −1: *code is the exit code, and why was
 * printed on stderr. */
int dial(const char *path, const char *who, const char *option, int seconds, int *code);

#endif
