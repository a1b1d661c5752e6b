/* suppress gen_id 1, sig_id 1000003[, track by_src|by_dst|by_either, ip 10.0.0.0/8]
 * threshold gen_id 1, sig_id 1000003, type limit|threshold|both, track by_src|by_dst|by_both|by_rule, count 1,
 *     seconds 60
 * The form is that of Suricata's threshold.config; what it has beyond that is refused by its name. */
#include "plugins/ids/limits/tuning.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct word { const char *name; uint32_t value; };
static const struct word types[] = {
    { "limit", LIMIT_LIMIT }, { "threshold", LIMIT_THRESHOLD }, { "both", LIMIT_BOTH }, { NULL, 0 } };
static const struct word ways[] = {
    { "by_src", TRACK_SRC }, { "by_dst", TRACK_DST }, { "by_both", TRACK_BOTH }, { "by_rule", TRACK_RULE },
    { NULL, 0 } };
static const struct word sides[] = {
    { "by_src", TRACK_SRC }, { "by_dst", TRACK_DST }, { "by_either", TRACK_BOTH }, { NULL, 0 } };

struct reading {
    const char *line, *at;
    uint32_t *column;
    char *why;
    size_t n;
    uint32_t seen;                  /* bits of the fields that were read */
};
enum { GEN = 1, SIG = 2, TYPE = 4, TRACK = 8, COUNT = 16, SECONDS = 32, IP = 64 };

/* word: what it is about, NULL: the line. */
static int wrong(const struct reading *r, const char *at, const char *word, const char *what)
{
    *r->column = (uint32_t)(at - r->line) + 1;
    snprintf(r->why, r->n, "%s%s%s%s", word ? "'" : "", word ? word : "", word ? "' " : "", what);
    return -1;
}

/* "NAME VALUE", up to the next comma. */
static bool next_field(struct reading *r, char name[24], char value[80], const char **at)
{
    size_t n, m;

    r->at += strspn(r->at, " \t");
    *at = r->at;
    n = strcspn(r->at, " \t,");
    if (!n || n >= 24)
        return false;
    memcpy(name, r->at, n);
    name[n] = '\0';
    r->at += n;
    r->at += strspn(r->at, " \t");
    n = m = strcspn(r->at, ",");
    while (m && strchr(" \t", r->at[m - 1]))
        m--;
    if (!m || m >= 80)
        return false;
    memcpy(value, r->at, m);
    value[m] = '\0';
    r->at += n;
    if (*r->at == ',' && !r->at[1 + strspn(r->at + 1, " \t")])
        return false;
    r->at += *r->at == ',';
    return true;
}

static bool number(const char *text, uint32_t least, uint32_t *to)
{
    char *end;
    unsigned long v = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end || v > UINT32_MAX || v < least || strlen(text) > 10)
        return false;
    *to = (uint32_t)v;
    return true;
}

static bool choose(const struct word *list, const char *text, uint32_t *to)
{
    for (; list->name; list++)
        if (!strcmp(list->name, text)) {
            *to = list->value;
            return true;
        }
    return false;
}

bool tune_net(const char *text, uint8_t net[16], uint32_t *bits)
{
    char host[64];
    size_t n = strcspn(text, "/");
    uint32_t most = 128, given = 128;

    if (n >= sizeof host)
        return false;
    memcpy(host, text, n);
    host[n] = '\0';
    memset(net, 0, 16);
    if (inet_pton(AF_INET, host, net + 12) == 1) {
        net[10] = net[11] = 0xff;
        most = 32;
    } else if (inet_pton(AF_INET6, host, net) != 1) {
        return false;
    }
    given = most;
    if (text[n] && (!number(text + n + 1, 0, &given) || given > most))
        return false;
    *bits = 128 - most + given;
    for (uint32_t i = *bits; i < 128; i++)
        net[i / 8] = (uint8_t)(net[i / 8] & ~(0x80u >> (i % 8)));
    return true;
}

void tune_net_text(const struct tune *e, char to[64])
{
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
    bool four = e->bits >= 96 && !memcmp(e->net, mapped, 12);
    uint32_t most = four ? 32 : 128, bits = e->bits - (four ? 96 : 0);
    size_t n;

    inet_ntop(four ? AF_INET : AF_INET6, four ? e->net + 12 : e->net, to, 50);
    n = strlen(to);
    if (bits < most)
        snprintf(to + n, 64 - n, "/%u", bits);
}

