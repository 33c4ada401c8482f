/* One converter per ONNX operator that reads an activation. */
#include "model/onnx_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/model.h"

static float *copy(const float *v, size_t n)
{
    float *p = malloc((n ? n : 1) * sizeof *p);
    if (p && n) memcpy(p, v, n * sizeof *p);
    return p;
}

/* Two ints of an attribute, kept within 0..2*LT_MAX_SIDE so that nothing downstream overflows. */
static bool pair(const ox_op *o, const char *attr, int *a, int *b)
{
    const Onnx__AttributeProto *at = ox_attr(o->n, attr);
    if (!at || at->n_ints == 0) return true;
    if (at->n_ints != 2) return false;
    for (int i = 0; i < 2; i++)
        if (at->ints[i] < 0 || at->ints[i] > 2 * LT_MAX_SIDE) return false;
    *a = (int)at->ints[0];
    *b = (int)at->ints[1];
    return true;
}

static void same_pad(int in, int kernel, int dilation, int stride, bool lower, int *before, int *after)
{
    int out = (in + stride - 1) / stride, total = (out - 1) * stride + dilation * (kernel - 1) + 1 - in;
    if (total < 0) total = 0;
    *before = lower ? (total + 1) / 2 : total / 2;
    *after = total - *before;
}

/* kernel_shape, strides, dilations, pads, auto_pad of Conv and the pools. */
static lt_code window(const ox_op *o, lt_node *n, lt_shape in)
{
    const Onnx__AttributeProto *pads = ox_attr(o->n, "pads"), *mode = ox_attr(o->n, "auto_pad");
    char word[16] = "NOTSET";

    if (!pair(o, "kernel_shape", &n->r, &n->s) || !pair(o, "strides", &n->stride_h, &n->stride_w) ||
        !pair(o, "dilations", &n->dil_h, &n->dil_w))
        return ox_refuse(o, "kernel_shape, strides and dilations must be two numbers each, 0..8192");
    if (n->r < 1 || n->s < 1 || n->stride_h < 1 || n->stride_w < 1 || n->dil_h < 1 || n->dil_w < 1)
        return ox_refuse(o, "kernel_shape, strides and dilations must be positive");
    if (mode && mode->has_s && mode->s.len) snprintf(word, sizeof word, "%.*s", (int)mode->s.len, (char *)mode->s.data);
    if (strncmp(word, "SAME_", 5) == 0) {
        bool lower = strcmp(word, "SAME_LOWER") == 0;
        same_pad(in.h, n->r, n->dil_h, n->stride_h, lower, &n->pad_t, &n->pad_b);
        same_pad(in.w, n->s, n->dil_w, n->stride_w, lower, &n->pad_l, &n->pad_r);
        return LT_OK;
    }
    if (strcmp(word, "NOTSET") != 0 && strcmp(word, "VALID") != 0) return ox_refuse(o, "unknown auto_pad");
    if (!pads || pads->n_ints == 0 || strcmp(word, "VALID") == 0) return LT_OK;
    if (pads->n_ints != 4) return ox_refuse(o, "pads must be four numbers");
    for (int i = 0; i < 4; i++)
        if (pads->ints[i] < 0 || pads->ints[i] > LT_MAX_SIDE) return ox_refuse(o, "pads must lie in 0..4096");
    n->pad_t = (int)pads->ints[0];
    n->pad_l = (int)pads->ints[1];
    n->pad_b = (int)pads->ints[2];
    n->pad_r = (int)pads->ints[3];
    return LT_OK;
}

