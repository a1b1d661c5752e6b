/* Whose bytes count where segments that wait overlap: as the receiver's system decides it (J. Novak, S. Sturges,
 * "Target-Based TCP Stream Reassembly", 2007). */
#include "plugins/traffic/stream/stream.h"

bool overlap_later_wins(uint32_t policy, const struct segment *old, uint32_t seq, uint32_t end)
{
    int32_t begins = seq_diff(seq, old->seq), ends = seq_diff(end, old->seq + old->len);

    switch (policy) {
    case POLICY_LAST:
        return true;
    case POLICY_BSD: case POLICY_BSD_RIGHT: case POLICY_WINDOWS:
        return begins < 0;
    case POLICY_LINUX:
        return begins < 0 || (begins == 0 && ends > 0);
    case POLICY_SOLARIS:
        return ends > 0 || (ends == 0 && begins <= 0);
    default:
        return false;
    }
}
