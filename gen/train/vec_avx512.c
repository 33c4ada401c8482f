#if defined(__x86_64__)
#pragma GCC target("avx512f,avx512dq,avx512vl,avx512bw")
#define VEC_NAME lt_vec_avx512
#define VEC_ISA  "avx512"
#include "train/vec_body.h"
#endif
