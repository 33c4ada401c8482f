#if defined(__x86_64__)
#pragma GCC target("avx512f,avx512dq,avx512vl,avx512bw,fma")
#define LK_NAME lk_vec_avx512
#define LK_ISA  "avx512"
#include "train/lookup_body.h"
#endif
