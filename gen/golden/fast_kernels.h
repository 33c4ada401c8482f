/* Kernel bodies in plain C that the compiler vectorises for whatever instruction set the including function is compiled
 * for. Included by fast_portable.c, fast_avx2.c and fast_vnni.c, each with its own ISA attribute. */
#ifndef LUTRA_GOLDEN_FAST_KERNELS_H
#define LUTRA_GOLDEN_FAST_KERNELS_H

#include <math.h>
#include "golden/fast_internal.h"

#define FAST_INLINE static inline __attribute__((always_inline))

typedef int8_t fast_bytes __attribute__((vector_size(16), aligned(1)));
typedef int16_t fast_shorts __attribute__((vector_size(32)));

/* NV vectors of 16 channels at a time: the partial sums stay in registers, `narrow` rows of them as bytes. */
#define FAST_ROWS_BODY(NV)                                                                                             \
    do {                                                                                                               \
        fast_shorts s[NV] = {{0}};                                                                                     \
        for (int i = 0; i < n;) {                                                                                      \
            fast_bytes b[NV] = {{0}};                                                                                  \
            for (int end = n - i < narrow ? n : i + narrow; i < end; i++)                                              \
                for (int j = 0; j < (NV); j++) b[j] += *(const fast_bytes *)(rows[i] + k + 16 * j);                    \
            for (int j = 0; j < (NV); j++) s[j] += __builtin_convertvector(b[j], fast_shorts);                         \
        }                                                                                                              \
        for (int j = 0; j < (NV); j++)                                                                                 \
            for (int c = 0; c < 16; c++) acc[k + 16 * j + c] += s[j][c];                                               \
    } while (0)

FAST_INLINE void fast_rows_chunk(const int8_t *const *rows, int n, int narrow, int kpad, int32_t *acc)
{
    int k = 0;
    for (; k + 64 <= kpad; k += 64) FAST_ROWS_BODY(4);
    for (; k + 32 <= kpad; k += 32) FAST_ROWS_BODY(2);
    for (; k < kpad; k += 16) FAST_ROWS_BODY(1);
}

FAST_INLINE void fast_rows_body(const int8_t *const *rows, int n, int narrow, int kpad, int32_t *acc)
{
    for (int k = 0; k < kpad; k++) acc[k] = 0;
    for (int i = 0; i < n; i += FAST_ROWS)
        fast_rows_chunk(rows + i, n - i < FAST_ROWS ? n - i : FAST_ROWS, narrow, kpad, acc);
}

/* Exact in double: |acc + bias| < 2^31, mult < 2^16, the rounding term <= 2^46, so every sum is an integer below 2^53.
 */
FAST_INLINE void fast_requant_body(const int32_t *acc, const int32_t *bias, const uint16_t *mult, const int32_t *res,
                                   int n, int res_mult, int shift, int lo, int hi, uint8_t *out)
{
    double round = shift ? ldexp(1, shift - 1) : 0, inv = ldexp(1, -shift), rm = res_mult, l = lo, h = hi;
    for (int k = 0; k < n; k++) {
        int32_t sum = (int32_t)((uint32_t)acc[k] + (uint32_t)bias[k]); /* may wrap on the way, the result fits */
        double t = (double)sum * (double)mult[k] + (res ? (double)res[k] * rm : 0.0) + round;
        t = __builtin_floor(t * inv);
        t = t < l ? l : t;
        t = t > h ? h : t;
        out[k] = (uint8_t)(int)t;
    }
}

/* Distance above, number below: the least key is the nearest prototype, the lowest number among equals. */
FAST_INLINE int fast_nearest_k(const int16_t *v, const int16_t *proto, int length, int k, bool squared)
{
    uint32_t dist[256] = {0};
    for (int i = 0; i < length; i++, proto += k)
        for (int j = 0; j < k; j++) {
            int d = v[i] - proto[j];
            dist[j] += (uint32_t)(squared ? d * d : d < 0 ? -d : d);
        }
    uint32_t best = UINT32_MAX;
    for (int j = 0; j < k; j++) {
        uint32_t key = dist[j] << 8 | (uint32_t)j;
        best = key < best ? key : best;
    }
    return (int)(best & 255);
}

FAST_INLINE int fast_nearest_body(const int16_t *v, const int16_t *proto, int length, int k, bool squared)
{
    switch (k) {
    case 8:
        return fast_nearest_k(v, proto, length, 8, squared);
    case 16:
        return fast_nearest_k(v, proto, length, 16, squared);
    case 32:
        return fast_nearest_k(v, proto, length, 32, squared);
    default:
        return fast_nearest_k(v, proto, length, k, squared);
    }
}

FAST_INLINE void fast_scale_add_body(int32_t *acc, const uint8_t *x, const int16_t *w, int n, bool is_signed)
{
    if (is_signed)
        for (int c = 0; c < n; c++) acc[c] += (int8_t)x[c] * w[c];
    else
        for (int c = 0; c < n; c++) acc[c] += x[c] * w[c];
}

#endif
