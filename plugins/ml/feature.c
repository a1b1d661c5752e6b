#include "plugins/ml/feature.h"

#include <math.h>
#include <string.h>

const struct feature feature_table[FEATURES] = {
#define FEATURE_ROW(name, unit, help, value) { #name, unit, help },
    ML_FEATURES(FEATURE_ROW)
#undef FEATURE_ROW
};

int feature_find(const char *name)
{
    for (int i = 0; i < FEATURES; i++)
        if (!strcmp(feature_table[i].name, name))
            return i;
    return -1;
}

static uint32_t port_class(const struct ec_flow *f) { return f->dport < 1024 ? 0 : f->dport < 32768 ? 1 : 2; }
static double seconds(uint64_t ns) { return (double)ns * 1e-9; }
static double ratio(uint64_t n, uint64_t of) { return of ? (double)n / (double)of : (double)NAN; }
static double first(const struct seen_dir *d, uint32_t i) { return i < d->data ? d->first[i] : (double)NAN; }

static double sd(double sum, double sum_sq, double n)
{
    double v = n > 0 ? sum_sq / n - sum / n * (sum / n) : (double)NAN;

    return v < 0 ? 0 : sqrt(v);
}

static double payload_sd(const struct seen_dir *d) { return sd((double)d->len_sum, (double)d->len_sq, d->data); }

static double gaps(const struct seen_dir *d) { return d->packets > 1 ? d->packets - 1 : 0; }
static double gap_mean(const struct seen_dir *d)
{
    return gaps(d) > 0 ? seconds(d->gap_sum) / gaps(d) : (double)NAN;
}
static double gap_sd(const struct seen_dir *d) { return sd(seconds(d->gap_sum), d->gap_sq, gaps(d)); }
static double gap_max(const struct seen_dir *d) { return gaps(d) > 0 ? seconds(d->gap_max) : (double)NAN; }

void feature_values(const struct ec_flow *f, const struct seen *s, float *out)
{
    const struct seen_dir *a = &s->dir[EC_TO_SERVER], *b = &s->dir[EC_TO_CLIENT];
    const struct around *r = &s->around;

#define FEATURE_VALUE(name, unit, help, value) out[FEATURE_##name] = (float)(value);
    ML_FEATURES(FEATURE_VALUE)
#undef FEATURE_VALUE
}
