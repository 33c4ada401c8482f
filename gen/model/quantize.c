#include "model/quantize.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golden/golden.h"

enum { MAX_SHIFT = 47 };

lt_quant_options lt_quant_defaults(void)
{
    return (lt_quant_options){.w_bits = 8,
                              .a_bits = 8,
                              .edge_bits = 8,
                              .method = LT_CALIB_MSE,
                              .percentile = 99.99,
                              .w_mse = true,
                              .bias_correct = true,
                              .acc_bits = 24,
                              .mult_bits = 16};
}

/* ---- requantisation ---- */

int lt_quant_shift(double real_max, double res_ratio, int mult_bits)
{
    double mult_top = (double)((1 << mult_bits) - 1);
    int shift = MAX_SHIFT;
    while (shift >= 0 &&
           (floor(ldexp(real_max, shift) + 0.5) > mult_top || floor(ldexp(res_ratio, shift) + 0.5) > mult_top))
        shift--;
    return shift;
}

lt_code lt_quant_requant(qlayer *l, const double *real, double res_ratio, int mult_bits, lt_err *err)
{
    double top = 0;

    for (int k = 0; k < l->k; k++) {
        if (!(real[k] >= 0) || isinf(real[k]))
            return lt_fail(err, LT_EINPUT, "%s: channel %d: multiplier %g", l->name, k, real[k]);
        top = fmax(top, real[k]);
    }
    if (!(res_ratio >= 0) || isinf(res_ratio))
        return lt_fail(err, LT_EINPUT, "%s: residual multiplier %g", l->name, res_ratio);
    l->shift = lt_quant_shift(top, res_ratio, mult_bits);
    if (l->shift < 0)
        return lt_fail(err, LT_EINPUT,
                       "%s: an output step is too small: multiplier %g (residual %g) does not fit %d bits", l->name,
                       top, res_ratio, mult_bits);
    for (int k = 0; k < l->k; k++) {
        double m = floor(ldexp(real[k], l->shift) + 0.5);
        l->mult[k] = (uint16_t)(m < 1 && real[k] > 0 ? 1 : m);
    }
    l->res_mult = (int)floor(ldexp(res_ratio, l->shift) + 0.5);
    return LT_OK;
}

/* ---- tensors ---- */

static const lt_quant_override *override_of(const lt_quant_options *o, const char *name)
{
    for (int i = 0; i < o->n_overrides; i++) {
        const char *pat = o->override[i].name;
        size_t len = strlen(pat);
        if (len && pat[len - 1] == '*' ? strncmp(pat, name, len - 1) == 0 : strcmp(pat, name) == 0)
            return &o->override[i];
    }
    return NULL;
}

static lt_code check_options(const lt_graph *g, const lt_quant_options *o, lt_err *err)
{
    if (o->w_bits < 2 || o->w_bits > 8 || o->a_bits < 2 || o->a_bits > 8 || o->edge_bits == 1 || o->edge_bits < 0 ||
        o->edge_bits > 8)
        return lt_fail(err, LT_EINPUT, "weight bits %d, activation bits %d, edge bits %d: expected 2..8", o->w_bits,
                       o->a_bits, o->edge_bits);
    if (o->acc_bits < 12 || o->acc_bits > 32 || o->mult_bits < 8 || o->mult_bits > 16)
        return lt_fail(err, LT_EINPUT, "acc_bits %d, expected 12..32; mult_bits %d, expected 8..16", o->acc_bits,
                       o->mult_bits);
    if (!(o->percentile > 0 && o->percentile <= 100))
        return lt_fail(err, LT_EINPUT, "percentile %g, expected above 0, up to 100", o->percentile);
    for (int i = 0; i < o->n_overrides; i++) {
        bool hit = false;
        for (int k = 1; k < g->n_nodes && !hit; k++) hit = override_of(o, g->nodes[k].name) == &o->override[i];
        if (!hit)
            return lt_fail(err, LT_EINPUT, "override '%s' matches no layer of %s (or an earlier override does)",
                           o->override[i].name, g->name);
    }
    return LT_OK;
}

/* Copies and pools that do not clip keep the numbers of their input. */
static bool keeps_scale(const lt_node *n, const qtensor *in)
{
    bool floor_free = n->lo == -INFINITY || (n->lo <= 0 && !in->is_signed);
    return n->op == NODE_MAXPOOL && n->res < 0 && floor_free && n->hi == INFINITY;
}

