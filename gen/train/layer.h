/* What a layer of the trainer is. A minibatch is cut into chunks of a fixed number of images; the cores work on chunks,
 * and whatever is summed over images is summed per chunk first and then over chunks in their order. Results therefore
 * do not depend on the number of threads.
 *
 * Within a pass, layers run one after another on a chunk without waiting for the other chunks. A layer that needs
 * something of the whole minibatch (batch norm) has two steps: everybody finishes the first, `join` runs once, then
 * comes the second.
 *
 * Activations are float32 NHWC: [image][h][w][c]. Weights are kept as the graph has them, [K][C/groups][R][S]. */
#ifndef LUTRA_TRAIN_LAYER_H
#define LUTRA_TRAIN_LAYER_H

#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"
#include "model/graph.h"
#include "train/dnn.h"
#include "train/vec.h"

enum { LT_PARAM_NAME = QN_NAME + 24 };

/* An array that is trained, or (grad NULL) only kept with the network, such as running statistics. */
typedef struct {
    char name[LT_PARAM_NAME]; /* "node.weight": unique in a network, the key in checkpoints */
    size_t n;
    float *value, *grad; /* owned by the layer; a backward pass overwrites grad */
    float lr_mult;       /* times the learning rate; 0 = frozen */
    float lo, hi;        /* values are kept within after a step */
    bool decay;          /* weight decay applies */
} lt_param;

typedef enum {
    LT_MODE_TRAIN,     /* batch statistics; keeps what the backward pass needs */
    LT_MODE_EVAL,      /* running statistics */
    LT_MODE_CALIBRATE, /* as eval, while batch norm measures its inputs: see lt_net_calibrate */
    LT_MODE_TEACH      /* as eval, with the operands of training: what a loss compares with */
} lt_mode;

typedef struct {
    lt_mode mode;
    int n, chunks; /* images in this pass, chunks they make */
} lt_pass;

typedef struct {
    const lt_pass *pass;
    int index;    /* partial sums are kept per chunk */
    int first, n; /* images first..first+n-1 of the minibatch */
    int worker;   /* scratch memory is kept per worker */
} lt_chunk;

/* The output of a layer for the whole minibatch, and the gradient of the loss by it. */
typedef struct {
    lt_shape s;
    size_t size; /* floats of one image */
    float *v;    /* [batch][h][w][c] */
    float *g;    /* NULL: nobody needs it. Image `first` of a chunk is at g + first * pitch, the chunk is contiguous: */
    size_t pitch; /* memory is shared between tensors of different sizes without chunks getting in each other's way */
} lt_tensor;

static inline float *lt_value(const lt_tensor *t, const lt_chunk *c)
{
    return t->v + (size_t)c->first * t->size;
}
static inline float *lt_gradient(const lt_tensor *t, const lt_chunk *c)
{
    return t->g + (size_t)c->first * t->pitch;
}

/* What all layers of a network share. */
typedef struct {
    lt_dnn *dnn;
    const lt_vec *vec;
    bool train;                /* the network has a backward pass */
    int batch, chunk, workers; /* images per pass and per chunk at most */
    int chunks;                /* of a full minibatch */
    float **scratch;           /* [workers]: room for the largest tensor of one chunk; valid within one call */
} lt_env;

typedef struct lt_layer lt_layer;
typedef struct lt_weight_hook lt_weight_hook;

typedef struct {
    const char *kind;
    bool in_place;                     /* backward may find in->g in the place of out->g, value by value */
    bool res_first;                    /* backward writes res->g before in->g */
    int forward_steps, backward_steps; /* 1 or 2; modes other than train run only the last forward step */
    /* once before a forward pass, on one thread: effective weights and the like; may be NULL */
    lt_code (*begin)(lt_layer *l, const lt_pass *p, lt_err *err);
    void (*forward)(lt_layer *l, const lt_chunk *c, int step);
    /* between the steps, and after the last one; may be NULL */
    void (*forward_join)(lt_layer *l, const lt_pass *p, int step);
    /* out->g -> in->g (and res->g) and partial sums for the parameters */
    void (*backward)(lt_layer *l, const lt_chunk *c, int step);
    void (*backward_join)(lt_layer *l, const lt_pass *p, int step);
    /* after the backward pass, in parallel with other layers' finish: partial sums -> params[].grad; may be NULL */
    void (*finish)(lt_layer *l, const lt_pass *p, int worker);
    void (*free)(lt_layer *l); /* frees l and all it owns */
    /* layers with weights: takes a weight hook, gives it (NULL: none); both NULL: has no weights */
    lt_code (*take_hook)(lt_layer *l, const lt_weight_hook *h, lt_err *err);
    const lt_weight_hook *(*hook)(const lt_layer *l);
} lt_layer_ops;

