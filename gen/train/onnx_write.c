#include "train/onnx_write.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "onnx.pb-c.h"

enum { MAX_INPUTS = 5, MAX_ATTRS = 8, NAME = 64 };

/* Messages are built in place, in one block per node, and freed together. */
typedef struct piece {
    struct piece *next;
    _Alignas(16) unsigned char data[];
} piece;

typedef struct {
    const lt_graph *g;
    Onnx__GraphProto graph;
    Onnx__NodeProto **nodes;
    Onnx__TensorProto **inits;
    size_t cap;
    char **tensor; /* [g->n_nodes]: name of the node's result */
    piece *pieces;
    bool failed;
    lt_err *err;
} writer;

static void *get(writer *w, size_t size)
{
    piece *p = calloc(1, sizeof *p + size + 1);
    if (!p) {
        w->failed = true;
        return NULL;
    }
    p->next = w->pieces;
    w->pieces = p;
    return p->data;
}

static char *text(writer *w, const char *s)
{
    char *p = get(w, strlen(s));
    if (p) strcpy(p, s);
    return p;
}

static Onnx__NodeProto *node(writer *w, const char *op, const char *name, const char *output)
{
    Onnx__NodeProto *n = get(w, sizeof *n);
    if (!n) return NULL;
    onnx__node_proto__init(n);
    n->op_type = text(w, op);
    n->name = text(w, name);
    n->input = get(w, MAX_INPUTS * sizeof *n->input);
    n->output = get(w, sizeof *n->output);
    n->attribute = get(w, MAX_ATTRS * sizeof *n->attribute);
    if (w->failed || w->graph.n_node == w->cap) {
        w->failed = true;
        return NULL;
    }
    n->output[n->n_output++] = text(w, output);
    w->nodes[w->graph.n_node++] = n;
    return n;
}

static void input(writer *w, Onnx__NodeProto *n, const char *name)
{
    if (n && !w->failed) n->input[n->n_input++] = text(w, name);
}

static Onnx__AttributeProto *attribute(writer *w, Onnx__NodeProto *n, const char *name, int type)
{
    Onnx__AttributeProto *a = n ? get(w, sizeof *a) : NULL;
    if (!a) return NULL;
    onnx__attribute_proto__init(a);
    a->name = text(w, name);
    a->has_type = 1;
    a->type = (Onnx__AttributeProto__AttributeType)type;
    return n->attribute[n->n_attribute++] = a;
}

