#include "compress/lut_fit.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/par.h"

/* LAPACK, as in OpenBLAS: Cholesky factor, solve with it, inverse from it. */
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);
void dpotrs_(const char *uplo, const int *n, const int *nrhs, const double *a, const int *lda, double *b,
             const int *ldb, int *info);
void dpotri_(const char *uplo, const int *n, double *a, const int *lda, int *info);

enum { SCALES = 48 }; /* candidate scales tried per output */

/* The entry of a sample and the sign it is looked up with: 0: none. */
static inline int entry_of(int32_t idx, int *entry)
{
    *entry = idx < 0 ? ~idx : idx;
    return idx == LT_LUT_NONE ? 0 : idx < 0 ? -1 : 1;
}

/* ---- normal equations ---- */

typedef struct {
    const lt_lut_samples *s;
    double *a;     /* [entries][entries] */
    double *count; /* [entries] how often each occurs, signs counted */
    double *mean;  /* [k] */
    double *rhs;   /* [k][entries]: columns as LAPACK wants them */
} equations;

/* Row i of the normal matrix: how often entry i occurs together with each other one, signs multiplied. */
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
            int at, other, sign = entry_of(idx[i], &at);
            if (!sign || at < lo || at >= hi) continue;
            double *row = e->a + (size_t)at * (size_t)s->entries;
            e->count[at] += sign;
            for (int j = 0; j < s->active; j++) {
                int t = entry_of(idx[j], &other);
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
            int at, sign = entry_of(idx[i], &at);
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
        for (size_t j = 0; j < n; j++) e->a[i * n + j] -= e->count[i] * e->count[j] / e->s->rows;
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

/* ---- rounding ---- */

typedef struct {
    const lt_lut_samples *s;
    const float *table;
    const double *weight; /* [entries] how often an entry occurs */
    const double *u;      /* [entries][entries] upper Cholesky factor of the inverse normal matrix, or NULL */
    int lo, hi;
    float min_scale;
    int8_t *q;
    const float *scale;
    float *bias;
    double *work; /* [jobs][entries] */
} rounding;

static int round_to(const rounding *r, double v)
{
    double t = nearbyint(v);
    return (int)(t < r->lo ? r->lo : t > r->hi ? r->hi : t);
}

typedef struct {
    rounding r;
    float *scale;
} scaling;

static double best_scale(const rounding *r, size_t k)
{
    int n = r->s->entries, outs = r->s->k;
    double most = 0, best = 0, least = INFINITY;
    for (int i = 0; i < n; i++) {
        double v = fabs(r->table[(size_t)i * (size_t)outs + k]);
        if (v > most) most = v;
    }
    if (most / r->hi <= r->min_scale) return r->min_scale;
    for (int c = 0; c < SCALES; c++) {
        double scale = most / r->hi * (1.0 - 0.75 * c / SCALES), sum = 0;
        for (int i = 0; i < n; i++) {
            double v = r->table[(size_t)i * (size_t)outs + k], e = v - scale * round_to(r, v / scale);
            sum += r->weight[i] * e * e;
        }
        if (sum < least) {
            least = sum;
            best = scale;
        }
    }
    return best > r->min_scale ? best : r->min_scale;
}

static void scale_output(void *ctx, size_t k, int worker)
{
    scaling *c = ctx;
    (void)worker;
    c->scale[k] = (float)best_scale(&c->r, k);
}

static void round_output(void *ctx, size_t k, int worker)
{
    rounding *r = ctx;
    const lt_lut_samples *s = r->s;
    size_t n = (size_t)s->entries, outs = (size_t)s->k;
    double scale = (double)r->scale[k], *w = r->work + (size_t)worker * n, sum = 0;

    for (size_t i = 0; i < n; i++) w[i] = r->table[i * outs + k];
    for (size_t i = 0; i < n; i++) {
        int q = round_to(r, w[i] / scale);
        r->q[i * outs + k] = (int8_t)q;
        if (!r->u || r->weight[i] == 0) continue;
        const double *u = r->u + i * n;
        double e = (w[i] - q * scale) / u[i];
        for (size_t j = i + 1; j < n; j++) w[j] -= e * u[j];
    }
    for (int row = 0; row < s->rows; row++) {
        const int32_t *idx = s->idx + (size_t)row * (size_t)s->active;
        int acc = 0;
        for (int i = 0; i < s->active; i++) {
            int at, sign = entry_of(idx[i], &at);
            if (sign) acc += sign * r->q[(size_t)at * outs + k];
        }
        sum += s->y[(size_t)row * outs + k] - scale * acc;
    }
    r->bias[k] = (float)(sum / s->rows);
}

/* Upper Cholesky factor of the inverse of a symmetric positive definite matrix, in place; row-major. */
static lt_code inverse_factor(double *a, int n, lt_err *err)
{
    int info;
    dpotrf_("L", &n, a, &n, &info);
    if (!info) dpotri_("L", &n, a, &n, &info); /* column-major lower = row-major upper triangle of the inverse */
    if (!info) {
        for (int i = 0; i < n; i++)
            for (int j = 0; j < i; j++) a[(size_t)i * (size_t)n + (size_t)j] = a[(size_t)j * (size_t)n + (size_t)i];
        dpotrf_("L", &n, a, &n, &info); /* column-major lower L with LL^T: row-major upper U = L^T */
    }
    return info ? lt_fail(err, LT_EINPUT, "the normal matrix is not positive definite") : LT_OK;
}

static int lowest(const lt_lut_samples *s, int bits)
{
    return -(1 << (bits - 1)) + s->mirrored;
}

/* How often each entry occurs; NULL: out of memory. */
static double *occurrences(const lt_lut_samples *s)
{
    double *weight = calloc((size_t)s->entries, sizeof *weight);
    for (size_t i = 0; weight && i < (size_t)s->rows * (size_t)s->active; i++) {
        int at;
        if (entry_of(s->idx[i], &at)) weight[at] += 1;
    }
    return weight;
}

lt_code lt_lut_scales(const lt_lut_samples *s, const float *table, int bits, float min_scale, float *scale, lt_err *err)
{
    double *weight = occurrences(s);
    scaling c = {{.s = s,
                  .table = table,
                  .weight = weight,
                  .lo = lowest(s, bits),
                  .hi = (1 << (bits - 1)) - 1,
                  .min_scale = min_scale},
                 scale};

    if (!weight) return lt_fail(err, LT_EMEM, "out of memory");
    lt_parallel_for((size_t)s->k, scale_output, &c);
    free(weight);
    return LT_OK;
}

lt_code lt_lut_round_to(const lt_lut_samples *s, const float *table, const double *normal, int bits, const float *scale,
                        int8_t *q, float *bias, lt_err *err)
{
    size_t n = (size_t)s->entries;
    double *weight = occurrences(s), *u = normal ? malloc(n * n * sizeof *u) : NULL;
    rounding r = {.s = s,
                  .table = table,
                  .weight = weight,
                  .u = u,
                  .lo = lowest(s, bits),
                  .hi = (1 << (bits - 1)) - 1,
                  .q = q,
                  .scale = scale,
                  .bias = bias,
                  .work = calloc((size_t)lt_jobs() * n, sizeof(double))};
    lt_code rc = weight && r.work && (!normal || u) ? LT_OK : lt_fail(err, LT_EMEM, "out of memory");

    if (rc == LT_OK && u) {
        memcpy(u, normal, n * n * sizeof *u);
        rc = inverse_factor(u, s->entries, err);
    }
    if (rc == LT_OK) lt_parallel_for((size_t)s->k, round_output, &r);
    free(weight);
    free(u);
    free(r.work);
    return rc;
}

lt_code lt_lut_round(const lt_lut_samples *s, const float *table, const double *normal, int bits, float min_scale,
                     int8_t *q, float *scale, float *bias, lt_err *err)
{
    LT_TRY(lt_lut_scales(s, table, bits, min_scale, scale, err));
    return lt_lut_round_to(s, table, normal, bits, scale, q, bias, err);
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
                int at, sign = entry_of(idx[i], &at);
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
