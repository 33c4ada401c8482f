#include "train/products.h"

#include <stdlib.h>
#include <string.h>

#include "train/encode_internal.h"

enum { DECODE, PARAMS = 1 + ENC_PARAMS };

typedef struct {
    float *x, *g; /* [channels + 1] planes of one image */
    float *sums;  /* [codes][length][LK_LANES] */
} scratch;

typedef struct {
    const lt_layer *conv;
    lt_encoder *e;
    bool owner, started;
    int px, c;
    size_t plane, n; /* floats of a plane; values of all vectors */
    uint8_t *code;   /* [batch][codebooks][plane] */
    float *part;     /* [chunks][n] gradient of the vectors */
    scratch *s;      /* [workers] */
    lt_param params[PARAMS];
} products;

static uint8_t *codes_of(const products *p, int image)
{
    return p->code + (size_t)image * (size_t)p->e->e.codebooks * p->plane;
}

/* Planes of codebook cb; beyond the last channel all share one. */
static void planes(const products *p, float *all, int cb, float **at)
{
    int length = p->e->e.length;
    for (int j = 0; j < length; j++) {
        int c = cb * length + j < p->c ? cb * length + j : p->c;
        at[j] = all + (size_t)c * p->plane;
    }
}

static float unit(const products *p)
{
    return p->e->step[0] * (float)(1 << p->e->drop);
}

static void forward(void *ctx, const lt_chunk *c, const float *x, float *y, size_t size)
{
    products *p = ctx;
    const lk_vec *vec = p->e->vec;
    scratch *s = &p->s[c->worker];
    int length = p->e->e.length, k = p->e->e.prototypes;
    bool measure = p->owner && enc_measures(p->e, c->pass->mode) && !(p->started && c->pass->mode != LT_MODE_TRAIN);
    float *at[LK_MAX_LENGTH];

    for (int i = 0; i < c->n; i++, x += size, y += size) {
        uint8_t *code = codes_of(p, c->first + i);
        vec->to_planes(x, p->px, p->c, 1 / p->e->step[0], p->e->drop, s->x, p->plane);
        for (int cb = 0; cb < p->e->e.codebooks; cb++, code += p->plane) {
            lk_book b = enc_book(p->e, cb);
            const float *const *in = (const float *const *)at;
            planes(p, s->x, cb, at);
            vec->encode(&b, in, p->px, code);
            for (int q = 0; q < p->px && measure && (i == 0 || c->pass->mode != LT_MODE_TRAIN); q++)
                enc_measure(p->e, c->index, cb, code[q], in, q);
            vec->decode(p->params[DECODE].value + cb * k * length, k, length, p->e->full, code, p->px, at);
        }
        vec->from_planes(s->x, p->plane, p->px, p->c, unit(p), false, y);
    }
}

static void backward(void *ctx, const lt_chunk *c, const float *x, const float *gy, float *gx, size_t size)
{
    products *p = ctx;
    const lk_vec *vec = p->e->vec;
    scratch *s = &p->s[c->worker];
    int length = p->e->e.length, k = p->e->e.prototypes;
    float *part = p->part + (size_t)c->index * p->n, *at[LK_MAX_LENGTH], scale = unit(p) * p->e->full;
    (void)x;

    memset(part, 0, p->n * sizeof *part);
    for (int i = 0; i < c->n; i++) {
        const uint8_t *code = codes_of(p, c->first + i);
        vec->transpose(gy + (size_t)i * size, p->px, p->c, s->g, p->plane);
        for (int cb = 0; cb < p->e->e.codebooks; cb++, code += p->plane) {
            planes(p, s->g, cb, at);
            memset(s->sums, 0, (size_t)(k * length * LK_LANES) * sizeof *s->sums);
            vec->decode_back((const float *const *)at, k, length, code, p->px, s->sums);
            for (int v = 0; v < k * length; v++)
                for (int l = 0; l < LK_LANES; l++) part[cb * k * length + v] += scale * s->sums[v * LK_LANES + l];
        }
    }
    memcpy(gx, gy, (size_t)c->n * size * sizeof *gx);
}

static void finish(void *ctx, const lt_pass *pass)
{
    products *p = ctx;
    float *g = p->params[DECODE].grad;
    memcpy(g, p->part, p->n * sizeof *g);
    for (int c = 1; c < pass->chunks; c++) p->e->env->vec->add(g, p->part + (size_t)c * p->n, p->n);
    if (p->owner && enc_measures(p->e, pass->mode)) enc_measured(p->e, pass->mode);
}

