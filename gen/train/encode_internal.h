/* Shared by encode.c (encoders), encode_math.c (their constants) and lookup.c (layers). */
#ifndef LUTRA_TRAIN_ENCODE_INTERNAL_H
#define LUTRA_TRAIN_ENCODE_INTERNAL_H

#include "train/encode.h"

#define ENC_RIDGE 0.1 /* of enc_slope, times the mean variance of the means' elements */
enum { ENC_TABLE, ENC_TEMPERATURE, ENC_MEAN, ENC_PARAMS }; /* means: for checkpoints */

struct lt_encoder {
    qencoder e; /* dim is owned, proto and thresh are NULL */
    lt_encode_options o;
    const lt_env *env;
    const lk_vec *vec;
    int depth, drop;
    float lo, hi, full; /* range of e(x), its size */
    const float *step;
    size_t book, n; /* values of one codebook in the parameter, of all */
    float *hard, *soft;
    float *mean, *slope, *width; /* of enc_slope: [codebooks][codes][length] */
    double *sums;                /* [chunks][codebooks][codes][length + 1], of this pass */
    double *calibrated;          /* [codebooks][codes][length + 1], of all calibration passes */
    double *scratch;
    lt_param own[ENC_PARAMS], *params; /* own until a layer lists them among its parameters */
    int n_readers;
    struct reader {
        const lt_layer *l;
        const float *part; /* [chunks][pitch]: gradients of table and temperature, n + 1 values */
        size_t pitch;
    } * readers;
};

lk_book enc_book(const lt_encoder *n, int cb);
/* Parameters -> constants of a pass. */
void enc_load(lt_encoder *n, lt_mode mode);
/* Means of what codes stand for: of a tree's leaves in calibration, and (option follow) of prototypes in training, on
 * the first image of every chunk. Adds position `at` of planes x; once per pass, enc_measured takes the sums. */
bool enc_measures(const lt_encoder *n, lt_mode mode);
void enc_measure(lt_encoder *n, int chunk, int cb, int code, const float *const *x, int at);
void enc_measured(lt_encoder *n, lt_mode mode);
/* The readers' partial sums -> gradients. */
void enc_finish(lt_encoder *n, const lt_pass *p);
lt_code enc_add_reader(lt_encoder *n, const lt_layer *l, const float *part, size_t pitch, lt_err *err);

/* slope[length][codes] of the linear function that explains values given at mean[codes][length] best. scratch:
 * length^2 + length doubles. */
void enc_slope(const float *mean, int codes, int length, float *slope, double *scratch);
/* width[] of lk_book from the trained values and, for a tree, the leaves' means. */
void enc_width(const lk_book *b, const float *mean, float *width);

#endif
