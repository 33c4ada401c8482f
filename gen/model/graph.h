/* The float network: what an importer produces, what folding and lowering rewrite, what quantisation and compression
 * read.
 *
 * A graph is a list of nodes in execution order; node i produces exactly one tensor, also numbered i, of shape
 * [C][H][W] (one image; batches are only ever loops). Node 0 is the input. Operands are node numbers smaller than the
 * node's own.
 *
 * Two forms, one type:
 *  - as imported: every NODE_ kind may occur;
 *  - lowered (lt_graph_lower): BatchNorm is folded, fully connected layers are convolutions whose kernel covers the
 * input, ReLU/Clip sits in lo/hi of its producer, an add sits in `res` of the convolution that feeds it. Only
 * NODE_INPUT, NODE_CONV, NODE_MAXPOOL, NODE_AVGPOOL and NODE_ADD remain, and node i corresponds one to one to qnet
 * layer i-1 and qnet tensor i.
 */
#ifndef LUTRA_MODEL_GRAPH_H
#define LUTRA_MODEL_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"
#include "golden/qnet.h"

enum {
    LT_MAX_CHANNELS = 65536,
    LT_MAX_SIDE = 4096, /* height, width, kernel, padding */
    LT_MAX_NODES = 4096,
    LT_MAX_INPUT_CHANNELS = 16
};
#define LT_MAX_ELEMENTS ((size_t)1 << 27) /* of one tensor: bounded before anything is allocated */

typedef enum {
    NODE_INPUT,
    NODE_CONV, /* weight [K][C/groups][R][S], bias [K] or NULL */
    NODE_MAXPOOL,
    NODE_AVGPOOL, /* global pooling has r x s = input size */
    NODE_ADD,     /* in + residual */
    /* the rest does not survive lowering */
    NODE_GEMM,    /* weight [K][C*H*W], bias [K] or NULL */
    NODE_BN,      /* y = x * weight[c] + bias[c]: BatchNorm in inference form */
    NODE_CLIP,    /* lo, hi; ReLU is lo = 0 */
    NODE_FLATTEN, /* [C][H][W] -> [C*H*W][1][1] */
    NODE_SHORTCUT /* y[k][p][q] = x[k - res_c_off][p*res_step][q*res_step], 0 where k - res_c_off is outside */
} lt_op;

typedef struct {
    int c, h, w;
} lt_shape;

typedef struct {
    char name[QN_NAME];
    lt_op op;
    int in;  /* operand; -1 for the input node */
    int res; /* second operand of an add (NODE_ADD, or fused into NODE_CONV / a pool), else -1 */
    int res_step,
        res_c_off;  /* ResNet option A: the residual is subsampled and shifted in channels as in NODE_SHORTCUT */
    lt_shape shape; /* of the output */
    int r, s;       /* kernel or window */
    int stride_h, stride_w, dil_h, dil_w, groups;
    int pad_t, pad_l, pad_b, pad_r;
    bool count_pad;       /* NODE_AVGPOOL: padding counts in the divisor */
    float *weight, *bias; /* owned; see the kinds above */
    float lo, hi;         /* clip of the result; -INFINITY, INFINITY = none */
} lt_node;

/* From image bytes to the network's input: real = (byte / 255 - mean[c]) / std[c]. */
typedef struct {
    float mean[LT_MAX_INPUT_CHANNELS], std[LT_MAX_INPUT_CHANNELS];
} lt_preproc;

typedef struct {
    char name[QN_NAME];
    int n_nodes, cap;
    lt_node *nodes;
    int output; /* node whose tensor is the result; the last node once lowered */
    lt_preproc pre;
} lt_graph;

void lt_graph_free(lt_graph *g);

/* A node with neutral attributes (no residual, 1 x 1 kernel, stride 1, no clip). */
lt_node lt_node_make(lt_op op, const char *name, int in);

/* Appends a node: checks operands and attributes, computes the output shape from op and operands (NODE_INPUT and
 * NODE_SHORTCUT: shape resp. shape.c given by the caller; NODE_CONV, NODE_GEMM: shape.c = K). Takes ownership of weight
 * and bias, also on failure. LT_EINPUT names the node. *id (may be NULL) = its number. */
lt_code lt_graph_add(lt_graph *g, lt_node node, int *id, lt_err *err);

lt_code lt_graph_copy(const lt_graph *g, lt_graph *out, lt_err *err);

/* Every weight and bias is finite (folding could overflow); LT_EINPUT names the node. lt_graph_add checks its own. */
lt_code lt_graph_check(const lt_graph *g, lt_err *err);

/* Number of floats in weight: [K][C/groups][R][S] or [K][C*H*W] or [C]; 0 for the other kinds. */
size_t lt_node_weights(const lt_graph *g, const lt_node *n);
/* Multiply-accumulates of one image in convolution and gemm nodes. */
double lt_graph_macs(const lt_graph *g);

static inline size_t lt_shape_size(lt_shape s)
{
    return (size_t)s.c * (size_t)s.h * (size_t)s.w;
}
static inline lt_shape lt_node_in_shape(const lt_graph *g, const lt_node *n)
{
    return g->nodes[n->in].shape;
}

/* Rewrites the graph into lowered form (see top). Exact up to float rounding. Order of rewriting: BatchNorm into the
 * convolution before it (a lone one becomes a depthwise 1x1 convolution), gemm -> convolution, shortcut -> residual
 * attributes (a lone one becomes a 1x1 convolution), add -> the convolution that feeds it and writes last, clip -> its
 * producer; dead nodes are dropped. */
lt_code lt_graph_lower(lt_graph *g, lt_err *err);

/* Channel alignment for hardware that moves `lanes` channels per word: a residual whose res_c_off is no multiple of
 * lanes is made one by relabelling channels consistently in all tensors tied by residual adds, pooling and depthwise
 * convolutions; where a tied tensor cannot be relabelled (network input or output, grouped convolution, contradicting
 * shortcuts) the shortcut becomes an identity 1x1 convolution with the shortcut's stride. Needs the lowered form and
 * keeps it; the network's function and the order of its outputs stay the same. lanes <= 1: nothing to do. */
lt_code lt_graph_align(lt_graph *g, int lanes, lt_err *err);

#endif