static void make_tensor(const lt_graph *g, const lt_calib *c, const lt_quant_options *o, int i, qnet *q)
{
    const lt_node *n = &g->nodes[i];
    qtensor *t = &q->tensors[i];
    const lt_quant_override *over = override_of(o, n->name);

    snprintf(t->name, sizeof t->name, "%s", n->name);
    t->c = n->shape.c;
    t->h = n->shape.h;
    t->w = n->shape.w;
    if (keeps_scale(n, &q->tensors[n->in])) {
        const qtensor *in = &q->tensors[n->in];
        t->bits = in->bits;
        t->is_signed = in->is_signed;
        t->scale = in->scale;
        return;
    }
    t->bits = over && over->a_bits ? over->a_bits : i == g->output ? 8 : o->a_bits;
    t->is_signed = n->lo < 0;
    if (n->op == NODE_AVGPOOL && n->res < 0 && !q->tensors[n->in].is_signed) t->is_signed = false;
    t->scale = lt_calib_scale(&c->t[i], o->method, o->percentile, t->bits, t->is_signed);
}

/* The input: signed 8 bit, scaled so that every byte fits; one table from byte to integer. */
static void make_input(const lt_graph *g, qnet *q)
{
    qtensor *t = &q->tensors[0];
    lt_shape s = g->nodes[0].shape;
    double top = 0;

    *t = (qtensor){.c = s.c, .h = s.h, .w = s.w, .bits = 8, .is_signed = true};
    snprintf(t->name, sizeof t->name, "%s", g->nodes[0].name);
    for (int c = 0; c < s.c; c++) {
        double m = (double)g->pre.mean[c], d = (double)g->pre.std[c];
        top = fmax(top, fmax(fabs(m / d), fabs((1 - m) / d)));
    }
    t->scale = top > 0 ? top / 127 : 1;
    for (int c = 0; c < s.c; c++)
        for (int b = 0; b < 256; b++) {
            double v = (b / 255.0 - (double)g->pre.mean[c]) / (double)g->pre.std[c] / t->scale;
            v = v < 0 ? -floor(-v + 0.5) : floor(v + 0.5);
            q->input_table[c * 256 + b] = (int8_t)fmin(fmax(v, -128), 127);
        }
}

/* ---- weights ---- */

static double row_max(const float *w, size_t n)
{
    double m = 0;
    for (size_t i = 0; i < n; i++) m = fmax(m, fabs((double)w[i]));
    return m;
}

static int round_weight(double v, int top)
{
    double r = v < 0 ? -floor(-v + 0.5) : floor(v + 0.5);
    return (int)fmin(fmax(r, -top), top);
}

static double row_error(const float *w, size_t n, double step, int top)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double e = (double)w[i] - step * round_weight((double)w[i] / step, top);
        sum += e * e;
    }
    return sum;
}

/* Wanted weight step of one channel. */
static double weight_step(const float *w, size_t n, int top, bool mse)
{
    double max = row_max(w, n), best = max / top, least;

    if (!mse || !(max > 0)) return best;
    least = row_error(w, n, best, top);
    for (int i = 98; i >= 40; i -= 2) {
        double step = max * i / 100 / top, e = row_error(w, n, step, top);
        if (e < least) {
            least = e;
            best = step;
        }
    }
    return best;
}

typedef struct {
    const lt_graph *g;
    const lt_calib *c;
    const lt_quant_options *o;
    qnet *q;
    lt_err *err;
} job;

/* Mean of the output error that rounding the weights of channel k makes, given the mean input per channel. */
static double mean_error(const job *j, const lt_node *n, const qlayer *l, int k, double step)
{
    int cg = lt_node_in_shape(j->g, n).c / n->groups, kg = l->k / l->groups;
    const double *mean = j->c->t[n->in].mean + k / kg * cg;
    size_t taps = (size_t)l->r * (size_t)l->s, base = (size_t)k * (size_t)cg * taps;
    double sum = 0;

    for (int c = 0; c < cg; c++)
        for (size_t t = 0; t < taps; t++, base++) sum += ((double)n->weight[base] - step * l->w[base]) * mean[c];
    return sum;
}

/* Integer weights, bias and multiplier of channel k. unit = real value of one accumulator step per step of mult. */
static lt_code quantise_channel(const job *j, const lt_node *n, qlayer *l, int k, double step, double s_in,
                                double s_out)
{
    size_t row = lt_node_weights(j->g, n) / (size_t)l->k, base = (size_t)k * row;
    int top = (1 << (l->w_bits - 1)) - 1, mult_top = (1 << j->o->mult_bits) - 1;
    double per_mult = ldexp(s_out, -l->shift), bias = n->bias ? (double)n->bias[k] : 0; /* output per mult step */

    /* the bias must leave room in the accumulator: at most a quarter of its range */
    double need = fabs(bias) / per_mult / ldexp(1, j->o->acc_bits - 3), m = floor(step * s_in / per_mult + 0.5);
    if (!j->o->w_mse) m = ceil(step * s_in / per_mult - 1e-9); /* never clip the largest weight */
    if (!(step > 0)) m = floor(ldexp(1, l->shift - 8));        /* no weights: 1/256 of an output step for the bias */
    m = fmin(fmax(fmax(m, ceil(need - 1e-9)), 1), mult_top);
    l->mult[k] = (uint16_t)m;
    step = m * per_mult / s_in;
    for (size_t i = 0; i < row; i++) l->w[base + i] = (int8_t)round_weight((double)n->weight[base + i] / step, top);
    if (j->o->bias_correct) bias += mean_error(j, n, l, k, step);
    double b = floor(bias / (m * per_mult) + 0.5);
    if (!(fabs(b) < ldexp(1, 31)))
        return lt_fail(j->err, LT_EINPUT, "%s: channel %d: bias %g is out of the accumulator's reach", l->name, k,
                       bias);
    l->bias[k] = (int32_t)b;
    return LT_OK;
}

