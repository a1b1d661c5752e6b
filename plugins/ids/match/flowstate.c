#include "plugins/ids/match/flowstate.h"

bool flowstate_bit(const struct flowstate *f, uint32_t id)
{
    for (uint32_t i = 0; i < f->n_bits; i++)
        if (f->bits[i] == id)
            return true;
    return false;
}

bool flowstate_bit_put(struct flowstate *f, uint32_t id, bool set)
{
    for (uint32_t i = 0; i < f->n_bits; i++)
        if (f->bits[i] == id) {
            if (!set)
                f->bits[i] = f->bits[--f->n_bits];
            return true;
        }
    if (!set)
        return true;
    if (f->n_bits == FLOWSTATE_BITS)
        return false;
    f->bits[f->n_bits++] = id;
    return true;
}
