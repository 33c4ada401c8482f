#include "train/vec.h"

extern const lt_vec lt_vec_portable;
#if defined(__x86_64__)
extern const lt_vec lt_vec_avx2, lt_vec_avx512;
#endif

const lt_vec *const *lt_vec_all(int *n)
{
    static const lt_vec *const all[] = {
        &lt_vec_portable,
#if defined(__x86_64__)
        &lt_vec_avx2,
        &lt_vec_avx512
#endif
    };
    *n = 1;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) {
        *n = 2;
        if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
            __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
            *n = 3;
    }
#endif
    return all;
}

const lt_vec *lt_vec_best(void)
{
    int n;
    const lt_vec *const *all = lt_vec_all(&n);
    return all[n - 1];
}
