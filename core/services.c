#include "core/services.h"

#include "core/helper/client.h"
#include "core/host.h"
#include "core/instance.h"
#include "core/options.h"
#include "core/questions.h"
#include "core/record/service.h"

static const struct ec_offer offers[] = {
    { sizeof offers[0], 0, EC_JSON_ID, &record_json },
    { sizeof offers[0], 0, EC_HELPER_ID, &helper_service },
    { sizeof offers[0], 0, EC_DAEMON_ID, &questions_service },
};
static struct instance core = {
    .d = { .name = OPTIONS_SECTION, .id = "ecyber.core", .version = "", .offer = offers,
           .n_offer = sizeof offers / sizeof offers[0] },
};

struct instance *services_core(void)
{
    if (!core.self) {
        host_init(&core);
        core.self = record_service_new(&core.host);
    }
    return core.self ? &core : NULL;
}

void services_reset(void)
{
    if (core.self)
        record_service_reset(core.self);
}

void services_close(void)
{
    record_service_free(core.self);
    core.self = NULL;
}
