/* ONNX import: unpacking, names, constants; the operators are in onnx_ops.c. */
#include "model/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/onnx_internal.h"

enum { MIN_OPSET = 7, MAX_OPSET = 21, MAX_INPUTS = 64 };

static size_t hash(const char *s)
{
    uint64_t h = 1469598103934665603u; /* FNV-1a */
    for (; *s; s++) h = (h ^ (unsigned char)*s) * 1099511628211u;
    return (size_t)h;
}

/* Slot that holds the name, or the empty one where it belongs. */
static size_t slot_of(const ox_import *m, const char *name)
{
    size_t i = hash(name) % m->n_slots;
    while (m->slots[i] && strcmp(m->values[m->slots[i] - 1].name, name) != 0) i = (i + 1) % m->n_slots;
    return i;
}

ox_value *ox_find(const ox_import *m, const char *name)
{
    int v = m->n_slots ? m->slots[slot_of(m, name)] : 0;
    return v ? &m->values[v - 1] : NULL;
}

static bool grow(ox_import *m)
{
    if (m->n_values == m->cap) {
        int cap = m->cap ? 2 * m->cap : 64;
        ox_value *p = realloc(m->values, (size_t)cap * sizeof *p);
        if (!p) return false;
        m->values = p;
        m->cap = cap;
    }
    if (2 * (size_t)m->n_values < m->n_slots) return true;
    free(m->slots);
    m->n_slots = m->n_slots ? 2 * m->n_slots : 256;
    m->slots = calloc(m->n_slots, sizeof *m->slots);
    if (!m->slots) {
        m->n_slots = 0;
        return false;
    }
    for (int i = 0; i < m->n_values; i++) m->slots[slot_of(m, m->values[i].name)] = i + 1;
    return true;
}

lt_code ox_define(ox_import *m, ox_value v)
{
    lt_code rc = LT_OK;

    if (!grow(m))
        rc = lt_fail(m->err, LT_EMEM, "%s: out of memory", m->who);
    else if (ox_find(m, v.name))
        rc = lt_fail(m->err, LT_EINPUT, "%s: the value '%s' is defined twice", m->who, v.name);
    if (rc != LT_OK) {
        ox_free(&v.c);
        return rc;
    }
    m->values[m->n_values++] = v;
    m->slots[slot_of(m, v.name)] = m->n_values;
    return LT_OK;
}

/* Names end up on terminals and in reports. */
static void printable(char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f) *s = '?';
}

static lt_code import_node(ox_import *m, const Onnx__NodeProto *n)
{
    const ox_const *consts[MAX_INPUTS] = {NULL};
    char name[QN_NAME], who[512];
    bool all_const = true, done = false;
    ox_value v = {0};

    if (!n->op_type || n->n_output < 1 || !n->output[0])
        return lt_fail(m->err, LT_EINPUT, "%s: a node without operator or output", m->who);
    snprintf(name, sizeof name, "%s", n->name && n->name[0] ? n->name : n->output[0]);
    printable(name);
    snprintf(who, sizeof who, "%s: node '%s' (%.40s)", m->who, name, n->op_type);
    printable(who);
    if (n->n_input > MAX_INPUTS) return lt_fail(m->err, LT_EINPUT, "%s: more than %d inputs", who, MAX_INPUTS);
    if (n->domain && n->domain[0] && strcmp(n->domain, "ai.onnx") != 0)
        return lt_fail(m->err, LT_EINPUT, "%s: operators of domain '%.100s' are not supported", who, n->domain);
    for (size_t i = 0; i < n->n_input; i++) {
        if (!n->input[i] || !n->input[i][0]) continue;
        const ox_value *in = ox_find(m, n->input[i]);
        if (!in)
            return lt_fail(m->err, LT_EINPUT, "%s: reads '%.100s', which no earlier node, input or initialiser defines",
                           who, n->input[i]);
        if (in->is_const)
            consts[i] = &in->c;
        else
            all_const = false;
    }
    if (!all_const) return ox_convert(m, n, name);
    LT_TRY(ox_fold(n, consts, (int)n->n_input, who, &v.c, &done, &m->budget, m->err));
    if (!done) return ox_convert(m, n, name); /* reports it as unsupported */
    v.is_const = true;
    v.name = n->output[0];
    return ox_define(m, v);
}

static lt_code import_initialisers(ox_import *m, const Onnx__GraphProto *g)
{
    for (size_t i = 0; i < g->n_initializer; i++) {
        const Onnx__TensorProto *t = g->initializer[i];
        char who[512];
        ox_value v = {.name = t->name ? t->name : "", .is_const = true};
        snprintf(who, sizeof who, "%s: initialiser '%s'", m->who, v.name);
        printable(who);
        LT_TRY(ox_decode(t, who, &v.c, &m->budget, m->err));
        LT_TRY(ox_define(m, v));
    }
    return LT_OK;
}

static int64_t fixed_dim(const Onnx__TensorShapeProto__Dimension *d)
{
    return d && d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE ? d->dim_value : -1;
}

