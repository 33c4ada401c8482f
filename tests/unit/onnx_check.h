/* Helpers of the tests of the ONNX import. */
#ifndef LUTRA_TESTS_ONNX_CHECK_H
#define LUTRA_TESTS_ONNX_CHECK_H

#include "base/rng.h"
#include "model/model.h"
#include "onnx_make.h"

static inline float *random_floats(lt_rng *r, size_t n)
{
    float *v = malloc((n ? n : 1) * sizeof *v);
    for (size_t i = 0; i < n; i++) v[i] = (float)lt_rng_normal(r);
    return v;
}

static inline lt_code import(onnx_make *m, lt_graph *g, lt_err *err)
{
    size_t len;
    uint8_t *data = om_pack(m, &len);
    lt_code rc = lt_onnx_import(data, len, "test.onnx", g, err);
    free(data);
    if (rc == LT_OK) rc = lt_model_preproc(g, "byte", err);
    return rc;
}

#endif
