#include "plugins/http/change.h"

#include "plugins/http/asset.h"
#include "plugins/http/server.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *version_etag(uint64_t version, char to[VERSION_ETAG])
{
    snprintf(to, VERSION_ETAG, "\"v%" PRIu64 "\"", version);
    return to;
}

bool if_match(const char *header, const char *etag)
{
    return !header || (etag_matches(header, etag) && !strstr(header, "W/"));
}

int32_t request_etag(struct ec_req *r, uint64_t version)
{
    r->version = version + 1;
    return EC_OK;
}

int32_t request_match(struct ec_req *r, uint64_t version)
{
    const char *none = request_header(r, "If-None-Match");
    bool reads = !strcmp(r->match.route->r->method, "GET");
    char etag[VERSION_ETAG];
    struct text empty = { 0 };

    version_etag(version, etag);
    if (reads && etag_matches(none, etag)) {
        r->version = version + 1;
        request_bytes(r, 304, NULL, &empty);
        return EC_EEND;
    }
    if (if_match(request_header(r, "If-Match"), etag) && (reads || !etag_matches(none, etag)))
        return EC_OK;
    r->version = version + 1;
    request_error(r, 412, "somebody has changed it meanwhile: read it again");
    return EC_EEND;
}

uint32_t request_dry_run(struct ec_req *r)
{
    return r->dry_run;
}

static const char *text_or(const char *s, const char *other)
{
    return s ? s : other;
}

static void publish(struct ec_req *r, uint32_t topic, const char *const text[4])
{
    const struct ec_host *h = r->s->host;
    struct ec_audit *e;
    struct ec_build b;

    if (h->open(h, EC_PUB_MAILBOX, topic, &b))
        return;
    if (!(e = ec_add(&b, topic, sizeof *e))) {
        h->discard(h, &b);
        return;
    }
    e->action = ec_puts(&b, text[0]);
    e->outcome = ec_puts(&b, text[1]);
    e->actor = ec_puts(&b, r->known ? r->who.name : "");
    e->address = ec_puts(&b, r->peer);
    e->certificate = ec_puts(&b, *r->certificate ? r->certificate : NULL);
    e->object = ec_puts(&b, text[2]);
    e->detail = ec_puts(&b, text[3]);
    h->publish(h, &b);
}

void request_audit(struct ec_req *r, const char *action, const char *outcome, const char *object, const char *detail)
{
    const struct ec_host *h = r->s->host;
    uint32_t topic = h->topic_find(h, EC_AUDIT_TOPIC);
    const char *const text[] = { text_or(action, r->match.route->r->opid), text_or(outcome, "success"), object,
                                 detail };

    r->audited = true;
    if (topic)
        publish(r, topic, text);
}

void audit_reply(struct ec_req *r)
{
    char object[256], detail[64];

    if (!r->match.route || !(r->match.route->r->flags & EC_RT_ENFORCES) || r->audited || !r->known)
        return;
    snprintf(object, sizeof object, "%.*s", (int)(r->path_len < 255 ? r->path_len : 255), r->path);
    snprintf(detail, sizeof detail, "%s%" PRIu32, r->dry_run ? "dry run, " : "", r->status);
    request_audit(r, r->match.route->r->opid,
                  r->status < 300 ? "success" : r->status == 401 || r->status == 403 ? "denied" : "failure", object,
                  detail);
}
