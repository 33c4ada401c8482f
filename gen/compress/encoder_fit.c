#include "compress/encoder_fit.h"

#include <math.h>
#include <stdlib.h>

#include "base/bits.h"
#include "compress/kmeans.h"
#include "compress/tree.h"
#include "golden/golden.h"

lt_code lt_encoder_alloc(qencoder *e, lt_err *err)
{
    size_t cbs = (size_t)e->codebooks, k = (size_t)e->prototypes;
    e->proto = NULL;
    e->dim = NULL;
    e->thresh = NULL;
    if (e->encoder == QENC_TREE) {
        e->dim = calloc(cbs * (size_t)lt_clog2(e->prototypes), sizeof *e->dim);
        e->thresh = calloc(cbs * (k - 1), sizeof *e->thresh);
    } else {
        e->proto = calloc(cbs * k * (size_t)e->length, sizeof *e->proto);
    }
    return (e->proto || (e->dim && e->thresh)) ? LT_OK : lt_fail(err, LT_EMEM, "out of memory");
}

static int drop(const qencoder *e, int v)
{
    return v >> (8 - e->enc_bits);
}

static lt_code fit_prototypes(qencoder *e, const qtensor *t, int cb, const int16_t *x, int n, int iterations,
                              uint64_t seed, lt_err *err)
{
    int d = e->length, k = e->prototypes;
    size_t values = (size_t)n * (size_t)d;
    float *f = malloc(values * sizeof *f), *c = malloc((size_t)k * (size_t)d * sizeof *c);
    int *assign = malloc((size_t)n * sizeof *assign);
    lt_code rc = LT_EMEM;

    if (f && c && assign) {
        for (size_t i = 0; i < values; i++) f[i] = (float)drop(e, x[i]);
        rc = lt_kmeans(f, n, d, k, e->encoder == QENC_L1 ? KM_L1 : KM_L2, iterations, seed, c, assign, NULL, err);
    } else {
        lt_fail(err, LT_EMEM, "out of memory");
    }
    int lo = drop(e, qtensor_min(t)), hi = drop(e, qtensor_max(t));
    for (int i = 0; rc == LT_OK && i < k * d; i++) {
        int v = (int)lrintf(c[i]);
        e->proto[(size_t)cb * (size_t)(k * d) + (size_t)i] = (int16_t)(v < lo ? lo : v > hi ? hi : v);
    }
    free(f);
    free(c);
    free(assign);
    return rc;
}

static lt_code fit_tree(qencoder *e, const qtensor *t, int cb, const int16_t *x, int n, bool mirrored, lt_err *err)
{
    size_t values = (size_t)n * (size_t)e->length;
    int depth = lt_clog2(e->prototypes);
    int16_t *low = malloc(values * sizeof *low);

    if (!low) return lt_fail(err, LT_EMEM, "out of memory");
    for (size_t i = 0; i < values; i++) low[i] = (int16_t)drop(e, x[i]);
    int lo = drop(e, qtensor_min(t)), hi = drop(e, qtensor_max(t));
    uint16_t *dim = e->dim + (size_t)cb * (size_t)depth;
    int16_t *thresh = e->thresh + (size_t)cb * (size_t)(e->prototypes - 1);
    lt_code rc = mirrored ? lt_tree_fit_mirrored(low, n, e->length, e->prototypes, lo, hi, dim, thresh, err)
                          : lt_tree_fit(low, n, e->length, depth, hi + 1, dim, thresh, err);
    free(low);
    return rc;
}

lt_code lt_encoder_fit(qencoder *e, const qtensor *t, int cb, const int16_t *x, int n, bool mirrored, int iterations,
                       uint64_t seed, uint8_t *codes, lt_err *err)
{
    if (e->encoder == QENC_TREE)
        LT_TRY(fit_tree(e, t, cb, x, n, mirrored, err));
    else
        LT_TRY(fit_prototypes(e, t, cb, x, n, iterations, seed, err));
    for (int i = 0; codes && i < n; i++) codes[i] = (uint8_t)golden_encode(e, cb, x + (size_t)i * (size_t)e->length);
    return LT_OK;
}

lt_code lt_encoder_means(const qencoder *e, int cb, const int16_t *x, const uint8_t *codes, int n, float *proto,
                         lt_err *err)
{
    int d = e->length, k = e->prototypes;
    double *sum = calloc((size_t)(k + 1) * (size_t)d, sizeof *sum);
    int *count = calloc((size_t)k, sizeof *count);

    if (!sum || !count) {
        free(sum);
        free(count);
        return lt_fail(err, LT_EMEM, "out of memory");
    }
    for (int i = 0; i < n; i++) {
        count[codes[i]]++;
        for (int j = 0; j < d; j++) {
            double v = x[(size_t)i * (size_t)d + (size_t)j];
            sum[codes[i] * d + j] += v;
            sum[k * d + j] += v;
        }
    }
    int half = e->enc_bits < 8 ? 1 << (7 - e->enc_bits) : 0;
    for (int c = 0; c < k; c++) {
        for (int j = 0; j < d; j++) {
            float *p = &proto[c * d + j];
            if (count[c])
                *p = (float)(sum[c * d + j] / count[c]);
            else if (e->proto)
                *p = (float)(e->proto[((size_t)cb * (size_t)k + (size_t)c) * (size_t)d + (size_t)j] *
                                 (1 << (8 - e->enc_bits)) +
                             half);
            else
                *p = (float)(sum[k * d + j] / n);
        }
    }
    free(sum);
    free(count);
    return LT_OK;
}
