#include "plugins/ids/states/alerts.h"

#include <string.h>

enum { HAS_NOTE, HAS_BY, HAS_AT };
static const struct ec_row rows[] = {
    EC_FIELD_ENUM(0, struct beside, state, "state", STATE_WORDS, "what people made of the alert"),
    EC_FIELD(U64, 0, struct beside, version, "state_version", NULL, "for If-Match; 0: nobody has changed it"),
    EC_FIELD_OPT(TEXT, 0, HAS_NOTE, struct beside, note, "state_note", NULL, "why, in words"),
    EC_FIELD_OPT(TEXT, 0, HAS_BY, struct beside, by, "state_by", NULL, "who changed it last"),
    EC_FIELD_OPT(TIME, 0, HAS_AT, struct beside, at, "state_at", NULL, "when"),
};
const struct ec_record beside_record = EC_RECORD_PART(struct beside, rows);

static const char *const words[STATES] = { "open", "acknowledged", "closed", "false_positive" };

const char *state_word(uint32_t state)
{
    return state < STATES ? words[state] : "";
}

uint32_t state_words(const char *text, uint32_t n)
{
    const char *end = text + n;
    uint32_t mask = 0;

    for (;;) {
        const char *comma = memchr(text, ',', (size_t)(end - text));
        size_t len = (size_t)((comma ? comma : end) - text);
        uint32_t i = 0;

        while (i < STATES && (strlen(words[i]) != len || memcmp(words[i], text, len) != 0))
            i++;
        if (i == STATES)
            return 0;
        mask |= 1u << i;
        if (!comma)
            return mask;
        text = comma + 1;
    }
}

bool event_number(const char *text, uint32_t n, uint64_t *to)
{
    *to = 0;
    if (!n || n > 19)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        *to = *to * 10 + (uint64_t)(text[i] - '0');
    }
    return true;
}

void beside_fill(struct ec_build *b, struct beside *to, const struct alert_state *from)
{
    if (!from)
        return;                     /* open, version 0 */
    to->state = from->state;
    to->version = from->version;
    to->at = from->at_ns;
    to->by = ec_puts(b, from->by);
    to->part.has = 1u << HAS_BY | 1u << HAS_AT;
    if (*from->note) {
        to->note = ec_puts(b, from->note);
        to->part.has |= 1u << HAS_NOTE;
    }
}

bool beside_members(struct alerts *a, struct grown *to, const struct alert_state *from)
{
    union { uint64_t align; uint8_t bytes[8192]; } room;
    struct ec_build b = { .base = room.bytes, .cap = sizeof room };
    const struct ec_shape *shape = a->json->shape(a->json_self, &beside_record);
    char text[32768];
    struct beside *part;
    int64_t len;

    memset(&room, 0, sizeof(struct ec_event));
    ec_grow(&b, sizeof(struct ec_event));
    part = ec_add(&b, 0, sizeof *part);
    beside_fill(&b, part, from);
    len = shape ? a->json->part(a->json_self, shape, &part->part, 0, text, sizeof text) : -1;
    if (len < 2 || len > (int64_t)sizeof text)
        return false;
    grown_add(to, text + 1, (size_t)len - 1);
    return true;
}

void beside_add(struct grown *to, const char *json, uint32_t n, const struct grown *members)
{
    if (n < 2 || !members->n) {
        grown_add(to, json, n);
        return;
    }
    grown_add(to, json, n - 1);
    grown_add(to, json[n - 2] == '{' ? " " : ",", 1);
    grown_add(to, members->s, members->n);
}
