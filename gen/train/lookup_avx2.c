#if defined(__x86_64__)
#pragma GCC target("avx2,fma")
#define LK_NAME lk_vec_avx2
#define LK_ISA  "avx2"
#include "train/lookup_body.h"
#endif
