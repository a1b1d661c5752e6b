/* summary.h: the predecessor's `daily_summary`, from the store. */
#ifndef SOCKETIO_SUMMARY_H
#define SOCKETIO_SUMMARY_H
#include "plugins/socketio/server.h"
#include "lib/text.h"

/* [pool] {"network24h":{sent_mb,recv_mb},"threatSummary":{counts{critical,warning,info},details{…}}} of the
 * last 24 h. */
void summary_read(const struct server *s, struct text *out, char *error, uint32_t n);

#endif
