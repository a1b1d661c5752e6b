/* ec.capture/1: a live capture that comes and goes while the daemon runs. */
#include "plugins/capture/service.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "plugins/capture/live.h"

#define WAIT_MS 2000u               /* for the workers: each looks at least every 100 ms */

static int32_t refuse(int32_t err, char *why, uint32_t n, const char *sentence)
{
    snprintf(why, n, "%s", sentence);
    return err;
}

/* Is it a name of an interface? The kernel's rules: no slash, no space, no colon, 1 to 15 bytes. */
static bool is_name(const char *p)
{
    size_t n = strlen(p);

    for (size_t i = 0; i < n; i++)
        if ((unsigned char)p[i] <= ' ' || p[i] == '/' || p[i] == ':' || p[i] == 127)
            return false;
    return n && n < DEMAND_NAME && strcmp(p, ".") != 0 && strcmp(p, "..") != 0;
}

/* 1: it is up; 0: it is down; −1: there is none. */
static int interface_up(const char *name)
{
    struct ifreq r;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), up = 1;

    memset(&r, 0, sizeof r);
    snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
    if (fd >= 0) {
        up = ioctl(fd, SIOCGIFFLAGS, &r) ? -1 : (r.ifr_flags & IFF_UP) != 0;
        close(fd);
    }
    return up;
}

static int32_t look(const char *name, char *why, uint32_t n)
{
    char names[512];
    int up = strcmp(name, "any") ? interface_up(name) : 1;

    if (up < 0) {
        live_interfaces(names, sizeof names);
        snprintf(why, n, "cannot capture on %s: there is no such interface; there are: %s", name, names);
        return EC_ENOENT;
    }
    if (!up) {
        snprintf(why, n, "the interface %s is down; set it up with: ip link set %s up", name, name);
        return EC_EIO;
    }
    return EC_OK;
}

static int32_t available(const struct capture *c, char *why, uint32_t n)
{
    if (!c->on_demand)
        return refuse(EC_EPERM, why, n, "a capture cannot be started or stopped while the daemon runs: the option "
                                        "capture.on_demand is off; set it to true, and start the daemon anew");
    return EC_OK;
}

static int32_t outcome(enum demand_result r, char *why, uint32_t n)
{
    switch (r) {
    case DEMAND_DONE:
        return EC_OK;
    case DEMAND_FAILED:
        return EC_EIO;
    case DEMAND_BUSY:
        return refuse(EC_EAGAIN, why, n, "another request to start or stop a capture is being done; try again");
    case DEMAND_NOBODY:
        return refuse(EC_EPERM, why, n, "no worker is there that could capture: the daemon ends, or was started with "
                                        "--workers 0, or reads capture files");
    default:
        return refuse(EC_EIO, why, n, "the workers did not answer in time; look at ecyberctl status");
    }
}

static int32_t start(void *self, const char *interface, uint32_t dry, char *why, uint32_t n)
{
    struct capture *c = self;
    char now[DEMAND_NAME];
    uint64_t since;
    int32_t err;

    if (!is_name(interface))
        return refuse(EC_EINVAL, why, n, "this is no name of an interface: those have 1 to 15 characters, none of them a "
                                         "space, a slash or a colon");
    if ((err = available(c, why, n)))
        return err;
    if (demand_now(&c->demand, now, &since)) {
        snprintf(why, n, "a capture on %s runs already: stop it first", now);
        return EC_EEXIST;
    }
    if ((err = look(interface, why, n)) || dry)
        return err;
    err = outcome(demand_set(&c->demand, interface, c->host->now(c->host), WAIT_MS, why, n), why, n);
    if (!err)
        EC_LOG(c->host, EC_LOG_INFO, "captures on %s, as asked for", interface);
    return err;
}

static int32_t stop(void *self, uint32_t dry, char *interface, char *why, uint32_t n)
{
    struct capture *c = self;
    char now[DEMAND_NAME];
    uint64_t since;
    int32_t err;

    if ((err = available(c, why, n)))
        return err;
    if (!demand_now(&c->demand, now, &since))
        return refuse(EC_ENOENT, why, n, "no capture runs");
    if (interface)
        strcpy(interface, now);
    if (dry)
        return EC_OK;
    err = outcome(demand_set(&c->demand, "", 0, WAIT_MS, why, n), why, n);
    if (!err)
        EC_LOG(c->host, EC_LOG_INFO, "captures on %s no more, as asked for", now);
    return err;
}

static void state(void *self, struct ec_capture_state *s)
{
    struct capture *c = self;

    s->on_demand = c->on_demand;
    s->running = demand_now(&c->demand, s->interface, &s->since_ns);
}

const struct ec_capture capture_service = { sizeof capture_service, 0, start, stop, state };
