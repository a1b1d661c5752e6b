/* greeting.h: which of the protocols do these first bytes of a direction belong to? */
#ifndef TRAFFIC_STARTTLS_GREETING_H
#define TRAFFIC_STARTTLS_GREETING_H

#include <stdbool.h>
#include <stdint.h>

/* ec_proto.probe of each. EC_MORE also where the bytes fit several of them and the other side will tell. */
int32_t greeting_smtp(const uint8_t *d, uint32_t n, uint32_t dir);
int32_t greeting_ftp(const uint8_t *d, uint32_t n, uint32_t dir);
int32_t greeting_imap(const uint8_t *d, uint32_t n, uint32_t dir);
int32_t greeting_pop3(const uint8_t *d, uint32_t n, uint32_t dir);
int32_t greeting_jabber(const uint8_t *d, uint32_t n, uint32_t dir);
int32_t greeting_pgsql(const uint8_t *d, uint32_t n, uint32_t dir);

/* Do n bytes begin with `word`, whatever the case of its letters? */
bool greeting_begins(const uint8_t *d, uint32_t n, const char *word);
/* Is it somewhere in them? */
bool greeting_holds(const uint8_t *d, uint32_t n, const char *word);

#endif
