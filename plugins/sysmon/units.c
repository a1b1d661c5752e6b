#include "plugins/sysmon/units.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#define WAIT_US UINT64_C(5000000)

static void take(struct units *u, const char *name, const char *description, const char *load, const char *active,
                 const char *sub)
{
    size_t n = strlen(name);
    struct unit *to;

    if (n < 8 || strcmp(name + n - 8, ".service"))
        return;
    if (u->n == UNITS_MAX) {
        u->over++;
        return;
    }
    to = &u->unit[u->n++];
    snprintf(to->name, sizeof to->name, "%s", name);
    snprintf(to->description, sizeof to->description, "%s", description);
    snprintf(to->load, sizeof to->load, "%s", load);
    snprintf(to->active, sizeof to->active, "%s", active);
    snprintf(to->sub, sizeof to->sub, "%s", sub);
}

/* a(ssssssouso): name, description, load, active, sub, following, path, job, its type, its path */
static int answer_read(struct units *u, sd_bus_message *m)
{
    const char *s[5];
    int err = sd_bus_message_enter_container(m, 'a', "(ssssssouso)");

    while (err >= 0 && (err = sd_bus_message_read(m, "(ssssssouso)", &s[0], &s[1], &s[2], &s[3], &s[4], NULL, NULL,
                                                  NULL, NULL, NULL)) > 0)
        take(u, s[0], s[1], s[2], s[3], s[4]);
    return err;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct unit *)a)->name, ((const struct unit *)b)->name);
}

static int ask(struct units *u, sd_bus *bus, sd_bus_error *error)
{
    sd_bus_message *call = NULL, *answer = NULL;
    int err = sd_bus_message_new_method_call(bus, &call, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                                             "org.freedesktop.systemd1.Manager", "ListUnits");

    if (err >= 0)
        err = sd_bus_call(bus, call, WAIT_US, error, &answer);
    if (err >= 0)
        err = answer_read(u, answer);
    sd_bus_message_unref(call);
    sd_bus_message_unref(answer);
    return err;
}

bool units_read(struct units *u, struct sd_bus *bus, char *why, uint32_t n)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus *own = NULL;
    int err = bus ? 0 : sd_bus_open_system(&own);

    memset(u, 0, sizeof *u);
    if (err < 0) {
        snprintf(why, n, "systemd cannot be asked for its services: there is no D-Bus here (%s)", strerror(-err));
        return false;
    }
    if (!(u->unit = malloc(UNITS_MAX * sizeof *u->unit)))
        err = -12;
    else
        err = ask(u, bus ? bus : own, &error);
    if (err < 0)
        snprintf(why, n, "systemd does not say what services there are: %s",
                 error.message ? error.message : strerror(-err));
    sd_bus_error_free(&error);
    sd_bus_flush_close_unref(own);
    if (err < 0) {
        units_free(u);
        return false;
    }
    qsort(u->unit, u->n, sizeof *u->unit, by_name);
    return true;
}

void units_free(struct units *u)
{
    free(u->unit);
    u->unit = NULL;
    u->n = 0;
}
