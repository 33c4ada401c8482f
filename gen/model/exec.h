/* Float reference executor: im2col and OpenBLAS, one image at a time, parallel over images. Works on both forms of a
 * graph. Not bit-reproducible between machines (BLAS), and nothing that must be exact depends on it. */
#ifndef LUTRA_MODEL_EXEC_H
#define LUTRA_MODEL_EXEC_H

#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#include "model/dataset.h"
#include "model/graph.h"

/* Buffers of one thread: the tensor of every node (t[i], [C][H][W]) and scratch. */
typedef struct {
    const lt_graph *g;
    float **t;
    float *cols; /* im2col matrix of the largest layer */
} lt_exec;

lt_code lt_exec_init(lt_exec *x, const lt_graph *g, lt_err *err);
void lt_exec_free(lt_exec *x);

/* Runs the whole graph on one preprocessed input; every x->t[i] is then valid. */
void lt_exec_run(lt_exec *x, const float *input);

/* Runs node `node` from x->t[in] (and x->t[res]) into x->t[node]. */
void lt_exec_node(lt_exec *x, int node);

/* The bare linear result of a convolution or gemm node, bias included, before residual and clip: out[K][P][Q]. `in` is
 * any [C][H][W] tensor of the node's input shape: compression fits its tables against this. */
void lt_exec_linear(lt_exec *x, int node, const float *in, float *out);

/* Rows for a regression on a convolution node: cols[C*R*S][P*Q] of `in` (groups ignored: all input channels). */
void lt_exec_im2col(const lt_graph *g, int node, const float *in, float *cols);

/* Runs images first..first+n-1 of d on all cores; each(ctx, i, x, worker) is called once per image, from any thread,
 * with all tensors valid. what = NULL: no progress line. */
lt_code lt_exec_images(const lt_graph *g, const lt_dataset *d, int first, int n, const char *what,
                       void (*each)(void *ctx, int image, const lt_exec *x, int worker), void *ctx, lt_err *err);

/* Index of the largest of n values (the first of equals). */
int lt_argmax(const float *v, int n);

/* Float accuracy over the first n images: *right of n. */
lt_code lt_exec_accuracy(const lt_graph *g, const lt_dataset *d, int n, int *right, lt_err *err);

#endif