static lt_code conv(const ox_op *o)
{
    ox_value *v = ox_input(o, 0);
    const ox_const *w = ox_constant(o, 1);
    int pad[4] = {0};

    if (v && !v->is_const && v->rank == 4 && v->step_h == 1 && v->step_w == 1) {
        memcpy(pad, v->pad, sizeof pad); /* a Pad before a convolution is the convolution's own padding */
        memset(v->pad, 0, sizeof v->pad);
    }
    lt_code rc = ox_activation(o, 4, &v);
    if (rc != LT_OK) return rc;
    lt_node n = lt_node_make(NODE_CONV, o->name, v->node);
    lt_shape in = ox_shape(o, v);
    if (!w || w->is_int || w->rank != 4) return ox_refuse(o, "weights must be a constant [K][C/groups][R][S]");
    for (int i = 0; i < 4; i++)
        if (w->dim[i] < 1 || w->dim[i] > LT_MAX_CHANNELS)
            return ox_refuse(o, "a dimension of the weights is 0 or too large");
    n.shape.c = (int)w->dim[0];
    n.r = (int)w->dim[2];
    n.s = (int)w->dim[3];
    lt_shape padded = {in.c, in.h + pad[0] + pad[2], in.w + pad[1] + pad[3]};
    LT_TRY(window(o, &n, padded));
    int64_t groups = ox_attr_int(o->n, "group", 1);
    if (n.r != w->dim[2] || n.s != w->dim[3]) return ox_refuse(o, "kernel_shape differs from the weights");
    if (groups < 1 || groups > in.c || w->dim[1] * groups != in.c)
        return ox_refuse(o, "group times the weights' second dimension must be the number of input channels");
    n.groups = (int)groups;
    n.pad_t += pad[0];
    n.pad_l += pad[1];
    n.pad_b += pad[2];
    n.pad_r += pad[3];
    memcpy(v->pad, pad, sizeof pad); /* still pending for other readers */
    if (ox_input(o, 2)) {
        const float *b = ox_floats(o, 2, (size_t)n.shape.c);
        if (!b) return ox_refuse(o, "the bias must be a constant of K floats");
        n.bias = copy(b, (size_t)n.shape.c);
        if (!n.bias) return ox_no_memory(o);
    }
    n.weight = copy(w->f, w->count);
    if (!n.weight) {
        free(n.bias);
        return ox_no_memory(o);
    }
    return ox_emit(o, n, 4);
}

static lt_code batch_norm(const ox_op *o)
{
    ox_value *v;
    LT_TRY(ox_activation(o, 0, &v));
    size_t c = (size_t)ox_shape(o, v).c;
    const float *gamma = ox_floats(o, 1, c), *beta = ox_floats(o, 2, c), *mean = ox_floats(o, 3, c),
                *var = ox_floats(o, 4, c);
    float eps = ox_attr_float(o->n, "epsilon", 1e-5f);

    if (!gamma || !beta || !mean || !var)
        return ox_refuse(o, "scale, bias, mean and variance must be C constant floats each");
    if (ox_attr_int(o->n, "training_mode", 0)) return ox_refuse(o, "training mode; export the network for inference");
    lt_node n = lt_node_make(NODE_BN, o->name, v->node);
    n.weight = malloc(c * sizeof *n.weight);
    n.bias = malloc(c * sizeof *n.bias);
    for (size_t i = 0; n.weight && n.bias && i < c; i++) {
        double s =
            (double)gamma[i] / sqrt((double)var[i] + (double)eps); /* NaN for a negative variance: refused as such */
        n.weight[i] = (float)s;
        n.bias[i] = (float)((double)beta[i] - (double)mean[i] * s);
    }
    if (!n.weight || !n.bias) {
        free(n.weight);
        free(n.bias);
        return ox_no_memory(o);
    }
    return ox_emit(o, n, v->rank);
}

static lt_code clip_to(const ox_op *o, float lo, float hi)
{
    ox_value *v;
    LT_TRY(ox_activation(o, 0, &v));
    lt_node n = lt_node_make(NODE_CLIP, o->name, v->node);
    n.lo = lo;
    n.hi = hi;
    return ox_emit(o, n, v->rank);
}

static lt_code relu(const ox_op *o)
{
    return clip_to(o, 0, INFINITY);
}

static lt_code clip(const ox_op *o)
{
    float lo = ox_attr_float(o->n, "min", -INFINITY), hi = ox_attr_float(o->n, "max", INFINITY);
    const float *a = ox_floats(o, 1, 1), *b = ox_floats(o, 2, 1);

    if ((ox_input(o, 1) && !a) || (ox_input(o, 2) && !b)) return ox_refuse(o, "min and max must be constant floats");
    return clip_to(o, a ? *a : lo, b ? *b : hi);
}

