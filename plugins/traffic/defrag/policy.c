#include "plugins/traffic/defrag/defrag.h"

bool policy_later_wins(uint32_t policy, const struct fragment *old, const struct fragment *later)
{
    switch (policy) {
    case POLICY_LAST:
        return true;
    case POLICY_BSD:
        return later->off < old->off;
    case POLICY_BSD_RIGHT:
        return later->off >= old->off;
    case POLICY_LINUX:
        return later->off <= old->off;
    case POLICY_WINDOWS:
        return later->off < old->off && later->end > old->end;
    case POLICY_SOLARIS:
        return later->off < old->off && later->end >= old->end;
    default:
        return false;
    }
}
