/* lt_quant_check and lt_quant_bound: everything the golden model, the kernels and the hardware rely on. */
#include "base/bits.h"
#include "model/quantize.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "golden/golden.h"

enum { MAX_LENGTH = 4096 };
static const size_t MAX_LUT = (size_t)1 << 28;

int64_t lt_quant_bound(const qnet *n, const qlayer *l, int k)
{
    const qtensor *in = &n->tensors[l->in];
    int64_t x = qtensor_max(in) > -qtensor_min(in) ? qtensor_max(in) : -qtensor_min(in), sum = 0;

    if (l->op == QOP_MAXPOOL || l->op == QOP_ADD) {
        sum = x;
    } else if (l->op == QOP_SUMPOOL) {
        sum = x * l->r * l->s;
    } else if (l->encoder < 0) {
        size_t row = (size_t)(in->c / l->groups) * (size_t)l->r * (size_t)l->s;
        for (size_t i = 0; i < row; i++) sum += abs(l->w[(size_t)k * row + i]);
        sum *= x;
    } else {
        const qencoder *e = &n->encoders[l->encoder];
        size_t sets = (size_t)e->codebooks * (size_t)(e->mode == QPQ_CHANNEL ? l->r * l->s : 1);
        for (size_t i = 0; i < sets; i++) {
            int most = 0;
            for (int p = 0; p < e->prototypes; p++) {
                int v = abs(l->lut[(i * (size_t)e->prototypes + (size_t)p) * (size_t)l->k + (size_t)k]);
                if (v > most) most = v;
            }
            sum += most;
        }
    }
    return sum + llabs((int64_t)l->bias[k]);
}

static lt_code bad(const char *name, lt_err *err, const char *what, long got, const char *expected)
{
    return lt_fail(err, LT_EINPUT, "%.*s: %s: got %ld, expected %s", QN_NAME, name, what, got, expected);
}

static lt_code check_tensor(const qtensor *t, bool input, lt_err *err)
{
    if (t->c < 1 || t->c > LT_MAX_CHANNELS) return bad(t->name, err, "channels", t->c, "1..65536");
    if (t->h < 1 || t->h > LT_MAX_SIDE) return bad(t->name, err, "rows", t->h, "1..4096");
    if (t->w < 1 || t->w > LT_MAX_SIDE) return bad(t->name, err, "columns", t->w, "1..4096");
    if (qtensor_size(t) > LT_MAX_ELEMENTS) return bad(t->name, err, "values", (long)qtensor_size(t), "at most 2^27");
    if (t->bits < 2 || t->bits > 8) return bad(t->name, err, "bits", t->bits, "2..8");
    if (!isfinite(t->scale) || t->scale <= 0) return lt_fail(err, LT_EINPUT, "%s: scale %g", t->name, t->scale);
    if (input && (t->bits != 8 || !t->is_signed)) return bad(t->name, err, "bits", t->bits, "a signed 8-bit input");
    if (input && t->c > LT_MAX_INPUT_CHANNELS) return bad(t->name, err, "channels", t->c, "1..16 for the input");
    return LT_OK;
}

static lt_code check_encoder(const qencoder *e, int i, lt_err *err)
{
    char name[QN_NAME];
    snprintf(name, sizeof name, "encoder %d", i);
    if (e->mode != QPQ_CHANNEL && e->mode != QPQ_SPATIAL) return bad(name, err, "mode", e->mode, "0..1");
    if (e->encoder != QENC_L1 && e->encoder != QENC_L2 && e->encoder != QENC_TREE)
        return bad(name, err, "kind", e->encoder, "0..2");
    if (e->prototypes < 2 || e->prototypes > 256 || e->prototypes & (e->prototypes - 1))
        return bad(name, err, "prototypes", e->prototypes, "a power of two, 2..256");
    if (e->length < 1 || e->length > MAX_LENGTH) return bad(name, err, "length", e->length, "1..4096");
    if (e->codebooks < 1 || e->codebooks > LT_MAX_CHANNELS)
        return bad(name, err, "codebooks", e->codebooks, "1..65536");
    if (e->enc_bits < 1 || e->enc_bits > 8) return bad(name, err, "enc_bits", e->enc_bits, "1..8");
    if (e->r < 1 || e->s < 1 || e->r > LT_MAX_SIDE || e->s > LT_MAX_SIDE)
        return bad(name, err, "window", e->r, "1..4096");
    if (e->mode == QPQ_CHANNEL && (e->r != 1 || e->s != 1)) return bad(name, err, "window", e->r * e->s, "1x1");
    if (e->mode == QPQ_SPATIAL && e->r * e->s != e->length) return bad(name, err, "length", e->length, "R*S");
    if (e->encoder == QENC_TREE ? !e->dim || !e->thresh : !e->proto)
        return lt_fail(err, LT_EINPUT, "%s: no prototypes or tree", name);
    return LT_OK;
}

