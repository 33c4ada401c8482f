/* Fake quantisation with a learned step (LSQ, Esser et al. 2020): values become step * integer on the way forward, and
 * on the way back the rounding counts as the identity. The step's gradient is that of section 2.1 of the paper, times
 * the factor of its section 2.2, 1 / sqrt(values * largest integer). */
#ifndef LUTRA_TRAIN_LSQ_H
#define LUTRA_TRAIN_LSQ_H

#include <stdint.h>
#include "train/layer.h"

/* A tensor that becomes step * clip(round(x / step), lo, hi), halves up. */
typedef struct {
    float step;
    int lo, hi;
    bool learn; /* false: the step stays, and has no gradient */
    /* called once per pass: the step that is used for the one that was learned; NULL: the same */
    float (*snap)(void *ctx, float learned);
    void *snap_ctx;
} lt_fq_options;

/* One parameter, "name.step", of one value. */
lt_code lt_layer_fq(const char *name, const lt_fq_options *o, const lt_env *env, lt_layer **l, lt_err *err);

/* Fake quantisation of a layer's weights, one step per output channel (parameter "name.wstep"). snap (may be
 * NULL) is called in every pass: it writes the steps that are used for those that were learned, which is how the steps
 * follow what a narrow integer multiplier can say. */
typedef struct {
    int lo, hi;
    bool interleaved; /* weights [..][K], as tables are; else [K][..] */
    void (*snap)(void *ctx, const float *learned, float *used);
    void *snap_ctx;
} lt_lsq_options;

lt_code lt_lsq_attach(lt_layer *conv, const float *steps, const lt_lsq_options *o, lt_err *err);
/* The learned steps, [K]; NULL: the layer has none. */
lt_param *lt_lsq_steps(const lt_layer *conv);
/* The weights as integers, in the layer's order, for these steps. */
void lt_lsq_integers(const lt_layer *conv, const float *steps, int8_t *w);

#endif
