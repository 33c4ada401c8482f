/* Learned steps of weights. */
#pragma GCC optimize("O3") /* loops over values: vector code */

#include "train/lsq.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/round.h"

typedef struct {
    lt_lsq_options o;
    size_t k, row; /* output channels, weights of each */
    lt_param step;
    float *used, *per, *sum; /* [k] */
} lsq;

static void forward(void *ctx, const float *w, float *out, size_t n, lt_mode mode)
{
    lsq *q = ctx;
    float lo = (float)q->o.lo, hi = (float)q->o.hi;
    (void)n;
    (void)mode;
    if (q->o.snap)
        q->o.snap(q->o.snap_ctx, q->step.value, q->used);
    else
        memcpy(q->used, q->step.value, q->k * sizeof(float));
    if (q->o.interleaved) {
        for (size_t k = 0; k < q->k; k++) q->per[k] = 1 / q->used[k];
        for (size_t i = 0; i < q->row; i++, w += q->k, out += q->k)
            for (size_t k = 0; k < q->k; k++) out[k] = q->used[k] * lt_round_clip(w[k] * q->per[k], lo, hi);
        return;
    }
    for (size_t k = 0; k < q->k; k++, w += q->row, out += q->row) {
        float s = q->used[k], per = 1 / s;
        for (size_t i = 0; i < q->row; i++) out[i] = s * lt_round_clip(w[i] * per, lo, hi);
    }
}

static void backward(void *ctx, const float *w, const float *g, float *gw, size_t n)
{
    lsq *q = ctx;
    float lo = (float)q->o.lo, hi = (float)q->o.hi;
    double factor = 1 / sqrt((double)q->row * (double)q->o.hi);
    (void)n;
    if (q->o.interleaved) {
        memset(q->sum, 0, q->k * sizeof *q->sum);
        for (size_t i = 0; i < q->row; i++, w += q->k, g += q->k, gw += q->k)
            for (size_t k = 0; k < q->k; k++) {
                float v = w[k] * q->per[k], r = lt_round_clip(v, lo, hi);
                bool in = v >= lo && v <= hi;
                q->sum[k] += g[k] * (in ? r - v : r);
                gw[k] = in ? g[k] : 0;
            }
        for (size_t k = 0; k < q->k; k++) q->step.grad[k] = (float)((double)q->sum[k] * factor);
        return;
    }
    for (size_t k = 0; k < q->k; k++, w += q->row, g += q->row, gw += q->row) {
        float per = 1 / q->used[k];
        double sum = 0;
        for (size_t i = 0; i < q->row; i++) {
            float v = w[i] * per, r = lt_round_clip(v, lo, hi);
            bool in = v >= lo && v <= hi;
            sum += (double)(g[i] * (in ? r - v : r));
            gw[i] = in ? g[i] : 0;
        }
        q->step.grad[k] = (float)(sum * factor);
    }
}

static void free_lsq(void *ctx)
{
    lsq *q = ctx;
    lt_param_free(&q->step);
    free(q->used);
    free(q->per);
    free(q->sum);
    free(q);
}

lt_code lt_lsq_attach(lt_layer *conv, const float *steps, const lt_lsq_options *o, lt_err *err)
{
    lsq *q = calloc(1, sizeof *q);

    if (!q) return lt_fail(err, LT_EMEM, "out of memory");
    q->o = *o;
    q->k = (size_t)conv->out->s.c;
    q->row = conv->params[0].n / q->k;
    q->used = lt_aligned(q->k * sizeof(float));
    q->per = lt_aligned(q->k * sizeof(float));
    q->sum = lt_aligned(q->k * sizeof(float));
    lt_code rc = lt_param_make(&q->step, conv->name, "wstep", q->k, true, err);
    if (rc == LT_OK && (!q->used || !q->per || !q->sum)) rc = lt_fail(err, LT_EMEM, "%s: out of memory", conv->name);
    if (rc != LT_OK) {
        free_lsq(q);
        return rc;
    }
    float least = INFINITY;
    for (size_t k = 0; k < q->k; k++) least = fminf(least, steps[k]);
    memcpy(q->step.value, steps, q->k * sizeof(float));
    q->step.lo = least / 64;
    lt_weight_hook h = {q, forward, backward, 1, &q->step, free_lsq};
    return lt_layer_set_weight_hook(conv, &h, err);
}

static lsq *of(const lt_layer *conv)
{
    const lt_weight_hook *h = lt_layer_weight_hook(conv);
    return h && h->forward == forward ? h->ctx : NULL;
}

lt_param *lt_lsq_steps(const lt_layer *conv)
{
    lsq *q = of(conv);
    return q ? &q->step : NULL;
}

void lt_lsq_integers(const lt_layer *conv, const float *steps, int8_t *w)
{
    const lsq *q = of(conv);
    const float *v = conv->params[0].value;
    float lo = (float)q->o.lo, hi = (float)q->o.hi;
    for (size_t i = 0; i < q->row && q->o.interleaved; i++)
        for (size_t k = 0; k < q->k; k++) *w++ = (int8_t)lt_round_clip(*v++ * (1 / steps[k]), lo, hi);
    for (size_t k = 0; k < q->k && !q->o.interleaved; k++) {
        float per = 1 / steps[k];
        for (size_t i = 0; i < q->row; i++) *w++ = (int8_t)lt_round_clip(*v++ * per, lo, hi);
    }
}