static lt_code quantise_weights(const job *j, const lt_node *n, qlayer *l, double s_in, double s_out, double res_ratio)
{
    size_t row = lt_node_weights(j->g, n) / (size_t)l->k;
    int top = (1 << (l->w_bits - 1)) - 1;
    double *step = malloc((size_t)l->k * sizeof *step), most = 0, bias = 0;
    lt_code rc = LT_OK;

    l->w = malloc((size_t)l->k * row);
    if (!step || !l->w) {
        free(step);
        return lt_fail(j->err, LT_EMEM, "%s: out of memory", n->name);
    }
    for (int k = 0; k < l->k; k++) {
        step[k] = weight_step(n->weight + (size_t)k * row, row, top, j->o->w_mse);
        most = fmax(most, step[k]);
        bias = fmax(bias, n->bias ? fabs((double)n->bias[k]) : 0);
    }
    /* a channel may need a coarser step than its weights ask for, see quantise_channel */
    most = fmax(most * s_in / s_out, bias / s_out / ldexp(1, j->o->acc_bits - 3));
    l->shift = lt_quant_shift(most, res_ratio, j->o->mult_bits);
    if (l->shift < 0)
        rc = lt_fail(j->err, LT_EINPUT, "%s: multiplier %g (residual %g) does not fit %d bits", n->name, most,
                     res_ratio, j->o->mult_bits);
    else
        l->res_mult = (int)floor(ldexp(res_ratio, l->shift) + 0.5);
    for (int k = 0; k < l->k && rc == LT_OK; k++) rc = quantise_channel(j, n, l, k, step[k], s_in, s_out);
    free(step);
    return rc;
}

/* ---- layers ---- */

static bool is_edge(const lt_graph *g, int i)
{
    return g->nodes[i].in == 0 || i == g->output;
}

static int slide(int size, int pad, int kernel, int dilation, int stride)
{
    return (size + pad - (dilation * (kernel - 1) + 1)) / stride + 1;
}

/* The hardware has one stride and one dilation for rows and columns. Where one of two does not matter (a single output
 * row, a kernel of one row) the other is taken. */
static lt_code window(const lt_node *n, lt_shape in, qlayer *l, lt_err *err)
{
    l->r = n->r;
    l->s = n->s;
    l->pad_t = n->pad_t;
    l->pad_l = n->pad_l;
    l->pad_b = n->pad_b;
    l->pad_r = n->pad_r;
    l->dilation = n->r > 1 ? n->dil_h : n->dil_w;
    if (n->r > 1 && n->s > 1 && n->dil_h != n->dil_w)
        return lt_fail(err, LT_EINPUT, "%s: dilations %d,%d; the hardware has one dilation for rows and columns",
                       n->name, n->dil_h, n->dil_w);
    for (int turn = 0; turn < 2; turn++) {
        l->stride = turn ? n->stride_w : n->stride_h;
        if (slide(in.h, l->pad_t + l->pad_b, l->r, l->dilation, l->stride) == n->shape.h &&
            slide(in.w, l->pad_l + l->pad_r, l->s, l->dilation, l->stride) == n->shape.w)
            return LT_OK;
    }
    return lt_fail(err, LT_EINPUT, "%s: strides %d,%d; the hardware has one stride for rows and columns", n->name,
                   n->stride_h, n->stride_w);
}

