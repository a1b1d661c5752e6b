#include "plugins/ml/booster.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>
#include <xgboost/c_api.h>

enum { PROOF_ROWS = 64 };
#define PROOF_LIMIT 1e-6

static void quiet(const char *msg) { (void)msg; }

/* json.a.b.c, NULL where there is none. */
static struct json_object *at(struct json_object *o, const char *path)
{
    char name[64];

    while (o && *path) {
        size_t n = strcspn(path, ".");
        snprintf(name, sizeof name, "%.*s", (int)n, path);
        if (!json_object_is_type(o, json_type_object) || !json_object_object_get_ex(o, name, &o))
            return NULL;
        path += n + (path[n] == '.');
    }
    return o;
}

/* Arrays of a tree, of n elements each. */
struct arrays { int32_t *left, *right; uint32_t *input; float *split, *cover; uint8_t *missing_left; };

static void arrays_free(struct arrays *a)
{
    free(a->left);
    free(a->right);
    free(a->input);
    free(a->split);
    free(a->cover);
    free(a->missing_left);
}

static bool arrays_new(struct arrays *a, uint32_t n)
{
    *a = (struct arrays){ calloc(n, 4), calloc(n, 4), calloc(n, 4), calloc(n, 4), calloc(n, 4), calloc(n, 1) };
    return a->left && a->right && a->input && a->split && a->cover && a->missing_left;
}

static struct json_object *column(struct json_object *tree, const char *name, uint32_t n)
{
    struct json_object *o = at(tree, name);

    return o && json_object_is_type(o, json_type_array) && json_object_array_length(o) == n ? o : NULL;
}

static const char *arrays_read(struct arrays *a, struct json_object *tree, uint32_t n)
{
    struct json_object *left = column(tree, "left_children", n), *right = column(tree, "right_children", n);
    struct json_object *input = column(tree, "split_indices", n), *split = column(tree, "split_conditions", n);
    struct json_object *missing = column(tree, "default_left", n), *cover = column(tree, "sum_hessian", n);

    if (!left || !right || !input || !split || !missing || !cover)
        return "a tree without one of its columns";
    for (uint32_t i = 0; i < n; i++) {
        a->left[i] = json_object_get_int(json_object_array_get_idx(left, i));
        a->right[i] = json_object_get_int(json_object_array_get_idx(right, i));
        a->input[i] = (uint32_t)json_object_get_int(json_object_array_get_idx(input, i));
        a->split[i] = (float)json_object_get_double(json_object_array_get_idx(split, i));
        a->cover[i] = (float)json_object_get_double(json_object_array_get_idx(cover, i));
        a->missing_left[i] = json_object_get_int(json_object_array_get_idx(missing, i)) != 0;
    }
    return NULL;
}

static const char *tree_read(struct forest *f, struct json_object *tree)
{
    struct json_object *left = at(tree, "left_children");
    uint32_t n = left && json_object_is_type(left, json_type_array) ? (uint32_t)json_object_array_length(left) : 0;
    struct arrays a = { 0 };
    struct raw_tree raw;
    const char *why;

    if (!n || !arrays_new(&a, n)) {
        arrays_free(&a);
        return "a tree without nodes";
    }
    raw = (struct raw_tree){ n, a.left, a.right, a.input, a.split, a.missing_left, a.cover };
    why = arrays_read(&a, tree, n);
    if (!why)
        why = forest_add(f, &raw);
    arrays_free(&a);
    return why;
}

/* The booster's base score is a probability; trees start from its log-odds. */
static bool base_margin(struct json_object *o, float *base)
{
    struct json_object *v = at(o, "learner.learner_model_param.base_score");
    float p = v ? strtof(json_object_get_string(v), NULL) : 0;

    *base = -logf(1.0f / p - 1.0f);
    return p > 0 && p < 1;
}

