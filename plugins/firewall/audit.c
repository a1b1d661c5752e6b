/* Who asked for a change, in the audit log (ec.auth/1). */
#include "plugins/firewall/firewall.h"

void audit(struct firewall *f, struct ec_req *r, const char *action, const char *outcome, const char *object,
           const char *detail)
{
    f->http->audit(r, action, outcome, object, detail);
}
