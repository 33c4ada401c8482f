#if defined(__x86_64__)
#pragma GCC optimize("O3")
#include <immintrin.h>
#include <string.h>

#include "golden/fast_kernels.h"

#define ISA __attribute__((target("avx2")))

enum { PIXELS = 4 }; /* 8 accumulators, 2 weights, 1 activation: fits 16 registers */

static inline ISA __attribute__((always_inline)) void gemm_pixels(const int16_t *a, const int16_t *w, int len, int n,
                                                                  int32_t *acc, int stride)
{
    __m256i s[PIXELS][2];
    for (int i = 0; i < n; i++) s[i][0] = s[i][1] = _mm256_setzero_si256();
    for (int c = 0; c < len; c += 2, w += 2 * FAST_BLOCK) {
        __m256i w0 = _mm256_loadu_si256((const __m256i *)w), w1 = _mm256_loadu_si256((const __m256i *)(w + 16));
        for (int i = 0; i < n; i++) {
            int32_t two;
            memcpy(&two, a + (size_t)i * (size_t)len + c, 4);
            __m256i x = _mm256_set1_epi32(two);
            s[i][0] = _mm256_add_epi32(s[i][0], _mm256_madd_epi16(x, w0));
            s[i][1] = _mm256_add_epi32(s[i][1], _mm256_madd_epi16(x, w1));
        }
    }
    for (int i = 0; i < n; i++) {
        _mm256_storeu_si256((__m256i *)(acc + i * stride), s[i][0]);
        _mm256_storeu_si256((__m256i *)(acc + i * stride + 8), s[i][1]);
    }
}

static ISA void gemm(const void *a_, const void *b_, int len, int n, int blocks, int32_t *acc)
{
    int stride = blocks * FAST_BLOCK;

    for (int b = 0; b < blocks; b++) {
        const int16_t *a = a_, *w = (const int16_t *)b_ + (size_t)b * (size_t)len * FAST_BLOCK;
        int32_t *s = acc + b * FAST_BLOCK;
        int i = 0;
        for (; i + PIXELS <= n; i += PIXELS)
            gemm_pixels(a + (size_t)i * (size_t)len, w, len, PIXELS, s + i * stride, stride);
        for (; i < n; i++) gemm_pixels(a + (size_t)i * (size_t)len, w, len, 1, s + i * stride, stride);
    }
}

static ISA void requant(const int32_t *acc, const int32_t *bias, const uint16_t *mult, const int32_t *res, int n,
                        int res_mult, int shift, int lo, int hi, uint8_t *out)
{
    if (res)
        fast_requant_body(acc, bias, mult, res, n, res_mult, shift, lo, hi, out);
    else
        fast_requant_body(acc, bias, mult, NULL, n, res_mult, shift, lo, hi, out);
}

static ISA void add_rows(const int8_t *const *rows, int n, int narrow, int kpad, int32_t *acc)
{
    fast_rows_body(rows, n, narrow, kpad, acc);
}

static ISA int nearest(const int16_t *v, const int16_t *proto, int length, int k, bool squared)
{
    if (squared) return fast_nearest_body(v, proto, length, k, true);
    return fast_nearest_body(v, proto, length, k, false);
}

static ISA void scale_add(int32_t *acc, const uint8_t *x, const int16_t *w, int n, bool is_signed)
{
    fast_scale_add_body(acc, x, w, n, is_signed);
}

const fast_kernels fast_avx2 = {FAST_AVX2, 2, 2, gemm, requant, add_rows, nearest, scale_add};
#endif