/* Ranges that depend on the signedness of the tensor the encoder reads. */
static lt_code check_codebook(const qencoder *e, const qlayer *l, const qtensor *in, lt_err *err)
{
    int lo = in->is_signed ? -(1 << (e->enc_bits - 1)) : 0, hi = lo + (1 << e->enc_bits) - 1;

    if (e->encoder == QENC_TREE) {
        for (int i = 0; i < e->codebooks * lt_clog2(e->prototypes); i++)
            if (e->dim[i] >= e->length) return bad(l->name, err, "tree dimension", e->dim[i], "less than the length");
        for (int i = 0; i < e->codebooks * (e->prototypes - 1); i++)
            if (e->thresh[i] < lo || e->thresh[i] > hi + 1)
                return bad(l->name, err, "tree threshold", e->thresh[i], "a value of enc_bits bits, or one more");
        return LT_OK;
    }
    for (size_t i = 0; i < (size_t)e->codebooks * (size_t)e->prototypes * (size_t)e->length; i++)
        if (e->proto[i] < lo || e->proto[i] > hi)
            return bad(l->name, err, "prototype value", e->proto[i], "enc_bits bits, signed like the tensor");
    return LT_OK;
}

static lt_code check_pq(const qnet *n, const qlayer *l, const qtensor *in, lt_err *err)
{
    if (l->encoder >= n->n_encoders) return bad(l->name, err, "encoder", l->encoder, "a number below n_encoders");
    const qencoder *e = &n->encoders[l->encoder];
    int taps = e->mode == QPQ_CHANNEL ? l->r * l->s : 1;
    if (l->groups != 1) return bad(l->name, err, "groups", l->groups, "1 for a PQ layer");
    if (l->lut_bits < 2 || l->lut_bits > 8) return bad(l->name, err, "lut_bits", l->lut_bits, "2..8");
    if (e->mode == QPQ_CHANNEL && e->codebooks != (in->c + e->length - 1) / e->length)
        return bad(l->name, err, "codebooks", e->codebooks, "ceil(C / length)");
    if (e->mode == QPQ_SPATIAL && (e->codebooks != in->c || e->r != l->r || e->s != l->s))
        return bad(l->name, err, "codebooks", e->codebooks, "C, and the encoder's window equal to the kernel");
    double wanted = (double)e->codebooks * taps * e->prototypes * l->k; /* the product could overflow a size_t */
    if (!l->lut || wanted > (double)MAX_LUT) return bad(l->name, err, "LUT entries", (long)wanted, "at most 2^28");
    size_t size = (size_t)wanted;
    int top = (1 << (l->lut_bits - 1)) - 1;
    for (size_t i = 0; i < size; i++)
        if (l->lut[i] > top || l->lut[i] < -top - 1) return bad(l->name, err, "LUT entry", l->lut[i], "lut_bits bits");
    return check_codebook(e, l, in, err);
}

