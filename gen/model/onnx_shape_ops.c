/* Operators that move values about without computing: reshapes, pads, slices, option-A shortcuts. */
#include "model/onnx_internal.h"

#include <string.h>

static lt_code flatten_value(const ox_op *o, ox_value *v)
{
    if (v->rank == 2) return ox_define_node(o, v->node, 2);
    return ox_emit(o, lt_node_make(NODE_FLATTEN, o->name, v->node), 2);
}

lt_code ox_flatten(const ox_op *o)
{
    ox_value *v;
    LT_TRY(ox_activation(o, 0, &v));
    int64_t axis = ox_attr_int(o->n, "axis", 1);
    if (axis != 1 && axis != 1 - v->rank) return ox_refuse(o, "only axis 1 (all but the batch) is supported");
    return flatten_value(o, v);
}

lt_code ox_reshape(const ox_op *o)
{
    ox_value *v;
    LT_TRY(ox_activation(o, 0, &v));
    lt_shape s = ox_shape(o, v);
    const ox_const *c = ox_constant(o, 1);
    int64_t dims[4] = {o->m->batch, s.c, s.h, s.w}, want[4];

    if (!c || !c->is_int || (c->count != 2 && c->count != 4))
        return ox_refuse(o, "the shape must be 2 or 4 constant integers");
    int open = -1;
    int64_t known = 1, total = (int64_t)lt_shape_size(s);
    for (size_t i = 0; i < c->count; i++) {
        want[i] = c->i[i];
        if (want[i] == 0 && i < (size_t)v->rank) want[i] = dims[i];
        if (want[i] == -1 && open < 0)
            open = (int)i;
        else if (want[i] < 1 || want[i] > (int64_t)LT_MAX_ELEMENTS)
            return ox_refuse(o, "the shape holds an impossible dimension");
        else if (i > 0)
            known = known > (int64_t)LT_MAX_ELEMENTS ? known : known * want[i];
    }
    if (open > 0 && known && total % known == 0) want[open] = total / known;
    if (open == 0) want[0] = known == total ? o->m->batch : -1;
    if (want[0] != o->m->batch && want[0] != 1) return ox_refuse(o, "the batch dimension must be kept");
    if (c->count == 2)
        return want[1] == total ? flatten_value(o, v)
                                : ox_refuse(o, "only [N][C*H*W] and unchanged shapes are supported");
    if (want[1] != s.c || want[2] != s.h || want[3] != s.w)
        return ox_refuse(o, "only [N][C*H*W] and unchanged shapes are supported");
    return ox_define_node(o, v->node, 4);
}

lt_code ox_pad(const ox_op *o)
{
    ox_value *v = ox_input(o, 0);
    const Onnx__AttributeProto *mode = ox_attr(o->n, "mode"), *at = ox_attr(o->n, "pads");
    const ox_const *c = ox_constant(o, 1);
    const float *fill = ox_floats(o, 2, 1);
    int64_t p[8];

    if (!v || v->is_const || v->rank != 4) return ox_refuse(o, "expected an [N][C][H][W] input");
    if (mode && mode->has_s && (mode->s.len != 8 || memcmp(mode->s.data, "constant", 8) != 0))
        return ox_refuse(o, "only mode 'constant' is supported");
    if ((ox_input(o, 2) && !fill) || (fill && *fill != 0) || ox_attr_float(o->n, "value", 0) != 0)
        return ox_refuse(o, "only padding with a constant 0 is supported");
    if (ox_input(o, 3)) return ox_refuse(o, "the axes input is not supported");
    if (c ? !c->is_int || c->count != 8 : !at || at->n_ints != 8)
        return ox_refuse(o, "pads must be 8 constant integers");
    for (int i = 0; i < 8; i++) {
        p[i] = c ? c->i[i] : at->ints[i];
        if (p[i] < 0 || p[i] > LT_MAX_SIDE) return ox_refuse(o, "pads must lie in 0..4096");
    }
    if (p[0] || p[4]) return ox_refuse(o, "the batch cannot be padded");
    LT_TRY(ox_settle(o, v));
    ox_value out = {.name = o->n->output[0], .node = v->node, .rank = 4, .step_h = 1, .step_w = 1};
    if (p[1] || p[5]) { /* channels: the shortcut of ResNet option A */
        lt_node n = lt_node_make(NODE_SHORTCUT, o->name, v->node);
        n.shape.c = (int)(ox_shape(o, v).c + p[1] + p[5]);
        n.res_c_off = (int)p[1];
        LT_TRY(ox_add_node(o, n, &out.node));
    }
    const int64_t spatial[4] = {p[2], p[3], p[6], p[7]};
    for (int i = 0; i < 4; i++) out.pad[i] = (int)spatial[i];
    return ox_define(o->m, out);
}

