/* Inner loops over pixels x channels (NHWC: c values per pixel, pixels one after another), written with vector types
 * and compiled for several instruction sets. All variants add in the same order and use no fused multiply-add, so they
 * give the same bits on every machine. */
#ifndef LUTRA_TRAIN_VEC_H
#define LUTRA_TRAIN_VEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const char *isa;
    /* sum[c] = sum of (x - shift[c]) over px pixels, sq[c] = sum of its squares */
    void (*stats)(const float *x, size_t px, int c, const float *shift, double *sum, double *sq);
    /* y = clip(x * a[c] + b[c] + r, lo, hi); r may be NULL. A NaN stays one. */
    void (*affine)(const float *x, const float *r, size_t px, int c, const float *a, const float *b, float lo, float hi,
                   float *y);
    /* Backward through a clip and the sums of a batch norm behind it: g = 0 where y is clipped; gr = g or gr += g if gr
     * is not NULL; sum[c] = sum of g, dot[c] = sum of g * (x - shift[c]) */
    void (*gather)(const float *x, const float *y, float *g, float *gr, bool add, size_t px, int c, const float *shift,
                   float lo, float hi, double *sum, double *dot);
    /* gx = g * a[c] + x * b[c] + d[c], or added to gx */
    void (*combine)(const float *x, const float *g, size_t px, int c, const float *a, const float *b, const float *d,
                    bool add, float *gx);
    /* y = clip(x + r, lo, hi) over n values; r may be NULL */
    void (*add_clip)(const float *x, const float *r, size_t n, float lo, float hi, float *y);
    /* g where lo < y < hi, else 0, written or added to gx and to gr (either may be NULL) */
    void (*mask)(const float *y, const float *g, size_t n, float lo, float hi, float *gx, bool add_x, float *gr,
                 bool add_r);
    /* y += x */
    void (*add)(float *y, const float *x, size_t n);
    /* y = s * r with r = clip(floor(x / s + nudge + 1/2), lo, hi) */
    void (*quantise)(const float *x, size_t n, float s, float nudge, float lo, float hi, float *y);
    /* Its gradient: gx = g (or += g) where lo <= x / s <= hi, else 0; gx may be NULL. Returns the sum of g * (r - x /
     * s) within, of g * r outside. */
    double (*quantise_back)(const float *x, const float *g, size_t n, float s, float nudge, float lo, float hi,
                            float *gx, bool add);
    /* y = step[c] * (level - most[c]), level = how many of edge[edges][c] are at most x */
    void (*grid)(const float *x, size_t px, int c, int edges, const float *edge, const float *step, const float *most,
                 float *y);
    /* Its gradient, with v = (x - centre[c]) * per[c] and m = most[c]: gx = g where |v| <= m, else 0; sums over pixels:
     * centre_sum[c] of -g within, step_sum[c] of g * (level - m - v) within, of g * (level - m) outside. */
    void (*grid_back)(const float *x, const float *g, size_t px, int c, int edges, const float *edge,
                      const float *centre, const float *per, const float *most, float *gx, double *centre_sum,
                      double *step_sum);
    /* The upper halves of n floats rounded to bfloat16, ties to even: lt_round_bf16 of round.h. A NaN stays one. */
    void (*to_bf16)(const float *x, size_t n, uint16_t *y);
    /* The same as floats; y may be x. */
    void (*round_bf16)(const float *x, size_t n, float *y);
} lt_vec;

/* The best variant for this machine. */
const lt_vec *lt_vec_best(void);
/* All variants this machine can run, for tests; *n of them. */
const lt_vec *const *lt_vec_all(int *n);

#endif
