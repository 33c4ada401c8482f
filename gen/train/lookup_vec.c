#include "train/lookup_vec.h"

extern const lk_vec lk_vec_portable;
#if defined(__x86_64__)
extern const lk_vec lk_vec_avx2, lk_vec_avx512;
#endif

const lk_vec *const *lk_vec_all(int *n)
{
    static const lk_vec *const all[] = {
        &lk_vec_portable,
#if defined(__x86_64__)
        &lk_vec_avx2,
        &lk_vec_avx512
#endif
    };
    *n = 1;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        *n = 2;
        if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
            __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
            *n = 3;
    }
#endif
    return all;
}

const lk_vec *lk_vec_best(void)
{
    int n;
    const lk_vec *const *all = lk_vec_all(&n);
    return all[n - 1];
}
