#include "golden/fast.h"

#include <stdlib.h>
#include <string.h>

#include "golden/fast_internal.h"
#include "golden/golden.h"

/* ---- preparation ---- */

static fast_kind kind_of(const qnet *n, const qlayer *l)
{
    int c = n->tensors[l->in].c;
    switch (l->op) {
    case QOP_MAXPOOL:
        return KIND_MAX;
    case QOP_SUMPOOL:
        return KIND_SUM;
    case QOP_ADD:
        return KIND_COPY;
    default:
        break;
    }
    if (l->encoder >= 0) return n->encoders[l->encoder].mode == QPQ_CHANNEL ? KIND_CHANNEL : KIND_SPATIAL;
    return l->groups > 1 && l->groups == c && l->k == c ? KIND_DEPTHWISE : KIND_GEMM;
}

/* Weight of output k, group-local input c, tap t; 0 outside. */
static int weight(const fast_layer *l, int group, int k, int c, int t)
{
    int cg = l->in->c / l->q->groups, taps = l->q->r * l->q->s;
    if (k >= l->kg || c >= cg) return 0;
    return l->q->w[((size_t)(group * l->kg + k) * (size_t)cg + (size_t)c) * (size_t)taps + (size_t)t];
}

/* [groups][blocks][len / v][16][v]: with v = 4 bytes or 2 shorts one vector load feeds 16 outputs. */
static bool pack_gemm(fast_layer *l, const fast_kernels *kernels)
{
    int bytes = kernels->a_bytes, v = kernels->group ? kernels->group : l->len;
    size_t count = (size_t)l->q->groups * (size_t)l->blocks * (size_t)l->len * FAST_BLOCK, at = 0;
    int8_t *w8 = l->w = malloc(count * (size_t)bytes);
    int16_t *w16 = l->w;

    if (!w8) return false;
    for (int g = 0; g < l->q->groups; g++)
        for (int b = 0; b < l->blocks; b++)
            for (int i = 0; i < l->len; i += v)
                for (int k = 0; k < FAST_BLOCK; k++)
                    for (int j = 0; j < v; j++, at++) {
                        int value = weight(l, g, b * FAST_BLOCK + k, (i + j) % l->cgp, (i + j) / l->cgp);
                        if (bytes == 1)
                            w8[at] = (int8_t)value;
                        else
                            w16[at] = (int16_t)value;
                    }
    return true;
}

static bool pack_depthwise(fast_layer *l)
{
    int taps = l->q->r * l->q->s;
    int16_t *w = l->w = calloc((size_t)taps * (size_t)l->cp, sizeof *w);

    for (int t = 0; w && t < taps; t++)
        for (int c = 0; c < l->in->c; c++) w[t * l->cp + c] = l->q->w[c * taps + t];
    return w != NULL;
}

static bool pack_lut(fast_layer *l)
{
    const qencoder *e = l->e;
    size_t sets = (size_t)e->codebooks * (size_t)(e->mode == QPQ_CHANNEL ? l->q->r * l->q->s : 1);
    size_t rows = sets * (size_t)e->prototypes, k = (size_t)l->q->k;

    l->narrow = 1 << (8 - l->q->lut_bits);
    l->lut = calloc(rows * (size_t)l->lut_k, 1);
    for (size_t r = 0; l->lut && r < rows; r++) memcpy(l->lut + r * (size_t)l->lut_k, l->q->lut + r * k, k);
    if (!l->lut) return false;
    if (e->encoder == QENC_TREE) return fast_tree_parts(e, l->in->is_signed, &l->parts);
    size_t len = (size_t)e->length, p = (size_t)e->prototypes;
    l->proto = malloc((size_t)e->codebooks * len * p * sizeof *l->proto);
    for (size_t cb = 0; l->proto && cb < (size_t)e->codebooks; cb++)
        for (size_t i = 0; i < len; i++)
            for (size_t j = 0; j < p; j++) l->proto[(cb * len + i) * p + j] = e->proto[(cb * p + j) * len + i];
    return l->proto != NULL;
}

/* The offset of 128 on signed activations adds 128 * sum(w) to every accumulator: taken back in the bias. The sum may
 * wrap, as the hardware's does: the end result fits. */
static bool make_bias(fast_layer *l, int bytes)
{
    size_t row = (size_t)(l->in->c / l->q->groups) * (size_t)l->q->r * (size_t)l->q->s;

    l->bias = malloc((size_t)l->q->k * sizeof *l->bias);
    if (!l->bias) return false;
    memcpy(l->bias, l->q->bias, (size_t)l->q->k * sizeof *l->bias);
    if (l->kind != KIND_GEMM || bytes != 1 || !l->in->is_signed) return true;
    for (int k = 0; k < l->q->k; k++) {
        int64_t sum = 0;
        for (size_t i = 0; i < row; i++) sum += l->q->w[(size_t)k * row + i];
        l->bias[k] = (int32_t)((uint32_t)l->bias[k] - (uint32_t)(128 * sum));
    }
    return true;
}

