#include "compress/lut_fit.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/par.h"

/* LAPACK, as in OpenBLAS: Cholesky factor, solve with it. */
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);
void dpotrs_(const char *uplo, const int *n, const int *nrhs, const double *a, const int *lda, double *b,
             const int *ldb, int *info);

typedef struct {
    const lt_lut_samples *s;
    double *a;     /* [entries][entries] */
    double *count; /* [entries] how often each occurs, signs counted */
    double *mean;  /* [k] */
    double *rhs;   /* [k][entries]: columns as LAPACK wants them */
} equations;

/* Row i of the normal matrix up to its diagonal: how often entry i occurs together with each other one, signs
 * multiplied. */
static void count_band(void *ctx, size_t part, int worker)
{
    equations *e = ctx;
    const lt_lut_samples *s = e->s;
    int parts = lt_jobs() * 4;
    int lo = (int)((size_t)s->entries * part / (size_t)parts),
        hi = (int)((size_t)s->entries * (part + 1) / (size_t)parts);
    (void)worker;
    for (int r = 0; r < s->rows; r++) {
        const int32_t *idx = s->idx + (size_t)r * (size_t)s->active;
        for (int i = 0; i < s->active; i++) {
            int at, other, sign = lt_lut_entry(idx[i], &at);
            if (!sign || at < lo || at >= hi) continue;
            double *row = e->a + (size_t)at * (size_t)s->entries;
            e->count[at] += sign;
            for (int j = 0; j <= i; j++) {
                int t = lt_lut_entry(idx[j], &other);
                if (t) row[other] += sign * t;
            }
        }
    }
}

static void project_output(void *ctx, size_t k, int worker)
{
    equations *e = ctx;
    const lt_lut_samples *s = e->s;
    double *rhs = e->rhs + k * (size_t)s->entries;
    double sum = 0;
    (void)worker;
    for (int r = 0; r < s->rows; r++) sum += s->y[(size_t)r * (size_t)s->k + k];
    e->mean[k] = sum / s->rows;
    for (int r = 0; r < s->rows; r++) {
        const int32_t *idx = s->idx + (size_t)r * (size_t)s->active;
        double y = s->y[(size_t)r * (size_t)s->k + k] - e->mean[k];
        for (int i = 0; i < s->active; i++) {
            int at, sign = lt_lut_entry(idx[i], &at);
            if (sign) rhs[at] += sign * y;
        }
    }
}

/* e.a and e.count. */
static void normal_matrix(equations *e, double ridge)
{
    size_t n = (size_t)e->s->entries;
    double load = ridge * e->s->rows;

    lt_parallel_for((size_t)lt_jobs() * 4, count_band, e);
    /* the bias is eliminated: with centred columns it drops out of the equations */
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            e->a[i * n + j] -= e->count[i] * e->count[j] / e->s->rows;
            e->a[j * n + i] = e->a[i * n + j];
        }
    for (size_t i = 0; i < n; i++) e->a[i * n + i] += load > 1e-6 ? load : 1e-6;
}

lt_code lt_lut_normal(const lt_lut_samples *s, double ridge, double *normal, lt_err *err)
{
    size_t n = (size_t)s->entries;
    equations e = {.s = s, .a = normal, .count = calloc(n, sizeof(double))};

    if (!e.count) return lt_fail(err, LT_EMEM, "out of memory for %d table entries", s->entries);
    memset(normal, 0, n * n * sizeof *normal);
    normal_matrix(&e, ridge);
    free(e.count);
    return LT_OK;
}

lt_code lt_lut_solve(const lt_lut_samples *s, double ridge, float *table, float *bias, double *normal, lt_err *err)
{
    size_t n = (size_t)s->entries, cells = n * n;
    equations e = {s, calloc(cells, sizeof(double)), calloc(n, sizeof(double)), calloc((size_t)s->k, sizeof(double)),
                   calloc((size_t)s->k * n, sizeof(double))};
    lt_code rc = LT_OK;

    if (!e.a || !e.mean || !e.rhs || !e.count) {
        rc = lt_fail(err, LT_EMEM, "out of memory for %d table entries", s->entries);
        goto out;
    }
    normal_matrix(&e, ridge);
    lt_parallel_for((size_t)s->k, project_output, &e);
    if (normal) memcpy(normal, e.a, cells * sizeof(double));
    int info, order = s->entries;
    dpotrf_("L", &order, e.a, &order, &info);
    if (info) {
        rc = lt_fail(err, LT_EINPUT, "the least-squares problem is singular (ridge %g is too small)", ridge);
        goto out;
    }
    dpotrs_("L", &order, &s->k, e.a, &order, e.rhs, &order, &info);
    for (int k = 0; k < s->k; k++) {
        double b = e.mean[k];
        for (size_t i = 0; i < n; i++) {
            double v = e.rhs[(size_t)k * n + i];
            table[i * (size_t)s->k + (size_t)k] = (float)v;
            b -= v * e.count[i] / s->rows;
        }
        bias[k] = (float)b;
    }
out:
    free(e.a);
    free(e.count);
    free(e.mean);
    free(e.rhs);
    return rc;
}

void lt_lut_error(const lt_lut_samples *s, const int8_t *q, const float *scale, const float *bias, double *mse,
                  double *variance)
{
    double se = 0, sv = 0;
    for (int k = 0; k < s->k; k++) {
        double mean = 0;
        for (int r = 0; r < s->rows; r++) mean += s->y[(size_t)r * (size_t)s->k + (size_t)k];
        mean /= s->rows;
        for (int r = 0; r < s->rows; r++) {
            const int32_t *idx = s->idx + (size_t)r * (size_t)s->active;
            double y = s->y[(size_t)r * (size_t)s->k + (size_t)k];
            int acc = 0;
            for (int i = 0; i < s->active; i++) {
                int at, sign = lt_lut_entry(idx[i], &at);
                if (sign) acc += sign * q[(size_t)at * (size_t)s->k + (size_t)k];
            }
            double e = y - (double)scale[k] * acc - bias[k];
            se += e * e;
            sv += (y - mean) * (y - mean);
        }
    }
    *mse = se / ((double)s->rows * s->k);
    *variance = sv / ((double)s->rows * s->k);
}