static lt_code import_input(ox_import *m, const Onnx__ValueInfoProto *in)
{
    const Onnx__TypeProto *type = in->type;
    const Onnx__TypeProto__Tensor *t =
        type && type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE ? type->tensor_type : NULL;
    const Onnx__TensorShapeProto *s = t ? t->shape : NULL;
    int64_t d[4] = {0};

    if (!s || s->n_dim != 4 || t->elem_type != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT)
        return lt_fail(m->err, LT_EINPUT, "%s: input '%.100s': expected a float tensor [N][C][H][W]", m->who, in->name);
    for (int i = 0; i < 4; i++) d[i] = fixed_dim(s->dim[i]);
    for (int i = 1; i < 4; i++)
        if (d[i] < 1 || d[i] > LT_MAX_SIDE)
            return lt_fail(m->err, LT_EINPUT, "%s: input '%.100s': dimension %d is %lld, expected 1..%d (fixed)",
                           m->who, in->name, i, (long long)d[i], LT_MAX_SIDE);
    m->batch = d[0] > 0 ? d[0] : 1;
    lt_node n = lt_node_make(NODE_INPUT, "input", -1);
    n.shape = (lt_shape){(int)d[1], (int)d[2], (int)d[3]};
    if (lt_graph_add(m->g, n, NULL, m->err) != LT_OK) return lt_wrap(m->err, "%s", m->who);
    return ox_define(m, (ox_value){.name = in->name, .node = 0, .rank = 4, .step_h = 1, .step_w = 1});
}

static lt_code import_graph(ox_import *m, const Onnx__GraphProto *g)
{
    int inputs = 0;

    LT_TRY(import_initialisers(m, g));
    for (size_t i = 0; i < g->n_input; i++) {
        if (!g->input[i]->name) return lt_fail(m->err, LT_EINPUT, "%s: an input without a name", m->who);
        if (ox_find(m, g->input[i]->name)) continue; /* old files list initialisers as inputs too */
        if (inputs++) return lt_fail(m->err, LT_EINPUT, "%s: more than one input; expected one image", m->who);
        LT_TRY(import_input(m, g->input[i]));
    }
    if (!inputs) return lt_fail(m->err, LT_EINPUT, "%s: no input", m->who);
    if (g->n_output != 1 || !g->output[0]->name)
        return lt_fail(m->err, LT_EINPUT, "%s: %zu outputs, expected 1", m->who, g->n_output);
    m->output = g->output[0]->name;
    for (size_t i = 0; i < g->n_node; i++) LT_TRY(import_node(m, g->node[i]));
    const ox_value *out = ox_find(m, m->output);
    if (!out || out->is_const)
        return lt_fail(m->err, LT_EINPUT, "%s: output '%.100s' is not computed from the input", m->who, m->output);
    if (out->step_h != 1 || out->step_w != 1 || out->pad[0] || out->pad[1] || out->pad[2] || out->pad[3])
        return lt_fail(m->err, LT_EINPUT, "%s: the network ends in a Slice or Pad", m->who);
    m->g->output = out->node;
    return LT_OK;
}

static lt_code import_model(ox_import *m, const Onnx__ModelProto *model)
{
    int64_t opset = 1;

    if (!model->graph || model->graph->n_node == 0)
        return lt_fail(m->err, LT_EINPUT, "%s: not an ONNX model: it holds no graph", m->who);
    for (size_t i = 0; i < model->n_opset_import; i++) {
        const Onnx__OperatorSetIdProto *o = model->opset_import[i];
        if (!o->domain || !o->domain[0] || strcmp(o->domain, "ai.onnx") == 0) opset = o->version;
    }
    if (opset < MIN_OPSET || opset > MAX_OPSET)
        return lt_fail(m->err, LT_EINPUT, "%s: operator set %lld, expected %d..%d", m->who, (long long)opset, MIN_OPSET,
                       MAX_OPSET);
    return import_graph(m, model->graph);
}

lt_code lt_onnx_import(const void *data, size_t len, const char *name, lt_graph *g, lt_err *err)
{
    ox_import m = {.who = name, .g = g, .budget = LT_MAX_ELEMENTS * 2, .err = err};

    *g = (lt_graph){0};
    LT_TRY(ox_scan(data, len, name, err));
    Onnx__ModelProto *model = onnx__model_proto__unpack(NULL, len, data);
    if (!model) return lt_fail(err, LT_EINPUT, "%s: not an ONNX model, or truncated (malformed protobuf)", name);
    const char *base = strrchr(name, '/');
    snprintf(g->name, sizeof g->name, "%s", base ? base + 1 : name);
    char *dot = strrchr(g->name, '.');
    if (dot && dot != g->name) *dot = '\0';
    printable(g->name);
    lt_code rc = import_model(&m, model);
    for (int i = 0; i < m.n_values; i++) ox_free(&m.values[i].c);
    free(m.values);
    free(m.slots);
    onnx__model_proto__free_unpacked(model, NULL);
    if (rc != LT_OK) lt_graph_free(g);
    return rc;
}
