/* Operators on constants only: the shape arithmetic that exporters leave in a graph. */
#include "model/onnx_internal.h"

#include <stdlib.h>
#include <string.h>

#include "model/graph.h"

typedef struct {
    const Onnx__NodeProto *n;
    const ox_const *const *in;
    int n_in;
    const char *who;
    ox_const *out;
    size_t *budget;
    lt_err *err;
} fold;

static const ox_const *input(const fold *f, int i)
{
    return i < f->n_in ? f->in[i] : NULL;
}

static lt_code malformed(const fold *f, const char *why)
{
    return lt_fail(f->err, LT_EINPUT, "%s: %s", f->who, why);
}

/* out takes type from c and the dimensions already set in out. */
static lt_code make(const fold *f, const ox_const *c)
{
    f->out->is_int = c->is_int;
    return ox_alloc(f->out, f->budget, f->who, f->err);
}

static void copy_value(ox_const *out, size_t o, const ox_const *in, size_t i)
{
    if (in->is_int)
        out->i[o] = in->i[i];
    else
        out->f[o] = in->f[i];
}

static lt_code copy_as(const fold *f, const ox_const *c)
{
    LT_TRY(make(f, c));
    if (f->out->count != c->count) return malformed(f, "the number of values changes");
    for (size_t i = 0; i < c->count; i++) copy_value(f->out, i, c, i);
    return LT_OK;
}

static void same_dims(ox_const *out, const ox_const *c)
{
    out->rank = c->rank;
    memcpy(out->dim, c->dim, sizeof out->dim);
}

static lt_code fold_constant(const fold *f)
{
    const Onnx__AttributeProto *a;

    if ((a = ox_attr(f->n, "value")) && a->t) return ox_decode(a->t, f->who, f->out, f->budget, f->err);
    if ((a = ox_attr(f->n, "value_int")) || (a = ox_attr(f->n, "value_ints"))) {
        bool list = a->n_ints > 0 || !a->has_i;
        f->out->is_int = true;
        f->out->rank = list;
        f->out->dim[0] = (int64_t)a->n_ints;
        LT_TRY(ox_alloc(f->out, f->budget, f->who, f->err));
        for (size_t i = 0; i < f->out->count; i++) f->out->i[i] = list ? a->ints[i] : a->i;
        return LT_OK;
    }
    if ((a = ox_attr(f->n, "value_float")) || (a = ox_attr(f->n, "value_floats"))) {
        bool list = a->n_floats > 0 || !a->has_f;
        f->out->rank = list;
        f->out->dim[0] = (int64_t)a->n_floats;
        LT_TRY(ox_alloc(f->out, f->budget, f->who, f->err));
        for (size_t i = 0; i < f->out->count; i++) f->out->f[i] = list ? a->floats[i] : a->f;
        return LT_OK;
    }
    return malformed(f, "constant without value, value_int(s) or value_float(s)");
}

/* Shape given by an int constant of at most OX_MAX_RANK values. */
static lt_code dims_from(const fold *f, const ox_const *c)
{
    if (!c || !c->is_int || c->count > OX_MAX_RANK) return malformed(f, "expected a shape of at most 8 int64 values");
    f->out->rank = (int)c->count;
    for (size_t i = 0; i < c->count; i++) f->out->dim[i] = c->i[i];
    return LT_OK;
}

static lt_code fold_constant_of_shape(const fold *f)
{
    const Onnx__AttributeProto *a = ox_attr(f->n, "value");
    ox_const v = {0};

    LT_TRY(dims_from(f, input(f, 0)));
    if (a && a->t) LT_TRY(ox_decode(a->t, f->who, &v, f->budget, f->err));
    f->out->is_int = v.is_int;
    lt_code rc =
        a && v.count != 1 ? malformed(f, "the value must be one number") : ox_alloc(f->out, f->budget, f->who, f->err);
    for (size_t i = 0; a && rc == LT_OK && i < f->out->count; i++) copy_value(f->out, i, &v, 0);
    ox_free(&v);
    return rc;
}

