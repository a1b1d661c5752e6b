/* What was delivered last in each direction, as sums, so that the same bytes sent again with another content show. */
#include "plugins/traffic/stream/stream.h"

static uint64_t word_at(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof v);
    return v;
}

/* Keyed, lest somebody find two contents with one sum. Four lanes, for a multiplication takes three cycles. */
static uint32_t sum_of(uint64_t key, const uint8_t *p, uint32_t n)
{
    uint64_t k = key | 1, lane[4] = { n, key, ~key, key >> 32 };

    for (; n >= 32; n -= 32, p += 32)
        for (uint32_t i = 0; i < 4; i++)
            lane[i] = (lane[i] ^ word_at(p + i * 8)) * k;
    for (; n >= 8; n -= 8, p += 8) {
        lane[0] = (lane[0] ^ word_at(p)) * k;
        lane[0] ^= lane[0] >> 29;
    }
    for (; n; n--, p++)
        lane[1] = (lane[1] ^ *p) * k;
    lane[0] = (lane[0] ^ lane[0] >> 32 ^ lane[1]) * k;
    lane[2] = (lane[2] ^ lane[2] >> 32 ^ lane[3]) * k;
    return (uint32_t)((lane[0] ^ lane[2] ^ lane[1] >> 31 ^ lane[3] >> 33) >> 16);
}

void ledger_note(const struct worker *w, struct ledger *l, uint32_t seq, const uint8_t *data, uint32_t len)
{
    struct ledger_line *at = &l->line[l->next++ % LEDGER_LINES];

    at->seq = seq;
    at->len = len;
    at->sum = sum_of(w->conf->key[0], data, len);
}

bool ledger_differs(const struct worker *w, const struct ledger *l, uint32_t seq, const uint8_t *data, uint32_t len)
{
    for (uint32_t i = 0; i < LEDGER_LINES; i++) {
        const struct ledger_line *at = &l->line[i];
        int32_t off = seq_diff(at->seq, seq);

        if (at->len && off >= 0 && (uint64_t)(uint32_t)off + at->len <= len &&
            sum_of(w->conf->key[0], data + off, at->len) != at->sum)
            return true;
    }
    return false;
}
