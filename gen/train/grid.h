/* Mirrored trees in training (configuration key pq_mirror). The tree of a codebook whose tables are antisymmetric is a
 * uniform quantiser per element (compress/tree.h), thresholds at centre + step * i. A code and its
 * complement then stand for vectors that lie opposite each other about the centre, so that products with weights are
 * antisymmetric once the centre's own product is left to the bias. Tables of products are trained through it at the
 * speed of a dense network: the convolution reads step * (level - middle level), what is outside the picture is the
 * centre. Centre and step are learned as in LSQ+ (Bhalgat et al. 2020). Channel mode only. */
#ifndef LUTRA_TRAIN_GRID_H
#define LUTRA_TRAIN_GRID_H

#include "golden/qnet.h"
#include "train/layer.h"

typedef struct lt_grid lt_grid;

/* e: a tree as lt_tree_fit_mirrored makes them; in: its tensor's format; step: of the tensor's fake quantisation (read
 * in every pass). Parameters "name.centre" and "name.grid", one per channel, in real units. LT_EINPUT: another tree. */
lt_code lt_grid_create(lt_grid **g, const char *name, const qencoder *e, const qtensor *in, const float *step,
                       const lt_env *env, lt_err *err);
void lt_grid_free(lt_grid *g);
/* Thresholds from the present parameters, once per pass. */
void lt_grid_refresh(lt_grid *g);
/* conv's input hook; the first layer of a grid owns it. */
lt_code lt_grid_attach(lt_layer *conv, lt_grid *g, lt_err *err);
/* The present thresholds into the arrays of e (allocated). */
void lt_grid_export(lt_grid *g, qencoder *e);
/* The tables, [codebook][tap][code][k] in real units, for these weights [K][C][R][S]. */
void lt_grid_tables(const lt_layer *conv, const float *weights, int taps, float *table);

#endif
