#include "plugins/ml/score.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <ecyber/ext/alert.h>

struct feature_record {
    struct ec_span name;
    uint64_t has;
    double value, contribution, low, high;
};
enum { HAS_VALUE };
static const struct ec_row feature_rows[] = {
    EC_FIELD(TEXT, 0, struct feature_record, name, "name", NULL, "a name of GET /api/ml/features"),
    EC_FIELD_OPT(F64, 0, HAS_VALUE, struct feature_record, value, "value", NULL, "of this flow; absent: it has none"),
    EC_FIELD(F64, 0, struct feature_record, contribution, "contribution", NULL,
             "what it added to the margin: above 0 speaks for an attack"),
    EC_FIELD(F64, 0, struct feature_record, low, "normal_low", NULL, "5 % of normal flows in training are below"),
    EC_FIELD(F64, 0, struct feature_record, high, "normal_high", NULL, "5 % of normal flows in training are above"),
};
static const struct ec_record feature_shape = {
    sizeof(struct ec_record), sizeof(struct feature_record), EC_ROWS(feature_rows),
    offsetof(struct feature_record, has), 0, feature_rows,
};

struct score_record {
    struct ec_part part;
    struct ec_span model;
    double score, margin, threshold, bias, rest;
    uint32_t verdict, reserved;
    struct ec_list features;
};
#define SCORE(T, flags, member, name, help) EC_FIELD(T, flags, struct score_record, member, name, NULL, help)
static const struct ec_row score_rows[] = {
    SCORE(TEXT, EC_R_COLUMN, model, "model", "who says so"),
    SCORE(F64, EC_R_COLUMN, score, "score", "0 to 1; no probability that it is an attack: that depends on how rare they are"),
    SCORE(F64, 0, margin, "margin", "the score as log-odds: bias, all contributions and rest add up to it"),
    SCORE(F64, 0, threshold, "threshold", "from which score on it is suspicious"),
    EC_FIELD_ENUM(EC_R_COLUMN | EC_R_INDEX, struct score_record, verdict, "verdict", "normal,suspicious",
                  "on which side of the threshold it is"),
    SCORE(F64, 0, bias, "bias", "what the model assumes before it looks"),
    SCORE(F64, 0, rest, "rest", "contributions of all features that are not listed"),
    EC_FIELD_LIST(&feature_shape, struct score_record, features, "features", "the largest contributions"),
};
static const struct ec_record score_shape = EC_RECORD_PART(struct score_record, score_rows);
static const char *const score_carries[] = { "ec.flow/1", NULL };
static const struct ec_topic topic = {
    sizeof(struct ec_topic), EC_TOPIC_EVENT, "ec.score/1", "score", &score_shape, score_carries,
    "A trained model scored a finished flow, and why.",
};

int32_t score_topic(struct score_out *o)
{
    return o->host->topic(o->host, &topic, &o->topic);
}

static void features_put(struct ec_build *b, struct score_record *r, const struct model *m, const struct verdict *v)
{
    struct feature_record *e = ec_rows(b, &r->features, v->n, sizeof *e);

    for (uint32_t i = 0; e && i < v->n; i++) {
        const struct manifest_input *in = &m->manifest.input[v->top[i].input];
        e[i].name = ec_puts(b, feature_table[in->feature].name);
        if (!isnan(v->top[i].value)) {
            e[i].has = 1u << HAS_VALUE;
            e[i].value = v->top[i].value;
        }
        e[i].contribution = v->top[i].contribution;
        e[i].low = in->low;
        e[i].high = in->high;
    }
}

static void score_put(const struct score_out *o, struct ec_build *b, const struct model *m, const struct verdict *v,
                      double threshold)
{
    struct score_record *r = ec_add(b, o->topic, sizeof *r);

    if (!r)
        return;
    r->model = ec_puts(b, m->manifest.id);
    r->score = v->score;
    r->margin = v->margin;
    r->threshold = threshold;
    r->bias = v->bias;
    r->rest = v->rest;
    r->verdict = v->score >= threshold;
    features_put(b, r, m, v);
}

bool score_publish(const struct score_out *o, uint32_t worker, struct ec_flow *f, const struct model *m,
                   const struct verdict *v, double threshold)
{
    struct ec_build b;
    int32_t rc = o->host->open(o->host, worker, o->topic, &b);

    if (rc)
        return rc == EC_ENOENT;
    o->traffic->head(o->traffic_self, &b, f, NULL);
    score_put(o, &b, m, v, threshold);
    o->traffic->attach_flow(o->traffic_self, &b, f);
    return o->host->publish(o->host, &b) == EC_OK;
}

static void alert_put(const struct score_out *o, struct ec_build *b, const struct ec_flow *f, const struct model *m,
                      const struct verdict *v)
{
    struct ec_alert *a = ec_add(b, o->alert, sizeof *a);
    struct ec_pair *pair;
    char text[128];

    if (!a)
        return;
    a->action = EC_ALERT_ALLOWED;
    a->gid = EC_ALERT_GID_SCORE;
    a->sid = SCORE_SID;
    a->rev = SCORE_REV;
    a->severity = 2;
    snprintf(text, sizeof text, "Model %.60s: flow like a scan, guessing or a flood", m->manifest.id);
    a->signature = ec_puts(b, text);
    a->category = ec_puts(b, "Suspicious flow by a trained model");
    a->part.has |= EC_ALERT_ENDS | (f->ip_proto == 6 || f->ip_proto == 17 ? EC_ALERT_PORTS : 0);
    memcpy(a->source_ip, f->src, sizeof a->source_ip);
    memcpy(a->target_ip, f->dst, sizeof a->target_ip);
    a->source_port = f->sport;
    a->target_port = f->dport;
    if (!(pair = ec_rows(b, &a->metadata, 2, sizeof *pair)))
        return;
    a->part.has |= EC_ALERT_METADATA;
    pair[0].key = ec_puts(b, "model");
    pair[0].value = ec_puts(b, m->manifest.id);
    snprintf(text, sizeof text, "%.4f", v->score);
    pair[1].key = ec_puts(b, "score");
    pair[1].value = ec_puts(b, text);
}

bool score_alert(const struct score_out *o, uint32_t worker, struct ec_flow *f, const struct model *m,
                 const struct verdict *v, double threshold)
{
    struct ec_build b;
    int32_t rc = o->alert ? o->host->open(o->host, worker, o->alert, &b) : EC_ENOENT;

    if (rc)
        return rc == EC_ENOENT;
    o->traffic->head(o->traffic_self, &b, f, NULL);
    alert_put(o, &b, f, m, v);
    score_put(o, &b, m, v, threshold);
    o->traffic->attach_flow(o->traffic_self, &b, f);
    return o->host->publish(o->host, &b) == EC_OK;
}
