/* The encoder of encode.h: parameters and constants. */
#include "base/bits.h"
#include "train/encode_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golden/golden.h"
#include "train/round.h"

lk_book enc_book(const lt_encoder *n, int cb)
{
    const qencoder *e = &n->e;
    size_t c = (size_t)cb;
    return (lk_book){.kind = e->encoder,
                     .length = e->length,
                     .codes = e->prototypes,
                     .depth = n->depth,
                     .hard = n->hard + c * n->book,
                     .soft = n->soft + c * n->book,
                     .dim = e->dim ? e->dim + cb * n->depth : NULL,
                     .width = n->width + cb * (n->depth + 1),
                     .temperature = n->params[ENC_TEMPERATURE].value[0]};
}

static void slopes(lt_encoder *n)
{
    const qencoder *e = &n->e;
    size_t lk = (size_t)(e->length * e->prototypes);
    for (size_t cb = 0; cb < (size_t)e->codebooks; cb++) {
        float *mean = n->mean + cb * lk;
        if (e->encoder != QENC_TREE) memcpy(mean, n->hard + cb * lk, lk * sizeof *mean);
        enc_slope(mean, e->prototypes, e->length, n->slope + cb * lk, n->scratch);
    }
}

/* Thresholds of `never` and above lie at hi + 1. */
void enc_load(lt_encoder *n, lt_mode mode)
{
    float hi = n->e.encoder == QENC_TREE ? n->hi + 1 : n->hi;
    for (size_t i = 0; i < n->n; i++) {
        n->soft[i] = n->params[ENC_TABLE].value[i] * n->full;
        n->hard[i] = lt_round_clip(n->soft[i], n->lo, hi);
    }
    if (mode == LT_MODE_TRAIN && n->o.assign == LT_ASSIGN_HARD) slopes(n);
}

static void widths(lt_encoder *n)
{
    size_t lk = (size_t)(n->e.length * n->e.prototypes);
    for (int cb = 0; cb < n->e.codebooks; cb++) {
        lk_book b = enc_book(n, cb);
        enc_width(&b, n->mean + (size_t)cb * lk, n->width + cb * (n->depth + 1));
    }
}

void enc_measure(lt_encoder *n, int chunk, int cb, int code, const float *const *x, int at)
{
    int d = n->e.length + 1;
    double *s =
        n->sums + ((size_t)chunk * (size_t)n->e.codebooks + (size_t)cb) * (size_t)(n->e.prototypes * d) + code * d;
    s[0] += 1;
    for (int j = 1; j < d; j++) s[j] += (double)x[j - 1][at];
}

bool enc_measures(const lt_encoder *n, lt_mode mode)
{
    return (mode == LT_MODE_CALIBRATE && n->e.encoder == QENC_TREE) || (mode == LT_MODE_TRAIN && n->o.follow > 0);
}

/* The edge of a node goes to the middle between the nearest leaves on its two sides, as in a scalar quantiser of least
 * error (Lloyd 1982); sums as in lt_encoder, of this codebook. */
static void follow_edges(lt_encoder *n, int cb, const double *sums)
{
    const qencoder *e = &n->e;
    const float *mean = n->mean + cb * e->prototypes * e->length;
    for (int level = 0, node = 0; level < n->depth; level++)
        for (int i = 0; i < 1 << level; i++, node++) {
            int leaves = e->prototypes >> level, j = e->dim[cb * n->depth + level];
            float side[2] = {-INFINITY, INFINITY},
                  *edge = &n->params[ENC_TABLE].value[(size_t)cb * n->book + (size_t)node];
            for (int leaf = i * leaves; leaf < (i + 1) * leaves; leaf++) {
                bool right = leaf - i * leaves >= leaves / 2;
                if (sums[leaf * (e->length + 1)] == 0) continue;
                float v = mean[leaf * e->length + j];
                side[right] = right ? fminf(side[1], v) : fmaxf(side[0], v);
            }
            if (side[0] > -INFINITY && side[1] < INFINITY)
                *edge += n->o.follow * (((side[0] + side[1] + 1) / 2) / n->full - *edge);
        }
}

