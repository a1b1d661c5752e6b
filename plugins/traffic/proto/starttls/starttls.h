/* starttls.h: protocols that begin in the clear and may go on as TLS: SMTP (RFC 3207), IMAP and POP3 (RFC 2595, 9051),
 * FTP (RFC 4217), XMPP (RFC 6120 §5) and PostgreSQL. They are told by their first lines and read up to that point only. */
#ifndef TRAFFIC_STARTTLS_H
#define TRAFFIC_STARTTLS_H

#include <stdint.h>

struct ec_host;
struct ec_traffic;

/* [ctl] Register those of them that nobody else has registered: a parser of its own comes first. t_self: traffic's own.
 * EC_OK or EC_E*. */
int32_t starttls_register(const struct ec_host *h, const struct ec_traffic *t, void *t_self);

#endif
