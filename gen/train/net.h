/* A network that can be trained, made from the graph that the importers make.
 *
 * Numerics: float32, sums over images and pixels in double; convolutions and fully connected layers may multiply
 * narrower operands in LT_MODE_TRAIN, its backward pass and LT_MODE_TEACH. For the same minibatches the results are the
 * same bits for any number of threads; they depend on the chunk size, and on the instruction set that oneDNN finds. */
#ifndef LUTRA_TRAIN_NET_H
#define LUTRA_TRAIN_NET_H

#include <stdint.h>
#include "base/err.h"
#include "model/graph.h"
#include "train/layer.h"
#include "train/pool.h"

/* Layers of the caller's own, asked for while the network is made from its graph; either may be NULL. */
typedef struct {
    void *ctx;
    /* for a convolution node: the layer to take for it, *l left alone: the usual one */
    lt_code (*instead)(void *ctx, const lt_graph *g, int node, lt_shape in, const lt_env *env, lt_layer **l,
                       lt_err *err);
    /* a layer of one input behind the node's tensor: all readers see its output; *l left alone: none. Nodes that were
     * fused into another's layer are not asked for */
    lt_code (*behind)(void *ctx, const lt_graph *g, int node, const lt_env *env, lt_layer **l, lt_err *err);
} lt_net_parts;

typedef struct {
    int batch;   /* images per pass at most */
    int chunk;   /* images per chunk; 0: LT_CHUNK */
    int workers; /* threads; 0: lt_jobs() */
    bool train;  /* false: forward passes only, without memory for gradients */
    lt_precision precision;
    lt_net_parts parts;
} lt_net_options;

enum { LT_CHUNK = 8 };

typedef struct lt_net lt_net;

/* Every operator of both forms of a graph. The graph is copied. BatchNorm followed by an add and a clip is one layer.
 * LT_EINPUT names a node that cannot be trained. */
lt_code lt_net_create(lt_net **net, const lt_graph *g, const lt_net_options *o, lt_err *err);
void lt_net_free(lt_net *net);

/* Where images come from and what happens to the result. Called from all threads, for different images or chunks. */
typedef struct {
    void (*fill)(void *ctx, int image, float *x); /* writes the input of image 0..n-1 of this pass, [H][W][C] */
    /* out: [c->n][size]; g: gradient of the loss by it, to be written in a training pass, else NULL. May be NULL */
    void (*each)(void *ctx, const lt_chunk *c, const float *out, float *g);
    void *ctx;
} lt_io;

lt_code lt_net_forward(lt_net *net, int n, lt_mode mode, const lt_io *io, lt_err *err);
/* After a forward pass in LT_MODE_TRAIN whose io wrote the gradient: every parameter's grad. */
lt_code lt_net_backward(lt_net *net, lt_err *err);

/* Restricts passes, for training a part against a target of its own (layer-wise reconstruction): forward passes run
 * layers 0..last and hand last's output to io->each, backward passes run from last to first, and only the gradients of
 * these layers' parameters are written. A new network has 0..n_layers-1. After a failure the network is unusable. */
lt_code lt_net_window(lt_net *net, int first, int last, lt_err *err);

/* All parameters, those of hooks included, in the order of layers. Valid until a hook is set. LT_EMEM: NULL. */
lt_param *const *lt_net_params(lt_net *net, int *n);
int lt_net_n_layers(const lt_net *net);
lt_layer *lt_net_layer(lt_net *net, int i);
lt_layer *lt_net_find(lt_net *net, const char *name); /* NULL: none */
const lt_graph *lt_net_graph(const lt_net *net);      /* as it was given: its weights are the initial ones */
lt_pool *lt_net_pool(lt_net *net);
size_t lt_net_out_size(const lt_net *net); /* floats of one image that io->each gets */
/* The tensor of a graph node after a pass; NULL if it was fused away. */
const lt_tensor *lt_net_tensor(const lt_net *net, int node);

/* Weights as He et al. 2015 (normal, variance 2 / fan-in), biases 0, batch norm gamma 1, beta 0, mean 0, variance 1. */
void lt_net_init(lt_net *net, uint64_t seed);

/* A graph of inference has no running statistics. Before it is trained on: forward passes in LT_MODE_CALIBRATE over
 * some hundred images, then this. The function computed stays the same. */
void lt_net_calibrate(lt_net *net);

/* The graph with the present weights, as hooks leave them; batch norm in inference form. Input hooks do not show. */
lt_code lt_net_to_graph(lt_net *net, lt_graph *g, lt_err *err);

#endif
