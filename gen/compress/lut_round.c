#include "compress/lut_round.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/par.h"

/* LAPACK, as in OpenBLAS: Cholesky factor, inverse from it. */
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);
void dpotri_(const char *uplo, const int *n, double *a, const int *lda, int *info);

enum {
    SCALES = 48,      /* first scales tried per output */
    TRIAL_SWEEPS = 2, /* of coordinate descent, at most: while scales are tried, with the one chosen */
    SWEEPS = 20,
    GROUP = 32,
    BLOCK = 64,
    FEW = 16 /* entries of a block whose moves are cheaper to follow one by one than by a product of matrices */
};
static const float factors[] = {1.0f, 0.7f, 0.8f, 0.9f}; /* of the first scale, tried in the metric */

typedef struct {
    const lt_lut_samples *s;
    const float *table;
    const double *normal; /* NULL: nearest integers */
    double *weight;       /* [entries] how often an entry occurs */
    double *u;            /* [entries][entries] upper Cholesky factor of the inverse normal matrix */
    int lo, hi, sweeps;
    const lt_lut_scaling *to;
    float *scale;  /* [k] */
    int8_t *q;     /* [entries][k] */
    double *error; /* [k] squared error over the samples */
    double *work;  /* [jobs][group_size] */
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

/* ---- GROUP outputs at a time, so that the matrices are read once for all of them; BLOCK entries between two products
 * with the rest of a matrix ---- */

typedef struct {
    rounding *r;
    size_t n, k0;       /* entries; first output */
    int wide;           /* outputs of the group */
    double *at, *grad;  /* [n][GROUP] what is left of the table; gradient of the error */
    double *step, *own; /* [BLOCK][GROUP] of the block: what its entries were moved by; gradient */
} group;

static void add_scaled(double *to, double factor, const double *v)
{
    for (int k = 0; k < GROUP; k++) to[k] += factor * v[k];
}

static int8_t *integer(const group *g, size_t i, int k)
{
    return &g->r->q[i * (size_t)g->r->s->k + g->k0 + (size_t)k];
}

static double rest(const group *g, size_t i, int k)
{
    return (double)g->r->scale[g->k0 + (size_t)k] * *integer(g, i, k) -
           (double)g->r->table[i * (size_t)g->r->s->k + g->k0 + (size_t)k];
}

/* The block from b to end, to integers; step receives the errors that the entries behind it take over. */
static void feed_block(group *g, size_t b, size_t end)
{
    const rounding *r = g->r;

    memset(g->step, 0, BLOCK * GROUP * sizeof *g->step);
    for (size_t i = b; i < end; i++) {
        const double *u = r->normal ? r->u + i * g->n : NULL;
        double *e = g->step + (i - b) * GROUP;
        for (int k = 0; k < g->wide; k++) {
            double scale = (double)r->scale[g->k0 + (size_t)k], v = g->at[i * GROUP + (size_t)k];
            int q = round_to(r, v / scale);
            *integer(g, i, k) = (int8_t)q;
            if (u && r->weight[i] > 0) e[k] = (q * scale - v) / u[i];
        }
        for (size_t j = i + 1; u && j < end; j++) add_scaled(g->at + j * GROUP, u[j], e);
    }
}

static void feed_forward(group *g)
{
    const rounding *r = g->r;
    size_t n = g->n;

    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < g->wide; k++)
            g->at[i * GROUP + (size_t)k] = r->table[i * (size_t)r->s->k + g->k0 + (size_t)k];
    for (size_t b = 0; b < n; b += BLOCK) {
        size_t end = b + BLOCK < n ? b + BLOCK : n;
        feed_block(g, b, end);
        if (r->normal && end < n)
            cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)(n - end), g->wide, (int)(end - b), 1,
                        r->u + b * n + end, (int)n, g->step, GROUP, 1, g->at + end * GROUP, GROUP);
    }
}

