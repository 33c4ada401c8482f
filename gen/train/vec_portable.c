#define VEC_NAME lt_vec_portable
#define VEC_ISA  "portable"
#include "train/vec_body.h"
