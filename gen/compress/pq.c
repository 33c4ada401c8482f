#include "compress/pq.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/par.h"
#include "compress/encoder_fit.h"
#include "compress/lut_round.h"
#include "compress/pq_entries.h"
#include "compress/pq_samples.h"
#include "compress/tree.h"
#include "golden/mirror.h"
#include "golden/golden.h"

enum { FINEST = 32 }; /* LUT steps per output step, at most */

lt_pq_options lt_pq_defaults(void)
{
    return (lt_pq_options){.mode = QPQ_CHANNEL,
                           .encoder = QENC_TREE,
                           .prototypes = 16,
                           .length = 8,
                           .enc_bits = 8,
                           .lut_bits = 4,
                           .lut = PQ_LUT_LSQ,
                           .feedback = true,
                           .ridge = 1e-4,
                           .iterations = 25,
                           .images = 512,
                           .positions = 64,
                           .seed = 1};
}

static bool matches(const char *pattern, const char *name)
{
    size_t n = strlen(pattern);
    return n && pattern[n - 1] == '*' ? strncmp(pattern, name, n - 1) == 0 : strcmp(pattern, name) == 0;
}

/* Settings of one layer after overrides; false: it stays dense. */
static bool layer_settings(const lt_pq_options *o, const qnet *n, int layer, int *prototypes, int *length)
{
    const qlayer *l = &n->layers[layer];
    int first = -1, last = -1, dense = 0;

    if (l->op != QOP_CONV) return false;
    for (int i = 0; i < n->n_layers; i++) {
        if (n->layers[i].op != QOP_CONV) continue;
        if (first < 0) first = i;
        last = i;
    }
    *prototypes = o->prototypes;
    *length = o->mode == QPQ_SPATIAL ? l->r * l->s : o->length;
    for (int i = 0; i < o->n_overrides; i++) {
        const lt_pq_override *v = &o->override[i];
        if (!matches(v->name, l->name)) continue;
        if (v->dense) dense = v->dense;
        if (v->prototypes) *prototypes = v->prototypes;
        if (v->length && o->mode == QPQ_CHANNEL) *length = v->length;
    }
    if (l->groups > 1 || (o->mode == QPQ_SPATIAL && (l->r != 3 || l->s != 3 || l->dilation != 1))) return false;
    return dense < 0 || (dense == 0 && layer != first && layer != last);
}

/* ---- encoders ---- */

/* The encoder that layer reads its input with: one per tensor in channel mode. -1: there is none yet. */
static int find_encoder(const qnet *n, int tensor, int prototypes, int length)
{
    for (int i = 0; i < n->n_layers; i++) {
        const qlayer *l = &n->layers[i];
        if (l->in != tensor || l->encoder < 0) continue;
        const qencoder *e = &n->encoders[l->encoder];
        if (e->mode == QPQ_CHANNEL && e->prototypes == prototypes && e->length == length) return l->encoder;
    }
    return -1;
}

/* Vectors that codebook cb sees: every tap inside (channel), the window (spatial). v[n][length]; returns n. */
static int gather_vectors(const lt_pq_samples *s, const qencoder *e, int cb, int16_t *v)
{
    int n = 0;
    for (int r = 0; r < s->rows; r++) {
        const int16_t *x = s->x + (size_t)r * (size_t)s->taps * (size_t)s->c;
        if (e->mode == QPQ_SPATIAL) {
            for (int t = 0; t < s->taps; t++) v[n * e->length + t] = x[t * s->c + cb];
            n++;
            continue;
        }
        /* the middle tap is a plain sample of the tensor; others would repeat pixels */
        int t = s->taps / 2;
        if (!s->inside[(size_t)r * (size_t)s->taps + (size_t)t]) continue;
        for (int j = 0; j < e->length; j++) {
            int c = cb * e->length + j;
            v[n * e->length + j] = c < s->c ? x[t * s->c + c] : 0;
        }
        n++;
    }
    return n;
}

typedef struct {
    const lt_pq_options *o;
    const lt_pq_samples *s;
    const qtensor *t;
    qencoder *e;
    float *means; /* [codebooks][K][L] in full integers, or NULL */
    lt_code *rc;  /* per codebook */
    lt_err *err;  /* per codebook */
    bool refit;   /* fit the encoder, not only the means */
} encoder_pass;

