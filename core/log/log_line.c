#include "core/log/log_line.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/log/log.h"

#define TAIL 64 /* bytes kept free for the end of a line: the cut mark, the note, the closing */

struct out {
    char *p, *end;
    bool json, cut;
};

static void put(struct out *o, const char *s, size_t n)
{
    if (o->cut || n > (size_t)(o->end - o->p)) {
        o->cut = true;
        return;
    }
    memcpy(o->p, s, n);
    o->p += n;
}

__attribute__((format(printf, 2, 3))) static void putf(struct out *o, const char *fmt, ...)
{
    char tmp[128];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(tmp, sizeof tmp, fmt, ap);
    va_end(ap);
    if (n > 0)
        put(o, tmp, n < (int)sizeof tmp ? (size_t)n : sizeof tmp - 1);
}

/* Length of the UTF-8 character at s (RFC 3629) and its code point; 0: not one. s ends with NUL. */
static unsigned utf8(const unsigned char *s, uint32_t *cp)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned n = *s < 0x80             ? 1
                 : (*s & 0xe0) == 0xc0 ? 2
                 : (*s & 0xf0) == 0xe0 ? 3
                 : (*s & 0xf8) == 0xf0 ? 4
                                       : 0;

    if (n < 2) {
        *cp = *s;
        return n;
    }
    *cp = *s & (0x7f >> n);
    for (unsigned i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        *cp = *cp << 6 | (s[i] & 0x3f);
    }
    return *cp < least[n] || *cp > 0x10ffff || (*cp >= 0xd800 && *cp < 0xe000) ? 0 : n;
}

/* Characters that end a line, move the cursor or turn the reading direction. */
static bool is_unsafe(uint32_t cp)
{
    return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || (cp >= 0x2028 && cp <= 0x202e) ||
           (cp >= 0x2066 && cp <= 0x2069) || cp == 0xfeff;
}

static void put_text(struct out *o, const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    uint32_t cp;

    for (unsigned n; *s && !o->cut; s += n) {
        n = utf8(s, &cp);
        if (!n) {
            putf(o, o->json ? "\\\\x%02x" : "\\x%02x", *s);
            n = 1;
        } else if (is_unsafe(cp)) {
            if (o->json || cp >= 0x80)
                putf(o, "\\u%04x", (unsigned)cp);
            else
                putf(o, "\\x%02x", (unsigned)cp);
        } else if (o->json && (*s == '"' || *s == '\\')) {
            putf(o, "\\%c", *s);
        } else {
            put(o, (const char *)s, n);
        }
    }
}

static void put_time(struct out *o, uint64_t ts_ns)
{
    time_t s = (time_t)(ts_ns / 1000000000u);
    struct tm tm;
    char day[32];

    if (!gmtime_r(&s, &tm) || !strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm))
        day[0] = '\0';
    putf(o, "%s.%06uZ", day, (unsigned)(ts_ns % 1000000000u / 1000));
}

static void write_plain(struct out *o, const struct log_line *l, bool bare)
{
    if (!bare) {
        put_time(o, l->ts_ns);
        putf(o, " %s ", log_level_name(l->level));
    }
    put_text(o, l->who);
    put(o, ": ", 2);
    put_text(o, l->msg);
}

static void write_json(struct out *o, const struct log_line *l)
{
    put(o, "{\"timestamp\":\"", 14);
    put_time(o, l->ts_ns);
    putf(o, "\",\"level\":\"%s\",\"plugin\":\"", log_level_name(l->level));
    put_text(o, l->who);
    if (l->thread && *l->thread) {
        put(o, "\",\"thread\":\"", 12);
        put_text(o, l->thread);
    }
    put(o, "\",\"message\":\"", 13);
    put_text(o, l->msg);
}

uint32_t log_line_write(const struct log_line *l, enum log_form form, char *buf)
{
    struct out o = {buf, buf + LOG_LINE_MAX - TAIL, form == LOG_FORM_JSON, false};

    if (o.json)
        write_json(&o, l);
    else
        write_plain(&o, l, form == LOG_FORM_BARE);
    o.end = buf + LOG_LINE_MAX;
    if (o.cut) {
        o.cut = false;
        put(&o, "...", 3);
    }
    if (o.json)
        put(&o, "\"", 1);
    if (l->suppressed && o.json)
        putf(&o, ",\"suppressed\":%llu", (unsigned long long)l->suppressed);
    else if (l->suppressed)
        putf(&o, " (%llu similar lines suppressed)", (unsigned long long)l->suppressed);
    put(&o, o.json ? "}\n" : "\n", o.json ? 2 : 1);
    return (uint32_t)(o.p - buf);
}