/* First member of every layer's own struct. in, res, out and the two flags are set by the network. */
struct lt_layer {
    const lt_layer_ops *ops;
    char name[QN_NAME];
    int node; /* of the graph, if the layer holds that node's weights, else -1 */
    const lt_env *env;
    lt_tensor *in, *res, *out; /* res: second operand or NULL */
    bool add_in, add_res;      /* the gradient is added to what a later reader has written */
    int n_params;
    lt_param *params;
};

/* A transformation of the weights on their way into a layer: fake quantisation, a mask. Parameters of its own appear
 * among the network's. */
struct lt_weight_hook {
    void *ctx;
    void (*forward)(void *ctx, const float *w, float *out, size_t n, lt_mode mode);
    /* g_out: gradient by what forward gave; writes g_w and the gradients of the hook's own parameters */
    void (*backward)(void *ctx, const float *w, const float *g_out, float *g_w, size_t n);
    int n_params;
    lt_param *params;
    void (*free)(void *ctx); /* may be NULL */
};

/* A transformation of the input, per chunk; x and y hold c->n images of `size` floats, NHWC. */
typedef struct lt_input_hook {
    void *ctx;
    void (*forward)(void *ctx, const lt_chunk *c, const float *x, float *y, size_t size);
    /* writes gx; sums for own parameters are kept per c->index */
    void (*backward)(void *ctx, const lt_chunk *c, const float *x, const float *gy, float *gx, size_t size);
    /* adds those sums in the order of chunks */
    void (*finish)(void *ctx, const lt_pass *p);
    int n_params;
    lt_param *params;
    void (*free)(void *ctx); /* may be NULL */
} lt_input_hook;

/* Layers of a graph node; the network sets in, res and out before lt_layer_ops.begin is called for the first time.
 * `clip` limits the output to lo..hi. */
lt_code lt_layer_conv(const lt_graph *g, int node, lt_shape in, const lt_env *env, bool need_dx, lt_layer **l,
                      lt_err *err);
/* Batch norm (Ioffe & Szegedy 2015), + res, clip. */
lt_code lt_layer_bn(const lt_graph *g, int node, const lt_env *env, float lo, float hi, lt_layer **l, lt_err *err);
/* clip(in + res) */
lt_code lt_layer_join(const char *name, const lt_env *env, float lo, float hi, lt_layer **l, lt_err *err);
lt_code lt_layer_pool(const lt_graph *g, int node, const lt_env *env, lt_layer **l, lt_err *err);
/* ResNet option A: y[k][p][q] = x[k - c_off][p * step][q * step], 0 elsewhere */
lt_code lt_layer_shortcut(const char *name, int step, int c_off, const lt_env *env, lt_layer **l, lt_err *err);
/* NHWC map -> vector in [C][H][W] order */
lt_code lt_layer_flatten(const char *name, const lt_env *env, lt_layer **l, lt_err *err);

/* Takes ownership of the hook's ctx (also on failure). Weight hooks: layers with weights, one each; input hooks:
 * convolutions and fully connected layers only. */
lt_code lt_layer_set_weight_hook(lt_layer *l, const lt_weight_hook *h, lt_err *err);
lt_code lt_conv_set_input_hook(lt_layer *l, const lt_input_hook *h, lt_err *err);
const lt_weight_hook *lt_layer_weight_hook(const lt_layer *l); /* NULL: none */
const lt_input_hook *lt_conv_input_hook(const lt_layer *l);
bool lt_layer_is_conv(const lt_layer *l);

/* Running statistics of a batch norm, [C] each; false if l is none. */
typedef struct {
    float *gamma, *beta, *mean, *var;
    int c;
} lt_bn_view;
bool lt_layer_bn_view(const lt_layer *l, lt_bn_view *v);
/* Batch norm in training mode uses running statistics, too. */
void lt_bn_freeze(lt_layer *l, bool frozen);
/* y = x * factor + offset: round, called in every pass, may change the offsets [C] that are used; the gradient does not
 * see it. */
void lt_bn_set_rounding(lt_layer *l, void (*round)(void *ctx, float *offset), void *ctx);
#define LT_BN_EPS 1e-5f
/* Ends a calibration: the statistics measured since the last one become the running ones, gamma and beta are changed so
 * that the layer computes the same as before. */
void lt_bn_take_calibration(lt_layer *l);

/* 64-byte aligned, zeroed; NULL if out of memory. */
void *lt_aligned(size_t bytes);
lt_code lt_param_make(lt_param *p, const char *layer, const char *part, size_t n, bool trained, lt_err *err);
void lt_param_free(lt_param *p);

#endif
