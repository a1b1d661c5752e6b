#include "plugins/http/prom.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PROM_NAME 200

/* "decode.ipv4.trunc" of plugin "traffic": ecyber_traffic_decode_ipv4_trunc_total */
static void put_name(char to[PROM_NAME], const char *plugin, const struct ec_metric *m)
{
    bool counter = m->kind == EC_METRIC_COUNTER;
    size_t n = strlen(m->name);
    bool has = n > 6 && !strcmp(m->name + n - 6, "_total");

    /* A gauge may not end in _total, as a counter has to: "memory_total" becomes memory_total_bytes. */
    snprintf(to, PROM_NAME, "ecyber_%s%s%s%s%s", plugin, *plugin ? "_" : "", m->name, counter != has ? "_" : "",
             counter == has ? "" : counter ? "total" : m->unit && *m->unit ? m->unit : "now");
    for (char *p = to; *p; p++)
        if (!(*p >= 'a' && *p <= 'z') && !(*p >= 'A' && *p <= 'Z') && !(*p >= '0' && *p <= '9'))
            *p = '_';
}

/* Backslashes and line ends have to be escaped in HELP. */
static void put_help(struct text *t, const char *s)
{
    for (; *s; s++) {
        if (*s == '\\' || *s == '\n')
            text_puts(t, *s == '\\' ? "\\\\" : "\\n");
        else
            text_add(t, s, 1);
    }
}

void prom_metric(struct text *t, const char *plugin, const struct ec_metric *m, int64_t value)
{
    char name[PROM_NAME];

    put_name(name, plugin, m);
    text_printf(t, "# HELP %s ", name);
    if (m->unit && *m->unit && strcmp(m->unit, m->help ? m->help : "") != 0) {
        put_help(t, m->unit);
        text_puts(t, " ");
    }
    put_help(t, m->help && *m->help ? m->help : m->name);
    text_printf(t, "\n# TYPE %s %s\n%s %" PRId64 "\n", name, m->kind == EC_METRIC_COUNTER ? "counter" : "gauge", name,
                value);
}
