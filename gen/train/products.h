/* Product quantisation with tables that are products: a convolution reads every subvector as the vector that its code
 * stands for, so that a table's entry is the dot product of that vector with weights (PQA, section 2; LUT-NN). Training
 * costs what a dense network's does. The vectors are trained; the code's choice counts as the identity on the way back,
 * and prototypes follow what they stand for (option follow). Channel mode only. */
#ifndef LUTRA_TRAIN_PRODUCTS_H
#define LUTRA_TRAIN_PRODUCTS_H

#include "train/encode.h"

/* conv's input hook; the first layer of an encoder owns it. Parameter "name.decode": [codebooks][prototypes][length],
 * as fractions of the format's range. */
lt_code lt_products_attach(lt_layer *conv, lt_encoder *e, lt_err *err);
/* Vectors = means of what codes stood for in calibration passes since the layer was made. */
void lt_products_start(lt_layer *conv);
/* The tables, [codebook][tap][code][k] in real units, for these weights [K][C][R][S]. */
void lt_products_tables(const lt_layer *conv, const float *weights, int taps, float *table);

#endif