static lt_code check_weights(const qlayer *l, const qtensor *in, lt_err *err)
{
    if (l->w_bits < 2 || l->w_bits > 8) return bad(l->name, err, "w_bits", l->w_bits, "2..8");
    size_t size = (size_t)l->k * (size_t)(in->c / l->groups) * (size_t)l->r * (size_t)l->s;
    if (!l->w || size > LT_MAX_ELEMENTS) return bad(l->name, err, "weights", (long)size, "at most 2^27");
    int top = (1 << (l->w_bits - 1)) - 1;
    for (size_t i = 0; i < size; i++)
        if (abs(l->w[i]) > top) return bad(l->name, err, "weight", l->w[i], "w_bits bits, symmetric");
    return LT_OK;
}

static int slide(int size, int pad, int kernel, int dilation, int stride)
{
    int room = size + pad - (dilation * (kernel - 1) + 1);
    return room < 0 ? 0 : room / stride + 1;
}

static lt_code check_window(const qlayer *l, const qtensor *in, const qtensor *out, lt_err *err)
{
    const int sides[] = {l->r, l->s, l->stride, l->dilation}, pads[] = {l->pad_t, l->pad_l, l->pad_b, l->pad_r};
    for (int i = 0; i < 4; i++)
        if (sides[i] < 1 || sides[i] > LT_MAX_SIDE || pads[i] < 0 || pads[i] > LT_MAX_SIDE)
            return lt_fail(err, LT_EINPUT, "%s: kernel %dx%d, stride %d, dilation %d, pads %d,%d,%d,%d: out of range",
                           l->name, l->r, l->s, l->stride, l->dilation, l->pad_t, l->pad_l, l->pad_b, l->pad_r);
    if (out->h != slide(in->h, l->pad_t + l->pad_b, l->r, l->dilation, l->stride) ||
        out->w != slide(in->w, l->pad_l + l->pad_r, l->s, l->dilation, l->stride))
        return lt_fail(err, LT_EINPUT, "%s: output %dx%d does not follow from input %dx%d and the window", l->name,
                       out->h, out->w, in->h, in->w);
    if (l->op == QOP_CONV) return LT_OK;
    if (l->k != in->c || l->groups != 1 || l->dilation != 1)
        return lt_fail(err, LT_EINPUT, "%s: pooling and add need K = C, one group, no dilation", l->name);
    if (l->op == QOP_ADD && (l->r != 1 || l->s != 1 || l->stride != 1 || l->pad_t || l->pad_l || l->pad_b || l->pad_r))
        return lt_fail(err, LT_EINPUT, "%s: an add has a 1x1 window", l->name);
    if (l->pad_t >= l->r || l->pad_l >= l->s || (out->h - 1) * l->stride - l->pad_t >= in->h ||
        (out->w - 1) * l->stride - l->pad_l >= in->w)
        return lt_fail(err, LT_EINPUT, "%s: a pooling window holds no input", l->name);
    return LT_OK;
}

static lt_code check_residual(const qnet *n, const qlayer *l, const qtensor *out, const bool *written, lt_err *err)
{
    if (l->res < 0) return l->op == QOP_ADD ? bad(l->name, err, "residual", l->res, "a tensor for an add") : LT_OK;
    if (l->res >= n->n_tensors || !written[l->res])
        return bad(l->name, err, "residual", l->res, "a tensor written before");
    const qtensor *r = &n->tensors[l->res];
    if (l->res_step < 1 || l->res_step > LT_MAX_SIDE || (out->h - 1) * l->res_step >= r->h ||
        (out->w - 1) * l->res_step >= r->w)
        return bad(l->name, err, "residual step", l->res_step, "one that stays inside the residual tensor");
    if (l->res_c_off < 0 || l->res_c_off > l->k) return bad(l->name, err, "residual offset", l->res_c_off, "0..K");
    return LT_OK;
}

