#include "plugins/sysmon/text.h"

bool text_line(struct text *t, struct text *line)
{
    const char *nl;

    if (t->at == t->end)
        return false;
    nl = memchr(t->at, '\n', text_len(*t));
    *line = (struct text){ t->at, nl ? nl : t->end };
    t->at = nl ? nl + 1 : t->end;
    return true;
}

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

bool text_word(struct text *t, struct text *word)
{
    while (t->at < t->end && blank(*t->at))
        t->at++;
    word->at = t->at;
    while (t->at < t->end && !blank(*t->at))
        t->at++;
    word->end = t->at;
    return word->at < word->end;
}

bool text_u64(struct text *t, uint64_t *v)
{
    struct text rest = *t, word;
    uint64_t sum = 0;

    if (!text_word(&rest, &word))
        return false;
    for (; word.at < word.end; word.at++) {
        uint64_t digit = (uint64_t)(uint8_t)*word.at - '0';

        if (digit > 9 || sum > (UINT64_MAX - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    *t = rest;
    *v = sum;
    return true;
}

bool text_u64s(struct text *t, uint64_t *v, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (!text_u64(t, &v[i]))
            return false;
    return true;
}

bool text_milli(struct text *t, uint64_t *v)
{
    struct text rest = *t, word, whole, fraction;
    uint64_t sum, scale = 100;
    const char *dot;

    if (!text_word(&rest, &word))
        return false;
    dot = memchr(word.at, '.', text_len(word));
    whole = (struct text){ word.at, dot ? dot : word.end };
    fraction = (struct text){ dot ? dot + 1 : word.end, word.end };
    if (!text_u64(&whole, &sum) || sum > UINT64_MAX / 1000 - 1)
        return false;
    sum *= 1000;
    for (; fraction.at < fraction.end; fraction.at++, scale /= 10) {
        uint64_t digit = (uint64_t)(uint8_t)*fraction.at - '0';

        if (digit > 9)
            return false;
        sum += digit * scale;
    }
    *t = rest;
    *v = sum;
    return true;
}

/* \040 to \377 */
static bool octal_at(struct text t)
{
    return text_len(t) >= 4 && *t.at == '\\' && t.at[1] >= '0' && t.at[1] <= '3' && t.at[2] >= '0' && t.at[2] <= '7' &&
           t.at[3] >= '0' && t.at[3] <= '7';
}

uint32_t text_copy(struct text t, char *to, uint32_t cap, bool octal)
{
    uint32_t n = 0;

    while (t.at < t.end && n < cap) {
        if (octal && octal_at(t)) {
            to[n++] = (char)(((t.at[1] - '0') << 6) | ((t.at[2] - '0') << 3) | (t.at[3] - '0'));
            t.at += 4;
        } else {
            to[n++] = *t.at++;
        }
    }
    return n;
}
