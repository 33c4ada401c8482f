#if defined(__x86_64__)
#pragma GCC optimize("O3")
#include <immintrin.h>
#include <string.h>

#include "golden/fast_kernels.h"

#define ISA __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))

enum { PIXELS = 8 };

/* B blocks of 16 outputs for n pixels: n * B accumulators. */
static inline ISA __attribute__((always_inline)) void gemm_pixels(const uint8_t *a, const int8_t *w, int len, int n,
                                                                  int blocks, int32_t *acc, int stride)
{
    __m512i s[PIXELS][2];
    size_t next = (size_t)len * FAST_BLOCK; /* from one block's weights to the next */

    for (int i = 0; i < n; i++)
        for (int b = 0; b < blocks; b++) s[i][b] = _mm512_setzero_si512();
    for (int c = 0; c < len; c += 4, w += 4 * FAST_BLOCK) {
        __m512i wb[2];
        for (int b = 0; b < blocks; b++) wb[b] = _mm512_loadu_si512(w + (size_t)b * next);
        for (int i = 0; i < n; i++) {
            int32_t four;
            memcpy(&four, a + (size_t)i * (size_t)len + c, 4);
            __m512i x = _mm512_set1_epi32(four);
            for (int b = 0; b < blocks; b++) s[i][b] = _mm512_dpbusd_epi32(s[i][b], x, wb[b]);
        }
    }
    for (int i = 0; i < n; i++)
        for (int b = 0; b < blocks; b++) _mm512_storeu_si512(acc + i * stride + b * FAST_BLOCK, s[i][b]);
}

static ISA void gemm(const void *a_, const void *b_, int len, int n, int blocks, int32_t *acc)
{
    int stride = blocks * FAST_BLOCK;
    size_t per = (size_t)len * FAST_BLOCK;

    for (int b = 0; b < blocks;) {
        const int8_t *w = (const int8_t *)b_ + (size_t)b * per;
        const uint8_t *a = a_;
        int32_t *s = acc + b * FAST_BLOCK;
        int two = b + 2 <= blocks, i = 0;
        for (; i + PIXELS <= n; i += PIXELS, a += (size_t)PIXELS * (size_t)len) {
            if (two)
                gemm_pixels(a, w, len, PIXELS, 2, s + i * stride, stride);
            else
                gemm_pixels(a, w, len, PIXELS, 1, s + i * stride, stride);
        }
        for (; i < n; i++, a += len) {
            if (two)
                gemm_pixels(a, w, len, 1, 2, s + i * stride, stride);
            else
                gemm_pixels(a, w, len, 1, 1, s + i * stride, stride);
        }
        b += two ? 2 : 1;
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

const fast_kernels fast_vnni = {FAST_VNNI, 1, 4, gemm, requant, add_rows, nearest, scale_add};
#endif
