#include "plugins/ml/routes.h"

#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#define READERS "admin,operator,analyst,viewer"

static int32_t reply(const struct ec_http *http, struct ec_req *r, struct json_object *o)
{
    size_t n;
    const char *text = json_object_to_json_string_length(o, JSON_C_TO_STRING_PLAIN, &n);
    int32_t rc = text ? http->json(r, 200, text, n) : EC_ENOMEM;

    json_object_put(o);
    return rc;
}

static void put(struct json_object *o, const char *key, struct json_object *v) { json_object_object_add(o, key, v); }
static struct json_object *text(const char *s) { return s ? json_object_new_string(s) : NULL; }

static struct json_object *input_json(const struct manifest_input *in)
{
    const struct feature *f = &feature_table[in->feature];
    struct json_object *o = json_object_new_object();

    put(o, "name", text(f->name));
    put(o, "normal_low", json_object_new_double(in->low));
    put(o, "normal_high", json_object_new_double(in->high));
    return o;
}

static struct json_object *model_json(const struct ml_state *st)
{
    const struct manifest *m = &st->model->manifest;
    struct json_object *o = json_object_new_object(), *list = json_object_new_array();
    char sum[65];

    for (int i = 0; i < 32; i++)
        snprintf(sum + 2 * i, 3, "%02x", m->sha256[i]);
    put(o, "id", text(m->id));
    put(o, "active", json_object_new_boolean(1));
    put(o, "about", text(m->about));
    put(o, "trained", text(m->trained));
    put(o, "rows", json_object_new_int64(m->rows));
    put(o, "sha256", text(sum));
    put(o, "threshold", json_object_new_double(st->threshold));
    put(o, "threshold_of_model", json_object_new_double(m->threshold));
    put(o, "trees", json_object_new_int64(st->model->forest.trees));
    put(o, "bias", json_object_new_double(st->model->forest.bias));
    for (uint32_t i = 0; i < m->inputs; i++)
        json_object_array_add(list, input_json(&m->input[i]));
    put(o, "features", list);
    return o;
}

/* route_self is the ec_http that the routes were declared with. */
static int32_t get_models(void *self, const void *state, struct ec_req *r)
{
    const struct ml_state *st = state;
    struct json_object *o = json_object_new_object(), *items = json_object_new_array();

    if (st && st->model)
        json_object_array_add(items, model_json(st));
    put(o, "items", items);
    put(o, "problem", st && *st->why ? text(st->why) : NULL);
    return reply(*(const struct ec_http *const *)self, r, o);
}

static int32_t get_features(void *self, const void *state, struct ec_req *r)
{
    struct json_object *o = json_object_new_object(), *items = json_object_new_array();

    (void)state;
    for (int i = 0; i < FEATURES; i++) {
        struct json_object *f = json_object_new_object();
        put(f, "name", text(feature_table[i].name));
        put(f, "unit", text(feature_table[i].unit));
        put(f, "help", text(feature_table[i].help));
        json_object_array_add(items, f);
    }
    put(o, "items", items);
    return reply(*(const struct ec_http *const *)self, r, o);
}

struct id_param { struct ec_part part; uint64_t id; };
static const struct ec_row id_rows[] = {
    { EC_T_U64, 0, 0, 0, offsetof(struct id_param, id), "id", NULL, NULL, NULL, NULL, "of the event", 0, 0 },
};
static const struct ec_record id_shape = EC_RECORD_PART(struct id_param, id_rows);

static const struct ec_route routes[] = {
    { .size = sizeof(struct ec_route), .method = "GET", .path = "/api/ml/models", .opid = "ml_models",
      .summary = "The models in use, their features, thresholds and what is normal", .roles = READERS, .run = get_models },
    { .size = sizeof(struct ec_route), .method = "GET", .path = "/api/ml/features", .opid = "ml_features",
      .summary = "Every feature of a flow that a model may use", .roles = READERS, .run = get_features },
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