/* Moves entries of the block while that lowers the error; how many it moved. */
static int descend_block(group *g, size_t b, size_t end)
{
    const rounding *r = g->r;
    int moved = 0;

    memset(g->step, 0, BLOCK * GROUP * sizeof *g->step);
    memcpy(g->own, g->grad + b * GROUP, (end - b) * GROUP * sizeof *g->own);
    for (size_t i = b; i < end; i++) {
        const double *h = r->normal + i * g->n;
        double *step = g->step + (i - b) * GROUP;
        int here = 0;
        for (int k = 0; k < g->wide; k++) {
            double scale = (double)r->scale[g->k0 + (size_t)k];
            int8_t *q = integer(g, i, k);
            int to = round_to(r, *q - g->own[(i - b) * GROUP + (size_t)k] / (scale * h[i]));
            if (to == *q || r->weight[i] == 0) continue;
            step[k] = scale * (to - *q);
            *q = (int8_t)to;
            here++;
        }
        for (size_t j = b; here && j < end; j++) add_scaled(g->own + (j - b) * GROUP, h[j], step);
        moved += here;
    }
    return moved;
}

/* The gradient after `moved` entries of the block have moved. */
static void follow(group *g, size_t b, size_t end, int moved)
{
    const double *h = g->r->normal + b * g->n; /* symmetric: the block's columns are its rows */
    size_t n = g->n;

    if (moved > FEW) {
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n, g->wide, (int)(end - b), 1, g->r->normal + b,
                    (int)n, g->step, GROUP, 1, g->grad, GROUP);
        return;
    }
    for (size_t i = 0; i < end - b; i++)
        for (int k = 0; k < g->wide; k++) {
            double step = g->step[i * GROUP + (size_t)k];
            for (size_t j = 0; step != 0 && j < n; j++) g->grad[j * GROUP + (size_t)k] += step * h[i * n + j];
        }
}

static void descend(group *g)
{
    const rounding *r = g->r;
    size_t n = g->n;
    int moved = 1;

    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < g->wide; k++) g->at[i * GROUP + (size_t)k] = rest(g, i, k);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n, g->wide, (int)n, 1, r->normal, (int)n, g->at, GROUP,
                0, g->grad, GROUP);
    for (int sweep = 0; moved && sweep < r->sweeps; sweep++) {
        moved = 0;
        for (size_t b = 0; b < n; b += BLOCK) {
            size_t end = b + BLOCK < n ? b + BLOCK : n;
            int here = descend_block(g, b, end);
            if (here) follow(g, b, end, here);
            moved += here;
        }
    }
    for (int k = 0; k < g->wide; k++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++) sum += g->grad[i * GROUP + (size_t)k] * rest(g, i, k);
        r->error[g->k0 + (size_t)k] = sum;
    }
}

static size_t group_size(size_t n)
{
    return 2 * GROUP * (n + BLOCK);
}

static void round_group(void *ctx, size_t part, int worker)
{
    rounding *r = ctx;
    size_t n = (size_t)r->s->entries, left = (size_t)r->s->k - part * GROUP;
    double *work = r->work + (size_t)worker * group_size(n);
    group g = {.r = r, .n = n, .k0 = part * GROUP, .wide = left < GROUP ? (int)left : GROUP, .at = work};

    g.grad = g.at + n * GROUP;
    g.step = g.grad + n * GROUP;
    g.own = g.step + BLOCK * GROUP;
    memset(work, 0, group_size(n) * sizeof *work);
    feed_forward(&g);
    if (r->normal) descend(&g);
}

static void round_outputs(rounding *r)
{
    lt_parallel_for(((size_t)r->s->k + GROUP - 1) / GROUP, round_group, r);
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
        if (rc == LT_OK) round_outputs(r);
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
        openblas_set_num_threads(1); /* parallel over outputs instead */
        memcpy(r->u, r->normal, n * n * sizeof *r->u);
        LT_TRY(inverse_factor(r->u, s->entries, err));
        LT_TRY(search_scales(r, bias, least, err)); /* bias: scratch until here */
    }
    LT_TRY(snap(r, err));
    r->sweeps = SWEEPS;
    round_outputs(r);
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
                  .sweeps = TRIAL_SWEEPS,
                  .to = to,
                  .scale = scale,
                  .q = q,
                  .error = calloc(outs, sizeof(double)),
                  .work = calloc((size_t)lt_jobs() * group_size(n), sizeof(double))};
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