/* activation + constant: one value per channel, or one for all. */
static lt_code add_constant(const ox_op *o, ox_value *v, const ox_const *c)
{
    lt_shape s = ox_shape(o, v);
    size_t k = (size_t)s.c;
    bool per_channel = c->count == k && (v->rank == 2 ? c->rank >= 1 && c->dim[c->rank - 1] == s.c
                                                      : c->rank >= 3 && c->dim[c->rank - 3] == s.c);

    if (c->is_int || (!per_channel && c->count != 1))
        return ox_refuse(o, "a constant operand must hold 1 or C floats ([C][1][1])");
    LT_TRY(ox_settle(o, v));
    lt_node n = lt_node_make(NODE_BN, o->name, v->node);
    n.weight = malloc(k * sizeof *n.weight);
    n.bias = malloc(k * sizeof *n.bias);
    if (!n.weight || !n.bias) {
        free(n.weight);
        free(n.bias);
        return ox_no_memory(o);
    }
    for (size_t i = 0; i < k; i++) {
        n.weight[i] = 1;
        n.bias[i] = c->f[c->count == 1 ? 0 : i];
    }
    return ox_emit(o, n, v->rank);
}

static lt_code add(const ox_op *o)
{
    ox_value *a = ox_input(o, 0), *b = ox_input(o, 1);

    if (!a || !b) return ox_refuse(o, "expected two operands");
    if (a->is_const) return add_constant(o, b, &a->c);
    if (b->is_const) return add_constant(o, a, &b->c);
    LT_TRY(ox_settle(o, a));
    LT_TRY(ox_settle(o, b));
    lt_shape x = ox_shape(o, a), y = ox_shape(o, b);
    if (a->rank != b->rank || x.c != y.c || x.h != y.h || x.w != y.w)
        return ox_refuse(o, "the operands differ in shape; broadcasting of activations is not supported");
    lt_node n = lt_node_make(NODE_ADD, o->name, a->node);
    n.res = b->node;
    return ox_emit(o, n, a->rank);
}

/* y = alpha * x * B + beta * C, B as [K][F] if trans_b, else [F][K]. */
static lt_code linear(const ox_op *o, bool trans_b, float alpha, const ox_const *c, float beta)
{
    ox_value *v;
    const ox_const *b = ox_constant(o, 1);
    LT_TRY(ox_activation(o, 2, &v));
    int64_t f = (int64_t)lt_shape_size(ox_shape(o, v));

    if (!b || b->is_int || b->rank != 2 || b->dim[trans_b ? 1 : 0] != f)
        return ox_refuse(o, "weights must be a constant float matrix that fits the input");
    int64_t k = b->dim[trans_b ? 0 : 1];
    if (k < 1 || k > LT_MAX_CHANNELS) return ox_refuse(o, "0 or too many outputs");
    if (c && (c->is_int || (c->count != 1 && c->count != (size_t)k)))
        return ox_refuse(o, "the bias must hold one float per output");
    lt_node n = lt_node_make(NODE_GEMM, o->name, v->node);
    n.shape.c = (int)k;
    n.weight = malloc(b->count * sizeof *n.weight);
    n.bias = c ? malloc((size_t)k * sizeof *n.bias) : NULL;
    if (!n.weight || (c && !n.bias)) {
        free(n.weight);
        free(n.bias);
        return ox_no_memory(o);
    }
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = 0; j < f; j++) n.weight[i * f + j] = alpha * b->f[trans_b ? i * f + j : j * k + i];
    for (int64_t i = 0; c && i < k; i++) n.bias[i] = beta * c->f[c->count == 1 ? 0 : i];
    return ox_emit(o, n, 2);
}

static lt_code gemm(const ox_op *o)
{
    if (ox_attr_int(o->n, "transA", 0)) return ox_refuse(o, "transA is not supported");
    if (ox_input(o, 2) && !ox_constant(o, 2)) return ox_refuse(o, "the bias must be constant");
    return linear(o, ox_attr_int(o->n, "transB", 0) != 0, ox_attr_float(o->n, "alpha", 1), ox_constant(o, 2),
                  ox_attr_float(o->n, "beta", 1));
}

static lt_code matmul(const ox_op *o)
{
    return linear(o, false, 1, NULL, 0);
}

/* With ceil_mode the last window may start inside and end outside: the missing part is padding after the end. */
static void ceil_pad(int in, int before, int *after, int kernel, int stride)
{
    int room = in + before + *after - kernel;
    if (room < 0) return;
    int outs = (room + stride - 1) / stride + 1;
    if ((outs - 1) * stride >= in + before) outs--; /* a window must start inside or in the leading padding */
    int want = (outs - 1) * stride + kernel - in - before;
    if (want > *after) *after = want;
}

