/* Shared by the parts of the ONNX importer; not a public header. */
#ifndef LUTRA_MODEL_ONNX_INTERNAL_H
#define LUTRA_MODEL_ONNX_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#include "model/graph.h"
#include "onnx.pb-c.h"

enum { OX_MAX_RANK = 8 };

/* A tensor known at import time: weights (float) or shapes and indices (int64). */
typedef struct {
    int rank;
    int64_t dim[OX_MAX_RANK];
    size_t count;
    bool is_int;
    float *f;   /* owned, if !is_int */
    int64_t *i; /* owned, if is_int */
} ox_const;

void ox_free(ox_const *c);

/* Allocates count values for the dimensions in c->dim (all >= 0). *budget is the number of values that the whole import
 * may still allocate. */
lt_code ox_alloc(ox_const *c, size_t *budget, const char *who, lt_err *err);

/* Decodes float, double, int32 and int64 tensors held in the file itself. */
lt_code ox_decode(const Onnx__TensorProto *t, const char *who, ox_const *out, size_t *budget, lt_err *err);

/* Walks the protobuf wire format along the schema before it is unpacked: refuses nesting deeper than 32 messages (the
 * unpacker recurses) and more than 4 million fields of variable length (each costs an allocation). */
lt_code ox_scan(const uint8_t *data, size_t len, const char *who, lt_err *err);

/* Attributes by name; the default if absent. A wrong type counts as absent. */
const Onnx__AttributeProto *ox_attr(const Onnx__NodeProto *n, const char *name);
int64_t ox_attr_int(const Onnx__NodeProto *n, const char *name, int64_t def);
float ox_attr_float(const Onnx__NodeProto *n, const char *name, float def);

/* Computes an operator whose inputs are all constants (in[k] NULL: input absent). *done = false if the operator is not
 * one of those that fold: Constant, ConstantOfShape, Identity, Cast, Reshape, Unsqueeze, Squeeze, Concat, Slice,
 * Transpose, Gather. */
lt_code ox_fold(const Onnx__NodeProto *n, const ox_const *const *in, int n_in, const char *who, ox_const *out,
                bool *done, size_t *budget, lt_err *err);

/* starts, ends, axes, steps of a Slice as inputs (opset 10) or attributes, resolved against dims. */
typedef struct {
    int64_t start[OX_MAX_RANK], step[OX_MAX_RANK], count[OX_MAX_RANK];
} ox_slice;
lt_code ox_slice_of(const Onnx__NodeProto *n, const ox_const *const *in, int n_in, const int64_t *dim, int rank,
                    const char *who, ox_slice *s, lt_err *err);

/* What a name of the ONNX graph stands for: a constant, or an activation, i.e. a node of our graph seen through what
 * has not become a node yet (exporters write option-A shortcuts as one Slice per axis, and padding as its own
 * operator). */
typedef struct {
    const char *name;
    bool is_const;
    ox_const c;
    int node, rank;     /* rank 4: [N][C][H][W]; 2: [N][F] */
    int step_h, step_w; /* pending subsampling */
    int pad[4];         /* pending zero padding: top, left, bottom, right */
} ox_value;

typedef struct {
    const char *who; /* starts messages: the file's name */
    lt_graph *g;
    ox_value *values;
    int n_values, cap;
    int *slots; /* hash table of value numbers + 1 */
    size_t n_slots;
    int64_t batch; /* first dimension of the input, 1 if symbolic */
    const char *output;
    size_t budget;
    lt_err *err;
} ox_import;

/* NULL if the name is unknown. Valid until the next ox_define. */
ox_value *ox_find(const ox_import *m, const char *name);
/* Takes ownership of v.c, also on failure. A name defined twice is LT_EINPUT. */
lt_code ox_define(ox_import *m, ox_value v);

/* Converts one node that reads an activation; `name` names it in messages and in our graph. */
lt_code ox_convert(ox_import *m, const Onnx__NodeProto *n, const char *name);

/* ---- shared by the converters (onnx_op.c) ---- */

typedef struct {
    ox_import *m;
    const Onnx__NodeProto *n;
    const char *name;
} ox_op;

lt_code ox_refuse(const ox_op *o, const char *why); /* names the node; LT_EINPUT */
lt_code ox_no_memory(const ox_op *o);
ox_value *ox_input(const ox_op *o, size_t i);                   /* NULL: absent */
const ox_const *ox_constant(const ox_op *o, size_t i);          /* NULL: absent, or no constant */
const float *ox_floats(const ox_op *o, size_t i, size_t count); /* NULL unless a constant of that many floats */
lt_shape ox_shape(const ox_op *o, const ox_value *v);
/* The first input, which must be an activation of this rank (0: any), settled. */
lt_code ox_activation(const ox_op *o, int rank, ox_value **v);
lt_code ox_settle(const ox_op *o, ox_value *v); /* turns what is pending into nodes */
lt_code ox_add_node(const ox_op *o, lt_node n, int *id);
lt_code ox_define_node(const ox_op *o, int node, int rank); /* the output's name stands for this node */
lt_code ox_emit(const ox_op *o, lt_node n, int rank);       /* both */

/* ---- converters of onnx_shape_ops.c ---- */
lt_code ox_flatten(const ox_op *o);
lt_code ox_reshape(const ox_op *o);
lt_code ox_pad(const ox_op *o);
lt_code ox_slice_activation(const ox_op *o);
lt_code ox_concat(const ox_op *o);
lt_code ox_same(const ox_op *o);
lt_code ox_cast(const ox_op *o);
lt_code ox_shape_op(const ox_op *o);

#endif
