/* record.c: the record of an SSH connection, with the names that EVE gives its fields. */
#include "record.h"

#define EC_API_LEVEL 1
#include <ecyber/plugin.h>

#include "session.h"

struct ssh_side { struct ec_span proto, software, hash, string; };
struct ssh_event { struct ec_part part; struct ssh_side client, server; };

#define SIDE_ROWS(side, whose) \
    EC_FIELD(WIRE, 0, struct ssh_event, side.proto, #side ".proto_version", NULL, "protocol in " whose " banner"), \
    EC_FIELD(WIRE, EC_R_COLUMN, struct ssh_event, side.software, #side ".software_version", NULL, \
             "software in " whose " banner"), \
    EC_FIELD(TEXT, EC_R_COLUMN, struct ssh_event, side.hash, #side ".hassh.hash", NULL, "HASSH of " whose " offer"), \
    EC_FIELD(WIRE, 0, struct ssh_event, side.string, #side ".hassh.string", NULL, "what it is made of")

static const struct ec_row rows[] = { SIDE_ROWS(client, "the client's"), SIDE_ROWS(server, "the server's") };
static const struct ec_record record = EC_RECORD_PART(struct ssh_event, rows);
const struct ec_topic ssh_topic = {
    sizeof ssh_topic, EC_TOPIC_EVENT, "ec.ssh/1", "ssh", &record, NULL, "who speaks SSH with whom" };

static void put_side(struct ssh_side *s, const struct ssh_end *e, struct ec_build *b)
{
    if (e->banner.n_proto)
        s->proto = ec_put(b, e->banner.text + e->banner.proto, e->banner.n_proto);
    if (e->banner.n_software)
        s->software = ec_put(b, e->banner.text + e->banner.software, e->banner.n_software);
    if (!e->kex.text)
        return;
    s->hash = ec_puts(b, e->kex.hash);
    s->string = ec_put(b, e->kex.text, e->kex.n);
}

int32_t ssh_record_put(const struct ssh_tx *t, uint32_t topic, struct ec_build *b)
{
    struct ssh_event *e = ec_add(b, topic, sizeof *e);

    if (!e)
        return EC_ELIMIT;
    put_side(&e->client, &t->end[0], b);
    put_side(&e->server, &t->end[1], b);
    return EC_OK;
}
