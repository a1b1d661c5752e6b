/* tp_ask.c: asks the actuator what a test writes to it, as datagrams on a Unix socket: "ban ADDRESS PREFIX SECONDS
 * FLAGS", "unban ADDRESS PREFIX", "banned ADDRESS". ADDRESS: 32 hexadecimal digits. The answer is the return code, for
 * a ban with its sentence. */
#define EC_API_LEVEL 1
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <ecyber/plugin.h>
#include <ecyber/ext/respond.h>

struct ask { const struct ec_host *host; const struct ec_respond *respond; void *respond_self; int fd; };

static const struct ec_row option_rows[] = {
    EC_OPTION(TEXT, 0, "socket", NULL, 1, 100, NULL, "where it listens"),
};
static const struct ec_record options = EC_RECORD_OPTIONS(option_rows);

static int read_address(const char *hex, uint8_t *to)
{
    for (int i = 0; i < 16; i++) {
        unsigned byte;

        if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
            return 0;
        to[i] = (uint8_t)byte;
    }
    return 1;
}

static void obey(struct ask *a, const char *line, char *reply, size_t n)
{
    struct ec_ban b = { .size = sizeof b, .who = "test:ask", .why = "a test asks" };
    unsigned prefix = 0, flags = 0;
    char hex[33], why[256] = "";
    double seconds;
    uint64_t until = 0;
    int32_t rc = EC_EINVAL;

    if (sscanf(line, "ban %32s %u %lf %u", hex, &prefix, &seconds, &flags) == 4 && read_address(hex, b.addr)) {
        b.prefix = prefix;
        b.flags = flags;
        b.until_ns = a->host->now(a->host) + (uint64_t)(seconds * 1e9);
        rc = a->respond->ban(a->respond_self, &b, why, sizeof why);
    } else if (sscanf(line, "unban %32s %u", hex, &prefix) == 2 && read_address(hex, b.addr)) {
        rc = a->respond->unban(a->respond_self, b.addr, prefix, "test:ask");
    } else if (sscanf(line, "banned %32s", hex) == 1 && read_address(hex, b.addr)) {
        rc = a->respond->banned(a->respond_self, b.addr, &until);
    }
    snprintf(reply, n, "%d %s", (int)rc, why);
}

static void on_tick(void *self, const void *state, uint64_t now_ns)
{
    struct ask *a = self;
    struct sockaddr_un from;
    char line[256], reply[512];

    (void)state;
    (void)now_ns;
    for (int i = 0; i < 4096; i++) {
        socklen_t len = sizeof from;
        ssize_t n = recvfrom(a->fd, line, sizeof line - 1, MSG_DONTWAIT, (struct sockaddr *)&from, &len);

        if (n < 0)
            return;
        line[n] = '\0';
        obey(a, line, reply, sizeof reply);
        if (len > sizeof(sa_family_t) && sendto(a->fd, reply, strlen(reply), 0, (struct sockaddr *)&from, len) < 0)
            EC_LOG(a->host, EC_LOG_WARNING, "nobody takes the answer: %s", reply);
    }
}

static const struct ec_use uses[] = {
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_RUN, sizeof(struct ec_respond), 0, EC_RESPOND_ID } };

static int32_t ask_create(const struct ec_host *h, void **self)
{
    struct ask *a = *self = calloc(1, sizeof *a);

    if (!a)
        return EC_ENOMEM;
    a->host = h;
    a->fd = -1;
    return EC_OK;
}

static int32_t ask_setup(void *self)
{
    static const struct ec_timer tick = { sizeof tick, 0, UINT64_C(10000000), on_tick };
    struct ask *a = self;

    a->respond = a->host->use(a->host, EC_RESPOND_ID, &a->respond_self);
    return a->host->timer(a->host, &tick);
}

static int32_t ask_configure(void *self, const struct ec_conf *c, void **state)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    struct ask *a = self;
    const char *path = a->host->conf_text(c, "socket", 0);

    *state = NULL;
    if (!path || a->fd >= 0)
        return EC_OK;
    snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    unlink(path);
    a->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return a->fd < 0 || bind(a->fd, (struct sockaddr *)&at, sizeof at) ? EC_EIO : EC_OK;
}

static void ask_destroy(void *self)
{
    struct ask *a = self;

    if (a->fd >= 0)
        close(a->fd);
    free(a);
}

static const struct ec_plugin plugin = {
    EC_PLUGIN_HEAD, "org.ecyber.test.ask", "tp_ask", "1", "asks for bans", "MIT", NULL,
    1, sizeof uses[0], 0, 0, 0, 0, uses, NULL, NULL, &options,
    ask_create, ask_setup, ask_configure, NULL, NULL, NULL, NULL, NULL, ask_destroy };
EC_PLUGIN(plugin)
