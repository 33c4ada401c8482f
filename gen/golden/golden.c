#include "golden/golden.h"

#include <stdlib.h>

#include "base/bits.h"

enum { MAX_LENGTH = 4096 }; /* of a subvector: R*S of a window or channels of a pixel */

int16_t **golden_alloc(const qnet *n)
{
    int16_t **t = calloc((size_t)n->n_tensors, sizeof *t);
    for (int i = 0; t && i < n->n_tensors; i++) {
        t[i] = calloc(qtensor_size(&n->tensors[i]), sizeof **t);
        if (!t[i]) {
            golden_free(n, t);
            return NULL;
        }
    }
    return t;
}

void golden_free(const qnet *n, int16_t **t)
{
    for (int i = 0; t && i < n->n_tensors; i++) free(t[i]);
    free(t);
}

void golden_input(const qnet *n, const uint8_t *image, int16_t *input)
{
    size_t plane = (size_t)n->tensors[0].h * (size_t)n->tensors[0].w;
    for (int c = 0; c < n->tensors[0].c; c++)
        for (size_t i = 0; i < plane; i++) *input++ = n->input_table[c * 256 + *image++];
}

/* Position [c][y][x] of a tensor. */
static size_t at(const qtensor *t, int c, int y, int x)
{
    return ((size_t)c * (size_t)t->h + (size_t)y) * (size_t)t->w + (size_t)x;
}

static bool inside(const qtensor *t, int y, int x)
{
    return y >= 0 && y < t->h && x >= 0 && x < t->w;
}

/* Input row and column under kernel position r, s of output p, q. */
static int row_of(const qlayer *l, int p, int r)
{
    return p * l->stride + r * l->dilation - l->pad_t;
}

static int col_of(const qlayer *l, int q, int s)
{
    return q * l->stride + s * l->dilation - l->pad_l;
}

static int64_t acc_conv(const qlayer *l, const qtensor *in, const int16_t *x, int k, int p, int q)
{
    int cg = in->c / l->groups, kg = l->k / l->groups, first = k / kg * cg;
    const int8_t *w = l->w + (size_t)k * (size_t)(cg * l->r * l->s);
    int64_t acc = 0;

    for (int c = 0; c < cg; c++)
        for (int r = 0; r < l->r; r++)
            for (int s = 0; s < l->s; s++, w++) {
                int y = row_of(l, p, r), z = col_of(l, q, s);
                if (inside(in, y, z)) acc += x[at(in, first + c, y, z)] * *w;
            }
    return acc;
}

static int64_t acc_pool(const qlayer *l, const qtensor *in, const int16_t *x, int k, int p, int q)
{
    int64_t acc = l->op == QOP_MAXPOOL ? INT64_MIN : 0;

    for (int r = 0; r < l->r; r++)
        for (int s = 0; s < l->s; s++) {
            int y = row_of(l, p, r), z = col_of(l, q, s);
            if (!inside(in, y, z)) continue;
            int v = x[at(in, k, y, z)];
            if (l->op == QOP_SUMPOOL)
                acc += v;
            else if (v > acc)
                acc = v;
        }
    return acc;
}

static int drop_bits(const qencoder *e, int v)
{
    return v >> (8 - e->enc_bits);
}

static int encode_tree(const qencoder *e, int cb, const int16_t *v)
{
    int depth = lt_clog2(e->prototypes), node = 0;
    const uint16_t *dim = e->dim + (size_t)cb * (size_t)depth;
    const int16_t *thresh = e->thresh + (size_t)cb * (size_t)(e->prototypes - 1);

    for (int level = 0; level < depth; level++) {
        int right = drop_bits(e, v[dim[level]]) >= thresh[node];
        node = 2 * node + 1 + right;
    }
    return node - (e->prototypes - 1); /* leaves follow the K-1 inner nodes */
}

static int encode_nearest(const qencoder *e, int cb, const int16_t *v)
{
    const int16_t *proto = e->proto + (size_t)cb * (size_t)e->prototypes * (size_t)e->length;
    int64_t least = INT64_MAX;
    int best = 0;

    for (int k = 0; k < e->prototypes; k++) {
        int64_t sum = 0;
        for (int i = 0; i < e->length; i++) {
            int d = drop_bits(e, v[i]) - *proto++;
            sum += e->encoder == QENC_L2 ? d * d : abs(d);
        }
        if (sum < least) {
            least = sum;
            best = k;
        }
    }
    return best;
}

int golden_encode(const qencoder *e, int cb, const int16_t *v)
{
    return e->encoder == QENC_TREE ? encode_tree(e, cb, v) : encode_nearest(e, cb, v);
}

void golden_codes_channel(const qencoder *e, const qtensor *t, const int16_t *x, uint8_t *codes)
{
    int16_t v[MAX_LENGTH];

    for (int cb = 0; cb < e->codebooks; cb++)
        for (int y = 0; y < t->h; y++)
            for (int z = 0; z < t->w; z++) {
                for (int i = 0; i < e->length; i++) {
                    int c = cb * e->length + i;
                    v[i] = c < t->c ? x[at(t, c, y, z)] : 0;
                }
                *codes++ = (uint8_t)golden_encode(e, cb, v);
            }
}

