/* The walker against XGBoost's own predictor; explanations that add up; models and manifests that are not what they
 * should be. */
#include "tests/unit/unit.h"

#include "plugins/ml/booster.h"
#include "plugins/ml/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xgboost/c_api.h>

#define SHIPPED TOP_SRCDIR "/models/flow-1"
enum { ROWS = 20000 };

static char why[512], folder[64];

static void setup(void)
{
    strcpy(folder, "/tmp/ecyber-ml-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    *why = '\0';
}

static void teardown(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    ck_assert_int_eq(system(command), 0);
}

static uint64_t chance = 88172645463325252u;
static uint64_t draw(void)
{
    chance ^= chance << 13;
    chance ^= chance >> 7;
    return chance ^= chance << 17;
}

/* Small whole numbers, large ones, fractions, thresholds of the model itself, infinities and holes. */
static void random_rows(const struct forest *f, float *row, size_t n)
{
    for (size_t i = 0; i < n; i++)
        switch (draw() % 8) {
        case 0: row[i] = NAN; break;
        case 1: row[i] = (float)(draw() % 20); break;
        case 2: row[i] = (float)(draw() % 100000); break;
        case 3: row[i] = (float)(draw() % 1000) / 977.0f; break;
        case 4: row[i] = draw() % 50 ? 0.0f : draw() % 2 ? INFINITY : -INFINITY; break;
        default: row[i] = f->node[draw() % f->nodes].split; break;      /* exactly on a threshold */
        }
}

static BoosterHandle booster_of(const struct model *m)
{
    char path[256];
    BoosterHandle b;

    snprintf(path, sizeof path, "%s/models/%s", TOP_SRCDIR, m->manifest.file);
    ck_assert_int_eq(XGBoosterCreate(NULL, 0, &b), 0);
    ck_assert_int_eq(XGBoosterSetParam(b, "nthread", "1"), 0);
    ck_assert_int_eq(XGBoosterLoadModel(b, path), 0);
    return b;
}

/* What XGBoost says: type 1, margins; type 3, contributions by path. */
static const float *predict(BoosterHandle b, const float *row, uint32_t n, uint32_t inputs, int type, DMatrixHandle *d)
{
    char config[200];
    const bst_ulong *shape;
    bst_ulong dim;
    const float *out;

    ck_assert_int_eq(XGDMatrixCreateFromMat(row, n, inputs, NAN, d), 0);
    snprintf(config, sizeof config, "{\"type\":%d,\"training\":false,\"iteration_begin\":0,\"iteration_end\":0,"
             "\"strict_shape\":false}", type);
    ck_assert_int_eq(XGBoosterPredictFromDMatrix(b, *d, config, &shape, &dim, &out), 0);
    return out;
}

START_TEST(walker_is_xgboost)
{
    struct model *m = model_load(SHIPPED ".json", why, sizeof why);
    uint32_t n;
    float *row;
    const float *margin;
    DMatrixHandle d;
    BoosterHandle b;

    ck_assert_msg(m != NULL, "%s", why);
    n = m->manifest.inputs;
    row = malloc(ROWS * n * sizeof *row);
    random_rows(&m->forest, row, ROWS * n);
    for (size_t i = 0; i < ROWS * n; i++)       /* XGBoost refuses infinities in a matrix */
        if (isinf(row[i]))
            row[i] = row[i] > 0 ? 1e30f : -1e30f;
    b = booster_of(m);
    margin = predict(b, row, ROWS, n, 1, &d);
    for (uint32_t i = 0; i < ROWS; i++)
        ck_assert_float_eq_tol(forest_margin(&m->forest, row + i * n), margin[i], 1e-6f);
    XGDMatrixFree(d);
    XGBoosterFree(b);
    free(row);
    model_free(m);
}
END_TEST

START_TEST(contributions_are_xgboosts)
{
    enum { SOME = 500 };
    struct model *m = model_load(SHIPPED ".json", why, sizeof why);
    double mine[MANIFEST_INPUTS];
    const float *theirs;
    uint32_t n;
    float *row;
    DMatrixHandle d;
    BoosterHandle b;

    ck_assert_msg(m != NULL, "%s", why);
    n = m->manifest.inputs;
    row = malloc(SOME * n * sizeof *row);
    random_rows(&m->forest, row, SOME * n);
    for (size_t i = 0; i < SOME * n; i++)
        if (isinf(row[i]))
            row[i] = 7;
    b = booster_of(m);
    theirs = predict(b, row, SOME, n, 3, &d);
    for (uint32_t i = 0; i < SOME; i++) {
        forest_contributions(&m->forest, row + i * n, mine);
        for (uint32_t k = 0; k < n; k++)
            ck_assert_double_eq_tol(mine[k], theirs[i * (n + 1) + k], 1e-4);
        ck_assert_double_eq_tol(m->forest.bias, theirs[i * (n + 1) + n], 1e-4);
    }
    XGDMatrixFree(d);
    XGBoosterFree(b);
    free(row);
    model_free(m);
}
END_TEST

START_TEST(explanations_add_up)
{
    struct model *m = model_load(SHIPPED ".json", why, sizeof why);
    float row[MANIFEST_INPUTS];

    ck_assert_msg(m != NULL, "%s", why);
    for (int i = 0; i < 2000; i++) {
        struct verdict v;
        double sum, all = 0, each[MANIFEST_INPUTS], margin;
        random_rows(&m->forest, row, m->manifest.inputs);
        margin = model_margin(m, row);
        model_explain(m, row, margin, &v);
        sum = v.bias + v.rest;
        for (uint32_t k = 0; k < v.n; k++) {
            sum += v.top[k].contribution;
            ck_assert(!k || fabs(v.top[k].contribution) <= fabs(v.top[k - 1].contribution));
        }
        ck_assert_double_eq_tol(sum, margin, 1e-9);
        forest_contributions(&m->forest, row, each);
        for (uint32_t k = 0; k < m->manifest.inputs; k++)
            all += each[k];
        ck_assert_double_eq_tol(all + v.bias, margin, 1e-4);    /* by themselves, without the rest */
        ck_assert_double_eq_tol(v.score, 1 / (1 + exp(-margin)), 1e-12);
    }
    model_free(m);
}
END_TEST

START_TEST(trees_that_are_none)
{
    int32_t left[3] = { 1, -1, -1 }, right[3] = { 2, -1, -1 };
    uint32_t input[3] = { 0, 0, 0 };
    float split[3] = { 1.5f, -1, 1 }, cover[3] = { 2, 1, 1 }, row[1] = { 1 };
    uint8_t missing[3] = { 1, 0, 0 };
    struct raw_tree t = { 3, left, right, input, split, missing, cover };
    struct forest f;

    ck_assert(forest_open(&f, 1, 3, 1, 0.5f));
    ck_assert_ptr_null(forest_add(&f, &t));
    ck_assert_float_eq(forest_margin(&f, row), -0.5f);
    row[0] = 1.5f;                              /* not below: right */
    ck_assert_float_eq(forest_margin(&f, row), 1.5f);
    row[0] = NAN;
    ck_assert_float_eq(forest_margin(&f, row), -0.5f);
    forest_close(&f);

#define REFUSED(change, back) do { \
        change; \
        ck_assert(forest_open(&f, 1, 3, 1, 0)); \
        ck_assert_ptr_nonnull(forest_add(&f, &t)); \
        forest_close(&f); \
        back; \
    } while (0)
    REFUSED(left[0] = 0, left[0] = 1);          /* a circle */
    REFUSED(right[0] = 3, right[0] = 2);        /* past the end */
    REFUSED(input[0] = 1, input[0] = 0);
    REFUSED(split[1] = NAN, split[1] = -1);
    REFUSED((left[1] = 1, right[1] = 2), (left[1] = -1, right[1] = -1));
    ck_assert(!forest_open(&f, 0, 3, 1, 0));
    ck_assert(!forest_open(&f, FOREST_TREES + 1, 3, 1, 0));
}
END_TEST