static lt_code fold_cast(const fold *f)
{
    const ox_const *c = input(f, 0);
    int64_t to = ox_attr_int(f->n, "to", 0);
    bool to_int = to == ONNX__TENSOR_PROTO__DATA_TYPE__INT64 || to == ONNX__TENSOR_PROTO__DATA_TYPE__INT32;

    if (!to_int && to != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT && to != ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE)
        return malformed(f, "casts to float, double, int32 and int64 are supported");
    same_dims(f->out, c);
    f->out->is_int = to_int;
    LT_TRY(ox_alloc(f->out, f->budget, f->who, f->err));
    for (size_t i = 0; i < c->count; i++) {
        if (!to_int) {
            f->out->f[i] = c->is_int ? (float)c->i[i] : c->f[i];
        } else if (c->is_int) {
            f->out->i[i] = c->i[i];
        } else {
            if (!(c->f[i] > -9.2e18f && c->f[i] < 9.2e18f)) return malformed(f, "a value does not fit an integer");
            f->out->i[i] = (int64_t)c->f[i];
        }
    }
    return LT_OK;
}

static lt_code fold_reshape(const fold *f)
{
    const ox_const *c = input(f, 0);
    ox_const *out = f->out;
    int64_t known = 1;
    int open = -1;

    LT_TRY(dims_from(f, input(f, 1)));
    for (int i = 0; i < out->rank; i++) {
        if (out->dim[i] == 0 && ox_attr_int(f->n, "allowzero", 0) == 0) {
            if (i >= c->rank) return malformed(f, "a 0 in the shape copies a dimension that does not exist");
            out->dim[i] = c->dim[i];
        }
        if (out->dim[i] == -1 && open < 0) {
            open = i;
        } else if (out->dim[i] < 0 || (out->dim[i] && known > (int64_t)LT_MAX_ELEMENTS / out->dim[i])) {
            return malformed(f, "impossible shape");
        } else {
            known *= out->dim[i];
        }
    }
    if (open >= 0) {
        if (known == 0 || c->count % (size_t)known) return malformed(f, "the shape does not divide the values");
        out->dim[open] = (int64_t)c->count / known;
    }
    return copy_as(f, c);
}

/* axes as second input (opset 13) or attribute; marks them in list, counted against rank. */
static lt_code axes_of(const fold *f, int rank, bool *list, bool *given)
{
    const ox_const *c = input(f, 1);
    const Onnx__AttributeProto *a = ox_attr(f->n, "axes");
    size_t n = c ? c->count : a ? a->n_ints : 0;

    *given = n > 0;
    if (c && !c->is_int) return malformed(f, "axes must be int64");
    for (size_t i = 0; i < n; i++) {
        int64_t ax = c ? c->i[i] : a->ints[i];
        if (ax < 0) ax += rank;
        if (ax < 0 || ax >= rank || list[ax]) return malformed(f, "an axis is out of range or named twice");
        list[ax] = true;
    }
    return LT_OK;
}

static lt_code fold_unsqueeze(const fold *f)
{
    const ox_const *c = input(f, 0), *ax = input(f, 1);
    const Onnx__AttributeProto *a = ox_attr(f->n, "axes");
    size_t extra = ax ? ax->count : a ? a->n_ints : 0;
    bool list[OX_MAX_RANK] = {false}, given;

    if (extra == 0 || extra > (size_t)(OX_MAX_RANK - c->rank)) return malformed(f, "expected 1..8 dimensions in all");
    f->out->rank = c->rank + (int)extra;
    LT_TRY(axes_of(f, f->out->rank, list, &given));
    for (int i = 0, from = 0; i < f->out->rank; i++) f->out->dim[i] = list[i] ? 1 : c->dim[from++];
    return copy_as(f, c);
}

static lt_code fold_squeeze(const fold *f)
{
    const ox_const *c = input(f, 0);
    bool list[OX_MAX_RANK] = {false}, given;

    LT_TRY(axes_of(f, c->rank, list, &given));
    for (int i = 0; i < c->rank; i++) {
        if (given ? list[i] : c->dim[i] == 1) {
            if (c->dim[i] != 1) return malformed(f, "squeezes a dimension that is not 1");
        } else {
            f->out->dim[f->out->rank++] = c->dim[i];
        }
    }
    return copy_as(f, c);
}