static lt_code pool_or_add(const job *j, const lt_node *n, qlayer *l, double s_in, double s_out, double res_ratio)
{
    double *real = malloc((size_t)l->k * sizeof *real), ratio = s_in / s_out;

    if (!real) return lt_fail(j->err, LT_EMEM, "%s: out of memory", n->name);
    if (n->op == NODE_AVGPOOL) {
        bool padded = n->pad_t || n->pad_l || n->pad_b || n->pad_r;
        if (padded && !n->count_pad) {
            free(real);
            return lt_fail(j->err, LT_EINPUT,
                           "%s: average pooling that leaves padding out of the divisor; the hardware divides by R*S",
                           n->name);
        }
        ratio /= n->r * n->s;
    }
    for (int k = 0; k < l->k; k++) real[k] = ratio;
    lt_code rc = lt_quant_requant(l, real, res_ratio, j->o->mult_bits, j->err);
    if (rc == LT_OK && n->op == NODE_MAXPOOL && ratio == 1.0 && n->res < 0) {
        l->shift = 0; /* the same numbers: say so plainly */
        for (int k = 0; k < l->k; k++) l->mult[k] = 1;
    }
    free(real);
    return rc;
}

static void clip_range(const lt_node *n, const qtensor *out, qlayer *l)
{
    l->lo = qtensor_min(out);
    l->hi = qtensor_max(out);
    if (n->lo > -INFINITY) l->lo = (int)fmin(fmax(floor((double)n->lo / out->scale + 0.5), l->lo), l->hi);
    if (n->hi < INFINITY) l->hi = (int)fmax(fmin(floor((double)n->hi / out->scale + 0.5), l->hi), l->lo);
}

static lt_code make_layer(const job *j, int i)
{
    static const qop ops[] = {
        [NODE_CONV] = QOP_CONV, [NODE_MAXPOOL] = QOP_MAXPOOL, [NODE_AVGPOOL] = QOP_SUMPOOL, [NODE_ADD] = QOP_ADD};
    const lt_node *n = &j->g->nodes[i];
    qlayer *l = &j->q->layers[i - 1];
    const lt_quant_override *over = override_of(j->o, n->name);

    snprintf(l->name, sizeof l->name, "%s", n->name);
    l->op = ops[n->op];
    l->in = n->in;
    l->out = i;
    l->res = n->res;
    l->res_step = n->res >= 0 ? n->res_step : 1;
    l->res_c_off = n->res >= 0 ? n->res_c_off : 0;
    l->k = n->shape.c;
    l->groups = n->op == NODE_CONV ? n->groups : 1;
    l->encoder = -1;
    LT_TRY(window(n, lt_node_in_shape(j->g, n), l, j->err));
    l->bias = calloc((size_t)l->k, sizeof *l->bias);
    l->mult = calloc((size_t)l->k, sizeof *l->mult);
    if (!l->bias || !l->mult) return lt_fail(j->err, LT_EMEM, "%s: out of memory", n->name);

    double s_in = j->q->tensors[n->in].scale, s_out = j->q->tensors[i].scale;
    double res_ratio = n->res >= 0 ? j->q->tensors[n->res].scale / s_out : 0;
    clip_range(n, &j->q->tensors[i], l);
    if (n->op != NODE_CONV) return pool_or_add(j, n, l, s_in, s_out, res_ratio);
    l->w_bits = over && over->w_bits                  ? over->w_bits
                : is_edge(j->g, i) && j->o->edge_bits ? j->o->edge_bits
                                                      : j->o->w_bits;
    return quantise_weights(j, n, l, s_in, s_out, res_ratio);
}

lt_code lt_quantize(const lt_graph *g, const lt_calib *c, const lt_quant_options *o, qnet *out, lt_err *err)
{
    job j = {g, c, o, out, err};
    size_t n = (size_t)g->n_nodes;

    *out = (qnet){.n_tensors = g->n_nodes, .n_layers = g->n_nodes - 1};
    LT_TRY(check_options(g, o, err));
    if (n < 2 || g->output != g->n_nodes - 1 || c->n != g->n_nodes)
        return lt_fail(err, LT_EINTERNAL, "%s: quantisation needs the lowered graph and its calibration", g->name);
    snprintf(out->name, sizeof out->name, "%s", g->name);
    out->tensors = calloc(n, sizeof *out->tensors);
    out->layers = calloc(n, sizeof *out->layers);
    out->input_table = calloc((size_t)g->nodes[0].shape.c, 256);
    lt_code rc =
        out->tensors && out->layers && out->input_table ? LT_OK : lt_fail(err, LT_EMEM, "%s: out of memory", g->name);
    if (rc == LT_OK) make_input(g, out);
    for (int i = 1; i < g->n_nodes && rc == LT_OK; i++) {
        if (g->nodes[i].op > NODE_ADD)
            rc = lt_fail(err, LT_EINTERNAL, "%s: not in lowered form", g->nodes[i].name);
        else
            make_tensor(g, c, o, i, out);
        if (rc == LT_OK) rc = make_layer(&j, i);
    }
    out->classes = (int)lt_shape_size(g->nodes[g->output].shape);
    if (rc == LT_OK) rc = lt_quant_check(out, o->acc_bits, err);
    if (rc != LT_OK) qnet_free(out);
    return rc;
}
