/* NumPy arrays (.npy, format versions 1 to 3) and archives of them (.npz). */
#ifndef LUTRA_MODEL_NPY_H
#define LUTRA_MODEL_NPY_H

#include <stddef.h>
#include "base/err.h"

enum { LT_NPY_MAX_RANK = 8, LT_NPY_NAME = 96 };

typedef struct {
    char name[LT_NPY_NAME]; /* in an archive: without ".npy" */
    int rank;
    size_t dim[LT_NPY_MAX_RANK], count;
    float *v; /* owned; integers and doubles are converted */
} lt_npy;

/* Accepts <f4, <f8, <i4, <i8, |i1 (also written <i1) in C order. LT_EINPUT otherwise; `who` starts the message. */
lt_code lt_npy_parse(const void *data, size_t len, const char *who, lt_npy *a, lt_err *err);
void lt_npy_free(lt_npy *a);

typedef struct {
    int n;
    lt_npy *a;
} lt_npz;

/* All arrays of an archive held in memory; at most 4096 arrays and 512 MB unpacked. */
lt_code lt_npz_parse(const void *data, size_t len, const char *who, lt_npz *z, lt_err *err);
void lt_npz_free(lt_npz *z);
const lt_npy *lt_npz_find(const lt_npz *z, const char *name);

#endif