static void free_products(void *ctx)
{
    products *p = ctx;
    for (int i = 0; p->s && i < p->conv->env->workers; i++) {
        free(p->s[i].x);
        free(p->s[i].g);
        free(p->s[i].sums);
    }
    free(p->s);
    free(p->code);
    free(p->part);
    lt_param_free(&p->params[DECODE]);
    if (p->owner) lt_encoder_free(p->e);
    free(p);
}

static lt_code build(products *p, lt_err *err)
{
    const lt_env *env = p->e->env;
    const qencoder *e = &p->e->e;
    lt_shape in = p->conv->in->s;
    size_t values = (size_t)(e->prototypes * e->length);

    if (e->mode != QPQ_CHANNEL)
        return lt_fail(err, LT_EINPUT, "%s: tables of products need channel mode", p->conv->name);
    p->px = in.h * in.w;
    p->c = in.c;
    p->plane = (size_t)(p->px + 2 * LK_BLOCK) / LK_BLOCK * LK_BLOCK;
    p->n = (size_t)e->codebooks * values;
    LT_TRY(lt_param_make(&p->params[DECODE], p->conv->name, "decode", p->n, env->train, err));
    for (size_t i = 0; i < p->n; i++) p->params[DECODE].value[i] = p->e->mean[i] / p->e->full;
    p->code = calloc((size_t)env->batch * (size_t)e->codebooks, p->plane);
    p->part = lt_aligned((size_t)env->chunks * p->n * sizeof(float));
    p->s = calloc((size_t)env->workers, sizeof *p->s);
    bool ok = p->code && p->part && p->s;
    for (int i = 0; ok && i < env->workers; i++) {
        p->s[i].x = lt_aligned((size_t)(p->c + 1) * p->plane * sizeof(float));
        p->s[i].g = lt_aligned((size_t)(p->c + 1) * p->plane * sizeof(float));
        p->s[i].sums = lt_aligned(values * LK_LANES * sizeof(float));
        ok = p->s[i].x && p->s[i].g && p->s[i].sums;
    }
    return ok ? LT_OK : lt_fail(err, LT_EMEM, "%s: out of memory", p->conv->name);
}

lt_code lt_products_attach(lt_layer *conv, lt_encoder *e, lt_err *err)
{
    products *p = calloc(1, sizeof *p);

    if (!p) return lt_fail(err, LT_EMEM, "out of memory");
    p->conv = conv;
    p->e = e;
    lt_code rc = build(p, err);
    if (rc == LT_OK) rc = enc_add_reader(e, conv, NULL, 0, err);
    if (rc != LT_OK) {
        free_products(p);
        return rc;
    }
    p->owner = e->n_readers == 1;
    if (p->owner) {
        memcpy(p->params + 1, e->own, sizeof e->own);
        e->params = p->params + 1;
    }
    lt_input_hook h = {p, forward, backward, finish, p->owner ? PARAMS : 1, p->params, free_products};
    return lt_conv_set_input_hook(conv, &h, err);
}

static products *of(const lt_layer *conv)
{
    return lt_conv_input_hook(conv)->ctx;
}

void lt_products_start(lt_layer *conv)
{
    products *p = of(conv);
    if (p->owner && p->e->e.encoder == QENC_TREE) enc_measured(p->e, LT_MODE_CALIBRATE);
    p->started = true;
    for (size_t i = 0; i < p->n; i++) p->params[DECODE].value[i] = p->e->mean[i] / p->e->full;
}

void lt_products_tables(const lt_layer *conv, const float *weights, int taps, float *table)
{
    const products *p = of(conv);
    const qencoder *e = &p->e->e;
    int outs = conv->out->s.c;
    float scale = unit(p) * p->e->full;

    for (int cb = 0; cb < e->codebooks; cb++)
        for (int tap = 0; tap < taps; tap++)
            for (int k = 0; k < e->prototypes; k++, table += outs) {
                const float *v = p->params[DECODE].value + (cb * e->prototypes + k) * e->length;
                for (int o = 0; o < outs; o++) {
                    float sum = 0;
                    for (int j = 0; j < e->length && cb * e->length + j < p->c; j++)
                        sum += v[j] * weights[(o * p->c + cb * e->length + j) * taps + tap];
                    table[o] = sum * scale;
                }
            }
}
