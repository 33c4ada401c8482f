/* Builds small ONNX models in memory for tests. Everything lives in one arena, freed at once. */
#ifndef LUTRA_TESTS_ONNX_MAKE_H
#define LUTRA_TESTS_ONNX_MAKE_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onnx.pb-c.h"

enum { OM_MAX = 256 };

typedef struct {
    Onnx__ModelProto model;
    Onnx__GraphProto graph;
    Onnx__OperatorSetIdProto opset, *opsets[1];
    Onnx__NodeProto *nodes[OM_MAX];
    Onnx__TensorProto *inits[OM_MAX];
    Onnx__ValueInfoProto *inputs[4], *outputs[4];
    void *arena[8 * OM_MAX];
    int n_arena;
} onnx_make;

static inline void *om_alloc(onnx_make *m, size_t n)
{
    void *p = calloc(1, n ? n : 1);
    if (!p || m->n_arena == 8 * OM_MAX) abort();
    m->arena[m->n_arena++] = p;
    return p;
}

static inline char *om_str(onnx_make *m, const char *s)
{
    char *p = om_alloc(m, strlen(s) + 1);
    strcpy(p, s);
    return p;
}

static inline Onnx__ValueInfoProto *om_value(onnx_make *m, const char *name, int n, const int64_t *dims)
{
    Onnx__ValueInfoProto *v = om_alloc(m, sizeof *v);
    Onnx__TypeProto *t = om_alloc(m, sizeof *t);
    Onnx__TypeProto__Tensor *tt = om_alloc(m, sizeof *tt);
    Onnx__TensorShapeProto *s = om_alloc(m, sizeof *s);
    onnx__value_info_proto__init(v);
    onnx__type_proto__init(t);
    onnx__type_proto__tensor__init(tt);
    onnx__tensor_shape_proto__init(s);
    v->name = om_str(m, name);
    v->type = t;
    t->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    t->tensor_type = tt;
    tt->has_elem_type = 1;
    tt->elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    tt->shape = s;
    s->dim = om_alloc(m, (size_t)n * sizeof *s->dim);
    s->n_dim = (size_t)n;
    for (int i = 0; i < n; i++) {
        s->dim[i] = om_alloc(m, sizeof **s->dim);
        onnx__tensor_shape_proto__dimension__init(s->dim[i]);
        if (dims[i] > 0) {
            s->dim[i]->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
            s->dim[i]->dim_value = dims[i];
        } else {
            s->dim[i]->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
            s->dim[i]->dim_param = om_str(m, "batch");
        }
    }
    return v;
}

/* A model with input "x" [batch][c][h][w] and output "y". */
static inline void om_begin(onnx_make *m, int c, int h, int w)
{
    memset(m, 0, sizeof *m);
    onnx__model_proto__init(&m->model);
    onnx__graph_proto__init(&m->graph);
    onnx__operator_set_id_proto__init(&m->opset);
    m->model.has_ir_version = 1;
    m->model.ir_version = 7;
    m->opset.has_version = 1;
    m->opset.version = 13;
    m->opset.domain = om_str(m, "");
    m->opsets[0] = &m->opset;
    m->model.opset_import = m->opsets;
    m->model.n_opset_import = 1;
    m->model.graph = &m->graph;
    m->graph.name = om_str(m, "test");
    m->graph.node = m->nodes;
    m->graph.initializer = m->inits;
    m->graph.input = m->inputs;
    m->graph.output = m->outputs;
    m->inputs[m->graph.n_input++] = om_value(m, "x", 4, (const int64_t[]){0, c, h, w});
    m->outputs[m->graph.n_output++] = om_value(m, "y", 2, (const int64_t[]){0, 0});
}

static inline Onnx__TensorProto *om_tensor(onnx_make *m, const char *name, int type, int rank, const int64_t *dims)
{
    Onnx__TensorProto *t = om_alloc(m, sizeof *t);
    onnx__tensor_proto__init(t);
    t->name = om_str(m, name);
    t->has_data_type = 1;
    t->data_type = type;
    t->n_dims = (size_t)rank;
    t->dims = om_alloc(m, (size_t)rank * sizeof *t->dims);
    if (rank) memcpy(t->dims, dims, (size_t)rank * sizeof *dims);
    return t;
}

static inline void om_raw(onnx_make *m, Onnx__TensorProto *t, const void *data, size_t bytes)
{
    t->has_raw_data = 1;
    t->raw_data.len = bytes;
    t->raw_data.data = om_alloc(m, bytes);
    memcpy(t->raw_data.data, data, bytes);
}

