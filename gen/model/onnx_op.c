/* What the operator converters share. */
#include "model/onnx_internal.h"

#include <stdlib.h>
#include <string.h>

lt_code ox_refuse(const ox_op *o, const char *why)
{
    return lt_fail(o->m->err, LT_EINPUT, "%s: node '%s' (%s): %s", o->m->who, o->name, o->n->op_type, why);
}

ox_value *ox_input(const ox_op *o, size_t i)
{
    return i < o->n->n_input && o->n->input[i][0] ? ox_find(o->m, o->n->input[i]) : NULL;
}

const ox_const *ox_constant(const ox_op *o, size_t i)
{
    const ox_value *v = ox_input(o, i);
    return v && v->is_const ? &v->c : NULL;
}

/* A float constant of exactly count values; NULL otherwise. */
const float *ox_floats(const ox_op *o, size_t i, size_t count)
{
    const ox_const *c = ox_constant(o, i);
    return c && !c->is_int && c->count == count ? c->f : NULL;
}

lt_code ox_define_node(const ox_op *o, int node, int rank)
{
    return ox_define(o->m, (ox_value){.name = o->n->output[0], .node = node, .rank = rank, .step_h = 1, .step_w = 1});
}

lt_code ox_add_node(const ox_op *o, lt_node n, int *id)
{
    if (lt_graph_add(o->m->g, n, id, o->m->err) != LT_OK) return lt_wrap(o->m->err, "%s", o->m->who);
    return LT_OK;
}

lt_code ox_emit(const ox_op *o, lt_node n, int rank)
{
    int id;
    LT_TRY(ox_add_node(o, n, &id));
    return ox_define_node(o, id, rank);
}

/* Turns what is pending on a value into nodes. Padding becomes a depthwise 1x1 identity convolution, which pads zeros.
 */
lt_code ox_settle(const ox_op *o, ox_value *v)
{
    if (v->step_h != 1 || v->step_w != 1) {
        if (v->step_h != v->step_w)
            return ox_refuse(
                o, "its input was sliced with different steps in rows and columns; equal steps are supported");
        lt_node n = lt_node_make(NODE_SHORTCUT, o->name, v->node);
        n.shape.c = o->m->g->nodes[v->node].shape.c;
        n.res_step = v->step_h;
        LT_TRY(ox_add_node(o, n, &v->node));
        v->step_h = v->step_w = 1;
    }
    if (v->pad[0] || v->pad[1] || v->pad[2] || v->pad[3]) {
        lt_node n = lt_node_make(NODE_CONV, o->name, v->node);
        n.shape.c = n.groups = o->m->g->nodes[v->node].shape.c;
        n.pad_t = v->pad[0];
        n.pad_l = v->pad[1];
        n.pad_b = v->pad[2];
        n.pad_r = v->pad[3];
        n.weight = malloc((size_t)n.groups * sizeof *n.weight);
        for (int c = 0; n.weight && c < n.groups; c++) n.weight[c] = 1.0f;
        if (!n.weight) return lt_fail(o->m->err, LT_EMEM, "%s: out of memory", o->m->who);
        LT_TRY(ox_add_node(o, n, &v->node));
        memset(v->pad, 0, sizeof v->pad);
    }
    return LT_OK;
}

/* The first input as a settled activation of the wanted rank (0: any). */
lt_code ox_activation(const ox_op *o, int rank, ox_value **v)
{
    *v = ox_input(o, 0);
    if (!*v || (*v)->is_const) return ox_refuse(o, "its first input must be computed from the network's input");
    if (rank && (*v)->rank != rank)
        return ox_refuse(o, rank == 4 ? "expected an [N][C][H][W] input" : "expected a flattened [N][F] input");
    return ox_settle(o, *v);
}

lt_shape ox_shape(const ox_op *o, const ox_value *v)
{
    return o->m->g->nodes[v->node].shape;
}

lt_code ox_no_memory(const ox_op *o)
{
    return lt_fail(o->m->err, LT_EMEM, "%s: out of memory", o->m->who);
}
