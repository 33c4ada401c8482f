/* Shared by encode.c (the layer) and encode_math.c (one subvector). */
#ifndef LUTRA_TRAIN_ENCODE_INTERNAL_H
#define LUTRA_TRAIN_ENCODE_INTERNAL_H

#include "train/encode.h"

#define ENC_RIDGE 0.1 /* of enc_slope, times the mean variance of the means' elements */
enum { ENC_MAX_LENGTH = 256, ENC_MAX_CODES = 256, ENC_LANES = 8 };

/* One codebook as the loops read it, in units of e(x), the integer with its low bits dropped. `lanes` = prototypes
 * rounded up to ENC_LANES; what is beyond is far away. */
typedef struct {
    qpq_encoder kind;
    int length, codes, lanes, depth;
    const float *hard, *soft; /* prototypes [length][lanes] or thresholds [codes-1], rounded and as they are trained */
    const uint16_t *dim;      /* [depth] */
    const float *slope;       /* [length][codes] */
    const float *width;       /* l1, l2: one distance; tree: [depth] */
    float temperature;
} enc_book;

/* What the integer network does: the code of v[length]. */
int enc_hard(const enc_book *b, const float *v);
/* Probabilities of the codes. */
void enc_soft(const enc_book *b, const float *v, float *p);
/* Gradient h[codes] by the probabilities -> by v (written), prototypes or thresholds (added, same layout as `soft` but
 * [codes][length] for prototypes) and temperature (returned). */
float enc_soft_back(const enc_book *b, const float *v, const float *h, float *gv, float *gtable);
/* The slope of the straight-through estimate: gv[length]. */
void enc_slope_back(const enc_book *b, const float *h, float *gv);

/* slope[length][codes] of the linear function that explains values given at mean[codes][length] best. */
void enc_slope(const float *mean, int codes, int length, float *slope, double *scratch);
/* width[] of enc_book from the trained values and, for a tree, the leaves' means. */
void enc_width(const enc_book *b, const float *mean, float *width);

#endif