static lt_code check_post(const qnet *n, const qlayer *l, const qtensor *out, int acc_bits, lt_err *err)
{
    int64_t limit = (int64_t)1 << ((acc_bits ? acc_bits : 32) - 1);

    if (l->shift < 0 || l->shift > 47) return bad(l->name, err, "shift", l->shift, "0..47");
    if (l->res_mult < 0 || l->res_mult > 65535) return bad(l->name, err, "res_mult", l->res_mult, "0..65535");
    if (l->lo < qtensor_min(out) || l->hi > qtensor_max(out) || l->lo > l->hi)
        return lt_fail(err, LT_EINPUT, "%s: clip range %d..%d, expected within %d..%d", l->name, l->lo, l->hi,
                       qtensor_min(out), qtensor_max(out));
    if (!l->bias || !l->mult) return lt_fail(err, LT_EINPUT, "%s: no bias or multipliers", l->name);
    for (int k = 0; k < l->k; k++) {
        int64_t b = lt_quant_bound(n, l, k);
        if (b >= limit)
            return lt_fail(
                err, LT_EINPUT,
                "%s: channel %d: the accumulator can reach %lld, which does not fit %d bits; use more acc_bits "
                "or fewer weight or activation bits",
                l->name, k, (long long)b, acc_bits ? acc_bits : 32);
    }
    return LT_OK;
}

static lt_code check_layer(const qnet *n, const qlayer *l, bool *written, int acc_bits, lt_err *err)
{
    if (l->op < QOP_CONV || l->op > QOP_ADD) return bad(l->name, err, "operation", l->op, "0..3");
    if (l->in < 0 || l->in >= n->n_tensors || !written[l->in])
        return bad(l->name, err, "input", l->in, "a tensor written before");
    if (l->out < 1 || l->out >= n->n_tensors || written[l->out])
        return bad(l->name, err, "output", l->out, "a tensor not written yet");
    const qtensor *in = &n->tensors[l->in], *out = &n->tensors[l->out];
    if (l->k != out->c) return bad(l->name, err, "output channels", l->k, "those of the output tensor");
    if (l->groups < 1 || in->c % l->groups || l->k % l->groups)
        return bad(l->name, err, "groups", l->groups, "a divisor of C and K");
    LT_TRY(check_window(l, in, out, err));
    LT_TRY(check_residual(n, l, out, written, err));
    if (l->op == QOP_CONV) LT_TRY(l->encoder >= 0 ? check_pq(n, l, in, err) : check_weights(l, in, err));
    LT_TRY(check_post(n, l, out, acc_bits, err));
    written[l->out] = true;
    return LT_OK;
}

lt_code lt_quant_check(const qnet *n, int acc_bits, lt_err *err)
{
    if (n->n_tensors < 2 || n->n_tensors > LT_MAX_NODES) return bad(n->name, err, "tensors", n->n_tensors, "2..4096");
    if (n->n_layers < 1 || n->n_layers >= n->n_tensors)
        return bad(n->name, err, "layers", n->n_layers, "1 .. tensors-1");
    if (n->n_encoders < 0 || n->n_encoders > LT_MAX_NODES)
        return bad(n->name, err, "encoders", n->n_encoders, "0..4096");
    if (!n->tensors || !n->layers || !n->input_table || (n->n_encoders && !n->encoders))
        return lt_fail(err, LT_EINPUT, "%s: incomplete network", n->name);
    for (int i = 0; i < n->n_tensors; i++) LT_TRY(check_tensor(&n->tensors[i], i == 0, err));
    for (int i = 0; i < n->n_encoders; i++) LT_TRY(check_encoder(&n->encoders[i], i, err));
    bool *written = calloc((size_t)n->n_tensors, sizeof *written);
    if (!written) return lt_fail(err, LT_EMEM, "%s: out of memory", n->name);
    written[0] = true;
    lt_code rc = LT_OK;
    for (int i = 0; i < n->n_layers && rc == LT_OK; i++) rc = check_layer(n, &n->layers[i], written, acc_bits, err);
    free(written);
    if (rc != LT_OK) return rc;
    size_t outputs = qtensor_size(&n->tensors[n->layers[n->n_layers - 1].out]);
    if (n->classes < 1 || (size_t)n->classes > outputs)
        return bad(n->name, err, "classes", n->classes, "1 .. size of the output");
    return LT_OK;
}