static int take_track(struct reading *r, struct tune *e, const char *at, const char *value)
{
    if (e->kind == TUNE_THRESHOLD)
        return choose(ways, value, &e->limit.track)
            ? 0 : wrong(r, at, value, "is no track: by_src, by_dst, by_both or by_rule");
    return choose(sides, value, &e->limit.track)
        ? 0 : wrong(r, at, value, "is no track: by_src, by_dst or by_either");
}

static int take_field(struct reading *r, struct tune *e, const char *at, const char *name, const char *value)
{
    static const struct { const char *name; uint32_t bit, least; } numbers[] = {
        { "gen_id", GEN, 0 }, { "sig_id", SIG, 0 }, { "count", COUNT, 1 }, { "seconds", SECONDS, 1 } };
    uint32_t *const to[] = { &e->gid, &e->sid, &e->limit.count, &e->limit.seconds };
    uint32_t bit = 0;
    int rc = 0;

    for (unsigned i = 0; i < 4; i++)
        if (!strcmp(name, numbers[i].name)) {
            bit = numbers[i].bit;
            if (!number(value, numbers[i].least, to[i]))
                return wrong(r, at, value, "is not a number that fits here");
        }
    if (!bit && !strcmp(name, "type")) {
        bit = TYPE;
        rc = choose(types, value, &e->limit.type) ? 0 : wrong(r, at, value, "is no type: limit, threshold or both");
    } else if (!bit && !strcmp(name, "track")) {
        bit = TRACK;
        rc = take_track(r, e, at, value);
    } else if (!bit && !strcmp(name, "ip")) {
        bit = IP;
        rc = tune_net(value, e->net, &e->bits)
            ? 0 : wrong(r, at, value, "is no address or network such as 10.0.0.0/8; one of them stands in a line");
    }
    if (!bit)
        return wrong(r, at, name, "is not known here");
    if (r->seen & bit)
        return wrong(r, at, name, "is given twice");
    r->seen |= bit;
    return rc;
}

static int check(const struct reading *r, const struct tune *e)
{
    const uint32_t all = GEN | SIG | TYPE | TRACK | COUNT | SECONDS;

    if (e->kind == TUNE_THRESHOLD && r->seen != all)
        return wrong(r, r->line, NULL, "a threshold has gen_id, sig_id, type, track, count and seconds");
    if (e->kind == TUNE_SUPPRESS && r->seen != (GEN | SIG) && r->seen != (GEN | SIG | TRACK | IP))
        return wrong(r, r->line, NULL, "a suppress has gen_id and sig_id, and track and ip, or neither");
    if (!e->gid && e->sid)
        return wrong(r, r->line, NULL, "gen_id 0 is every rule, so sig_id has to be 0 too");
    return 1;
}

int tune_read(const char *line, struct tune *e, uint32_t *column, char *why, size_t n)
{
    struct reading r = { .line = line, .at = line + strspn(line, " \t"), .column = column, .why = why, .n = n };
    size_t len = strcspn(r.at, " \t");
    const char *at = r.at;
    char name[24], value[80];

    *e = (struct tune){ .kind = TUNE_SUPPRESS };
    *column = 1;
    if (!*r.at || *r.at == '#')
        return 0;
    if ((len == 9 && !memcmp(at, "threshold", 9)) || (len == 12 && !memcmp(at, "event_filter", 12)))
        e->kind = TUNE_THRESHOLD;
    else if (len != 8 || memcmp(at, "suppress", 8) != 0)
        return wrong(&r, at, NULL, "a line begins with suppress or threshold");
    for (r.at += len; *(r.at += strspn(r.at, " \t"));) {
        if (!next_field(&r, name, value, &at))
            return wrong(&r, at, NULL, "fields are 'NAME VALUE' with commas between them");
        if (take_field(&r, e, at, name, value))
            return -1;
    }
    return check(&r, e);
}

static const char *name_of(const struct word *list, uint32_t value)
{
    while (list->name && list->value != value)
        list++;
    return list->name ? list->name : "?";
}

void tune_write(const struct tune *e, char line[TUNE_LINE])
{
    char net[64];
    int n = snprintf(line, TUNE_LINE, "%s gen_id %u, sig_id %u",
                     e->kind == TUNE_SUPPRESS ? "suppress" : "threshold", e->gid, e->sid);

    if (e->kind == TUNE_THRESHOLD) {
        snprintf(line + n, TUNE_LINE - (size_t)n, ", type %s, track %s, count %u, seconds %u",
                 name_of(types, e->limit.type), name_of(ways, e->limit.track), e->limit.count, e->limit.seconds);
    } else if (e->limit.track) {
        tune_net_text(e, net);
        snprintf(line + n, TUNE_LINE - (size_t)n, ", track %s, ip %s", name_of(sides, e->limit.track), net);
    }
}
