/* options.h: the rows of the plugin's options, and their reading into a struct tconf. */
#ifndef TRAFFIC_OPTIONS_H
#define TRAFFIC_OPTIONS_H
#include "plugins/traffic/engine.h"

extern const struct ec_record traffic_options;
/* [cfg] 0, or EC_E* after a sentence by host->fail(). The limits of c are shares of one worker. */
int32_t options_read(const struct traffic *tr, const struct ec_conf *conf, struct tconf *c);

#endif