static bool prepare(fast_net *f, int i)
{
    fast_layer *l = &f->layers[i];
    const qlayer *q = l->q = &f->q->layers[i];
    int bytes = f->k->a_bytes, taps = q->r * q->s;

    l->in = &f->q->tensors[q->in];
    l->out = &f->q->tensors[q->out];
    l->res = q->res >= 0 ? &f->q->tensors[q->res] : NULL;
    l->e = q->encoder >= 0 ? &f->q->encoders[q->encoder] : NULL;
    l->kind = kind_of(f->q, q);
    l->cp = fast_round_up(l->in->c, 4);
    l->kp = fast_round_up(q->k, 4);
    l->kg = q->k / q->groups;
    l->blocks = (l->kg + FAST_BLOCK - 1) / FAST_BLOCK;
    l->cgp = fast_round_up(l->in->c / q->groups, 4);
    l->len = taps * l->cgp;
    l->lut_k = fast_round_up(q->k, FAST_BLOCK);
    l->tile = FAST_TILE;
    if (l->kind == KIND_GEMM) {
        int fit = FAST_TILE_BYTES / (l->len * bytes);
        l->tile = fit < 1 ? 1 : fit < FAST_TILE ? fit : FAST_TILE;
        size_t a = (size_t)l->tile * (size_t)l->len * (size_t)bytes;
        if (a > f->a_size) f->a_size = a;
    }
    /* whole blocks, and one more tile for the parts of a grouped convolution */
    size_t acc =
        (size_t)l->tile * (size_t)(fast_round_up(q->k > l->cp ? q->k : l->cp, FAST_BLOCK) + l->blocks * FAST_BLOCK);
    if (acc > f->acc_size) f->acc_size = acc;
    if (l->e) {
        size_t rows = (size_t)l->e->codebooks * (size_t)taps;
        size_t codes = (size_t)l->e->codebooks * (size_t)l->in->h * (size_t)l->in->w;
        if (rows > f->row_count) f->row_count = rows;
        if (codes > f->code_size) f->code_size = codes;
    }
    if (!make_bias(l, bytes)) return false;
    if (l->kind == KIND_GEMM) return pack_gemm(l, f->k);
    if (l->kind == KIND_DEPTHWISE) return pack_depthwise(l);
    return l->e ? pack_lut(l) : true;
}

fast_net *fast_new(const qnet *n, fast_isa isa)
{
    fast_net *f = calloc(1, sizeof *f);
    bool ok = f != NULL;

    if (!ok) return NULL;
    f->q = n;
    f->k = fast_kernels_for(isa);
    f->layers = calloc((size_t)n->n_layers, sizeof *f->layers);
    ok = f->layers != NULL;
    for (int i = 0; i < n->n_layers && ok; i++) ok = prepare(f, i);
    if (ok) return f;
    fast_free(f);
    return NULL;
}

void fast_free(fast_net *f)
{
    if (!f) return;
    for (int i = 0; f->layers && i < f->q->n_layers; i++) {
        free(f->layers[i].w);
        free(f->layers[i].bias);
        free(f->layers[i].lut);
        free(f->layers[i].proto);
        free(f->layers[i].parts);
    }
    free(f->layers);
    free(f);
}

fast_isa fast_isa_used(const fast_net *f)
{
    return f->k->isa;
}

size_t fast_tensor_size(const fast_net *f, int t)
{
    const qtensor *q = &f->q->tensors[t];
    return (size_t)q->h * (size_t)q->w * (size_t)fast_round_up(q->c, 4);
}

fast_work *fast_work_new(const fast_net *f)
{
    size_t tensors = (size_t)f->q->n_tensors, encoders = (size_t)f->q->n_encoders + 1, k = 0;
    fast_work *w = calloc(1, sizeof *w);

    if (!w) return NULL;
    w->f = f;
    for (size_t i = 0; i < tensors; i++)
        if ((size_t)f->q->tensors[i].c > k) k = (size_t)f->q->tensors[i].c;
    w->t = calloc(tensors, sizeof *w->t);
    w->codes = calloc(encoders, sizeof *w->codes);
    w->coded = calloc(encoders, sizeof *w->coded);
    w->acc = malloc(f->acc_size * sizeof *w->acc);
    w->res = calloc(k, sizeof *w->res);
    w->a = malloc(f->a_size + 1);
    w->rows = malloc((f->row_count + 1) * sizeof *w->rows);
    bool ok = w->t && w->codes && w->coded && w->acc && w->res && w->a && w->rows;
    for (size_t i = 0; i < tensors && ok; i++) ok = (w->t[i] = calloc(fast_tensor_size(f, (int)i), 1)) != NULL;
    for (int i = 0; i < f->q->n_encoders && ok; i++)
        if (f->q->encoders[i].mode == QPQ_CHANNEL) ok = (w->codes[i] = malloc(f->code_size)) != NULL;
    if (ok) return w;
    fast_work_free(w);
    return NULL;
}

