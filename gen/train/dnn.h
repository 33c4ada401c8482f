/* Convolutions of oneDNN (C API, version 2), one thread per call: the trainer is parallel over chunks of images.
 * Activations are NHWC float32; weights are kept by the caller as [K][C/groups][R][S] and loaded once per step. */
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

typedef struct lt_dnn lt_dnn;
typedef struct lt_dnn_conv lt_dnn_conv;

/* Functions that compute may be called from `workers` threads at a time, each with its own number. */
lt_code lt_dnn_open(lt_dnn **d, int workers, lt_err *err);
void lt_dnn_close(lt_dnn *d); /* after its convolutions */
/* LT_EINTERNAL if a call below failed since the last time. */
lt_code lt_dnn_check(lt_dnn *d, lt_err *err);

/* A convolution of up to `images` images per call; `data` and `weights`: gradients that will be asked for. */
lt_code lt_dnn_conv_create(lt_dnn *d, const lt_conv_shape *s, int images, bool data, bool weights, lt_dnn_conv **c,
                           lt_err *err);
void lt_dnn_conv_free(lt_dnn_conv *c);
/* Before a call with n images, on one thread; kept from then on. */
lt_code lt_dnn_conv_prepare(lt_dnn_conv *c, int n, lt_err *err);

/* New weights; `backward`: the data gradient will be asked for. */
void lt_dnn_conv_load(lt_dnn_conv *c, const float *w, bool backward);
void lt_dnn_conv_forward(lt_dnn_conv *c, int worker, int n, const float *x, const float *bias, float *y);
void lt_dnn_conv_backward_data(lt_dnn_conv *c, int worker, int n, const float *gy, float *gx);
/* gw: lt_dnn_conv_partial() floats in a layout of its own; gb[k] if the convolution has a bias. */
void lt_dnn_conv_backward_weights(lt_dnn_conv *c, int worker, int n, const float *x, const float *gy, float *gw,
                                  float *gb);
size_t lt_dnn_conv_partial(const lt_dnn_conv *c);
/* From that layout to [K][C/groups][R][S]. */
void lt_dnn_conv_unload(lt_dnn_conv *c, int worker, const float *gw, float *w);

#endif
