/* The same integers as golden/golden.h, fast enough for whole data sets: byte tensors, blocked kernels, AVX-512 VNNI or
 * AVX2 chosen at run time, portable C otherwise.
 *
 * Tensors are bytes in pixel order, [H][W][Cp], Cp = C rounded up to a multiple of 4, pad channels 0; a signed tensor
 * holds int8_t, an unsigned one uint8_t. A pixel's channels are adjacent, which is also what channel-mode encoders
 * read. */
#ifndef LUTRA_GOLDEN_FAST_H
#define LUTRA_GOLDEN_FAST_H

#include <stddef.h>
#include <stdint.h>
#include "golden/qnet.h"

typedef struct fast_net fast_net;   /* a network prepared for evaluation; read-only, shared by all threads */
typedef struct fast_work fast_work; /* tensors and scratch of one thread */

typedef enum { FAST_BEST, FAST_PORTABLE, FAST_AVX2, FAST_VNNI } fast_isa;

/* Prepares a checked network (it must outlive the result, except the arrays w and lut). isa above what the CPU has
 * falls back to the next lower. NULL when out of memory. */
fast_net *fast_new(const qnet *n, fast_isa isa);
void fast_free(fast_net *f);
fast_isa fast_isa_used(const fast_net *f);

fast_work *fast_work_new(const fast_net *f);
void fast_work_free(fast_work *w);

/* Image bytes [C][H][W] through the input table into tensor 0. */
void fast_input(fast_work *w, const uint8_t *image);
/* Runs layers first..last (both included; 0..n_layers-1 is the whole network) on the tensors in w. */
void fast_run(fast_work *w, int first, int last);

/* Tensor t of the last run: [H][W][Cp] bytes, writable, so that a caller can put a stored tensor back. */
uint8_t *fast_tensor(fast_work *w, int t);
size_t fast_tensor_size(const fast_net *f, int t); /* bytes, H*W*Cp */
/* Between the two layouts: chw is int16_t [C][H][W] as in golden.h. */
void fast_get(const fast_work *w, int t, int16_t *chw);
void fast_set(fast_work *w, int t, const int16_t *chw);

/* Largest of the first `classes` outputs (the first of equals). */
int fast_argmax(const fast_work *w);

#endif
