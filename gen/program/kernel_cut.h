/* Layers that compute some kernel taps of another one. */
#ifndef LUTRA_PROGRAM_KERNEL_CUT_H
#define LUTRA_PROGRAM_KERNEL_CUT_H

#include "base/err.h"
#include "golden/qnet.h"

typedef struct {
    qlayer *part; /* [n]: kernel, padding, weights and tables of the part; everything else as in the layer */
    int n;
} kernel_cut;

/* Cuts layer l, whose input has in_c channels and encoder e (NULL: dense), into kernels of at most r x s taps; one part
 * is l itself. LT_EMEM. */
lt_code kernel_cut_make(const qlayer *l, const qencoder *e, int in_c, int r, int s, kernel_cut *c, lt_err *err);
void kernel_cut_free(kernel_cut *c);

#endif
