#include "plugins/auth/plugin.h"

static int32_t declare(struct auth *a, const struct ec_route *r, uint32_t n)
{
    int32_t err = EC_OK;

    for (uint32_t i = 0; i < n && !err; i++)
        err = a->http->route(a->http_self, a->host, &r[i], a);
    return err;
}

int32_t routes_declare(struct auth *a)
{
    int32_t err = declare(a, login_routes, login_route_count);

    if (!err)
        err = declare(a, grant_routes, grant_route_count);
    if (!err)
        err = declare(a, session_routes, session_route_count);
    if (!err)
        err = declare(a, apikey_routes, apikey_route_count);
    if (!err)
        err = declare(a, second_routes, second_route_count);
    if (!err)
        err = declare(a, people_routes, people_route_count);
    if (!err)
        err = declare(a, edit_routes, edit_route_count);
    if (!err)
        err = declare(a, summary_routes, summary_route_count);
    if (!err)
        err = declare(a, recover_routes, recover_route_count);
    return err ? err : declare(a, register_routes, register_route_count);
}
