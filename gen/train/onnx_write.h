/* Graph -> ONNX that lt_onnx_import reads back to the same function. */
#ifndef LUTRA_TRAIN_ONNX_WRITE_H
#define LUTRA_TRAIN_ONNX_WRITE_H

#include "base/buf.h"
#include "base/err.h"
#include "train/net.h"

/* ONNX, operator set 13, input "input" [batch][C][H][W], output "output". Any graph, lowered or not. bn[g->n_nodes]
 * (may be NULL) holds the batch norm of each NODE_BN, which is then written with its statistics; where it has no gamma,
 * and for NULL, mean 0 and variance 1 are written. */
lt_code lt_onnx_write(const lt_graph *g, const lt_bn_view *bn, lt_buf *out, lt_err *err);

/* The network's present state as a file, written atomically. */
lt_code lt_net_save_onnx(lt_net *net, const char *path, lt_err *err);

#endif
