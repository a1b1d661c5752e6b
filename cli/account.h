/* account.h: the tables that `status` and `drops` share: where packets and events went. */
#ifndef CLI_ACCOUNT_H
#define CLI_ACCOUNT_H
#include "cli/cli.h"

void account_packets(const struct cli *c, struct json_object *list);
void account_events(const struct cli *c, struct json_object *list);
/* What plugins have lost or left out themselves, after an empty line; nothing where they did not. */
void account_losses(const struct cli *c, struct json_object *list);
/* The sentences of `drops`, after an empty line; nothing where there are none. */
void account_advice(struct json_object *list);

#endif
