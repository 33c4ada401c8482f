/* How far an integer network's tensors are from the float network's. */
#ifndef LUTRA_COMPRESS_RECON_ERROR_H
#define LUTRA_COMPRESS_RECON_ERROR_H

#include "golden/qnet.h"
#include "model/dataset.h"
#include "model/graph.h"

/* For every layer i of net, whose output is that of node i+1 of the lowered graph g: mean squared distance of the real
 * values that its integers stand for from the float network's, over the variance of those; on the first `images` of d,
 * inputs as the layers before leave them. error[n_layers]. The network must have passed lt_quant_check. */
lt_code lt_recon_error(const lt_graph *g, const qnet *net, const lt_dataset *d, int images, double *error, lt_err *err);

#endif
