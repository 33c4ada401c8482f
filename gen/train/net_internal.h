/* Shared by net.c and net_build.c. */
#ifndef LUTRA_TRAIN_NET_INTERNAL_H
#define LUTRA_TRAIN_NET_INTERNAL_H

#include "train/net.h"

typedef struct {
    lt_layer *l;
    int step;
    bool barrier; /* all chunks finish this before join and the next */
} lt_net_op;

struct lt_net {
    lt_graph g;
    lt_net_options o;
    lt_pool *pool;
    lt_env env;
    int n_layers, cap_layers;
    lt_layer **layers;
    int n_tensors;
    lt_tensor **tensors; /* owned */
    int from, to;        /* the window */
    lt_tensor *out;      /* of layer `to` */
    lt_tensor **at;      /* [g.n_nodes]: the tensor of a node, or NULL */
    int n_forward, n_eval, n_backward;
    lt_net_op *forward, *eval, *backward;
    int n_buffers;
    float **buffers; /* memory of gradients */
    lt_param **params;
    int n_params;
    /* the pass that runs */
    lt_pass pass;
    const lt_io *io;
    const lt_net_op *ops;
    int n_ops;
    bool first, last; /* of the forward pass's phases */
};

/* Layers and tensors from the graph; forward order. */
lt_code lt_net_build(lt_net *net, lt_err *err);
/* Who adds to which gradient, and where gradients live. */
lt_code lt_net_plan(lt_net *net, lt_err *err);

#endif
