/* sniff.h: the predecessor's start_sniffing and stop_sniffing, by ec.capture/1. */
#ifndef SOCKETIO_SNIFF_H
#define SOCKETIO_SNIFF_H
#include "plugins/socketio/job.h"

/* What was asked for, into j->sniff; NULL, or a sentence that says why not. */
const char *sniff_read(const struct viewer *v, struct job *j, const struct ec_sio_event *e);
void sniff_run(struct job *j);                          /* [pool] */
void sniff_end(struct viewer *v, const struct job *j);  /* tells the client */
void sniff_refuse(struct ec_sio *x, const char *error);

#endif