static void fit_codebook(void *ctx, size_t cb, int worker)
{
    encoder_pass *p = ctx;
    qencoder *e = p->e;
    size_t rows = (size_t)p->s->rows;
    int16_t *v = malloc(rows * (size_t)e->length * sizeof *v);
    uint8_t *codes = malloc(rows);
    (void)worker;

    p->rc[cb] = v && codes ? LT_OK : lt_fail(&p->err[cb], LT_EMEM, "out of memory");
    int n = p->rc[cb] == LT_OK ? gather_vectors(p->s, e, (int)cb, v) : 0;
    if (p->rc[cb] == LT_OK && n == 0) p->rc[cb] = lt_fail(&p->err[cb], LT_EINPUT, "no samples to fit an encoder to");
    if (p->rc[cb] == LT_OK && p->refit)
        p->rc[cb] = lt_encoder_fit(e, p->t, (int)cb, v, n, p->o->mirror, p->o->iterations, p->o->seed * 1000003 + cb,
                                   codes, &p->err[cb]);
    else
        for (int i = 0; i < n; i++) codes[i] = (uint8_t)golden_encode(e, (int)cb, v + (size_t)i * (size_t)e->length);
    if (p->rc[cb] == LT_OK && p->means)
        p->rc[cb] = lt_encoder_means(e, (int)cb, v, codes, n, p->means + cb * (size_t)e->prototypes * (size_t)e->length,
                                     &p->err[cb]);
    free(v);
    free(codes);
}

static lt_code fit_encoder(const lt_pq_options *o, const lt_pq_samples *s, const qtensor *t, qencoder *e, bool refit,
                           float *means, lt_err *err)
{
    size_t n = (size_t)e->codebooks;
    encoder_pass p = {o, s, t, e, means, calloc(n, sizeof(lt_code)), calloc(n, sizeof(lt_err)), refit};
    lt_code rc = p.rc && p.err ? LT_OK : lt_fail(err, LT_EMEM, "out of memory");

    if (rc == LT_OK) lt_parallel_for(n, fit_codebook, &p);
    for (size_t i = 0; i < n && rc == LT_OK; i++)
        if (p.rc[i] != LT_OK) rc = lt_fail(err, p.rc[i], "%s", p.err[i].msg);
    free(p.rc);
    free(p.err);
    return rc;
}

/* ---- tables ---- */

/* Entry = dot product of a code's mean vector with the float weights; mirrored, of half its way from the mean vector of
 * the opposite code. */
static void product_table(const lt_prep *p, const qlayer *l, int node, const qencoder *e, int taps, bool mirror,
                          const float *means, float *table, float *bias)
{
    const lt_node *nd = &p->graph.nodes[node];
    const qtensor *in = &p->net.tensors[l->in];
    int rs = l->r * l->s, n = mirror ? e->prototypes / 2 : e->prototypes;
    float *row = table;

    for (int k = 0; k < l->k; k++) bias[k] = nd->bias ? nd->bias[k] : 0;
    for (int cb = 0; cb < e->codebooks; cb++) {
        for (int tap = 0; tap < taps; tap++) {
            for (int code = 0; code < n; code++, row += l->k) {
                const float *book = means + (size_t)(cb * e->prototypes * e->length), *m = book + code * e->length;
                const float *opposite = book + (e->prototypes - 1 - code) * e->length;
                for (int k = 0; k < l->k; k++) {
                    double sum = 0;
                    for (int j = 0; j < e->length; j++) {
                        int c = e->mode == QPQ_SPATIAL ? cb : cb * e->length + j;
                        int t = e->mode == QPQ_SPATIAL ? j : tap;
                        if (c < in->c)
                            sum +=
                                (double)nd->weight[((size_t)k * (size_t)in->c + (size_t)c) * (size_t)rs + (size_t)t] *
                                (mirror ? (m[j] - opposite[j]) / 2 : m[j]);
                    }
                    row[k] = (float)(sum * in->scale);
                }
            }
        }
    }
}

static double res_ratio(const lt_prep *p, const qlayer *l)
{
    return l->res >= 0 ? p->net.tensors[l->res].scale / p->net.tensors[l->out].scale : 0;
}

/* Makes each table's scale a multiple of what one step of the multiplier is worth: the multiplier then has no error. */
typedef struct {
    const lt_prep *p;
    const qlayer *l;
    int mult_bits;
} multiplier;