/* --- files ----------------------------------------------------------------------------------------- */

static size_t slurp(const char *path, char **data)
{
    FILE *f = fopen(path, "rb");
    long n;

    ck_assert_ptr_nonnull(f);
    fseek(f, 0, SEEK_END);
    n = ftell(f);
    rewind(f);
    *data = malloc((size_t)n + 1);
    ck_assert_uint_eq(fread(*data, 1, (size_t)n, f), (size_t)n);
    (*data)[n] = '\0';
    fclose(f);
    return (size_t)n;
}

static const char *put(const char *name, const char *data, size_t n)
{
    static char path[128];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(data, 1, n, f), n);
    fclose(f);
    return path;
}

START_TEST(changed_model)
{
    char *json, *ubj;
    size_t n_json = slurp(SHIPPED ".json", &json), n = slurp(SHIPPED ".ubj", &ubj);
    struct model *m;

    put("flow-1.ubj", ubj, n);
    m = model_load(put("flow-1.json", json, n_json), why, sizeof why);
    ck_assert_msg(m != NULL, "%s", why);
    model_free(m);
    for (int i = 0; i < 60; i++) {              /* one bit each: XGBoost's loader never sees any of them */
        size_t at = draw() % n;
        char was = ubj[at];
        ubj[at] ^= (char)(1 << draw() % 8);
        put("flow-1.ubj", ubj, n);
        ck_assert_ptr_null(model_load(put("flow-1.json", json, n_json), why, sizeof why));
        ck_assert_ptr_nonnull(strstr(why, "checksum"));
        put("flow-1.ubj", ubj, at);             /* and cut there */
        ck_assert_ptr_null(model_load(put("flow-1.json", json, n_json), why, sizeof why));
        ubj[at] = was;
    }
    unlink(strcat(strcpy(why, folder), "/flow-1.ubj"));
    ck_assert_ptr_null(model_load(put("flow-1.json", json, n_json), why, sizeof why));
    ck_assert_ptr_nonnull(strstr(why, "No such file"));
    free(json);
    free(ubj);
}
END_TEST

