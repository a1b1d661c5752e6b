/* kind_enricher.c: the kind 'enricher': says of each address which network it is in. */
#define EC_API_LEVEL 1
#include <stdlib.h>
#include <string.h>
#include <ecyber/plugin.h>
#include <ecyber/ext/enrich.h>

struct place { struct ec_part part; uint32_t side, pad; struct ec_span network; };
static const struct ec_row rows[] = {
    EC_FIELD_ENUM(0, struct place, side, "side", "none,src,dest", "which address"),
    EC_FIELD(TEXT, 0, struct place, network, "network", NULL, "where it is"),
};
static const struct ec_record record = EC_RECORD_PART(struct place, rows);
static const struct ec_topic topic = {
    sizeof topic, EC_TOPIC_ATTRIBUTE, "org.ecyber.test.place/1", "ecyber.place", &record, NULL, "place of an address" };

struct enricher { const struct ec_host *host; };

static int32_t lookup(void *self, const void *state, const void *key, uint32_t len, uint32_t side, uint32_t topic_id,
                      struct ec_build *b)
{
    static const uint8_t mapped10[13] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10 };
    struct place *p;

    (void)self;
    (void)state;
    if (len != 16 || memcmp(key, mapped10, sizeof mapped10))
        return EC_ENOENT;
    if (!(p = ec_add(b, topic_id, sizeof *p)))
        return EC_ELIMIT;
    p->side = side;
    p->network = ec_puts(b, "private-10");
    return EC_OK;
}

static const struct ec_enricher enricher = { sizeof enricher, EC_ENRICH_ADDRESS, "org.ecyber.test.place/1", NULL, lookup, 0, 0, NULL };
static const struct ec_offer offers[] = { { sizeof(struct ec_offer), 0, EC_ENRICH_ID, &enricher } };

static int32_t enricher_create(const struct ec_host *h, void **self)
{
    struct enricher *e = *self = calloc(1, sizeof *e);

    return e ? (e->host = h, EC_OK) : EC_ENOMEM;
}

static int32_t enricher_setup(void *self)
{
    struct enricher *e = self;
    uint32_t id;

    return e->host->topic(e->host, &topic, &id);
}

static const struct ec_plugin plugin = {
    EC_PLUGIN_HEAD, "org.ecyber.test.enricher", "kind_enricher", "1", "places addresses", "MIT", NULL,
    0, 0, 1, sizeof offers[0], 0, 0, NULL, offers, NULL, NULL,
    enricher_create, enricher_setup, NULL, NULL, NULL, NULL, NULL, NULL, free };
EC_PLUGIN(plugin)
