/* tp_sio.c: what the protocol suites of Engine.IO and Socket.IO want of a server: an echo at /engine.io/, and
 * namespaces that answer `message` with `message-back` and acknowledge `message-with-ack`. */
#define EC_API_LEVEL 1
#include <stdlib.h>
#include <string.h>
#include <ecyber/plugin.h>
#include <ecyber/ext/socketio.h>

struct echo { const struct ec_host *host; const struct ec_socketio *io; void *io_self; };

static int32_t on_open(void *self, struct ec_eio *e)
{
    (void)self;
    (void)e;
    return EC_OK;
}

static void on_message(void *self, struct ec_eio *e, uint32_t binary, const void *p, uint32_t n)
{
    ((struct echo *)self)->io->send(e, binary, p, n);
}

static void on_closed(void *self, struct ec_eio *e)
{
    (void)self;
    (void)e;
}

static void on_joined(void *self, struct ec_sio *s, const char *auth, uint32_t n)
{
    char *args = malloc(n + 2);

    if (!args)
        return;
    args[0] = '[';
    memcpy(args + 1, auth, n);
    args[n + 1] = ']';
    ((struct echo *)self)->io->emit(s, "auth", args, n + 2, NULL, 0, 0);
    free(args);
}

static void on_event(void *self, struct ec_sio *s, const struct ec_sio_event *e)
{
    struct echo *a = self;

    if (!strcmp(e->name, "message"))
        a->io->emit(s, "message-back", e->args, e->args_len, e->blob, e->n_blob, 0);
    else if (!strcmp(e->name, "message-with-ack") && e->flags & EC_SIO_ACK)
        a->io->ack(s, e->ack, e->args, e->args_len, e->blob, e->n_blob);
    else if (!strcmp(e->name, "join"))
        a->io->join(s, "everybody");
    else if (!strcmp(e->name, "say"))
        a->io->to(a->io_self, "/custom", "everybody", "said", e->args, e->args_len);
    else if (!strcmp(e->name, "leave-me"))
        a->io->disconnect(s);
}

static const struct ec_eio_engine engine = { sizeof engine, 0, "/engine.io/", on_open, on_message, on_closed };
static const struct ec_sio_space spaces[] = {
    { sizeof spaces[0], 0, "/", NULL, on_joined, on_event, NULL },
    { sizeof spaces[0], 0, "/custom", NULL, on_joined, on_event, NULL },
};
static const struct ec_use uses[] = {
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_RUN, sizeof(struct ec_socketio), 0, EC_SOCKETIO_ID } };

static int32_t echo_create(const struct ec_host *h, void **self)
{
    struct echo *a = *self = calloc(1, sizeof *a);

    return a ? (a->host = h, EC_OK) : EC_ENOMEM;
}

static int32_t echo_setup(void *self)
{
    struct echo *a = self;
    int32_t err;

    a->io = a->host->use(a->host, EC_SOCKETIO_ID, &a->io_self);
    if ((err = a->io->engine(a->io_self, a->host, &engine, a)) ||
        (err = a->io->space(a->io_self, a->host, &spaces[0], a)))
        return err;
    return a->io->space(a->io_self, a->host, &spaces[1], a);
}

static const struct ec_plugin plugin = {
    EC_PLUGIN_HEAD, "org.ecyber.test.sio", "tp_sio", "1", "an echo over Socket.IO", "MIT", NULL,
    1, sizeof uses[0], 0, 0, 0, 0, uses, NULL, NULL, NULL,
    echo_create, echo_setup, NULL, NULL, NULL, NULL, NULL, NULL, free };
EC_PLUGIN(plugin)
