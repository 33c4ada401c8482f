/* Shared by the parts of the fast evaluator; not a public header. */
#ifndef LUTRA_GOLDEN_FAST_INTERNAL_H
#define LUTRA_GOLDEN_FAST_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "golden/fast.h"

enum {
    FAST_BLOCK = 16, /* output channels of one packed weight block */
    FAST_TILE = 32,  /* output pixels worked on together, at most */
    FAST_TILE_BYTES = 1 << 16,
    FAST_KEY_LENGTH = 256, /* longest subvector whose distance fits above the prototype number in 32 bits */
    FAST_ROWS = 255        /* LUT rows that can be added in 16 bits */
};

/* Kernels of one instruction set. */
typedef struct {
    fast_isa isa;
    int a_bytes; /* operand of gemm: 1 = uint8_t (signed values offset by 128), 2 = int16_t */
    int group;   /* consecutive inputs of one output that lie together in the packed weights; 0: all of them */

    /* acc[n][16*blocks] = a[n][len] times weights packed as [blocks][len / group][16][group]; len is a multiple of 4.
     */
    void (*gemm)(const void *a, const void *b, int len, int n, int blocks, int32_t *acc);

    /* out[k] = clip(floor(((acc[k] + bias[k]) * mult[k] + res[k] * res_mult + round) / 2^shift)); res may be NULL. */
    void (*requant)(const int32_t *acc, const int32_t *bias, const uint16_t *mult, const int32_t *res, int n,
                    int res_mult, int shift, int lo, int hi, uint8_t *out);

    /* acc[kpad] = sum of n rows of kpad int8 each, any `narrow` of which add up to int8; kpad is a multiple of 16. */
    void (*add_rows)(const int8_t *const *rows, int n, int narrow, int kpad, int32_t *acc);

    /* Number of the nearest of k prototypes, proto[length][k]; length <= FAST_KEY_LENGTH. */
    int (*nearest)(const int16_t *v, const int16_t *proto, int length, int k, bool squared);

    /* acc[c] += x[c] * w[c], x signed or unsigned bytes (depthwise convolution). */
    void (*scale_add)(int32_t *acc, const uint8_t *x, const int16_t *w, int n, bool is_signed);
} fast_kernels;

const fast_kernels *fast_kernels_for(fast_isa isa);
extern const fast_kernels fast_portable;
#if defined(__x86_64__)
extern const fast_kernels fast_avx2, fast_vnni;
#endif

typedef enum { KIND_GEMM, KIND_DEPTHWISE, KIND_MAX, KIND_SUM, KIND_COPY, KIND_CHANNEL, KIND_SPATIAL } fast_kind;

typedef struct {
    const qlayer *q;
    const qtensor *in, *out, *res;
    const qencoder *e;
    fast_kind kind;
    int cp, kp;     /* channels of a pixel, rounded up: input, output */
    int cgp;        /* channels of one group, rounded up to 4 */
    int len;        /* GEMM: taps * cgp */
    int kg, blocks; /* outputs per group, in blocks of 16 */
    int tile;       /* pixels per tile */
    void *w;        /* GEMM: packed, see fast_kernels.gemm; depthwise: int16_t [taps][cp] */
    int32_t *bias;  /* [K]: with the correction for offset activations */
    int8_t *lut;    /* [codebooks][taps][prototypes][lut_k] */
    int lut_k;      /* K rounded up to 16 */
    int narrow;     /* rows of the LUT that add up to int8 */
    int16_t *proto; /* [codebooks][length][K] */
    uint8_t *parts; /* trees: of fast_tree_parts */
} fast_layer;

struct fast_net {
    const qnet *q;
    const fast_kernels *k;
    fast_layer *layers;
    size_t acc_size, a_size, code_size, row_count; /* of the largest layer */
};

struct fast_work {
    const fast_net *f;
    uint8_t **t;
    int32_t *acc, *res; /* [tile][...], one pixel's residual */
    void *a;            /* im2col tile */
    uint8_t **codes;    /* per encoder, channel mode: [H][W][codebooks] */
    int *coded;         /* per encoder: tensor the codes belong to, -1 = none */
    const int8_t **rows;
    uint8_t *pixel_codes;
};

/* parts[codebooks][length][256]: the bits of the code that the element's byte decides, NULL where that depends on other
 * elements. false: out of memory. */
bool fast_tree_parts(const qencoder *e, bool is_signed, uint8_t **parts);

static inline int fast_round_up(int n, int m)
{
    return (n + m - 1) / m * m;
}

/* Accumulators of n output pixels from number `first` on: acc[n][stride], stride returned. */
int fast_conv_tile(fast_work *w, const fast_layer *l, int first, int n);
int fast_pool_tile(fast_work *w, const fast_layer *l, int first, int n);
int fast_pq_tile(fast_work *w, const fast_layer *l, int first, int n);

#endif