void enc_measured(lt_encoder *n, lt_mode mode)
{
    bool tree = n->e.encoder == QENC_TREE, train = mode == LT_MODE_TRAIN;
    int d = n->e.length + 1;
    size_t book = (size_t)(n->e.prototypes * d), per = (size_t)n->e.codebooks * book;

    for (int c = 1; c < n->env->chunks; c++) {
        double *from = n->sums + (size_t)c * per;
        for (size_t i = 0; i < per; i++) n->sums[i] += from[i];
        memset(from, 0, per * sizeof *from);
    }
    for (size_t i = 0; i < per && !train; i++) n->calibrated[i] += n->sums[i];
    for (int k = 0; k < n->e.codebooks * n->e.prototypes; k++) {
        const double *s = (train ? n->sums : n->calibrated) + (size_t)(k * d);
        float *mean = n->mean + k * n->e.length, *proto = n->params[ENC_TABLE].value + k * n->e.length;
        for (int j = 1; j < d && s[0] > 0; j++) {
            float v = (float)(s[j] / s[0]);
            if (!train)
                mean[j - 1] = v;
            else if (tree)
                mean[j - 1] += n->o.follow * (v - mean[j - 1]);
            else
                proto[j - 1] += n->o.follow * (v / n->full - proto[j - 1]);
        }
    }
    for (int cb = 0; cb < n->e.codebooks && train && tree; cb++) follow_edges(n, cb, n->sums + (size_t)cb * book);
    memset(n->sums, 0, per * sizeof *n->sums);
    if (!train) widths(n);
}

void enc_finish(lt_encoder *n, const lt_pass *p)
{
    float *t = n->params[ENC_TABLE].grad, *s = n->params[ENC_TEMPERATURE].grad;
    if (t) memset(t, 0, n->n * sizeof *t);
    if (s) *s = 0;
    for (int r = 0; r < n->n_readers; r++)
        for (int c = 0; c < p->chunks; c++) {
            const float *part = n->readers[r].part + (size_t)c * n->readers[r].pitch;
            for (size_t i = 0; t && i < n->n; i++) t[i] += part[i] * n->full;
            if (s) *s += part[n->n];
        }
}

lt_code enc_add_reader(lt_encoder *n, const lt_layer *l, const float *part, size_t pitch, lt_err *err)
{
    struct reader *r = realloc(n->readers, (size_t)(n->n_readers + 1) * sizeof *r);
    if (!r) return lt_fail(err, LT_EMEM, "%s: out of memory", l->name);
    n->readers = r;
    r[n->n_readers++] = (struct reader){l, part, pitch};
    return LT_OK;
}

lt_param *lt_encoder_params(lt_encoder *n, int *count)
{
    *count = ENC_PARAMS;
    return n->params;
}

void lt_encoder_soften(lt_encoder *n, float temperature)
{
    n->params[ENC_TEMPERATURE].value[0] = temperature;
}

void lt_encoder_free(lt_encoder *n)
{
    if (!n) return;
    for (int i = 0; i < ENC_PARAMS; i++) lt_param_free(&n->params[i]);
    free(n->e.dim);
    free(n->hard);
    free(n->soft);
    free(n->calibrated);
    free(n->slope);
    free(n->width);
    free(n->sums);
    free(n->scratch);
    free(n->readers);
    free(n);
}

