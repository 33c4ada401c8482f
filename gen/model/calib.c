#include "model/calib.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/par.h"
#include "model/exec.h"

typedef struct {
    const lt_graph *g;
    lt_calib *c;
    double *lo, *hi; /* [worker][node] */
    double *sums;    /* [image][all channels of all nodes]: summed in image order, so the result is deterministic */
    size_t *first, channels;
    uint64_t *hist; /* [worker][node][bin] */
} pass;

static void range_pass(void *ctx, int image, const lt_exec *x, int worker)
{
    pass *p = ctx;
    size_t n = (size_t)p->g->n_nodes;

    for (size_t i = 0; i < n; i++) {
        lt_shape s = p->g->nodes[i].shape;
        size_t plane = (size_t)s.h * (size_t)s.w;
        const float *v = x->t[i];
        double *lo = &p->lo[(size_t)worker * n + i], *hi = &p->hi[(size_t)worker * n + i];
        for (int c = 0; c < s.c; c++) {
            double sum = 0;
            float mn = v[0], mx = v[0];
            for (size_t k = 0; k < plane; k++, v++) {
                sum += (double)*v;
                if (*v < mn) mn = *v;
                if (*v > mx) mx = *v;
            }
            p->sums[(size_t)image * p->channels + p->first[i] + (size_t)c] = sum;
            if ((double)mn < *lo) *lo = (double)mn;
            if ((double)mx > *hi) *hi = (double)mx;
        }
    }
}

static double magnitude(const lt_tensor_stats *t)
{
    return fmax(fabs(t->min), fabs(t->max));
}

static void hist_pass(void *ctx, int image, const lt_exec *x, int worker)
{
    pass *p = ctx;
    size_t n = (size_t)p->g->n_nodes;
    (void)image;

    for (size_t i = 0; i < n; i++) {
        double top = magnitude(&p->c->t[i]);
        size_t size = lt_shape_size(p->g->nodes[i].shape);
        float per = top > 0 ? (float)(LT_HIST_BINS / top) : 0;
        uint64_t *h = p->hist + ((size_t)worker * n + i) * LT_HIST_BINS;
        for (size_t k = 0; k < size; k++) {
            int b = (int)(fabsf(x->t[i][k]) * per);
            h[b < LT_HIST_BINS ? b : LT_HIST_BINS - 1]++;
        }
    }
}

static void merge_ranges(pass *p, int jobs, int images)
{
    size_t n = (size_t)p->g->n_nodes;

    for (size_t i = 0; i < n; i++) {
        lt_tensor_stats *t = &p->c->t[i];
        lt_shape s = p->g->nodes[i].shape;
        t->min = INFINITY;
        t->max = -INFINITY;
        for (int w = 0; w < jobs; w++) {
            t->min = fmin(t->min, p->lo[(size_t)w * n + i]);
            t->max = fmax(t->max, p->hi[(size_t)w * n + i]);
        }
        t->count = (uint64_t)images * lt_shape_size(s);
        for (int c = 0; c < s.c; c++) {
            double sum = 0;
            for (int m = 0; m < images; m++) sum += p->sums[(size_t)m * p->channels + p->first[i] + (size_t)c];
            t->mean[c] = sum / ((double)images * (double)s.h * (double)s.w);
        }
    }
}

static lt_code run(pass *p, const lt_dataset *d, int images, lt_err *err)
{
    size_t n = (size_t)p->g->n_nodes;
    int jobs = lt_jobs();

    for (size_t i = 0; i < (size_t)jobs * n; i++) {
        p->lo[i] = INFINITY;
        p->hi[i] = -INFINITY;
    }
    LT_TRY(lt_exec_images(p->g, d, 0, images, "calibration: ranges", range_pass, p, err));
    merge_ranges(p, jobs, images);
    for (size_t i = 0; i < n; i++)
        if (!isfinite(magnitude(&p->c->t[i])))
            return lt_fail(err, LT_EINPUT, "%s: values overflow on the calibration images", p->g->nodes[i].name);
    LT_TRY(lt_exec_images(p->g, d, 0, images, "calibration: histograms", hist_pass, p, err));
    for (size_t i = 0; i < n; i++)
        for (int w = 0; w < jobs; w++)
            for (size_t b = 0; b < LT_HIST_BINS; b++)
                p->c->t[i].hist[b] += p->hist[((size_t)w * n + i) * LT_HIST_BINS + b];
    return LT_OK;
}

