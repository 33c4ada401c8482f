/* Where float networks come from. */
#ifndef LUTRA_MODEL_MODEL_H
#define LUTRA_MODEL_MODEL_H

#include <stdint.h>
#include "base/err.h"
#include "model/graph.h"

/* What MODEL means to every command: a path (.onnx or .npz, told apart by content), `wide` (lt_wide_random), or
 * `resnet20`: with data_dir data_dir/models/resnet20_cifar10.onnx, without it (NULL or "") the seeded random one. *real
 * (may be NULL) = the weights were trained, so accuracy means something. The graph is as imported (not lowered); its
 * preprocessing is set by lt_model_preproc. */
lt_code lt_model_load(const char *name, const char *data_dir, uint64_t seed, lt_graph *g, bool *real, lt_err *err);

/* ONNX (inference graphs, one image input, one output). Supported operators: lt_onnx_operators(). `name` starts the
 * messages. Truncated, foreign or hostile input gives LT_EINPUT. */
lt_code lt_onnx_import(const void *data, size_t len, const char *name, lt_graph *g, lt_err *err);
const char *lt_onnx_operators(void);

/* CIFAR ResNets (6n+2 layers, option-A shortcuts) as .npz with PyTorch names: conv1.weight,
 * bn1.{weight,bias,running_mean, running_var} or conv1.bias, layerL.B.conv{1,2}.weight, layerL.B.bn{1,2}.*,
 * linear.{weight,bias}; L = 1..3. */
lt_code lt_npz_import(const void *data, size_t len, const char *name, lt_graph *g, lt_err *err);

/* CIFAR ResNet20 (He et al. 2016, section 4.2) with He-initialised weights; BatchNorm statistics are measured on
 * procedural images layer by layer, so that every activation has about unit variance. Depends on nothing but the seed.
 */
lt_code lt_resnet20_random(uint64_t seed, lt_graph *g, lt_err *err);
/* A network of a few layers with large kernels, many channels and large fully connected layers, He-initialised: to test
 * how layers are tiled. */
lt_code lt_wide_random(uint64_t seed, lt_graph *g, lt_err *err);
/* Networks made by these two have a name ending in "-random", which stays with them through files and reports:
 * their accuracy means nothing and is not printed. */
bool lt_model_is_random(const char *net_name);

/* Preprocessing by kind: "imagenet" mean .485 .456 .406, std .229 .224 .225; "unit" byte/255; "byte" 0..255;
 * or "m0,m1,m2/s0,s1,s2". NULL or "auto": byte for a network whose name contains resnet8, unit for vww, else imagenet.
 */
lt_code lt_model_preproc(lt_graph *g, const char *spec, lt_err *err);

#endif