void golden_codes_spatial(const qencoder *e, const qtensor *t, const qlayer *l, const qtensor *out, const int16_t *x,
                          uint8_t *codes)
{
    int16_t v[MAX_LENGTH];

    for (int c = 0; c < t->c; c++)
        for (int p = 0; p < out->h; p++)
            for (int q = 0; q < out->w; q++) {
                for (int r = 0; r < l->r; r++)
                    for (int s = 0; s < l->s; s++) {
                        int y = row_of(l, p, r), z = col_of(l, q, s);
                        v[r * l->s + s] = inside(t, y, z) ? x[at(t, c, y, z)] : 0;
                    }
                *codes++ = (uint8_t)golden_encode(e, c, v);
            }
}

static int8_t entry(const qlayer *l, const qencoder *e, int taps, int cb, int tap, int code, int k)
{
    size_t row = ((size_t)cb * (size_t)taps + (size_t)tap) * (size_t)e->prototypes + (size_t)code;
    return l->lut[row * (size_t)l->k + (size_t)k];
}

static int64_t acc_channel(const qlayer *l, const qencoder *e, const qtensor *in, const uint8_t *codes, int k, int p,
                           int q)
{
    int64_t acc = 0;

    for (int cb = 0; cb < e->codebooks; cb++)
        for (int r = 0; r < l->r; r++)
            for (int s = 0; s < l->s; s++) {
                int y = row_of(l, p, r), z = col_of(l, q, s);
                if (inside(in, y, z)) acc += entry(l, e, l->r * l->s, cb, r * l->s + s, codes[at(in, cb, y, z)], k);
            }
    return acc;
}

static int64_t acc_spatial(const qlayer *l, const qencoder *e, const qtensor *out, const uint8_t *codes, int k, int p,
                           int q)
{
    int64_t acc = 0;
    for (int cb = 0; cb < e->codebooks; cb++) acc += entry(l, e, 1, cb, 0, codes[at(out, cb, p, q)], k);
    return acc;
}

int golden_acc(const qnet *n, int i, const int16_t *x, int64_t *acc)
{
    const qlayer *l = &n->layers[i];
    const qtensor *in = &n->tensors[l->in], *out = &n->tensors[l->out];
    const qencoder *e = l->encoder >= 0 ? &n->encoders[l->encoder] : NULL;
    uint8_t *codes = NULL;

    if (e) {
        const qtensor *map = e->mode == QPQ_CHANNEL ? in : out;
        codes = malloc((size_t)e->codebooks * (size_t)map->h * (size_t)map->w);
        if (!codes) return -1;
        if (e->mode == QPQ_CHANNEL)
            golden_codes_channel(e, in, x, codes);
        else
            golden_codes_spatial(e, in, l, out, x, codes);
    }
    for (int k = 0; k < out->c; k++)
        for (int p = 0; p < out->h; p++)
            for (int q = 0; q < out->w; q++) {
                if (l->op == QOP_ADD)
                    *acc++ = x[at(in, k, p, q)];
                else if (l->op != QOP_CONV)
                    *acc++ = acc_pool(l, in, x, k, p, q);
                else if (!e)
                    *acc++ = acc_conv(l, in, x, k, p, q);
                else if (e->mode == QPQ_CHANNEL)
                    *acc++ = acc_channel(l, e, in, codes, k, p, q);
                else
                    *acc++ = acc_spatial(l, e, out, codes, k, p, q);
            }
    free(codes);
    return 0;
}

void golden_requant(const qnet *n, int i, const int64_t *acc, const int16_t *res, int16_t *y)
{
    const qlayer *l = &n->layers[i];
    const qtensor *out = &n->tensors[l->out], *rt = l->res >= 0 ? &n->tensors[l->res] : NULL;
    int64_t round = l->shift ? (int64_t)1 << (l->shift - 1) : 0;

    for (int k = 0; k < out->c; k++)
        for (int p = 0; p < out->h; p++)
            for (int q = 0; q < out->w; q++, acc++, y++) {
                int64_t r = 0;
                int c = k - l->res_c_off;
                if (rt && c >= 0 && c < rt->c) r = res[at(rt, c, p * l->res_step, q * l->res_step)];
                int64_t v = ((*acc + l->bias[k]) * l->mult[k] + r * l->res_mult + round) >> l->shift;
                *y = (int16_t)(v < l->lo ? l->lo : v > l->hi ? l->hi : v);
            }
}

int golden_layer(const qnet *n, int i, int16_t *const *t)
{
    const qlayer *l = &n->layers[i];
    int64_t *acc = malloc(qtensor_size(&n->tensors[l->out]) * sizeof *acc);

    if (!acc || golden_acc(n, i, t[l->in], acc) != 0) {
        free(acc);
        return -1;
    }
    golden_requant(n, i, acc, l->res >= 0 ? t[l->res] : NULL, t[l->out]);
    free(acc);
    return 0;
}

int golden_run(const qnet *n, int16_t **t)
{
    for (int i = 0; i < n->n_layers; i++)
        if (golden_layer(n, i, t) != 0) return -1;
    return 0;
}

int golden_argmax(const qnet *n, const int16_t *output)
{
    int best = 0;
    for (int i = 1; i < n->classes; i++)
        if (output[i] > output[best]) best = i;
    return best;
}