lt_code ox_slice_activation(const ox_op *o)
{
    ox_value *v = ox_input(o, 0);
    const ox_const *in[8] = {NULL};
    ox_slice s;

    if (!v || v->is_const || v->rank != 4) return ox_refuse(o, "expected an [N][C][H][W] input");
    if (v->pad[0] || v->pad[1] || v->pad[2] || v->pad[3]) LT_TRY(ox_settle(o, v));
    for (size_t i = 1; i < o->n->n_input && i < 8; i++)
        if (ox_input(o, i) && !(in[i] = ox_constant(o, i)))
            return ox_refuse(o, "starts, ends, axes and steps must be constant");
    lt_shape x = ox_shape(o, v);
    const int64_t dim[4] = {o->m->batch, x.c, (x.h - 1) / v->step_h + 1, (x.w - 1) / v->step_w + 1};
    LT_TRY(ox_slice_of(o->n, in, 8, dim, 4, o->name, &s, o->m->err));
    for (int i = 0; i < 4; i++) {
        bool whole = s.start[i] == 0 && s.step[i] >= 1 && s.count[i] == (dim[i] - 1) / s.step[i] + 1;
        if (!whole || (i < 2 && s.step[i] != 1) || s.step[i] > LT_MAX_SIDE)
            return ox_refuse(o, "only subsampling of rows and columns from 0 to the end is supported");
    }
    ox_value out = *v;
    out.name = o->n->output[0];
    out.step_h *= (int)s.step[2];
    out.step_w *= (int)s.step[3];
    if (out.step_h > LT_MAX_SIDE || out.step_w > LT_MAX_SIDE) return ox_refuse(o, "subsampling by more than 4096");
    return ox_define(o->m, out);
}

/* Concatenation of one activation with zeros along the channels: another way to write option A. */
lt_code ox_concat(const ox_op *o)
{
    ox_value *v = NULL;
    int64_t axis = ox_attr_int(o->n, "axis", 0), before = 0, after = 0;

    if (axis != 1 && axis != -3) return ox_refuse(o, "only concatenation of channels with zeros is supported");
    for (size_t i = 0; i < o->n->n_input; i++) {
        ox_value *x = ox_input(o, i);
        if (!x) return ox_refuse(o, "an input is missing");
        if (!x->is_const) {
            if (v || x->rank != 4) return ox_refuse(o, "only one activation can be concatenated, with zeros");
            v = x;
            continue;
        }
        if (x->c.is_int || x->c.rank != 4 || x->c.dim[1] > LT_MAX_CHANNELS)
            return ox_refuse(o, "the zeros must be [1][C][H][W] floats");
        for (size_t k = 0; k < x->c.count; k++)
            if (x->c.f[k] != 0) return ox_refuse(o, "a constant that is not zero cannot be concatenated");
        *(v ? &after : &before) += x->c.dim[1];
    }
    if (!v) return ox_refuse(o, "no activation to concatenate");
    LT_TRY(ox_settle(o, v));
    lt_shape s = ox_shape(o, v);
    for (size_t i = 0; i < o->n->n_input; i++) {
        const ox_const *c = ox_constant(o, i);
        if (c && (c->dim[2] != s.h || c->dim[3] != s.w)) return ox_refuse(o, "the zeros differ in rows or columns");
    }
    if (before + after + s.c > LT_MAX_CHANNELS) return ox_refuse(o, "too many channels");
    lt_node n = lt_node_make(NODE_SHORTCUT, o->name, v->node);
    n.shape.c = (int)(before + s.c + after);
    n.res_c_off = (int)before;
    return ox_emit(o, n, 4);
}

lt_code ox_same(const ox_op *o)
{
    const ox_value *v = ox_input(o, 0);
    if (!v || v->is_const) return ox_refuse(o, "its first input must be computed from the network's input");
    ox_value out = *v;
    out.name = o->n->output[0];
    return ox_define(o->m, out);
}

lt_code ox_cast(const ox_op *o)
{
    if (ox_attr_int(o->n, "to", 0) != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT)
        return ox_refuse(o, "an activation can only be cast to float");
    return ox_same(o);
}

lt_code ox_shape_op(const ox_op *o)
{
    ox_value *v;
    LT_TRY(ox_activation(o, 0, &v));
    lt_shape s = ox_shape(o, v);
    ox_value out = {.name = o->n->output[0], .is_const = true, .c = {.rank = 1, .dim = {v->rank}, .is_int = true}};
    LT_TRY(ox_alloc(&out.c, &o->m->budget, o->name, o->m->err));
    const int64_t dims[4] = {o->m->batch, s.c, s.h, s.w};
    memcpy(out.c.i, dims, (size_t)v->rank * sizeof *dims);
    return ox_define(o->m, out);
}
