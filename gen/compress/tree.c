#include "compress/tree.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const int16_t *x;
    int d, j; /* dimension to sort by */
} order;

static int by_dimension(const void *a, const void *b, void *ctx)
{
    const order *o = ctx;
    int i = *(const int *)a, k = *(const int *)b;
    int u = o->x[(size_t)i * (size_t)o->d + (size_t)o->j], v = o->x[(size_t)k * (size_t)o->d + (size_t)o->j];
    return u != v ? u - v : i - k;
}

/* Sum of squared deviations of points whose per-element sums and total of squares are given. */
static double deviation(const double *sum, double squares, int n, int d)
{
    double s = 0;
    for (int j = 0; j < d; j++) s += sum[j] * sum[j];
    return n ? squares - s / n : 0;
}

/* Best threshold of one bucket in dimension j; `sorted` is scratch. Returns the loss after the split. */
static double best_split(const int16_t *x, int d, int j, const int *bucket, int n, int never, int *sorted, double *sums,
                         int *thresh)
{
    order o = {x, d, j};
    double *left = sums, *right = sums + d, sq_left = 0, sq_right = 0, best;

    memcpy(sorted, bucket, (size_t)n * sizeof *sorted);
    qsort_r(sorted, (size_t)n, sizeof *sorted, by_dimension, &o);
    memset(sums, 0, 2 * (size_t)d * sizeof *sums);
    for (int i = 0; i < n; i++) {
        for (int e = 0; e < d; e++) {
            double v = x[(size_t)sorted[i] * (size_t)d + (size_t)e];
            right[e] += v;
            sq_right += v * v;
        }
    }
    best = deviation(right, sq_right, n, d);
    *thresh = never;
    for (int i = 0; i + 1 < n; i++) {
        const int16_t *p = x + (size_t)sorted[i] * (size_t)d;
        for (int e = 0; e < d; e++) {
            left[e] += p[e];
            right[e] -= p[e];
            sq_left += (double)p[e] * p[e];
            sq_right -= (double)p[e] * p[e];
        }
        int next = x[(size_t)sorted[i + 1] * (size_t)d + (size_t)j];
        if (p[j] == next) continue;
        double loss = deviation(left, sq_left, i + 1, d) + deviation(right, sq_right, n - i - 1, d);
        if (loss < best) {
            best = loss;
            *thresh = next;
        }
    }
    return best;
}

lt_code lt_tree_fit(const int16_t *x, int n, int d, int depth, int never, uint16_t *dim, int16_t *thresh, lt_err *err)
{
    int *points = malloc((size_t)n * sizeof *points), *sorted = malloc((size_t)n * sizeof *sorted);
    int *next = malloc((size_t)n * sizeof *next);
    int leaves = 1 << depth, *start = calloc((size_t)leaves + 1, sizeof *start),
        *trial = calloc((size_t)leaves, sizeof *trial);
    double *sums = calloc(2 * (size_t)d, sizeof *sums);
    lt_code rc = LT_OK;

    if (!points || !sorted || !next || !start || !trial || !sums) {
        rc = lt_fail(err, LT_EMEM, "out of memory");
        goto out;
    }
    for (int i = 0; i < n; i++) points[i] = i;
    start[1] = n; /* bucket b of a level = points[start[b]] .. points[start[b+1]-1] */
    for (int level = 0; level < depth; level++) {
        int buckets = 1 << level;
        double least = INFINITY;
        for (int j = 0; j < d; j++) {
            double loss = 0;
            for (int b = 0; b < buckets; b++)
                loss += best_split(x, d, j, points + start[b], start[b + 1] - start[b], never, sorted, sums, &trial[b]);
            if (loss >= least) continue;
            least = loss;
            dim[level] = (uint16_t)j;
            for (int b = 0; b < buckets; b++) thresh[buckets - 1 + b] = (int16_t)trial[b];
        }
        int split[257], at = 0;
        for (int b = 0; b < buckets; b++) {
            for (int side = 0; side < 2; side++) {
                split[2 * b + side] = at;
                for (int i = start[b]; i < start[b + 1]; i++) {
                    int v = x[(size_t)points[i] * (size_t)d + dim[level]];
                    if ((v >= thresh[buckets - 1 + b]) == side) next[at++] = points[i];
                }
            }
        }
        split[2 * buckets] = at;
        memcpy(points, next, (size_t)n * sizeof *points);
        memcpy(start, split, (2 * (size_t)buckets + 1) * sizeof *start);
    }
out:
    free(points);
    free(sorted);
    free(next);
    free(start);
    free(trial);
    free(sums);
    return rc;
}
