#include "plugins/ml/routes.h"

#include <stdlib.h>

#define READERS "admin,operator,analyst,viewer"

struct input { struct ec_span name; double low, high; };
static const struct ec_row input_rows[] = {
    EC_FIELD(TEXT, 0, struct input, name, "name", NULL, "of the feature"),
    EC_FIELD(F64, 0, struct input, low, "normal_low", NULL, "5th percentile of normal flows in training"),
    EC_FIELD(F64, 0, struct input, high, "normal_high", NULL, "95th percentile"),
};
static const struct ec_record input_shape = EC_RECORD_ELEMENT(struct input, input_rows);

struct shown {
    struct ec_span id, about, trained, sha256;
    struct ec_list features;
    uint64_t rows, trees;
    double threshold, own_threshold, bias;
    uint8_t active, pad[7];
};
static const struct ec_row model_rows[] = {
    EC_FIELD(TEXT, 0, struct shown, id, "id", NULL, "name of the model"),
    EC_FIELD(BOOL, 0, struct shown, active, "active", NULL, "it scores flows"),
    EC_FIELD(TEXT, 0, struct shown, about, "about", NULL, "what it is for"),
    EC_FIELD(TEXT, 0, struct shown, trained, "trained", NULL, "when"),
    EC_FIELD(U64, 0, struct shown, rows, "rows", "flows", "in its training"),
    EC_FIELD(HEX, 0, struct shown, sha256, "sha256", NULL, "of its file"),
    EC_FIELD(F64, 0, struct shown, threshold, "threshold", NULL, "a score above it is an alert"),
    EC_FIELD(F64, 0, struct shown, own_threshold, "threshold_of_model", NULL, "the same, as training chose it"),
    EC_FIELD(U64, 0, struct shown, trees, "trees", "trees", "in the forest"),
    EC_FIELD(F64, 0, struct shown, bias, "bias", NULL, "log-odds before any feature is looked at"),
    EC_FIELD_LIST(&input_shape, struct shown, features, "features", "what it looks at, and what is normal"),
};
static const struct ec_record model_shape = EC_RECORD_ELEMENT(struct shown, model_rows);

struct models { struct ec_part part; struct ec_list items; struct ec_span problem; };
static const struct ec_row models_rows[] = {
    EC_FIELD_LIST(&model_shape, struct models, items, "items", "models in use"),
    EC_FIELD_OPT(TEXT, 0, 0, struct models, problem, "problem", NULL, "why no model is in use"),
};
static const struct ec_record models_shape = EC_RECORD_PART(struct models, models_rows);

struct about { struct ec_span name, unit, help; };
static const struct ec_row about_rows[] = {
    EC_FIELD(TEXT, 0, struct about, name, "name", NULL, "of the feature"),
    EC_FIELD(TEXT, 0, struct about, unit, "unit", NULL, "of its value"),
    EC_FIELD(TEXT, 0, struct about, help, "help", NULL, "what it is"),
};
static const struct ec_record about_shape = EC_RECORD_ELEMENT(struct about, about_rows);

struct features { struct ec_part part; struct ec_list items; };
static const struct ec_row features_rows[] = {
    EC_FIELD_LIST(&about_shape, struct features, items, "items", "features that a model may use"),
};
static const struct ec_record features_shape = EC_RECORD_PART(struct features, features_rows);

#define ROOM 65536u                 /* MANIFEST_INPUTS inputs, or FEATURES features, with their texts */

static void *answer_open(struct ec_build *b, uint32_t bytes)
{
    *b = (struct ec_build){ .base = calloc(1, ROOM), .cap = ROOM };
    if (!b->base)
        return NULL;
    ec_grow(b, sizeof(struct ec_event));
    return ec_add(b, 0, bytes);
}

static int32_t answer_send(const struct ec_http *http, struct ec_req *r, struct ec_build *b)
{
    int32_t rc = b->base ? http->reply(r, 200, ec_part_open(b)) : http->error(r, 503, "out of memory");

    free(b->base);
    return rc;
}