static lt_code snap_scales(void *ctx, float *scale, lt_err *err)
{
    const multiplier *m = ctx;
    const lt_prep *p = m->p;
    (void)err;
    const qlayer *l = m->l;
    double out = p->net.tensors[l->out].scale, top = 0;
    for (int k = 0; k < l->k; k++) top = fmax(top, (double)scale[k] / out);
    int shift = lt_quant_shift(top, res_ratio(p, l), m->mult_bits);
    double step = ldexp(out, -shift);
    for (int k = 0; k < l->k && shift >= 0; k++)
        scale[k] = (float)(step * fmax(floor((double)scale[k] / step + 0.5), 1));
    return LT_OK;
}

static lt_code install(lt_prep *p, qlayer *l, int encoder, int8_t *q, const float *scale, const float *bias,
                       int lut_bits, int mult_bits, lt_err *err)
{
    const qtensor *out = &p->net.tensors[l->out];
    double *real = malloc((size_t)l->k * sizeof *real);
    if (!real) return lt_fail(err, LT_EMEM, "out of memory");
    for (int k = 0; k < l->k; k++) real[k] = scale[k] / out->scale;
    free(l->w);
    l->w = NULL;
    l->lut = q;
    l->encoder = encoder;
    l->lut_bits = lut_bits;
    lt_code rc = lt_quant_requant(l, real, res_ratio(p, l), mult_bits, err);
    /* the multiplier as it was rounded brings the bias back to the output's scale */
    for (int k = 0; k < l->k && rc == LT_OK; k++)
        l->bias[k] = (int32_t)lround(bias[k] / (out->scale * ldexp(l->mult[k], -l->shift)));
    free(real);
    return rc;
}

typedef struct {
    int32_t *idx;
    float *table, *bias, *scale, *means;
    double *normal;
    int8_t *q;
} scratch;

static void scratch_free(scratch *w)
{
    free(w->idx);
    free(w->table);
    free(w->bias);
    free(w->scale);
    free(w->means);
    free(w->normal);
    free(w->q);
}

static lt_code fit_tables(lt_prep *p, const lt_pq_options *o, lt_pq_samples *s, int encoder, scratch *w, int mult_bits,
                          lt_pq_result *result, lt_err *err)
{
    qlayer *l = &p->net.layers[s->layer];
    const qencoder *e = &p->net.encoders[encoder];
    int taps = e->mode == QPQ_SPATIAL ? 1 : s->taps, active = e->codebooks * taps;
    size_t entries = (size_t)lt_pq_entries(e, taps, o->mirror);
    bool solve = o->lut == PQ_LUT_LSQ;
    double mse, variance;

    w->idx = malloc((size_t)s->rows * (size_t)active * sizeof *w->idx);
    w->table = malloc(entries * (size_t)l->k * sizeof *w->table);
    w->bias = malloc((size_t)l->k * sizeof *w->bias);
    w->scale = malloc((size_t)l->k * sizeof *w->scale);
    w->q = malloc(entries * (size_t)l->k);
    w->normal = solve && o->feedback ? malloc(entries * entries * sizeof *w->normal) : NULL;
    if (!w->idx || !w->table || !w->bias || !w->scale || !w->q || (solve && o->feedback && !w->normal))
        return lt_fail(err, LT_EMEM, "out of memory");
    lt_pq_looked_up(s, e, taps, o->mirror, w->idx);
    lt_lut_samples ls = {s->rows, active, (int)entries, l->k, w->idx, s->y, o->mirror};
    if (solve)
        LT_TRY(lt_lut_solve(&ls, o->ridge, w->table, w->bias, w->normal, err));
    else
        product_table(p, l, s->layer + 1, e, taps, o->mirror, w->means, w->table, w->bias);
    /* a table that moves the output by less than this per entry needs no finer one, and its multiplier would be too
     * small */
    multiplier m = {p, l, mult_bits};
    lt_lut_scaling to = {(float)p->net.tensors[l->out].scale / FINEST, snap_scales, &m};
    LT_TRY(lt_lut_round(&ls, w->table, w->normal, o->lut_bits, &to, w->q, w->scale, w->bias, err));
    lt_lut_error(&ls, w->q, w->scale, w->bias, &mse, &variance);
    *result = (lt_pq_result){s->layer, e->codebooks, e->prototypes, e->length, variance > 0 ? mse / variance : 0};
    int8_t *q = w->q;
    w->q = NULL; /* the layer's from here on */
    if (o->mirror) {
        int8_t *half = q;
        q = qlut_mirrored(half, active, e->prototypes, l->k);
        free(half);
        if (!q) return lt_fail(err, LT_EMEM, "out of memory");
    }
    return install(p, l, encoder, q, w->scale, w->bias, o->lut_bits, mult_bits, err);
}

