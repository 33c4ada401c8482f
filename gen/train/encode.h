/* Lookup layers in training. The encoder turns subvectors of a tensor of integers (times a step) into codes; the layer
 * adds up the rows of its tables that the codes name. Forward is what the integer network does. Backward, with h[k] the
 * gradient by the probability of code k (what the table's row k would have added):
 *  - hard assignment, straight through: the tables are taken for the linear function of the input that explains h best
 *    over the prototypes (ridge least squares), and the input gets that function's slope. Prototypes get none;
 *  - soft assignment: the gradient of softmax(-distance / T) in the place of the one-hot code, by the input, the
 *    prototypes and T (LUT-NN, Tang et al. 2023, section 3); for trees that of the leaf probabilities with a sigmoid of
 *    (value - threshold) / T at every node (as Halut trains them), by the thresholds and T. */
#ifndef LUTRA_TRAIN_ENCODE_H
#define LUTRA_TRAIN_ENCODE_H

#include "golden/qnet.h"
#include "train/layer.h"
#include "train/lookup_vec.h"

typedef enum { LT_ASSIGN_HARD, LT_ASSIGN_SOFT } lt_assign;

typedef struct {
    lt_assign assign;
    bool learn, learn_temperature; /* prototypes or thresholds; T (assign soft only) */
    float temperature;             /* in mean distances between neighbouring prototypes (squared for l2) */
    float follow; /* per step, prototypes go this share of the way to the mean of what they stand for */
} lt_encode_options;

typedef struct lt_encoder lt_encoder;

/* e: first prototypes or thresholds, copied. in: the tensor's format; step: of its fake quantisation (read in every
 * pass). means: [codebooks][prototypes][length] mean vectors of a tree's leaves in units of e(x); NULL for the others.
 * Parameters: "name.proto" or "name.thresh" (as fractions of the format's range), "name.temperature". */
lt_code lt_encoder_create(lt_encoder **n, const char *name, const qencoder *e, const qtensor *in, const float *step,
                          const float *means, const lt_encode_options *o, const lt_env *env, lt_err *err);
void lt_encoder_free(lt_encoder *n);
/* Constants from the present parameters, once per pass; lookup layers do it themselves. */
void lt_encoder_refresh(lt_encoder *n);
/* The present prototypes or thresholds, rounded, into the arrays of e (allocated). */
void lt_encoder_export(lt_encoder *n, qencoder *e);
lt_param *lt_encoder_params(lt_encoder *n, int *count);
/* Sets the temperature of the passes to come. */
void lt_encoder_soften(lt_encoder *n, float temperature);

/* A layer that reads through the encoder, which several layers of one tensor may share and the first of them frees.
 * l: kernel, stride, padding, [k] outputs; table: [codebook][tap][code][k] in real units (tap: R x S in channel mode, 1
 * in spatial mode). Its weights, "name.weight", have that layout; a weight hook sees it as it is. mirror: only the
 * codes of the lower half have weights, the entry of code K-1-c is the negative of code c's. */
lt_code lt_layer_lookup(const char *name, int node, lt_encoder *encoder, const qlayer *l, bool mirror,
                        const float *table, lt_shape in, lt_shape out, const lt_env *env, lt_layer **layer,
                        lt_err *err);
bool lt_layer_is_lookup(const lt_layer *l);

#endif