static inline size_t om_count(int rank, const int64_t *dims)
{
    size_t n = 1;
    for (int i = 0; i < rank; i++) n *= (size_t)dims[i];
    return n;
}

#define OM_DIMS(...)                                                                                                   \
    (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (const int64_t[])                                       \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }

static inline Onnx__TensorProto *om_floats(onnx_make *m, const char *name, int rank, const int64_t *dims,
                                           const float *v)
{
    Onnx__TensorProto *t = om_tensor(m, name, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, rank, dims);
    om_raw(m, t, v, om_count(rank, dims) * sizeof *v);
    return m->inits[m->graph.n_initializer++] = t;
}

static inline Onnx__TensorProto *om_ints(onnx_make *m, const char *name, int n, const int64_t *v)
{
    Onnx__TensorProto *t = om_tensor(m, name, ONNX__TENSOR_PROTO__DATA_TYPE__INT64, 1, (const int64_t[]){n});
    om_raw(m, t, v, (size_t)n * sizeof *v);
    return m->inits[m->graph.n_initializer++] = t;
}

/* inputs: names separated by blanks ("-" = absent); outputs likewise. */
static inline Onnx__NodeProto *om_node(onnx_make *m, const char *op, const char *inputs, const char *output)
{
    Onnx__NodeProto *n = om_alloc(m, sizeof *n);
    char text[512], *save, name[32];
    onnx__node_proto__init(n);
    snprintf(name, sizeof name, "n%zu", m->graph.n_node);
    n->name = om_str(m, name);
    n->op_type = om_str(m, op);
    n->input = om_alloc(m, 16 * sizeof *n->input);
    n->output = om_alloc(m, sizeof *n->output);
    snprintf(text, sizeof text, "%s", inputs);
    for (char *w = strtok_r(text, " ", &save); w; w = strtok_r(NULL, " ", &save))
        n->input[n->n_input++] = om_str(m, strcmp(w, "-") == 0 ? "" : w);
    n->output[n->n_output++] = om_str(m, output);
    n->attribute = om_alloc(m, 8 * sizeof *n->attribute);
    return m->nodes[m->graph.n_node++] = n;
}

static inline Onnx__AttributeProto *om_attr(onnx_make *m, const char *name, int type)
{
    Onnx__NodeProto *n = m->nodes[m->graph.n_node - 1];
    Onnx__AttributeProto *a = om_alloc(m, sizeof *a);
    onnx__attribute_proto__init(a);
    a->name = om_str(m, name);
    a->has_type = 1;
    a->type = (Onnx__AttributeProto__AttributeType)type;
    return n->attribute[n->n_attribute++] = a;
}

/* Attributes of the node made last. */
static inline void om_int(onnx_make *m, const char *name, int64_t v)
{
    Onnx__AttributeProto *a = om_attr(m, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
    a->has_i = 1;
    a->i = v;
}

static inline void om_float(onnx_make *m, const char *name, float v)
{
    Onnx__AttributeProto *a = om_attr(m, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);
    a->has_f = 1;
    a->f = v;
}

static inline void om_list(onnx_make *m, const char *name, int n, const int64_t *v)
{
    Onnx__AttributeProto *a = om_attr(m, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
    a->n_ints = (size_t)n;
    a->ints = om_alloc(m, (size_t)n * sizeof *v);
    memcpy(a->ints, v, (size_t)n * sizeof *v);
}

static inline void om_text(onnx_make *m, const char *name, const char *v)
{
    Onnx__AttributeProto *a = om_attr(m, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING);
    a->has_s = 1;
    a->s.len = strlen(v);
    a->s.data = (uint8_t *)om_str(m, v);
}

/* A Constant node holding int64 values. */
static inline void om_const_ints(onnx_make *m, const char *output, int n, const int64_t *v)
{
    om_node(m, "Constant", "", output);
    Onnx__AttributeProto *a = om_attr(m, "value", ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR);
    a->t = om_tensor(m, "", ONNX__TENSOR_PROTO__DATA_TYPE__INT64, 1, (const int64_t[]){n});
    om_raw(m, a->t, v, (size_t)n * sizeof *v);
}

static inline uint8_t *om_pack(onnx_make *m, size_t *len)
{
    *len = onnx__model_proto__get_packed_size(&m->model);
    uint8_t *p = malloc(*len + 1);
    if (!p) abort();
    onnx__model_proto__pack(&m->model, p);
    return p;
}

static inline void om_end(onnx_make *m)
{
    for (int i = 0; i < m->n_arena; i++) free(m->arena[i]);
    memset(m, 0, sizeof *m);
}

#endif