static lt_code fold_concat(const fold *f)
{
    const ox_const *c = input(f, 0);
    int64_t axis = ox_attr_int(f->n, "axis", 0), total = 0;
    size_t outer = 1, inner = 1, done = 0;

    if (axis < 0) axis += c->rank;
    if (axis < 0 || axis >= c->rank) return malformed(f, "axis out of range");
    for (int k = 0; k < f->n_in; k++) {
        const ox_const *x = f->in[k];
        if (!x || x->rank != c->rank || x->is_int != c->is_int)
            return malformed(f, "the inputs differ in rank or type");
        for (int i = 0; i < c->rank; i++)
            if (i != axis && x->dim[i] != c->dim[i]) return malformed(f, "the inputs differ off the axis");
        if (x->dim[axis] > (int64_t)LT_MAX_ELEMENTS) return malformed(f, "too many values");
        total += x->dim[axis];
    }
    same_dims(f->out, c);
    f->out->dim[axis] = total;
    LT_TRY(make(f, c));
    if (f->out->count == 0) return LT_OK;
    for (int i = 0; i < axis; i++) outer *= (size_t)c->dim[i];
    for (int64_t i = axis + 1; i < c->rank; i++) inner *= (size_t)c->dim[i];
    for (size_t o = 0; o < outer; o++)
        for (int k = 0; k < f->n_in; k++) {
            size_t run = (size_t)f->in[k]->dim[axis] * inner;
            for (size_t i = 0; i < run; i++) copy_value(f->out, done++, f->in[k], o * run + i);
        }
    return LT_OK;
}

