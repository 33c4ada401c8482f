/* Float graph -> integer network (docs/arithmetic.md).
 *
 * Weights: symmetric, one scale per output channel. The requantisation multiplier is an integer by construction: the
 * channel's scale is rounded up to the next multiple of what one step of `mult` stands for, and the weights are rounded
 * with that scale, so no error is left in the multiplier. Activations: one scale per tensor from calibration; unsigned
 * when the tensor cannot be negative. The input tensor and its byte table follow from the preprocessing.
 *
 * Compression (gen/compress) starts from the dense result: it replaces w by an encoder and LUT, calls lt_quant_requant
 * for the layer's new scales and lt_quant_check for the proof that nothing overflows. */
#ifndef LUTRA_MODEL_QUANTIZE_H
#define LUTRA_MODEL_QUANTIZE_H

#include "base/err.h"
#include "golden/qnet.h"
#include "model/calib.h"
#include "model/graph.h"

enum { LT_MAX_OVERRIDES = 256 };

/* Bits of one layer by name; 0 = as the options say. `name` may end in '*'. */
typedef struct {
    char name[QN_NAME];
    int w_bits, a_bits; /* weights of the layer, its output tensor */
} lt_quant_override;

typedef struct {
    int w_bits, a_bits; /* 2..8; the network's input and result always have 8 (unless an override says so) */
    int edge_bits;      /* weights of the first and last convolution (2..8); 0: w_bits */
    lt_calib_method method;
    double percentile;       /* for LT_CALIB_PERCENTILE */
    bool w_mse;              /* weight scales of least squared error instead of the largest magnitude */
    bool bias_correct;       /* cancel the mean output error of weight rounding (Nagel et al. 2019, section 4.2) */
    int acc_bits, mult_bits; /* 12..32, 8..16 */
    int n_overrides;
    lt_quant_override override[LT_MAX_OVERRIDES];
} lt_quant_options;

lt_quant_options lt_quant_defaults(void);

/* Reads overrides, one per line: `name w_bits=N a_bits=N`, # starts a comment; errors as file:line. */
lt_code lt_quant_read_overrides(const char *path, lt_quant_options *o, lt_err *err);

/* g must be lowered (and aligned, if the target needs it) and c its statistics. qnet layer i-1 = node i, tensor i =
 * node i. LT_EINPUT with the layer's name: unequal strides, an accumulator that could overflow, an average pool whose
 * divisor varies, a scale out of the multiplier's reach, an override that matches no layer. */
lt_code lt_quantize(const lt_graph *g, const lt_calib *c, const lt_quant_options *o, qnet *out, lt_err *err);

/* Largest shift with which the multipliers of both ratios, output steps per accumulator step and per residual step, fit
 * mult_bits: a step of a multiplier is worth 2^-shift. -1 if even shift 0 is too much. */
int lt_quant_shift(double real_max, double res_ratio, int mult_bits);

/* Fills shift, mult[] and res_mult of a layer so that out = (sum * real[k] + res * res_ratio) with the best precision
 * that mult_bits (of res_mult, too) allow; real[k] >= 0 is the wanted output step per accumulator step,
 * res_ratio the residual's scale over the output's (0: no residual). mult[k] is rounded to nearest (at least 1 where
 * real[k] > 0). */
lt_code lt_quant_requant(qlayer *l, const double *real, double res_ratio, int mult_bits, lt_err *err);

/* The largest magnitude the accumulator plus bias of output channel k can reach (dense, PQ, pool, add). */
int64_t lt_quant_bound(const qnet *n, const qlayer *l, int k);

/* Structure and arithmetic of a whole network: tensor numbers, shapes, bit ranges of every number, clip range, and
 * lt_quant_bound < 2^(acc_bits-1) for every channel; acc_bits = 0 only asks that sums fit 32 bits. Every reader of
 * untrusted networks calls this. */
lt_code lt_quant_check(const qnet *n, int acc_bits, lt_err *err);

#endif