/* ---- one layer, all layers ---- */

static lt_code new_encoder(qnet *n, const qencoder *e, int *id, lt_err *err)
{
    qencoder *grown = realloc(n->encoders, (size_t)(n->n_encoders + 1) * sizeof *grown);
    if (!grown) return lt_fail(err, LT_EMEM, "out of memory");
    n->encoders = grown;
    *id = n->n_encoders;
    grown[n->n_encoders++] = *e;
    return lt_encoder_alloc(&grown[*id], err);
}

static lt_code fit_layer(lt_prep *p, const lt_pq_options *o, lt_pq_samples *s, int prototypes, int length,
                         int mult_bits, lt_pq_result *result, lt_err *err)
{
    const qlayer *l = &p->net.layers[s->layer];
    const qtensor *in = &p->net.tensors[l->in];
    bool spatial = o->mode == QPQ_SPATIAL;
    int id = spatial ? -1 : find_encoder(&p->net, l->in, prototypes, length);
    bool refit = id < 0;
    scratch w = {0};

    LT_TRY(lt_pq_sample_inputs(p, s, err));
    if (refit) {
        qencoder e = {.mode = o->mode,
                      .encoder = o->encoder,
                      .prototypes = prototypes,
                      .length = length,
                      .codebooks = spatial ? in->c : (in->c + length - 1) / length,
                      .enc_bits = o->enc_bits,
                      .r = spatial ? l->r : 1,
                      .s = spatial ? l->s : 1};
        LT_TRY(new_encoder(&p->net, &e, &id, err));
    }
    qencoder *e = &p->net.encoders[id];
    lt_code rc = LT_OK;
    if (o->lut == PQ_LUT_PRODUCTS) {
        w.means = malloc((size_t)e->codebooks * (size_t)prototypes * (size_t)length * sizeof *w.means);
        if (!w.means) rc = lt_fail(err, LT_EMEM, "out of memory");
    }
    if (rc == LT_OK && (refit || w.means)) rc = fit_encoder(o, s, in, e, refit, w.means, err);
    if (rc == LT_OK) rc = fit_tables(p, o, s, id, &w, mult_bits, result, err);
    scratch_free(&w);
    return rc == LT_OK ? rc : lt_wrap(err, "layer %s", l->name);
}

static lt_code check_mirror(const lt_pq_options *o, lt_err *err)
{
    if (o->mode == QPQ_CHANNEL && o->encoder == QENC_TREE && lt_tree_can_mirror(o->prototypes, o->length)) return LT_OK;
    return lt_fail(err, LT_EINPUT,
                   "mirrored tables are fitted for channel mode, a tree and 2^length prototypes or more: got "
                   "%d prototypes of length %d",
                   o->prototypes, o->length);
}

lt_code lt_pq_fit(lt_prep *p, const lt_pq_options *o, int acc_bits, int mult_bits, lt_pq_result *results,
                  int *n_results, lt_err *err)
{
    int n = 0, images = o->images < p->calib_data.n ? o->images : p->calib_data.n;
    int *layers = malloc((size_t)p->net.n_layers * sizeof *layers), prototypes, length;
    lt_pq_samples *s = calloc((size_t)p->net.n_layers, sizeof *s);
    lt_code rc = layers && s ? LT_OK : lt_fail(err, LT_EMEM, "out of memory");

    *n_results = 0;
    if (rc == LT_OK && o->mirror) rc = check_mirror(o, err);
    for (int i = 0; rc == LT_OK && i < p->net.n_layers; i++)
        if (layer_settings(o, &p->net, i, &prototypes, &length)) layers[n++] = i;
    if (rc == LT_OK) rc = lt_pq_sample_places(p, layers, n, images, o->positions, o->seed, s, err);
    if (rc == LT_OK) rc = lt_pq_sample_outputs(p, n, images, s, err);
    for (int i = 0; rc == LT_OK && i < n; i++) {
        layer_settings(o, &p->net, layers[i], &prototypes, &length);
        rc = fit_layer(p, o, &s[i], prototypes, length, mult_bits, &results[*n_results], err);
        if (rc == LT_OK) ++*n_results;
        lt_pq_samples_free(&s[i]);
    }
    for (int i = 0; s && i < n; i++) lt_pq_samples_free(&s[i]);
    free(layers);
    free(s);
    return rc == LT_OK ? lt_quant_check(&p->net, acc_bits, err) : rc;
}