START_TEST(other_features)
{
    char *json, *ubj, *at;
    size_t n = slurp(SHIPPED ".ubj", &ubj);
    struct manifest m;

    slurp(SHIPPED ".json", &json);
    put("flow-1.ubj", ubj, n);
    at = strstr(json, "  {\n");                 /* leave the first feature out */
    ck_assert_ptr_nonnull(at);
    memset(at, ' ', (size_t)(strstr(at, "},") + 2 - at));
    ck_assert_int_eq(manifest_read(&m, json, (uint32_t)strlen(json), why, sizeof why), 0);
    ck_assert_ptr_null(model_load(put("flow-1.json", json, strlen(json)), why, sizeof why));
    ck_assert_ptr_nonnull(strstr(why, "number of features"));
    free(json);
    free(ubj);
}
END_TEST

#define SUM "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define FINE_HEAD "{\"format\":1,\"model\":\"m\",\"file\":\"m.ubj\",\"sha256\":\"" SUM "\",\"threshold\":0.5,"
#define FINE FINE_HEAD "\"features\":[{\"name\":\"tcp\",\"low\":0,\"high\":1}]}"

static const struct { const char *json, *why; } bad[] = {
    { "", "JSON" },
    { "[]", "object" },
    { "{", "JSON" },
    { FINE "x", "JSON" },
    { "{\"format\":2}", "format" },
    { "{\"format\":1,\"model\":\"../m\",\"file\":\"f\"}", "model" },
    { "{\"format\":1,\"model\":\"m\",\"file\":\"/etc/passwd\"}", "file" },
    { "{\"format\":1,\"model\":\"m\",\"file\":\"..\"}", "file" },
    { "{\"format\":1,\"model\":\"m\",\"file\":\"f\",\"sha256\":\"00\"}", "sha256" },
    { "{\"format\":1,\"model\":\"m\",\"file\":\"f\",\"sha256\":\"" SUM "\",\"threshold\":1}", "threshold" },
    { "{\"format\":1,\"model\":\"m\",\"file\":\"f\",\"sha256\":\"" SUM "\",\"threshold\":\"0.5\"}", "threshold" },
    { FINE_HEAD "\"features\":[]}", "features" },
    { FINE_HEAD "\"features\":[1]}", "name" },
    { FINE_HEAD "\"features\":[{\"name\":\"source_address\",\"low\":0,\"high\":1}]}", "source_address" },
    { FINE_HEAD "\"features\":[{\"name\":\"tcp\",\"low\":2,\"high\":1}]}", "low" },
    { FINE_HEAD "\"features\":[{\"name\":\"tcp\",\"low\":0,\"high\":1},{\"name\":\"tcp\",\"low\":0,\"high\":1}]}", "twice" },
};

START_TEST(bad_manifest)
{
    struct manifest m;

    ck_assert_int_eq(manifest_read(&m, bad[_i].json, (uint32_t)strlen(bad[_i].json), why, sizeof why), -1);
    ck_assert_msg(strstr(why, bad[_i].why) != NULL, "%s: %s", bad[_i].json, why);
}
END_TEST

START_TEST(fine_manifest)
{
    struct manifest m;

    ck_assert_int_eq(manifest_read(&m, FINE, sizeof FINE - 1, why, sizeof why), 0);
    ck_assert_str_eq(m.id, "m");
    ck_assert_uint_eq(m.inputs, 1);
    ck_assert_uint_eq(m.sha256[31], 0xef);
    ck_assert_int_eq(m.input[0].feature, feature_find("tcp"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("ml_model");
    TCase *forest = tcase_create("forest"), *files = tcase_create("files");

    tcase_add_test(forest, walker_is_xgboost);
    tcase_add_test(forest, contributions_are_xgboosts);
    tcase_add_test(forest, explanations_add_up);
    tcase_add_test(forest, trees_that_are_none);
    suite_add_tcase(s, forest);
    tcase_add_checked_fixture(files, setup, teardown);
    tcase_add_test(files, changed_model);
    tcase_add_test(files, other_features);
    tcase_add_loop_test(files, bad_manifest, 0, (int)(sizeof bad / sizeof bad[0]));
    tcase_add_test(files, fine_manifest);
    suite_add_tcase(s, files);
    return unit_run(s);
}