lt_code lt_calib_run(lt_calib *c, const lt_graph *g, const lt_dataset *d, int images, lt_err *err)
{
    size_t n = (size_t)g->n_nodes, jobs = (size_t)lt_jobs();
    pass p = {.g = g, .c = c};

    *c = (lt_calib){.n = g->n_nodes, .images = images};
    if (images < 1) return lt_fail(err, LT_EINPUT, "calibration needs at least 1 image, got %d", images);
    p.first = calloc(n, sizeof *p.first);
    c->t = calloc(n, sizeof *c->t);
    bool ok = p.first && c->t;
    for (size_t i = 0; i < n && ok; i++) {
        size_t ch = (size_t)g->nodes[i].shape.c;
        p.first[i] = p.channels;
        p.channels += ch;
        ok = (c->t[i].mean = calloc(ch, sizeof(double))) != NULL;
    }
    p.lo = calloc(jobs * n, sizeof *p.lo);
    p.hi = calloc(jobs * n, sizeof *p.hi);
    p.sums = ok ? calloc((size_t)images * p.channels, sizeof *p.sums) : NULL;
    p.hist = calloc(jobs * n * LT_HIST_BINS, sizeof *p.hist);
    ok = ok && p.lo && p.hi && p.sums && p.hist;
    lt_code rc = ok ? run(&p, d, images, err) : lt_fail(err, LT_EMEM, "%s: out of memory for calibration", g->name);
    free(p.first);
    free(p.lo);
    free(p.hi);
    free(p.sums);
    free(p.hist);
    if (rc != LT_OK) lt_calib_free(c);
    return rc;
}

void lt_calib_free(lt_calib *c)
{
    for (int i = 0; c->t && i < c->n; i++) free(c->t[i].mean);
    free(c->t);
    *c = (lt_calib){0};
}

/* Squared error of rounding and clipping everything in the histogram with this step. */
static double rounding_error(const lt_tensor_stats *t, double step, int top)
{
    double bin = magnitude(t) / LT_HIST_BINS, sum = 0;
    for (int b = 0; b < LT_HIST_BINS; b++) {
        if (!t->hist[b]) continue;
        double v = (b + 0.5) * bin, q = fmin(floor(v / step + 0.5), top), e = v - q * step;
        sum += (double)t->hist[b] * e * e;
    }
    return sum;
}

static double percentile_of(const lt_tensor_stats *t, double percentile)
{
    double want = (double)t->count * percentile / 100.0, seen = 0;
    for (int b = 0; b < LT_HIST_BINS; b++) {
        seen += (double)t->hist[b];
        if (seen >= want) return magnitude(t) * (b + 1) / LT_HIST_BINS;
    }
    return magnitude(t);
}

double lt_calib_scale(const lt_tensor_stats *t, lt_calib_method method, double percentile, int bits, bool is_signed)
{
    int top = is_signed ? (1 << (bits - 1)) - 1 : (1 << bits) - 1;
    double max = magnitude(t), best = max / top;

    if (!(max > 0)) return 1.0;
    if (method == LT_CALIB_PERCENTILE) return percentile_of(t, percentile) / top;
    if (method == LT_CALIB_MSE) {
        double least = rounding_error(t, best, top);
        /* down to 1/64 of the range, where only 64 bins of the histogram are left to judge by */
        for (double step = best * 0.98, end = best / 64; step > end; step *= 0.98) {
            double e = rounding_error(t, step, top);
            if (e < least) {
                least = e;
                best = step;
            }
        }
    }
    return best;
}