static lt_code pool(const ox_op *o, lt_op kind)
{
    ox_value *v;
    LT_TRY(ox_activation(o, 4, &v));
    lt_shape in = ox_shape(o, v);
    lt_node n = lt_node_make(kind, o->name, v->node);

    if (!ox_attr(o->n, "kernel_shape")) return ox_refuse(o, "no kernel_shape");
    LT_TRY(window(o, &n, in));
    n.count_pad = ox_attr_int(o->n, "count_include_pad", 0) != 0;
    if (ox_attr_int(o->n, "ceil_mode", 0)) {
        int b = n.pad_b, r = n.pad_r;
        ceil_pad(in.h, n.pad_t, &n.pad_b, n.r, n.stride_h);
        ceil_pad(in.w, n.pad_l, &n.pad_r, n.s, n.stride_w);
        if (n.count_pad && (b != n.pad_b || r != n.pad_r))
            return ox_refuse(o, "ceil_mode together with count_include_pad gives windows of different divisors");
    }
    return ox_emit(o, n, 4);
}

static lt_code max_pool(const ox_op *o)
{
    if (o->n->n_output > 1 && o->n->output[1][0]) return ox_refuse(o, "the Indices output is not supported");
    return pool(o, NODE_MAXPOOL);
}

static lt_code average_pool(const ox_op *o)
{
    return pool(o, NODE_AVGPOOL);
}

static lt_code global_average_pool(const ox_op *o)
{
    ox_value *v;
    LT_TRY(ox_activation(o, 4, &v));
    lt_node n = lt_node_make(NODE_AVGPOOL, o->name, v->node);
    n.r = ox_shape(o, v).h;
    n.s = ox_shape(o, v).w;
    return ox_emit(o, n, 4);
}

/* Softmax keeps the order of its inputs, so at the end of a classifier it changes nothing that is measured. */
static lt_code softmax(const ox_op *o)
{
    ox_value *v;
    LT_TRY(ox_activation(o, 0, &v));
    if (strcmp(o->n->output[0], o->m->output) != 0)
        return ox_refuse(o, "supported only as the last node, where it is left out");
    return ox_same(o);
}

static const struct {
    const char *name;
    lt_code (*convert)(const ox_op *);
} table[] = {
    {"Conv", conv},
    {"BatchNormalization", batch_norm},
    {"Relu", relu},
    {"Clip", clip},
    {"Add", add},
    {"Gemm", gemm},
    {"MatMul", matmul},
    {"MaxPool", max_pool},
    {"AveragePool", average_pool},
    {"GlobalAveragePool", global_average_pool},
    {"Flatten", ox_flatten},
    {"Reshape", ox_reshape},
    {"Pad", ox_pad},
    {"Slice", ox_slice_activation},
    {"Concat", ox_concat},
    {"Identity", ox_same},
    {"Dropout", ox_same},
    {"Cast", ox_cast},
    {"Shape", ox_shape_op},
    {"Softmax", softmax},
};

const char *lt_onnx_operators(void)
{
    return "Conv, BatchNormalization, Relu, Clip, Add, Gemm, MatMul, MaxPool, AveragePool, GlobalAveragePool, Flatten, "
           "Reshape, Pad, Slice and Concat (as in option-A shortcuts), Identity, Dropout, Cast, Shape, Softmax (last); "
           "on "
           "constants also Constant, ConstantOfShape, Transpose, Gather, Unsqueeze, Squeeze";
}

lt_code ox_convert(ox_import *m, const Onnx__NodeProto *n, const char *name)
{
    ox_op o = {m, n, name};
    bool reads = false;

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (strcmp(n->op_type, table[i].name) != 0) continue;
        for (size_t k = 0; k < n->n_input; k++) reads |= ox_input(&o, k) && !ox_input(&o, k)->is_const;
        if (!reads || !ox_input(&o, 0)) return ox_refuse(&o, "reads only constants");
        return table[i].convert(&o);
    }
    return lt_fail(m->err, LT_EINPUT, "%s: node '%s': operator %.40s is not supported here; supported are %s", m->who,
                   name, n->op_type, lt_onnx_operators());
}
