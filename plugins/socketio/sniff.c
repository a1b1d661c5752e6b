#include "plugins/socketio/sniff.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

static const char *read_interface(struct job *j, const struct ec_sio_event *e)
{
    static const char wanted[] = "start_sniffing takes {sniffingInterface: the name of an interface}";
    struct json_object *args = e->args_len ? json_tokener_parse(e->args) : NULL, *name = NULL;
    const char *why = wanted;

    json_object_object_get_ex(json_object_array_get_idx(args, 0), "sniffingInterface", &name);
    if (json_object_is_type(name, json_type_string) &&
        strlen(json_object_get_string(name)) == (size_t)json_object_get_string_len(name)) {
        snprintf(j->sniff.interface, sizeof j->sniff.interface, "%s", json_object_get_string(name));
        why = NULL;
    }
    json_object_put(args);
    return why;
}

const char *sniff_read(const struct viewer *v, struct job *j, const struct ec_sio_event *e)
{
    const struct server *s = v->all->s;

    j->sniff.starts = !strcmp(e->name, "start_sniffing");
    if (!has_role(v->who.roles, "admin,operator"))
        return "Not enough permissions: the role operator is needed";
    if (!s->capture)
        return "no plugin is there that could capture: load capture, with capture.on_demand: true";
    snprintf(j->sniff.actor, sizeof j->sniff.actor, "%s", v->who.name);
    snprintf(j->sniff.address, sizeof j->sniff.address, "%s", socket_session(v->x)->peer);
    return j->sniff.starts ? read_interface(j, e) : NULL;
}

/* Into the audit log, as the routes that do the same. */
static void audit(const struct job *j, bool good)
{
    const struct ec_host *h = j->s->host;
    uint32_t topic = h->topic_find(h, EC_AUDIT_TOPIC);
    char object[96];
    struct ec_audit *e;
    struct ec_build b;

    if (!topic || h->open(h, EC_PUB_MAILBOX, topic, &b) != EC_OK)
        return;
    if (!(e = ec_add(&b, topic, sizeof *e))) {
        h->discard(h, &b);
        return;
    }
    snprintf(object, sizeof object, "network/interfaces/%s", j->sniff.interface);
    e->action = ec_puts(&b, j->sniff.starts ? "network.capture.start" : "network.capture.stop");
    e->outcome = ec_puts(&b, good ? "success" : "failure");
    e->actor = ec_puts(&b, j->sniff.actor);
    e->address = ec_puts(&b, j->sniff.address);
    e->object = ec_puts(&b, *j->sniff.interface ? object : NULL);
    e->detail = ec_puts(&b, !good ? j->error : j->sniff.starts ? "before: none runs; after: it runs"
                                                               : "before: it runs; after: none runs");
    h->publish(h, &b);
}

void sniff_run(struct job *j)
{
    const struct server *s = j->s;
    int32_t err = j->sniff.starts
                      ? s->capture->start(s->capture_self, j->sniff.interface, 0, j->error, sizeof j->error)
                      : s->capture->stop(s->capture_self, 0, j->sniff.interface, j->error, sizeof j->error);

    if (err == EC_OK)
        *j->error = '\0';
    else if (!*j->error)
        snprintf(j->error, sizeof j->error, "it could not be done (%d)", (int)err);
    audit(j, err == EC_OK);
}

static void tell(struct ec_sio *x, const char *name, const char *key, const char *value)
{
    struct text t = { 0 };

    text_puts(&t, "[");
    if (key) {
        text_printf(&t, "{\"%s\":", key);
        text_jsons(&t, value);
        text_puts(&t, "}");
    }
    text_puts(&t, "]");
    if (!t.bad)
        socket_emit(x, name, t.p, (uint32_t)t.n, NULL, 0, 0);
    text_free(&t);
}

void sniff_refuse(struct ec_sio *x, const char *error)
{
    tell(x, "sniffing_error", "error", error);
}

void sniff_end(struct viewer *v, const struct job *j)
{
    if (*j->error)
        sniff_refuse(v->x, j->error);
    else if (j->sniff.starts)
        tell(v->x, "sniffing_started", "interface", j->sniff.interface);
    else
        tell(v->x, "sniffing_stopped", NULL, NULL);
}
