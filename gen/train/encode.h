/* The encoder of product quantisation as a layer: a tensor of integers (times a step) -> for every codebook K maps, 1
 * in that of the code and 0 in the others. A convolution of these maps with the tables as weights is the lookup.
 *
 * Forward is what the integer network does. Backward, with h[k] the gradient by the map of code k:
 *  - hard assignment, straight through: the tables are taken for the linear function of the input that explains h best
 *    over the prototypes (ridge least squares), and the input gets that function's slope. Prototypes get none;
 *  - soft assignment: the gradient of softmax(-distance / T) in the place of the one-hot code, by the input, the
 *    prototypes and T (LUT-NN, Tang et al. 2023, section 3); for trees that of the leaf probabilities with a sigmoid of
 *    (value - threshold) / T at every node (as Halut trains them), by the thresholds and T. */
#ifndef LUTRA_TRAIN_ENCODE_H
#define LUTRA_TRAIN_ENCODE_H

#include "golden/qnet.h"
#include "train/layer.h"

typedef enum { LT_ASSIGN_HARD, LT_ASSIGN_SOFT } lt_assign;

typedef struct {
    lt_assign assign;
    bool soft_forward;             /* the forward pass in training mode is soft, too (assign soft only) */
    bool learn, learn_temperature; /* prototypes or thresholds; T (assign soft only) */
    float temperature;             /* in mean distances between neighbouring prototypes (squared for l2) */
} lt_encode_options;

/* e: first prototypes or thresholds, copied. in: the tensor's format; step: of its fake quantisation (read in every
 * pass). l: stride and padding of the windows, spatial mode only. means: [codebooks][prototypes][length] mean vectors
 * of a tree's leaves in units of e(x); NULL for the others. Parameters: "name.proto" or "name.thresh" (as fractions of
 * the format's range), "name.temperature". */
lt_code lt_layer_encode(const char *name, const qencoder *e, const qtensor *in, const qlayer *l, const float *step,
                        const float *means, const lt_encode_options *o, const lt_env *env, lt_layer **layer,
                        lt_err *err);

/* The present prototypes or thresholds, rounded, into the arrays of e (allocated). */
void lt_encode_export(const lt_layer *layer, qencoder *e);

#endif