static int64_t clamp(int64_t v, int64_t lo, int64_t hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

/* Value k of starts, ends, axes or steps: input number `number`, or the attribute of that name. */
static bool slice_arg(const Onnx__NodeProto *n, const ox_const *const *in, int n_in, int number, const char *attr,
                      size_t k, int64_t *v)
{
    const Onnx__AttributeProto *a = ox_attr(n, attr);
    if (number < n_in && in[number] && in[number]->is_int && k < in[number]->count)
        *v = in[number]->i[k];
    else if (a && k < a->n_ints)
        *v = a->ints[k];
    else
        return false;
    return true;
}

lt_code ox_slice_of(const Onnx__NodeProto *n, const ox_const *const *in, int n_in, const int64_t *dim, int rank,
                    const char *who, ox_slice *s, lt_err *err)
{
    for (int i = 0; i < rank; i++) {
        s->start[i] = 0;
        s->step[i] = 1;
        s->count[i] = dim[i];
    }
    int64_t start, end, axis, step;
    for (size_t k = 0; slice_arg(n, in, n_in, 1, "starts", k, &start); k++) {
        if (!slice_arg(n, in, n_in, 2, "ends", k, &end))
            return lt_fail(err, LT_EINPUT, "%s: fewer ends than starts", who);
        if (!slice_arg(n, in, n_in, 3, "axes", k, &axis)) axis = (int64_t)k;
        if (!slice_arg(n, in, n_in, 4, "steps", k, &step)) step = 1;
        if (axis < 0) axis += rank;
        if (axis < 0 || axis >= rank || step == 0 || step == INT64_MIN)
            return lt_fail(err, LT_EINPUT, "%s: axis %lld, step %lld: out of range", who, (long long)axis,
                           (long long)step);
        int64_t d = dim[axis];
        if (d == 0) continue; /* stays empty */
        if (start < 0 && start >= -d) start += d;
        if (end < 0 && end >= -d) end += d;
        start = clamp(start, 0, step > 0 ? d : d - 1);
        end = clamp(end, step > 0 ? 0 : -1, d);
        s->start[axis] = start;
        s->step[axis] = step;
        if (step > 0)
            s->count[axis] = end > start ? (end - start - 1) / step + 1 : 0;
        else
            s->count[axis] = start > end ? (start - end - 1) / -step + 1 : 0;
    }
    return LT_OK;
}

/* Copies out[idx] = in[start + idx*stride ...] for an arbitrary strided view: slice and transpose. */
static void copy_view(ox_const *out, const ox_const *in, int64_t base, const int64_t *stride)
{
    int64_t idx[OX_MAX_RANK] = {0}, at = base;
    for (size_t o = 0; o < out->count; o++) {
        copy_value(out, o, in, (size_t)at);
        for (int i = out->rank - 1; i >= 0; i--) {
            at += stride[i];
            if (++idx[i] < out->dim[i]) break;
            at -= stride[i] * out->dim[i];
            idx[i] = 0;
        }
    }
}

static void strides_of(const ox_const *c, int64_t *stride)
{
    int64_t s = c->count ? 1 : 0; /* an empty tensor may have huge other dimensions */
    for (int i = c->rank - 1; i >= 0; i--) {
        stride[i] = s;
        s *= c->dim[i];
    }
}

static lt_code fold_slice(const fold *f)
{
    const ox_const *c = input(f, 0);
    int64_t stride[OX_MAX_RANK], base = 0;
    ox_slice s;

    LT_TRY(ox_slice_of(f->n, f->in, f->n_in, c->dim, c->rank, f->who, &s, f->err));
    strides_of(c, stride);
    same_dims(f->out, c);
    for (int i = 0; i < c->rank; i++) {
        f->out->dim[i] = s.count[i];
        if (s.count[i] == 0) s.step[i] = 0; /* nothing is read; keep the products small */
        base += s.start[i] * stride[i];
        stride[i] *= s.count[i] > 1 ? s.step[i] : 0;
    }
    LT_TRY(make(f, c));
    copy_view(f->out, c, base, stride);
    return LT_OK;
}

static lt_code fold_transpose(const fold *f)
{
    const ox_const *c = input(f, 0);
    const Onnx__AttributeProto *a = ox_attr(f->n, "perm");
    int64_t from[OX_MAX_RANK], stride[OX_MAX_RANK];
    bool seen[OX_MAX_RANK] = {false};

    if (a && a->n_ints != (size_t)c->rank) return malformed(f, "perm does not match the rank");
    strides_of(c, from);
    f->out->rank = c->rank;
    for (int i = 0; i < c->rank; i++) {
        int64_t p = a ? a->ints[i] : c->rank - 1 - i;
        if (p < 0 || p >= c->rank || seen[p]) return malformed(f, "perm is no permutation");
        seen[p] = true;
        f->out->dim[i] = c->dim[p];
        stride[i] = from[p];
    }
    LT_TRY(make(f, c));
    copy_view(f->out, c, 0, stride);
    return LT_OK;
}

static lt_code fold_gather(const fold *f)
{
    const ox_const *c = input(f, 0), *idx = input(f, 1);
    int64_t axis = ox_attr_int(f->n, "axis", 0);
    size_t outer = 1, inner = 1, done = 0;

    if (axis < 0) axis += c->rank;
    if (!idx || !idx->is_int || axis < 0 || axis >= c->rank || c->rank - 1 + idx->rank > OX_MAX_RANK)
        return malformed(f, "expected int64 indices and an axis of the data");
    for (int i = 0; i < axis; i++) outer *= (size_t)(f->out->dim[f->out->rank++] = c->dim[i]);
    for (int i = 0; i < idx->rank; i++) f->out->dim[f->out->rank++] = idx->dim[i];
    for (int64_t i = axis + 1; i < c->rank; i++) inner *= (size_t)(f->out->dim[f->out->rank++] = c->dim[i]);
    LT_TRY(make(f, c));
    if (f->out->count == 0) return LT_OK;
    for (size_t o = 0; o < outer; o++)
        for (size_t k = 0; k < idx->count; k++) {
            int64_t at = idx->i[k] < 0 ? idx->i[k] + c->dim[axis] : idx->i[k];
            if (at < 0 || at >= c->dim[axis]) return malformed(f, "an index is out of range");
            size_t row = (o * (size_t)c->dim[axis] + (size_t)at) * inner;
            for (size_t i = 0; i < inner; i++) copy_value(f->out, done++, c, row + i);
        }
    return LT_OK;
}

static lt_code fold_identity(const fold *f)
{
    same_dims(f->out, input(f, 0));
    return copy_as(f, input(f, 0));
}

lt_code ox_fold(const Onnx__NodeProto *n, const ox_const *const *in, int n_in, const char *who, ox_const *out,
                bool *done, size_t *budget, lt_err *err)
{
    static const struct {
        const char *op;
        int inputs;
        lt_code (*run)(const fold *);
    } table[] = {{"Constant", 0, fold_constant}, {"ConstantOfShape", 1, fold_constant_of_shape},
                 {"Identity", 1, fold_identity}, {"Cast", 1, fold_cast},
                 {"Reshape", 2, fold_reshape},   {"Unsqueeze", 1, fold_unsqueeze},
                 {"Squeeze", 1, fold_squeeze},   {"Concat", 1, fold_concat},
                 {"Slice", 1, fold_slice},       {"Transpose", 1, fold_transpose},
                 {"Gather", 2, fold_gather}};
    fold f = {n, in, n_in, who, out, budget, err};

    *out = (ox_const){0};
    *done = false;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (strcmp(n->op_type, table[i].op) != 0) continue;
        for (int k = 0; k < table[i].inputs; k++)
            if (!input(&f, k)) return malformed(&f, "an input is missing");
        *done = true;
        lt_code rc = table[i].run(&f);
        if (rc != LT_OK) ox_free(out);
        return rc;
    }
    return LT_OK;
}