/* An empty list is there all the same. */
static void *list_open(struct ec_build *b, struct ec_list *l, uint32_t n, uint32_t stride)
{
    void *p = n ? ec_rows(b, l, n, stride) : NULL;

    if (!p)
        l->off = (uint32_t)sizeof(struct ec_part);
    return p;
}

static void model_fill(struct ec_build *b, struct shown *to, const struct ml_state *st)
{
    const struct manifest *m = &st->model->manifest;
    struct input *in = list_open(b, &to->features, m->inputs, sizeof *in);

    to->id = ec_puts(b, m->id);
    to->about = ec_puts(b, m->about);
    to->trained = ec_puts(b, m->trained);
    to->sha256 = ec_put(b, m->sha256, sizeof m->sha256);
    to->active = 1;
    to->rows = m->rows;
    to->threshold = st->threshold;
    to->own_threshold = m->threshold;
    to->trees = st->model->forest.trees;
    to->bias = st->model->forest.bias;
    for (uint32_t i = 0; in && i < m->inputs; i++) {
        in[i].name = ec_puts(b, feature_table[m->input[i].feature].name);
        in[i].low = m->input[i].low;
        in[i].high = m->input[i].high;
    }
}

/* route_self is the ec_http that the routes were declared with. */
static int32_t get_models(void *self, const void *state, struct ec_req *r)
{
    const struct ml_state *st = state;
    struct ec_build b;
    struct models *to = answer_open(&b, sizeof *to);
    struct shown *model = to ? list_open(&b, &to->items, st && st->model, sizeof *model) : NULL;

    if (model)
        model_fill(&b, model, st);
    if (to && st && *st->why) {
        to->problem = ec_puts(&b, st->why);
        to->part.has = 1;
    }
    return answer_send(*(const struct ec_http *const *)self, r, &b);
}

static int32_t get_features(void *self, const void *state, struct ec_req *r)
{
    struct ec_build b;
    struct features *to = answer_open(&b, sizeof *to);
    struct about *f = to ? list_open(&b, &to->items, FEATURES, sizeof *f) : NULL;

    (void)state;
    for (int i = 0; f && i < FEATURES; i++) {
        f[i].name = ec_puts(&b, feature_table[i].name);
        f[i].unit = ec_puts(&b, feature_table[i].unit);
        f[i].help = ec_puts(&b, feature_table[i].help);
    }
    return answer_send(*(const struct ec_http *const *)self, r, &b);
}

struct id_param { struct ec_part part; uint64_t id; };
static const struct ec_row id_rows[] = {
    { EC_T_U64, 0, 0, 0, offsetof(struct id_param, id), "id", NULL, NULL, NULL, NULL, "of the event", 0, 0 },
};
static const struct ec_record id_shape = EC_RECORD_PART(struct id_param, id_rows);

static const struct ec_route routes[] = {
    { .size = sizeof(struct ec_route), .method = "GET", .path = "/api/ml/models", .opid = "ml_models",
      .summary = "The models in use, their features, thresholds and what is normal", .roles = READERS,
      .reply = &models_shape, .run = get_models },
    { .size = sizeof(struct ec_route), .method = "GET", .path = "/api/ml/features", .opid = "ml_features",
      .summary = "Every feature of a flow that a model may use", .roles = READERS, .reply = &features_shape,
      .run = get_features },
    { .size = sizeof(struct ec_route), .flags = EC_RT_EVENTS, .method = "GET", .path = "/api/ml/scores",
      .opid = "ml_scores", .summary = "Scores of flows, the latest first", .roles = READERS, .topic = "ec.score/1",
      .alias = "model=score.model,verdict=score.verdict" },
    { .size = sizeof(struct ec_route), .flags = EC_RT_EVENT, .method = "GET", .path = "/api/ml/scores/{id}",
      .opid = "ml_score", .summary = "One score with its explanation", .roles = READERS, .param = &id_shape,
      .errors = "404", .topic = "ec.score/1" },
};

int32_t routes_declare(const struct ec_http *http, void *http_self, const struct ec_host *h, void *route_self)
{
    for (uint32_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        int32_t rc = http->route(http_self, h, &routes[i], route_self);
        if (rc)
            return ec_failf(h, rc, "the route %s %s was not taken", routes[i].method, routes[i].path);
    }
    return EC_OK;
}
