/* changes.h: what is changed of the configuration while the daemon runs. It stands in STATE/changes.yaml, one
 * `SECTION.OPTION: "text"` a line, and is read after the configuration's files (core/conf/conf_changes.c): only options
 * that a reload changes, no file names, no secrets. The file is replaced as a whole, so a kill leaves the old one or the
 * new one; a change that a plugin refuses is taken back. All [ctl]. */
#ifndef CORE_CHANGES_H
#define CORE_CHANGES_H
struct daemon;

/* The commands config-version, config-schema, config-try and config-change of the control socket. d outlives it. */
void changes_commands(struct daemon *d);
void changes_close(void);           /* a change that is under way is taken back, and answered */

#endif
