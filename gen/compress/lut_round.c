#include "compress/lut_round.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/par.h"

/* LAPACK, as in OpenBLAS: Cholesky factor, inverse from it. */
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);
void dpotri_(const char *uplo, const int *n, double *a, const int *lda, int *info);

enum { SCALES = 48, SWEEPS = 20 }; /* first scales tried per output; of coordinate descent, at most */
static const float factors[] = {1.0f, 0.6f, 0.7f, 0.8f, 0.9f, 1.1f}; /* of the first scale, tried in the metric */

typedef struct {
    const lt_lut_samples *s;
    const float *table;
    const double *normal; /* NULL: nearest integers */
    double *weight;       /* [entries] how often an entry occurs */
    double *u;            /* [entries][entries] upper Cholesky factor of the inverse normal matrix */
    int lo, hi;
    const lt_lut_scaling *to;
    float *scale;  /* [k] */
    int8_t *q;     /* [entries][k] */
    double *error; /* [k] squared error over the samples */
    double *work;  /* [jobs][entries] */
} rounding;

static int round_to(const rounding *r, double v)
{
    double t = nearbyint(v);
    return (int)(t < r->lo ? r->lo : t > r->hi ? r->hi : t);
}

static void first_scale(void *ctx, size_t k, int worker)
{
    rounding *r = ctx;
    int n = r->s->entries, outs = r->s->k;
    double most = 0, best = 0, least = INFINITY;
    (void)worker;
    for (int i = 0; i < n; i++) {
        double v = fabs(r->table[(size_t)i * (size_t)outs + k]);
        if (v > most) most = v;
    }
    for (int c = 0; most > 0 && c < SCALES; c++) {
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
    r->scale[k] = fmaxf((float)best, r->to->finest);
}

/* Errors fed forward; w: [entries]. */
static void feed_forward(rounding *r, size_t k, double *w)
{
    size_t n = (size_t)r->s->entries, outs = (size_t)r->s->k;
    double scale = (double)r->scale[k];

    for (size_t i = 0; i < n; i++) w[i] = r->table[i * outs + k];
    for (size_t i = 0; i < n; i++) {
        int q = round_to(r, w[i] / scale);
        r->q[i * outs + k] = (int8_t)q;
        if (!r->normal || r->weight[i] == 0) continue;
        const double *u = r->u + i * n;
        double e = (w[i] - q * scale) / u[i];
        for (size_t j = i + 1; j < n; j++) w[j] -= e * u[j];
    }
}

static double rest(const rounding *r, size_t i, size_t k)
{
    size_t at = i * (size_t)r->s->k + k;
    return (double)r->scale[k] * r->q[at] - (double)r->table[at];
}

/* Moves entries one at a time while that lowers the error; g: [entries], gradient. */
static void descend(rounding *r, size_t k, double *g)
{
    size_t n = (size_t)r->s->entries, outs = (size_t)r->s->k, moved = 1;
    double scale = (double)r->scale[k];

    memset(g, 0, n * sizeof *g);
    for (size_t i = 0; i < n; i++) {
        const double *h = r->normal + i * n;
        double d = rest(r, i, k);
        for (size_t j = 0; j < n; j++) g[j] += d * h[j];
    }
    for (int sweep = 0; moved && sweep < SWEEPS; sweep++) {
        moved = 0;
        for (size_t i = 0; i < n; i++) {
            const double *h = r->normal + i * n;
            int8_t *q = &r->q[i * outs + k];
            int to = round_to(r, *q - g[i] / (scale * h[i]));
            if (to == *q || r->weight[i] == 0) continue;
            double d = scale * (to - *q);
            *q = (int8_t)to;
            for (size_t j = 0; j < n; j++) g[j] += d * h[j];
            moved++;
        }
    }
    r->error[k] = 0;
    for (size_t i = 0; i < n; i++) r->error[k] += g[i] * rest(r, i, k);
}

static void round_output(void *ctx, size_t k, int worker)
{
    rounding *r = ctx;
    double *w = r->work + (size_t)worker * (size_t)r->s->entries;

    feed_forward(r, k, w);
    if (r->normal) descend(r, k, w);
}

typedef struct {
    const rounding *r;
    float *bias;
} centring;

static void centre_output(void *ctx, size_t k, int worker)
{
    const centring *c = ctx;
    const lt_lut_samples *s = c->r->s;
    size_t outs = (size_t)s->k;
    double sum = 0;
    (void)worker;
    for (int row = 0; row < s->rows; row++) {
        const int32_t *idx = s->idx + (size_t)row * (size_t)s->active;
        int acc = 0;
        for (int i = 0; i < s->active; i++) {
            int at, sign = lt_lut_entry(idx[i], &at);
            if (sign) acc += sign * c->r->q[(size_t)at * outs + k];
        }
        sum += s->y[(size_t)row * outs + k] - (double)c->r->scale[k] * acc;
    }
    c->bias[k] = (float)(sum / s->rows);
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

static lt_code snap(const rounding *r, lt_err *err)
{
    return r->to->snap ? r->to->snap(r->to->ctx, r->scale, err) : LT_OK;
}

/* The scale of least error of every output, among the first one's multiples; best, least: [k]. */
static lt_code search_scales(rounding *r, float *best, double *least, lt_err *err)
{
    size_t outs = (size_t)r->s->k;
    float *first = malloc(outs * sizeof *first);
    lt_code rc = first ? LT_OK : lt_fail(err, LT_EMEM, "out of memory");

    if (first) memcpy(first, r->scale, outs * sizeof *first);
    for (size_t f = 0; rc == LT_OK && f < sizeof factors / sizeof *factors; f++) {
        for (size_t k = 0; k < outs; k++) r->scale[k] = fmaxf(first[k] * factors[f], r->to->finest);
        rc = snap(r, err);
        if (rc == LT_OK) lt_parallel_for(outs, round_output, r);
        for (size_t k = 0; rc == LT_OK && k < outs; k++) {
            if (f && r->error[k] >= least[k]) continue;
            least[k] = r->error[k];
            best[k] = r->scale[k];
        }
    }
    if (rc == LT_OK) memcpy(r->scale, best, outs * sizeof *best);
    free(first);
    return rc;
}

static lt_code round_all(rounding *r, float *bias, double *least, lt_err *err)
{
    const lt_lut_samples *s = r->s;
    size_t n = (size_t)s->entries, outs = (size_t)s->k;

    for (size_t i = 0; i < (size_t)s->rows * (size_t)s->active; i++) {
        int at;
        if (lt_lut_entry(s->idx[i], &at)) r->weight[at] += 1;
    }
    lt_parallel_for(outs, first_scale, r);
    if (r->normal) {
        memcpy(r->u, r->normal, n * n * sizeof *r->u);
        LT_TRY(inverse_factor(r->u, s->entries, err));
        LT_TRY(search_scales(r, bias, least, err)); /* bias: scratch until here */
    }
    LT_TRY(snap(r, err));
    lt_parallel_for(outs, round_output, r);
    centring c = {r, bias};
    lt_parallel_for(outs, centre_output, &c);
    return LT_OK;
}

lt_code lt_lut_round(const lt_lut_samples *s, const float *table, const double *normal, int bits,
                     const lt_lut_scaling *to, int8_t *q, float *scale, float *bias, lt_err *err)
{
    size_t n = (size_t)s->entries, outs = (size_t)s->k;
    rounding r = {.s = s,
                  .table = table,
                  .normal = normal,
                  .weight = calloc(n, sizeof(double)),
                  .u = normal ? malloc(n * n * sizeof(double)) : NULL,
                  .lo = -(1 << (bits - 1)) + s->mirrored,
                  .hi = (1 << (bits - 1)) - 1,
                  .to = to,
                  .scale = scale,
                  .q = q,
                  .error = calloc(outs, sizeof(double)),
                  .work = calloc((size_t)lt_jobs() * n, sizeof(double))};
    double *least = calloc(outs, sizeof *least);
    lt_code rc = LT_OK;

    if (!r.weight || (normal && !r.u) || !r.error || !r.work || !least)
        rc = lt_fail(err, LT_EMEM, "out of memory for %d table entries", s->entries);
    else
        rc = round_all(&r, bias, least, err);
    free(r.weight);
    free(r.u);
    free(r.error);
    free(r.work);
    free(least);
    return rc;
}
