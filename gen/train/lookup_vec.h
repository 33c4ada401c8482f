/* Inner loops of lookup layers in training, over the positions of one image: planes of floats, one value per position.
 * Compiled for several instruction sets like vec.h; sums of products may be fused where the machine can. */
#ifndef LUTRA_TRAIN_LOOKUP_VEC_H
#define LUTRA_TRAIN_LOOKUP_VEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "golden/qnet.h"

/* Positions are worked on in blocks of LK_BLOCK; planes have room for a whole last block. Columns come in
 * multiples of LK_COLUMNS, output channels of LK_LANES. */
enum { LK_LANES = 16, LK_BLOCK = 32, LK_COLUMNS = 4, LK_MAX_CODES = 256, LK_MAX_LENGTH = 256 };

/* One codebook, in units of e(x), the integer with its low bits dropped. */
typedef struct {
    qpq_encoder kind;
    int length, codes, depth;
    const float *hard, *soft; /* prototypes [codes][length] or thresholds [codes-1], rounded and as they are trained */
    const uint16_t *dim;      /* [depth] */
    const float *width;       /* l1, l2: one distance; tree: [depth] */
    float temperature;
} lk_book;

/* Where the tables' rows of one output position are: code plane offset and table row for each lookup. */
typedef struct {
    int n;
    const int *code; /* [n] into the codes, from the output position's own offset */
    const int *row;  /* [n] first row of the lookup's table */
} lk_reads;

typedef struct {
    const char *isa;
    /* [px][c] -> planes: of the integer of x * per (halves up, within a byte's range) the bits above `drop` */
    void (*to_planes)(const float *x, int px, int c, float per, int drop, float *planes, size_t pitch);
    /* [px][c] -> planes */
    void (*transpose)(const float *x, int px, int c, float *planes, size_t pitch);
    /* planes * per -> [px][c], written or added */
    void (*from_planes)(const float *planes, size_t pitch, int px, int c, float per, bool add, float *x);
    /* What the integer network does: codes of n positions; x[length] planes. */
    void (*encode)(const lk_book *b, const float *const *x, int n, uint8_t *codes);
    /* y[length] planes = scale * table[code][length] */
    void (*decode)(const float *table, int k, int length, float scale, const uint8_t *codes, int n, float *const *y);
    /* sums[code][length] of LK_LANES lanes each += g[length] planes */
    void (*decode_back)(const float *const *g, int k, int length, const uint8_t *codes, int n, float *sums);
    /* y[k] = sum over the lookups of table[row + code][k]; k a multiple of LK_LANES */
    void (*sum)(const lk_reads *r, const uint8_t *codes, const float *table, int k, float *y);
    /* table[row + code][k] += y[k] */
    void (*scatter)(const lk_reads *r, const uint8_t *codes, const float *y, int k, float *table);
    /* h[column][LK_BLOCK] = sum over taps t and outputs o of table[t][o][column] * g[o * pitch + at[t]]; columns a
     * multiple of LK_COLUMNS */
    void (*by_column)(const float *table, int columns, int taps, int outs, const float *g, size_t pitch, const int *at,
                      float *h);
    /* Gradients of one block from h, the gradient by the probabilities of the codes: gx[length] planes (written), by
     * thresholds or prototypes (layout of `soft`) and, behind them, by the temperature: added to sums of LK_LANES
     * lanes each, which the caller adds up. */
    void (*back)(const lk_book *b, const float *const *x, const float *h, float *const *gx, float *lanes);
} lk_vec;

/* The best variant for this machine; all that it can run, *n of them. */
const lk_vec *lk_vec_best(void);
const lk_vec *const *lk_vec_all(int *n);

#endif
