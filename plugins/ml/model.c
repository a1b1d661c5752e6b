#include "plugins/ml/model.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "plugins/ml/booster.h"

enum { MODEL_BYTES = 64 << 20 };

/* A whole file in memory: never mapped, so a file that is cut meanwhile cannot hurt. */
static char *slurp(const char *path, size_t max, size_t *n, char *why, uint32_t why_n)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct stat st;
    char *data = NULL;
    ssize_t got = 1;

    *n = 0;
    if (fd < 0 || fstat(fd, &st)) {
        snprintf(why, why_n, "%s: %s", path, strerror(errno));
    } else if (!S_ISREG(st.st_mode) || st.st_size <= 0 || (uint64_t)st.st_size > max) {
        snprintf(why, why_n, "%s: not a file of 1 to %zu bytes", path, max);
    } else if ((data = malloc((size_t)st.st_size + 1))) {
        while (*n < (size_t)st.st_size && (got = read(fd, data + *n, (size_t)st.st_size - *n)) > 0)
            *n += (size_t)got;
        data[*n] = '\0';
    } else {
        snprintf(why, why_n, "%s: out of memory", path);
    }
    if (fd >= 0)
        close(fd);
    return data;
}

static bool verified(const struct manifest *m, const char *data, size_t n)
{
    uint8_t sum[EVP_MAX_MD_SIZE];

    return EVP_Digest(data, n, sum, NULL, EVP_sha256(), NULL) == 1 && !memcmp(sum, m->sha256, sizeof m->sha256);
}

static int forest_load(struct model *m, const char *manifest, char *why, uint32_t why_n)
{
    const char *slash = strrchr(manifest, '/');
    int folder = slash ? (int)(slash + 1 - manifest) : 0, rc = -1;
    char path[4096], detail[256];
    char *data;
    size_t n;

    if (snprintf(path, sizeof path, "%.*s%s", folder, manifest, m->manifest.file) >= (int)sizeof path) {
        snprintf(why, why_n, "%s: its name is too long", manifest);
        return -1;
    }
    if (!(data = slurp(path, MODEL_BYTES, &n, why, why_n)))
        return -1;
    if (!verified(&m->manifest, data, n))
        snprintf(why, why_n, "%s: its checksum is not the one in %s, so it is not loaded", path, manifest);
    else if ((rc = booster_forest(&m->forest, data, n, m->manifest.inputs, detail, sizeof detail)))
        snprintf(why, why_n, "%s: %s", path, detail);
    free(data);
    return rc;
}

struct model *model_load(const char *path, char *why, uint32_t why_n)
{
    struct model *m = calloc(1, sizeof *m);
    char detail[256];
    size_t n;
    char *json = m ? slurp(path, MANIFEST_MAX, &n, why, why_n) : NULL;
    int rc = -1;

    if (!m)
        snprintf(why, why_n, "out of memory");
    else if (json && (rc = manifest_read(&m->manifest, json, (uint32_t)n, detail, sizeof detail)))
        snprintf(why, why_n, "%s: %s", path, detail);
    else if (json)
        rc = forest_load(m, path, why, why_n);
    free(json);
    if (!rc)
        return m;
    model_free(m);
    return NULL;
}

void model_free(struct model *m)
{
    if (m)
        forest_close(&m->forest);
    free(m);
}

void model_row(const struct model *m, const float *features, float *row)
{
    for (uint32_t i = 0; i < m->manifest.inputs; i++)
        row[i] = features[m->manifest.input[i].feature];
}

/* Put input i in its place among the largest. */
static void rank(struct verdict *v, const float *row, const double *contribution, uint32_t i)
{
    uint32_t at = v->n;

    while (at && fabs(contribution[i]) > fabs(v->top[at - 1].contribution))
        at--;
    if (at == MODEL_TOP)
        return;
    if (v->n < MODEL_TOP)
        v->n++;
    memmove(&v->top[at + 1], &v->top[at], (v->n - at - 1) * sizeof v->top[0]);
    v->top[at] = (struct reason){ i, row[i], contribution[i] };
}

void model_explain(const struct model *m, const float *row, double margin, struct verdict *v)
{
    double contribution[MANIFEST_INPUTS];

    memset(v, 0, sizeof *v);
    forest_contributions(&m->forest, row, contribution);
    for (uint32_t i = 0; i < m->manifest.inputs; i++)
        if (contribution[i] != 0)
            rank(v, row, contribution, i);
    v->margin = margin;
    v->score = forest_probability(margin);
    v->bias = m->forest.bias;
    /* The rest closes the sum, so that what is shown adds up. */
    v->rest = margin - v->bias;
    for (uint32_t i = 0; i < v->n; i++)
        v->rest -= v->top[i].contribution;
}
