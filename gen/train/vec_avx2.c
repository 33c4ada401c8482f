#if defined(__x86_64__)
#pragma GCC target("avx2")
#define VEC_NAME lt_vec_avx2
#define VEC_ISA  "avx2"
#include "train/vec_body.h"
#endif