static void attr_int(writer *w, Onnx__NodeProto *n, const char *name, int64_t v)
{
    Onnx__AttributeProto *a = attribute(w, n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
    if (!a) return;
    a->has_i = 1;
    a->i = v;
}

static void attr_float(writer *w, Onnx__NodeProto *n, const char *name, float v)
{
    Onnx__AttributeProto *a = attribute(w, n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);
    if (!a) return;
    a->has_f = 1;
    a->f = v;
}

static void attr_ints(writer *w, Onnx__NodeProto *n, const char *name, int count, const int64_t *v)
{
    Onnx__AttributeProto *a = attribute(w, n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
    int64_t *copy = get(w, (size_t)count * sizeof *v);
    if (!a || !copy) return;
    memcpy(copy, v, (size_t)count * sizeof *v);
    a->n_ints = (size_t)count;
    a->ints = copy;
}

/* A constant, named after the node; becomes the node's next input. */
static void constant(writer *w, Onnx__NodeProto *n, const char *part, int type, int rank, const int64_t *dim,
                     const void *data, size_t bytes)
{
    char name[QN_NAME + NAME];
    Onnx__TensorProto *t = n ? get(w, sizeof *t) : NULL;
    int64_t *dims = get(w, (size_t)rank * sizeof *dims);
    void *copy = get(w, bytes);

    if (!t || !dims || !copy) return;
    snprintf(name, sizeof name, "%s.%s", n->output[0], part);
    onnx__tensor_proto__init(t);
    t->name = text(w, name);
    t->has_data_type = 1;
    t->data_type = type;
    if (rank) memcpy(dims, dim, (size_t)rank * sizeof *dims);
    t->dims = dims;
    t->n_dims = (size_t)rank;
    memcpy(copy, data, bytes);
    t->has_raw_data = 1;
    t->raw_data.data = copy;
    t->raw_data.len = bytes;
    w->inits[w->graph.n_initializer++] = t;
    input(w, n, name);
}

static void floats(writer *w, Onnx__NodeProto *n, const char *part, int rank, const int64_t *dim, const float *v)
{
    size_t count = 1;
    for (int i = 0; i < rank; i++) count *= (size_t)dim[i];
    constant(w, n, part, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, rank, dim, v, count * sizeof *v);
}

static void ints(writer *w, Onnx__NodeProto *n, const char *part, int count, const int64_t *v)
{
    constant(w, n, part, ONNX__TENSOR_PROTO__DATA_TYPE__INT64, 1, &(int64_t){count}, v, (size_t)count * sizeof *v);
}

static void window(writer *w, Onnx__NodeProto *o, const lt_node *n)
{
    attr_ints(w, o, "kernel_shape", 2, (int64_t[]){n->r, n->s});
    attr_ints(w, o, "strides", 2, (int64_t[]){n->stride_h, n->stride_w});
    attr_ints(w, o, "pads", 4, (int64_t[]){n->pad_t, n->pad_l, n->pad_b, n->pad_r});
}

static void clip(writer *w, const lt_node *n, const char *in, const char *name, const char *out)
{
    bool relu = n->lo == 0 && n->hi == INFINITY;
    Onnx__NodeProto *o = node(w, relu ? "Relu" : "Clip", name, out);
    input(w, o, in);
    if (relu) return;
    if (n->lo != -INFINITY)
        floats(w, o, "min", 0, NULL, &n->lo);
    else
        input(w, o, "");
    if (n->hi != INFINITY) floats(w, o, "max", 0, NULL, &n->hi);
}

/* x subsampled and with channels of zeros around it. */
static void shortcut(writer *w, const char *name, const char *in, int in_c, int step, int c_off, int c, const char *out)
{
    char between[QN_NAME + NAME];
    bool pad = c != in_c || c_off;

    snprintf(between, sizeof between, "%s.sub", out);
    if (step > 1) {
        Onnx__NodeProto *o = node(w, "Slice", pad ? between : name, pad ? between : out);
        input(w, o, in);
        ints(w, o, "starts", 2, (int64_t[]){0, 0});
        ints(w, o, "ends", 2, (int64_t[]){INT32_MAX, INT32_MAX});
        ints(w, o, "axes", 2, (int64_t[]){2, 3});
        ints(w, o, "steps", 2, (int64_t[]){step, step});
        in = between;
    }
    if (!pad && step > 1) return;
    Onnx__NodeProto *o = node(w, pad ? "Pad" : "Identity", name, out);
    input(w, o, in);
    if (pad) ints(w, o, "pads", 8, (int64_t[]){0, c_off, 0, 0, 0, c - c_off - in_c, 0, 0});
}

static void batch_norm(writer *w, Onnx__NodeProto *o, const lt_node *n, const lt_bn_view *v)
{
    int64_t c = n->shape.c;
    float *zeros = get(w, (size_t)c * sizeof(float)), *ones = get(w, (size_t)c * sizeof(float));
    bool stats = v && v->gamma;

    if (!zeros || !ones) return;
    for (int64_t i = 0; i < c; i++) ones[i] = 1;
    floats(w, o, "scale", 1, &c, stats ? v->gamma : n->weight);
    floats(w, o, "shift", 1, &c, stats ? v->beta : n->bias);
    floats(w, o, "mean", 1, &c, stats ? v->mean : zeros);
    floats(w, o, "var", 1, &c, stats ? v->var : ones);
    attr_float(w, o, "epsilon", stats ? LT_BN_EPS : 0);
}

/* The operator itself, without the node's own residual and clip. */
static void operator_of(writer *w, const lt_node *n, const lt_bn_view *bn, const char *out)
{
    const char *in = w->tensor[n->in];
    lt_shape is = w->g->nodes[n->in].shape;
    Onnx__NodeProto *o;

    switch (n->op) {
    case NODE_CONV:
        o = node(w, "Conv", n->name, out);
        input(w, o, in);
        floats(w, o, "weight", 4, (int64_t[]){n->shape.c, is.c / n->groups, n->r, n->s}, n->weight);
        if (n->bias) floats(w, o, "bias", 1, &(int64_t){n->shape.c}, n->bias);
        window(w, o, n);
        attr_ints(w, o, "dilations", 2, (int64_t[]){n->dil_h, n->dil_w});
        attr_int(w, o, "group", n->groups);
        break;
    case NODE_GEMM:
        o = node(w, "Gemm", n->name, out);
        input(w, o, in);
        floats(w, o, "weight", 2, (int64_t[]){n->shape.c, (int64_t)lt_shape_size(is)}, n->weight);
        if (n->bias) floats(w, o, "bias", 1, &(int64_t){n->shape.c}, n->bias);
        attr_int(w, o, "transB", 1);
        break;
    case NODE_MAXPOOL:
    case NODE_AVGPOOL:
        o = node(w, n->op == NODE_MAXPOOL ? "MaxPool" : "AveragePool", n->name, out);
        input(w, o, in);
        window(w, o, n);
        if (n->count_pad) attr_int(w, o, "count_include_pad", 1);
        break;
    case NODE_BN:
        o = node(w, "BatchNormalization", n->name, out);
        input(w, o, in);
        batch_norm(w, o, n, bn);
        break;
    case NODE_FLATTEN:
        input(w, node(w, "Flatten", n->name, out), in);
        break;
    case NODE_SHORTCUT:
        shortcut(w, n->name, in, is.c, n->res_step, n->res_c_off, n->shape.c, out);
        break;
    default: /* add and clip: all of it is residual and clip */
        break;
    }
}

static void write_node(writer *w, int i, const lt_bn_view *bn)
{
    const lt_node *n = &w->g->nodes[i];
    const char *out = w->tensor[i];
    char a[QN_NAME + NAME], b[QN_NAME + NAME], c[QN_NAME + NAME];
    bool bare = n->op == NODE_ADD || n->op == NODE_CLIP; /* no operator of its own */
    bool adds = n->res >= 0 && n->op != NODE_SHORTCUT, clips = n->lo != -INFINITY || n->hi != INFINITY;
    const char *now = bare ? w->tensor[n->in] : adds || clips ? a : out;

    snprintf(a, sizeof a, "%s.op", out);
    snprintf(b, sizeof b, "%s.res", out);
    snprintf(c, sizeof c, "%s.sum", out);
    operator_of(w, n, bn ? &bn[i] : NULL, now);
    if (adds) {
        const char *res = w->tensor[n->res], *to = clips ? c : out;
        lt_shape rs = w->g->nodes[n->res].shape;
        if (n->res_step != 1 || n->res_c_off || rs.c != n->shape.c) {
            shortcut(w, b, res, rs.c, n->res_step, n->res_c_off, n->shape.c, b);
            res = b;
        }
        Onnx__NodeProto *o = node(w, "Add", n->op == NODE_ADD ? n->name : c, to);
        input(w, o, now);
        input(w, o, res);
        now = to;
    }
    if (clips) clip(w, n, now, n->op == NODE_CLIP ? n->name : out, out);
    if (bare && !adds && !clips) input(w, node(w, "Identity", n->name, out), now);
}

static Onnx__ValueInfoProto *value(writer *w, const char *name, int rank, const int64_t *dim)
{
    Onnx__ValueInfoProto *v = get(w, sizeof *v);
    Onnx__TypeProto *t = get(w, sizeof *t);
    Onnx__TypeProto__Tensor *tt = get(w, sizeof *tt);
    Onnx__TensorShapeProto *s = get(w, sizeof *s);
    Onnx__TensorShapeProto__Dimension *d = get(w, (size_t)rank * sizeof *d),
                                      **list = get(w, (size_t)rank * sizeof *list);

    if (w->failed) return NULL;
    onnx__value_info_proto__init(v);
    onnx__type_proto__init(t);
    onnx__type_proto__tensor__init(tt);
    onnx__tensor_shape_proto__init(s);
    v->name = text(w, name);
    v->type = t;
    t->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    t->tensor_type = tt;
    tt->has_elem_type = 1;
    tt->elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    tt->shape = s;
    for (int i = 0; i < rank; i++) {
        onnx__tensor_shape_proto__dimension__init(&d[i]);
        list[i] = &d[i];
        if (i == 0) {
            d[i].value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
            d[i].dim_param = text(w, "batch");
        } else {
            d[i].value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
            d[i].dim_value = dim[i];
        }
    }
    s->dim = list;
    s->n_dim = (size_t)rank;
    return v;
}

/* Whether a node's value is a vector for ONNX: behind a flatten or a fully connected layer. */
static bool is_vector(const lt_graph *g, int i)
{
    while (g->nodes[i].op == NODE_BN || g->nodes[i].op == NODE_CLIP || g->nodes[i].op == NODE_ADD) i = g->nodes[i].in;
    return g->nodes[i].op == NODE_GEMM || g->nodes[i].op == NODE_FLATTEN;
}

static lt_code pack(writer *w, const lt_bn_view *bn, lt_buf *out)
{
    const lt_graph *g = w->g;
    lt_shape s = g->nodes[0].shape, o = g->nodes[g->output].shape;
    Onnx__ModelProto m;
    Onnx__OperatorSetIdProto set, *sets = &set;
    Onnx__ValueInfoProto *in, *result;

    onnx__graph_proto__init(&w->graph);
    onnx__model_proto__init(&m);
    onnx__operator_set_id_proto__init(&set);
    for (int i = 0; i < g->n_nodes; i++) {
        char name[NAME];
        snprintf(name, sizeof name, i == 0 ? "input" : i == g->output ? "output" : "t%d", i);
        w->tensor[i] = text(w, name);
    }
    for (int i = 1; i < g->n_nodes && !w->failed; i++) write_node(w, i, bn);
    in = value(w, "input", 4, (int64_t[]){0, s.c, s.h, s.w});
    result = value(w, "output", is_vector(g, g->output) ? 2 : 4, (int64_t[]){0, o.c, o.h, o.w});
    w->graph.name = text(w, g->name);
    m.producer_name = text(w, "lutra");
    set.domain = text(w, "");
    if (w->failed) return lt_fail(w->err, LT_EMEM, "%s: out of memory", g->name);
    w->graph.node = w->nodes;
    w->graph.initializer = w->inits;
    w->graph.input = &in;
    w->graph.n_input = 1;
    w->graph.output = &result;
    w->graph.n_output = 1;
    set.has_version = m.has_ir_version = 1;
    set.version = 13;
    m.ir_version = 7;
    m.opset_import = &sets;
    m.n_opset_import = 1;
    m.graph = &w->graph;
    size_t len = onnx__model_proto__get_packed_size(&m);
    void *data = get(w, len);
    if (!data) return lt_fail(w->err, LT_EMEM, "%s: out of memory", g->name);
    onnx__model_proto__pack(&m, data);
    lt_buf_add(out, data, len);
    return lt_buf_ok(out) ? LT_OK : lt_fail(w->err, LT_EMEM, "%s: out of memory", g->name);
}

lt_code lt_onnx_write(const lt_graph *g, const lt_bn_view *bn, lt_buf *out, lt_err *err)
{
    writer w = {.g = g, .cap = (size_t)g->n_nodes * 5 + 1, .err = err};

    w.nodes = calloc(w.cap, sizeof *w.nodes);
    w.inits = calloc(w.cap * MAX_INPUTS, sizeof *w.inits);
    w.tensor = calloc((size_t)g->n_nodes, sizeof *w.tensor);
    lt_code rc =
        w.nodes && w.inits && w.tensor ? pack(&w, bn, out) : lt_fail(err, LT_EMEM, "%s: out of memory", g->name);
    while (w.pieces) {
        piece *next = w.pieces->next;
        free(w.pieces);
        w.pieces = next;
    }
    free(w.nodes);
    free(w.inits);
    free(w.tensor);
    return rc;
}

lt_code lt_net_save_onnx(lt_net *net, const char *path, lt_err *err)
{
    lt_graph g;
    lt_buf b = {0};

    LT_TRY(lt_net_to_graph(net, &g, err));
    lt_bn_view *bn = calloc((size_t)g.n_nodes, sizeof *bn);
    lt_code rc = bn ? LT_OK : lt_fail(err, LT_EMEM, "%s: out of memory", path);
    for (int i = 0; i < lt_net_n_layers(net) && rc == LT_OK; i++) {
        const lt_layer *l = lt_net_layer(net, i);
        if (l->node >= 0) lt_layer_bn_view(l, &bn[l->node]);
    }
    if (rc == LT_OK) rc = lt_onnx_write(&g, bn, &b, err);
    if (rc == LT_OK) rc = lt_write_file(path, b.data, b.len, err);
    lt_buf_free(&b);
    free(bn);
    lt_graph_free(&g);
    return rc;
}