static lt_code build(lt_encoder *n, const char *name, const qencoder *e, const qtensor *in, const float *means,
                     lt_err *err)
{
    bool tree = e->encoder == QENC_TREE, soft = n->o.assign == LT_ASSIGN_SOFT && n->env->train;
    size_t cbs = (size_t)e->codebooks, lk = (size_t)(e->length * e->prototypes);

    if (e->length > LK_MAX_LENGTH || e->prototypes > LK_MAX_CODES)
        return lt_fail(err, LT_EINPUT, "%s: %d prototypes of %d values, expected at most %d of %d", name, e->prototypes,
                       e->length, LK_MAX_CODES, LK_MAX_LENGTH);
    n->depth = lt_clog2(e->prototypes);
    n->drop = 8 - e->enc_bits;
    n->lo = (float)(qtensor_min(in) >> n->drop);
    n->hi = (float)(qtensor_max(in) >> n->drop);
    n->full = n->hi - n->lo + 1;
    n->book = tree ? (size_t)e->prototypes - 1 : lk;
    n->n = cbs * n->book;
    LT_TRY(lt_param_make(&n->params[ENC_TABLE], name, tree ? "thresh" : "proto", n->n, soft && n->o.learn, err));
    LT_TRY(lt_param_make(&n->params[ENC_TEMPERATURE], name, "temperature", 1, soft && n->o.learn_temperature, err));
    LT_TRY(lt_param_make(&n->params[ENC_MEAN], name, "mean", cbs * lk, false, err));
    n->mean = n->params[ENC_MEAN].value;
    n->params[ENC_TEMPERATURE].value[0] = n->o.temperature;
    n->params[ENC_TEMPERATURE].lo = n->o.temperature / 100;
    n->hard = lt_aligned(n->n * sizeof(float));
    n->soft = lt_aligned(n->n * sizeof(float));
    n->slope = lt_aligned(cbs * lk * sizeof(float));
    n->width = lt_aligned(cbs * (size_t)(n->depth + 1) * sizeof(float));
    n->scratch = lt_aligned((size_t)(e->length * (e->length + 1)) * sizeof(double));
    if (tree) {
        n->e.dim = malloc(cbs * (size_t)n->depth * sizeof *n->e.dim);
    }
    n->sums = lt_aligned((size_t)n->env->chunks * cbs * (lk + (size_t)e->prototypes) * sizeof(double));
    n->calibrated = lt_aligned(cbs * (lk + (size_t)e->prototypes) * sizeof(double));
    if (!n->hard || !n->soft || !n->calibrated || !n->slope || !n->width || !n->scratch || !n->sums ||
        (tree && !n->e.dim))
        return lt_fail(err, LT_EMEM, "%s: out of memory", name);
    if (tree) memcpy(n->e.dim, e->dim, cbs * (size_t)n->depth * sizeof *n->e.dim);
    if (tree) memcpy(n->mean, means, cbs * lk * sizeof *n->mean);
    for (size_t i = 0; i < n->n; i++) {
        float v = (float)(tree ? e->thresh[i] : e->proto[i]);
        n->params[ENC_TABLE].value[i] = fminf(v, n->hi + 1) / n->full;
    }
    enc_load(n, LT_MODE_EVAL);
    slopes(n);
    widths(n);
    return LT_OK;
}

lt_code lt_encoder_create(lt_encoder **out, const char *name, const qencoder *e, const qtensor *in, const float *step,
                          const float *means, const lt_encode_options *o, const lt_env *env, lt_err *err)
{
    lt_encoder *n = *out = calloc(1, sizeof *n);

    if (!n) return lt_fail(err, LT_EMEM, "out of memory");
    n->e = *e;
    n->e.proto = NULL;
    n->e.thresh = NULL;
    n->e.dim = NULL;
    n->o = *o;
    n->env = env;
    n->vec = lk_vec_best();
    n->params = n->own;
    n->step = step;
    lt_code rc = build(n, name, e, in, means, err);
    if (rc != LT_OK) {
        lt_encoder_free(n);
        *out = NULL;
    }
    return rc;
}

void lt_encoder_refresh(lt_encoder *n)
{
    enc_load(n, LT_MODE_EVAL);
}

void lt_encoder_export(lt_encoder *n, qencoder *e)
{
    bool tree = e->encoder == QENC_TREE;
    enc_load(n, LT_MODE_EVAL);
    for (size_t i = 0; i < n->n; i++) (tree ? e->thresh : e->proto)[i] = (int16_t)n->hard[i];
    if (tree) memcpy(e->dim, n->e.dim, (size_t)e->codebooks * (size_t)n->depth * sizeof *e->dim);
}
