/* Rows a second: our walker against XGBoost's in-place predict, one row at a time and in batches; explanations too. One
 * thread each, the shipped model, rows that are the same for both; medians of runs that take turns. */
#include "plugins/ml/booster.h"
#include "plugins/ml/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <xgboost/c_api.h>

enum { ROWS = 4096, RUNS = 9, BATCH = 1000 };

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static struct model *model;
static BoosterHandle booster;
static DMatrixHandle proxy;
static float *row;
static uint32_t width;
static volatile double sink;

static double walk(void)
{
    double start = now();

    for (uint32_t i = 0; i < ROWS; i++)
        sink += forest_margin(&model->forest, row + i * width);
    return ROWS / (now() - start);
}

static double explain(void)
{
    struct verdict v;
    double start = now();

    for (uint32_t i = 0; i < ROWS; i++) {
        model_explain(model, row + i * width, forest_margin(&model->forest, row + i * width), &v);
        sink += v.rest;
    }
    return ROWS / (now() - start);
}

static void predict(uint32_t at, uint32_t n)
{
    static const char config[] = "{\"type\":1,\"training\":false,\"iteration_begin\":0,\"iteration_end\":0,"
                                 "\"strict_shape\":false,\"cache_id\":0,\"missing\":NaN}";
    char values[160];
    const bst_ulong *shape;
    bst_ulong dim;
    const float *out;

    snprintf(values, sizeof values, "{\"data\":[%llu,true],\"shape\":[%u,%u],\"typestr\":\"<f4\",\"version\":3}",
             (unsigned long long)(uintptr_t)(row + at * width), n, width);
    if (XGBoosterPredictFromDense(booster, values, config, proxy, &shape, &dim, &out)) {
        fprintf(stderr, "bench_ml: %s\n", XGBGetLastError());
        exit(1);
    }
    sink += out[0];
}

static double predict_one(void)
{
    double start = now();

    for (uint32_t i = 0; i < ROWS / 4; i++)
        predict(i, 1);
    return ROWS / 4 / (now() - start);
}

static double predict_batch(void)
{
    double start = now();

    for (uint32_t i = 0; i + BATCH <= ROWS; i += BATCH)
        predict(i, BATCH);
    return ROWS / BATCH * BATCH / (now() - start);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    double (*const what[])(void) = { walk, predict_one, predict_batch, explain };
    static const char *const name[] = { "walker, one row", "XGBoost in place, one row", "XGBoost in place, 1,000 rows",
                                        "walker with explanation" };
    double rate[4][RUNS];
    char why[512], path[4096];
    uint64_t s = 88172645463325252u;

    if (argc != 2 || !(model = model_load(argv[1], why, sizeof why))) {
        fprintf(stderr, "bench_ml: %s\n", argc == 2 ? why : "name a manifest");
        return 1;
    }
    snprintf(path, sizeof path, "%.*s%s", (int)(strrchr(argv[1], '/') ? strrchr(argv[1], '/') + 1 - argv[1] : 0), argv[1],
             model->manifest.file);
    if (XGBoosterCreate(NULL, 0, &booster) || XGBoosterSetParam(booster, "nthread", "1")
        || XGBoosterLoadModel(booster, path) || XGProxyDMatrixCreate(&proxy))
        return 1;
    width = model->manifest.inputs;
    row = malloc(ROWS * width * sizeof *row);
    for (uint32_t i = 0; row && i < ROWS * width; i++) {
        s ^= s << 13;
        s ^= s >> 7;
        s ^= s << 17;
        row[i] = s % 6 == 0 ? NAN : model->forest.node[s % model->forest.nodes].split + (float)(s >> 62);
    }
    for (int r = 0; r < RUNS && row; r++)
        for (int k = 0; k < 4; k++)
            rate[k][r] = what[k]();
    printf("%u trees, %u features, one thread, median of %d runs, rows a CPU-second\n", model->forest.trees, width, RUNS);
    for (int k = 0; k < 4; k++) {
        qsort(rate[k], RUNS, sizeof rate[k][0], by_size);
        printf("%-30s %10.0f  (%.2f us a row)\n", name[k], rate[k][RUNS / 2], 1e6 / rate[k][RUNS / 2]);
    }
    printf("walker against one row: %.1f times, against batches: %.1f times\n", rate[0][RUNS / 2] / rate[1][RUNS / 2],
           rate[0][RUNS / 2] / rate[2][RUNS / 2]);
    XGDMatrixFree(proxy);
    XGBoosterFree(booster);
    model_free(model);
    free(row);
    return 0;
}
