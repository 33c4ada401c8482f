#define LK_NAME lk_vec_portable
#define LK_ISA  "portable"
#include "train/lookup_body.h"
