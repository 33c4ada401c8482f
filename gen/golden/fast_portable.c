#pragma GCC optimize("O3")
#include "golden/fast_kernels.h"

/* One dot product per output: the form that every compiler turns into multiply-add instructions. */
static void gemm(const void *a_, const void *b_, int len, int n, int blocks, int32_t *acc)
{
    const int16_t *a = a_;

    for (int i = 0; i < n; i++, a += len) {
        const int16_t *w = b_;
        for (int k = 0; k < blocks * FAST_BLOCK; k++, w += len) {
            int32_t s = 0;
            for (int c = 0; c < len; c++) s += a[c] * w[c];
            *acc++ = s;
        }
    }
}

/* Without a vector instruction for floor(), integers are faster. */
static void requant(const int32_t *acc, const int32_t *bias, const uint16_t *mult, const int32_t *res, int n,
                    int res_mult, int shift, int lo, int hi, uint8_t *out)
{
    int64_t round = shift ? (int64_t)1 << (shift - 1) : 0;
    for (int k = 0; k < n; k++) {
        int32_t sum = (int32_t)((uint32_t)acc[k] + (uint32_t)bias[k]); /* may wrap on the way, the result fits */
        int64_t t = (int64_t)sum * mult[k] + (res ? (int64_t)res[k] * res_mult : 0) + round;
        t >>= shift;
        out[k] = (uint8_t)(t < lo ? lo : t > hi ? hi : t);
    }
}

static void add_rows(const int8_t *const *rows, int n, int narrow, int kpad, int32_t *acc)
{
    fast_rows_body(rows, n, narrow, kpad, acc);
}

static int nearest(const int16_t *v, const int16_t *proto, int length, int k, bool squared)
{
    return fast_nearest_body(v, proto, length, k, squared);
}

static void scale_add(int32_t *acc, const uint8_t *x, const int16_t *w, int n, bool is_signed)
{
    fast_scale_add_body(acc, x, w, n, is_signed);
}

const fast_kernels fast_portable = {FAST_PORTABLE, 2, 0, gemm, requant, add_rows, nearest, scale_add};

const fast_kernels *fast_kernels_for(fast_isa isa)
{
#if defined(__x86_64__)
    bool avx2 = __builtin_cpu_supports("avx2");
    bool vnni = __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") &&
                __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    if ((isa == FAST_BEST || isa == FAST_VNNI) && vnni) return &fast_vnni;
    if (isa != FAST_PORTABLE && avx2) return &fast_avx2;
#endif
    (void)isa;
    return &fast_portable;
}
