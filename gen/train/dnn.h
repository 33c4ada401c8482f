/* Convolutions of oneDNN (C API, version 2), one thread per call: the trainer is parallel over chunks of images.
 * Activations are NHWC float32; weights are kept by the caller as [K][C/groups][R][S] and loaded once per pass. */
#ifndef LUTRA_TRAIN_DNN_H
#define LUTRA_TRAIN_DNN_H

#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"

typedef struct {
    int c, h, w, k, p, q; /* input C x H x W, output K x P x Q */
    int r, s, stride_h, stride_w, dil_h, dil_w, groups;
    int pad_t, pad_l, pad_b, pad_r;
    bool bias;
} lt_conv_shape;

/* What training passes multiply. In all of them sums and results are float32, and so is the bias; a bias's gradient is
 * the sum of the operands that the weights' gradient is made of. */
typedef enum {
    LT_F32,
    LT_BF16,         /* operands rounded to bfloat16 (8 bits of significand), to nearest even, as in Micikevicius et al.
                        2018 and Kalamkar et al. 2019. Where the processor or oneDNN has no such product, the rounded
                        operands are multiplied as float32: the same numbers but for the order of sums */
    LT_BF16_EMULATED /* always as where there is no such product: for tests */
} lt_precision;

typedef struct lt_dnn lt_dnn;
typedef struct lt_dnn_conv lt_dnn_conv;

/* Functions that compute may be called from `workers` threads at a time, each with its own number. */
lt_code lt_dnn_open(lt_dnn **d, int workers, lt_precision precision, lt_err *err);
void lt_dnn_close(lt_dnn *d); /* after its convolutions */
/* LT_EINTERNAL if a call below failed since the last time. */
lt_code lt_dnn_check(lt_dnn *d, lt_err *err);

/* A convolution of up to `images` images per call; `data` and `weights`: gradients that will be asked for. */
lt_code lt_dnn_conv_create(lt_dnn *d, const lt_conv_shape *s, int images, bool data, bool weights, lt_dnn_conv **c,
                           lt_err *err);
void lt_dnn_conv_free(lt_dnn_conv *c);
/* Before a call with n images, on one thread; kept from then on. `exact`: for forward passes in float32 whatever the
 * precision. */
lt_code lt_dnn_conv_prepare(lt_dnn_conv *c, int n, bool exact, lt_err *err);

/* New weights, for passes of that kind; `backward`: the data gradient will be asked for. */
void lt_dnn_conv_load(lt_dnn_conv *c, const float *w, bool exact, bool backward);
void lt_dnn_conv_forward(lt_dnn_conv *c, int worker, int n, const float *x, const float *bias, float *y);
/* Not after an exact pass. gw: lt_dnn_conv_partial() floats in a layout of its own; gb[k] if the convolution has a
 * bias. gx: NULL if it is not wanted; may be x. */
void lt_dnn_conv_backward(lt_dnn_conv *c, int worker, int n, const float *x, const float *gy, float *gw, float *gb,
                          float *gx);
size_t lt_dnn_conv_partial(const lt_dnn_conv *c);
/* From that layout to [K][C/groups][R][S]. */
void lt_dnn_conv_unload(lt_dnn_conv *c, int worker, const float *gw, float *w);
/* Whether a pass multiplies bfloat16 rather than rounded float32. */
typedef enum { LT_DNN_FORWARD, LT_DNN_DATA, LT_DNN_WEIGHTS, LT_DNN_PASSES } lt_dnn_pass;
bool lt_dnn_conv_native(const lt_dnn_conv *c, lt_dnn_pass pass);

#endif
