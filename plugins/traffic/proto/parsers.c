/* parsers.c: the parsers that come with the traffic engine, in the order in which they are asked. */
#include "parsers.h"

#include "dns/dns.h"
#include "dns/mdns.h"
#include "http/http.h"
#include "quic/quic.h"
#include "recognise/recognise.h"
#include "ssh/ssh.h"
#include "starttls/starttls.h"
#include "tls/tls.h"

int32_t parsers_register(const struct ec_host *h, const struct ec_traffic *t, void *t_self)
{
    int32_t (*const all[])(const struct ec_host *, const struct ec_traffic *, void *) = {
        http_register, tls_register, ssh_register, quic_register, dns_register, mdns_register,
        starttls_register, recognise_register };
    int32_t err = 0;

    for (unsigned i = 0; !err && i < sizeof all / sizeof all[0]; i++)
        err = all[i](h, t, t_self);
    return err;
}
