#include "compress/kmeans.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

enum { BLOCK = 1024 }; /* points whose distances are computed at once */

typedef struct {
    const float *x;
    int n, d, k;
    km_metric metric;
    float *c;
    int *assign;
    float *norm; /* [k] |c|^2 */
    float *dot;  /* [BLOCK][k] */
    float *dist; /* [n] to the nearest centre */
    float *tmp;  /* [n] for medians and seeding */
} km;

static float distance(const km *m, const float *a, const float *b)
{
    float s = 0;
    for (int j = 0; j < m->d; j++) {
        float t = a[j] - b[j];
        s += m->metric == KM_L2 ? t * t : fabsf(t);
    }
    return s;
}

/* Each next centre is drawn with a probability in proportion to its distance from the nearest one so far. */
static void seed_centres(km *m, lt_rng *r)
{
    size_t row = (size_t)m->d * sizeof(float);
    memcpy(m->c, m->x + (size_t)lt_rng_below(r, (uint32_t)m->n) * (size_t)m->d, row);
    for (int i = 0; i < m->n; i++) m->dist[i] = INFINITY;
    for (int c = 1; c < m->k; c++) {
        double sum = 0;
        for (int i = 0; i < m->n; i++) {
            float t = distance(m, m->x + (size_t)i * (size_t)m->d, m->c + (size_t)(c - 1) * (size_t)m->d);
            if (t < m->dist[i]) m->dist[i] = t;
            sum += m->dist[i];
        }
        double want = lt_rng_unit(r) * sum;
        int pick = m->n - 1;
        for (int i = 0; i < m->n; i++) {
            want -= m->dist[i];
            if (want < 0) {
                pick = i;
                break;
            }
        }
        memcpy(m->c + (size_t)c * (size_t)m->d, m->x + (size_t)pick * (size_t)m->d, row);
    }
}

/* |x-c|^2 = |x|^2 - 2 x.c + |c|^2, the products by BLAS; |x|^2 does not change the order. */
static int assign_l2(km *m)
{
    int changed = 0;
    for (int c = 0; c < m->k; c++) {
        const float *p = m->c + (size_t)c * (size_t)m->d;
        m->norm[c] = cblas_sdot(m->d, p, 1, p, 1);
    }
    for (int b = 0; b < m->n; b += BLOCK) {
        int rows = m->n - b < BLOCK ? m->n - b : BLOCK;
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, m->k, m->d, -2.0f, m->x + (size_t)b * (size_t)m->d,
                    m->d, m->c, m->d, 0.0f, m->dot, m->k);
        for (int i = 0; i < rows; i++) {
            const float *row = m->dot + (size_t)i * (size_t)m->k;
            int best = 0;
            for (int c = 1; c < m->k; c++)
                if (row[c] + m->norm[c] < row[best] + m->norm[best]) best = c;
            changed += m->assign[b + i] != best;
            m->assign[b + i] = best;
        }
    }
    return changed;
}

static int assign_l1(km *m)
{
    int changed = 0;
    for (int i = 0; i < m->n; i++) {
        int best = 0;
        float least = INFINITY;
        for (int c = 0; c < m->k; c++) {
            float t = distance(m, m->x + (size_t)i * (size_t)m->d, m->c + (size_t)c * (size_t)m->d);
            if (t < least) {
                least = t;
                best = c;
            }
        }
        changed += m->assign[i] != best;
        m->assign[i] = best;
    }
    return changed;
}

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void centre_of(km *m, int c, int count)
{
    float *centre = m->c + (size_t)c * (size_t)m->d;
    for (int j = 0; j < m->d; j++) {
        double sum = 0;
        int n = 0;
        for (int i = 0; i < m->n; i++) {
            if (m->assign[i] != c) continue;
            float v = m->x[(size_t)i * (size_t)m->d + (size_t)j];
            sum += v;
            m->tmp[n++] = v;
        }
        if (m->metric == KM_L2) {
            centre[j] = (float)(sum / count);
        } else {
            qsort(m->tmp, (size_t)n, sizeof *m->tmp, by_value);
            centre[j] = m->tmp[n / 2];
        }
    }
}

static double update(km *m, int *counts)
{
    double total = 0;
    memset(counts, 0, (size_t)m->k * sizeof *counts);
    for (int i = 0; i < m->n; i++) {
        counts[m->assign[i]]++;
        m->dist[i] = distance(m, m->x + (size_t)i * (size_t)m->d, m->c + (size_t)m->assign[i] * (size_t)m->d);
        total += m->dist[i];
    }
    for (int c = 0; c < m->k; c++) {
        if (counts[c]) {
            centre_of(m, c, counts[c]);
            continue;
        }
        int far = 0;
        for (int i = 1; i < m->n; i++)
            if (m->dist[i] > m->dist[far]) far = i;
        memcpy(m->c + (size_t)c * (size_t)m->d, m->x + (size_t)far * (size_t)m->d, (size_t)m->d * sizeof(float));
        m->dist[far] = 0;
    }
    return total / m->n;
}

lt_code lt_kmeans(const float *x, int n, int d, int k, km_metric metric, int iterations, uint64_t seed, float *c,
                  int *assign, double *error, lt_err *err)
{
    if (n < 1 || d < 1 || k < 1)
        return lt_fail(err, LT_EINTERNAL, "k-means of %d points, %d dimensions, k %d", n, d, k);
    km m = {.x = x, .n = n, .d = d, .k = k, .metric = metric, .c = c, .assign = assign};
    m.norm = calloc((size_t)k, sizeof(float));
    m.dot = calloc((size_t)BLOCK * (size_t)k, sizeof(float));
    m.dist = calloc((size_t)n, sizeof(float));
    m.tmp = calloc((size_t)n, sizeof(float));
    int *counts = calloc((size_t)k, sizeof *counts);
    lt_code rc = LT_EMEM;
    if (m.norm && m.dot && m.dist && m.tmp && counts) {
        lt_rng r = lt_rng_make(seed, 11);
        double mean = 0;
        seed_centres(&m, &r);
        for (int i = 0; i < n; i++) assign[i] = -1;
        for (int it = 0; it < iterations; it++) {
            int changed = metric == KM_L2 ? assign_l2(&m) : assign_l1(&m);
            mean = update(&m, counts);
            if (!changed) break;
        }
        if (error) *error = mean;
        rc = LT_OK;
    } else {
        lt_fail(err, LT_EMEM, "out of memory");
    }
    free(m.norm);
    free(m.dot);
    free(m.dist);
    free(m.tmp);
    free(counts);
    return rc;
}
