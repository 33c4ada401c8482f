/* The quantised integer network: what the golden model evaluates, what the program generator maps onto hardware.
 * Semantics: docs/arithmetic.md. It depends on nothing but the number formats. */
#ifndef LUTRA_GOLDEN_QNET_H
#define LUTRA_GOLDEN_QNET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { QN_NAME = 64 };

typedef struct {
    char name[QN_NAME];
    int c, h, w;
    int bits; /* 2..8 */
    bool is_signed;
    double scale; /* real = scale * integer; used by reports only */
} qtensor;

typedef enum {
    QOP_CONV,    /* convolution or fully connected (kernel = input size), optionally with a fused residual */
    QOP_MAXPOOL, /* window r x s */
    QOP_SUMPOOL, /* average pooling: the divisor is in mult; global pooling has r x s = input size */
    QOP_ADD      /* acc = in, the other operand is the residual */
} qop;

typedef enum { QPQ_CHANNEL, QPQ_SPATIAL } qpq_mode;
typedef enum { QENC_L1, QENC_L2, QENC_TREE } qpq_encoder;

/* Encoder of one tensor (channel mode: shared by every layer that reads the tensor) or of one layer (spatial mode). */
typedef struct {
    qpq_mode mode;
    qpq_encoder encoder;
    int prototypes;  /* K, a power of two, 2..256 */
    int length;      /* L: channels per codebook, or R*S */
    int codebooks;   /* ceil(C/L), or C */
    int enc_bits;    /* 1..8 */
    int r, s;        /* spatial: window of the encoder; channel: 1,1 */
    int16_t *proto;  /* l1, l2: [codebooks][K][L], already reduced to enc_bits */
    uint16_t *dim;   /* tree: [codebooks][log2 K] */
    int16_t *thresh; /* tree: [codebooks][K-1], heap order, reduced to enc_bits; >= max+1 means "never right" */
} qencoder;

typedef struct {
    char name[QN_NAME];
    qop op;
    int in, out;                  /* tensor numbers */
    int res;                      /* residual tensor or -1 */
    int res_step, res_c_off;      /* subsampling 1.. and channel offset of the residual */
    int k, r, s, stride, dilation, groups;
    int pad_t, pad_l, pad_b, pad_r;
    int w_bits;
    int8_t *w;                    /* dense: [K][C/groups][R][S]; NULL for pools, add and PQ layers */
    int encoder;                  /* PQ: index into qnet.encoders, else -1 */
    int lut_bits;
    int8_t *lut;                  /* PQ: [codebooks][taps][prototypes][K], taps = R*S (channel) or 1 (spatial) */
    int32_t *bias;                /* [K] */
    uint16_t *mult;               /* [K] */
    int shift, res_mult;
    int lo, hi;                   /* clip */
} qlayer;

typedef struct {
    char name[QN_NAME];
    int n_tensors, n_layers, n_encoders;
    qtensor *tensors;             /* tensors[0] is the input, tensors[layers[n-1].out] the output */
    qlayer *layers;               /* in execution order */
    qencoder *encoders;
    int classes;                  /* output values that count */
    int8_t *input_table;          /* [C][256]: image byte -> input integer */
} qnet;

void qnet_free(qnet *n);
/* Index of the last layer that reads tensor t, or -1. */
int qnet_last_use(const qnet *n, int t);
/* First layer that differs in structure, which is all but formats, numbers and how it is computed; -1: none. Networks of
 * another number of layers or tensors, or for other images, differ in layer 0. */
int qnet_differs(const qnet *n, const qnet *m);
static inline size_t qtensor_size(const qtensor *t)
{
    return (size_t)t->c * (size_t)t->h * (size_t)t->w;
}

#endif
