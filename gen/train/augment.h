/* From image bytes to the trainer's input, with random flip, crop and cutout. */
#ifndef LUTRA_TRAIN_AUGMENT_H
#define LUTRA_TRAIN_AUGMENT_H

#include <stdbool.h>
#include "base/err.h"
#include "base/rng.h"
#include "model/dataset.h"

typedef struct {
    bool flip;  /* left and right, half of the images */
    int crop;   /* black pixels added on every side before a window of the image's size is cut out; 0: none */
    int cutout; /* side of a square set to the mean, centre anywhere in the image (DeVries & Taylor 2017); 0: none */
} lt_augment_options;

/* LT_EINPUT for sides that do not fit h x w. */
lt_code lt_augment_check(const lt_augment_options *o, int h, int w, lt_err *err);

/* One draw: where the window starts (-crop..crop), whether it is flipped, the centre of the square. */
typedef struct {
    int dy, dx, cy, cx;
    bool flip;
} lt_augment_draw;

lt_augment_draw lt_augment_pick(const lt_augment_options *o, int h, int w, lt_rng *r);

/* Input of the network for every byte and channel, the same numbers as lt_preprocess. */
typedef struct {
    float of[LT_MAX_INPUT_CHANNELS][256];
} lt_byte_table;

void lt_byte_table_make(lt_byte_table *t, const lt_preproc *pre);

/* image [c][h][w] -> x [h][w][c]; draw NULL: as it is. */
void lt_augment(const lt_augment_options *o, const lt_augment_draw *draw, const lt_byte_table *t, lt_shape s,
                const uint8_t *image, float *x);

/* order[n] = a random permutation of 0..n-1 that depends on seed and epoch only. */
void lt_shuffle(int *order, int n, uint64_t seed, int epoch);

#endif
