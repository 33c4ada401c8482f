/* The integer model of docs/arithmetic.md, plain and obviously right: one function per operation, no blocking, no
 * tricks. golden/fast.h computes the same integers quickly; the tests hold the two together.
 *
 * Tensors are int16_t [C][H][W] whatever their width, so signed and unsigned bytes look alike here. The network must
 * have passed lt_quant_check (model/quantize.h): nothing is checked again. */
#ifndef LUTRA_GOLDEN_GOLDEN_H
#define LUTRA_GOLDEN_GOLDEN_H

#include <stddef.h>
#include <stdint.h>
#include "golden/qnet.h"

/* All tensors of a network, [n_tensors], each [C][H][W]; NULL when out of memory. */
int16_t **golden_alloc(const qnet *n);
void golden_free(const qnet *n, int16_t **t);

/* Image bytes [C][H][W] through the network's input table into t[0]. */
void golden_input(const qnet *n, const uint8_t *image, int16_t *input);

/* Runs every layer; t[0] holds the input. These three return 0, or -1 when out of memory. */
int golden_run(const qnet *n, int16_t **t);
/* Runs layer i from t[in], t[res] into t[out]. */
int golden_layer(const qnet *n, int i, int16_t *const *t);

/* Accumulators of layer i before bias: acc[K][P][Q]. */
int golden_acc(const qnet *n, int i, const int16_t *x, int64_t *acc);
/* Bias, multiplier, residual (NULL or the residual tensor), shift and clip: acc[K][P][Q] -> y[K][P][Q]. */
void golden_requant(const qnet *n, int i, const int64_t *acc, const int16_t *res, int16_t *y);

/* Code of one subvector v[length] (full values; low bits are dropped here) for codebook cb. */
int golden_encode(const qencoder *e, int cb, const int16_t *v);
/* Codes of a whole tensor, channel mode: codes[codebooks][H][W]. */
void golden_codes_channel(const qencoder *e, const qtensor *t, const int16_t *x, uint8_t *codes);
/* Codes of layer l's windows, spatial mode: codes[C][P][Q]. */
void golden_codes_spatial(const qencoder *e, const qtensor *t, const qlayer *l, const qtensor *out, const int16_t *x,
                          uint8_t *codes);

/* Index of the largest of the first `classes` output values (the first of equals). */
int golden_argmax(const qnet *n, const int16_t *output);

/* Smallest and largest integer of a tensor, by width and sign. */
static inline int qtensor_min(const qtensor *t)
{
    return t->is_signed ? -(1 << (t->bits - 1)) : 0;
}
static inline int qtensor_max(const qtensor *t)
{
    return t->is_signed ? (1 << (t->bits - 1)) - 1 : (1 << t->bits) - 1;
}

#endif
