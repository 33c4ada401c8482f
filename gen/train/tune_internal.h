/* Shared by the files of tune.h. */
#ifndef LUTRA_TRAIN_TUNE_INTERNAL_H
#define LUTRA_TRAIN_TUNE_INTERNAL_H

#include "train/tune.h"

/* Node i's tables are products. */
bool lt_tune_products(const lt_tune *t, int i);
/* Real value of one step of what node i's weights are multiplied with: its input's scale, 1 for codes. */
double lt_tune_in_step(const lt_tune *t, int i);
/* Factor of the batch norm behind node i, 1 without one. */
double lt_tune_slope(const lt_tune *t, int i, int k);
/* Real output per accumulator step of channel k whose weights' step times input step is `step`: no less than what the
 * bias needs to fit a quarter of the accumulator. */
double lt_tune_gain(const lt_tune *t, int i, int k, double step);
/* Real output per accumulator step of layer l as it was prepared. */
double lt_tune_first_gain(const qnet *n, const qlayer *l, int k);

#endif