void fast_work_free(fast_work *w)
{
    if (!w) return;
    for (int i = 0; w->t && i < w->f->q->n_tensors; i++) free(w->t[i]);
    for (int i = 0; w->codes && i < w->f->q->n_encoders; i++) free(w->codes[i]);
    free(w->t);
    free(w->codes);
    free(w->coded);
    free(w->acc);
    free(w->res);
    free(w->a);
    free(w->rows);
    free(w);
}

/* ---- running ---- */

void fast_input(fast_work *w, const uint8_t *image)
{
    const qnet *n = w->f->q;
    int c = n->tensors[0].c, cp = fast_round_up(c, 4), plane = n->tensors[0].h * n->tensors[0].w;

    for (int k = 0; k < c; k++)
        for (int i = 0; i < plane; i++)
            w->t[0][(size_t)i * (size_t)cp + (size_t)k] = (uint8_t)n->input_table[k * 256 + *image++];
}

/* Residual of one output pixel into w->res[K]. */
static const int32_t *residual(fast_work *w, const fast_layer *l, int i)
{
    const qlayer *q = l->q;
    const qtensor *r = l->res;
    int y = i / l->out->w * q->res_step, x = i % l->out->w * q->res_step;
    int n = r->c < q->k - q->res_c_off ? r->c : q->k - q->res_c_off;
    const uint8_t *p = w->t[q->res] + ((size_t)y * (size_t)r->w + (size_t)x) * (size_t)fast_round_up(r->c, 4);

    if (n < q->k) memset(w->res, 0, (size_t)q->k * sizeof *w->res);
    for (int c = 0; c < n; c++) w->res[q->res_c_off + c] = r->is_signed ? (int8_t)p[c] : p[c];
    return w->res;
}

static void run_layer(fast_work *w, const fast_layer *l)
{
    const qlayer *q = l->q;
    int pixels = l->out->h * l->out->w;

    for (int first = 0; first < pixels; first += l->tile) {
        int n = pixels - first < l->tile ? pixels - first : l->tile, stride;
        if (l->kind == KIND_GEMM || l->kind == KIND_DEPTHWISE)
            stride = fast_conv_tile(w, l, first, n);
        else if (l->e)
            stride = fast_pq_tile(w, l, first, n);
        else
            stride = fast_pool_tile(w, l, first, n);
        for (int i = 0; i < n; i++)
            w->f->k->requant(w->acc + (size_t)i * (size_t)stride, l->bias, q->mult,
                             l->res ? residual(w, l, first + i) : NULL, q->k, q->res_mult, q->shift, q->lo, q->hi,
                             w->t[q->out] + (size_t)(first + i) * (size_t)l->kp);
    }
}

void fast_run(fast_work *w, int first, int last)
{
    for (int i = 0; i < w->f->q->n_encoders; i++) w->coded[i] = -1;
    for (int i = first; i <= last; i++) run_layer(w, &w->f->layers[i]);
}

uint8_t *fast_tensor(fast_work *w, int t)
{
    return w->t[t];
}

void fast_get(const fast_work *w, int t, int16_t *chw)
{
    const qtensor *q = &w->f->q->tensors[t];
    size_t cp = (size_t)fast_round_up(q->c, 4), plane = (size_t)q->h * (size_t)q->w;

    for (size_t c = 0; c < (size_t)q->c; c++)
        for (size_t i = 0; i < plane; i++) {
            uint8_t v = w->t[t][i * cp + c];
            *chw++ = (int16_t)(q->is_signed ? (int8_t)v : v);
        }
}

void fast_set(fast_work *w, int t, const int16_t *chw)
{
    const qtensor *q = &w->f->q->tensors[t];
    size_t cp = (size_t)fast_round_up(q->c, 4), plane = (size_t)q->h * (size_t)q->w;

    for (size_t c = 0; c < (size_t)q->c; c++)
        for (size_t i = 0; i < plane; i++) w->t[t][i * cp + c] = (uint8_t)*chw++;
}

int fast_argmax(const fast_work *w)
{
    const qnet *n = w->f->q;
    int t = n->layers[n->n_layers - 1].out, plane = n->tensors[t].h * n->tensors[t].w;
    size_t cp = (size_t)fast_round_up(n->tensors[t].c, 4);
    int best = 0, most = INT16_MIN;

    for (int i = 0; i < n->classes; i++) {
        uint8_t raw = w->t[t][(size_t)(i % plane) * cp + (size_t)(i / plane)];
        int v = n->tensors[t].is_signed ? (int8_t)raw : raw;
        if (v > most) {
            most = v;
            best = i;
        }
    }
    return best;
}