static uint32_t count_nodes(struct json_object *trees)
{
    uint64_t n = 0;

    for (size_t i = 0; i < json_object_array_length(trees); i++) {
        struct json_object *left = at(json_object_array_get_idx(trees, i), "left_children");
        n += left && json_object_is_type(left, json_type_array) ? json_object_array_length(left) : 0;
    }
    return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

static const char *model_read(struct forest *f, struct json_object *o, uint32_t inputs)
{
    struct json_object *name = at(o, "learner.objective.name"), *kind = at(o, "learner.gradient_booster.name");
    struct json_object *trees = at(o, "learner.gradient_booster.model.trees");
    struct json_object *width = at(o, "learner.learner_model_param.num_feature");
    const char *why = NULL;
    float base;

    if (!name || strcmp(json_object_get_string(name), "binary:logistic") || !kind
        || strcmp(json_object_get_string(kind), "gbtree"))
        return "not trees for two classes (gbtree, binary:logistic)";
    if (!width || strtoul(json_object_get_string(width), NULL, 10) != inputs)
        return "its number of features is not the manifest's";
    if (!trees || !json_object_is_type(trees, json_type_array) || !base_margin(o, &base))
        return "no trees or no base score in it";
    if (!forest_open(f, (uint32_t)json_object_array_length(trees), count_nodes(trees), inputs, base))
        return "no trees, or more than there is room for";
    for (size_t i = 0; i < json_object_array_length(trees) && !why; i++)
        why = tree_read(f, json_object_array_get_idx(trees, i));
    return why;
}

/* Rows of all sizes, with holes; the same every time. */
static void made_up(float *row, uint32_t n)
{
    uint64_t s = 88172645463325252u;

    for (uint32_t i = 0; i < n; i++) {
        s ^= s << 13;
        s ^= s >> 7;
        s ^= s << 17;
        row[i] = s % 7 == 0 ? NAN : s % 3 == 0 ? (float)(s >> 60) : (float)exp2((double)(s >> 40 & 1023) / 40.0 - 8.0);
    }
}

static const char *prove(BoosterHandle b, const struct forest *f)
{
    static const char format[] =
        "{\"type\":1,\"training\":false,\"iteration_begin\":0,\"iteration_end\":0,\"strict_shape\":false,"
        "\"cache_id\":0,\"missing\":NaN}";
    float *row = calloc(PROOF_ROWS, f->inputs * sizeof *row);
    const float *out = NULL;
    const bst_ulong *shape;
    bst_ulong dim;
    char values[160];
    const char *why = NULL;
    DMatrixHandle proxy = NULL;

    if (!row)
        return "out of memory";
    made_up(row, PROOF_ROWS * f->inputs);
    snprintf(values, sizeof values, "{\"data\":[%llu,true],\"shape\":[%d,%u],\"typestr\":\"<f4\",\"version\":3}",
             (unsigned long long)(uintptr_t)row, PROOF_ROWS, f->inputs);
    if (XGProxyDMatrixCreate(&proxy)
        || XGBoosterPredictFromDense(b, values, format, proxy, &shape, &dim, &out))
        why = "XGBoost does not predict with it";
    for (uint32_t i = 0; !why && i < PROOF_ROWS; i++)
        if (!(fabs((double)forest_margin(f, row + i * f->inputs) - (double)out[i]) <= PROOF_LIMIT))
            why = "its trees, walked, do not give what XGBoost gives";
    if (proxy)
        XGDMatrixFree(proxy);
    free(row);
    return why;
}

static const char *convert(BoosterHandle b, struct forest *f, const void *bytes, uint64_t n, uint32_t inputs)
{
    bst_ulong len;
    const char *json, *why;
    struct json_object *o;
    struct json_tokener *t;

    if (XGBoosterSetParam(b, "nthread", "1") || XGBoosterLoadModelFromBuffer(b, bytes, n)
        || XGBoosterSetParam(b, "nthread", "1"))
        return "XGBoost cannot load it";
    if (XGBoosterSaveModelToBuffer(b, "{\"format\":\"json\"}", &len, &json) || len > INT32_MAX)
        return "XGBoost cannot write it as JSON";
    t = json_tokener_new();
    o = t ? json_tokener_parse_ex(t, json, (int)len) : NULL;
    why = o ? model_read(f, o, inputs) : "its JSON form is not readable";
    json_object_put(o);
    if (t)
        json_tokener_free(t);
    return why ? why : prove(b, f);
}

int booster_forest(struct forest *f, const void *bytes, uint64_t n, uint32_t inputs, char *why, uint32_t why_n)
{
    BoosterHandle b = NULL;
    const char *error;

    memset(f, 0, sizeof *f);
    XGBRegisterLogCallback(quiet);
    error = XGBoosterCreate(NULL, 0, &b) ? "XGBoost does not start" : convert(b, f, bytes, n, inputs);
    if (error) {
        forest_close(f);
        snprintf(why, why_n, "%s", error);
    }
    if (b)
        XGBoosterFree(b);
    return error ? -1 : 0;
}
