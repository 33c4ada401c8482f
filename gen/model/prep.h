/* From MODEL to integer network: the steps of `lutra prep`, as one call, leaving every intermediate result in place so
 * that compression can go on from there. */
#ifndef LUTRA_MODEL_PREP_H
#define LUTRA_MODEL_PREP_H

#include "golden/qnet.h"
#include "model/calib.h"
#include "model/dataset.h"
#include "model/graph.h"
#include "model/quantize.h"

typedef struct {
    const char *model;    /* see lt_model_load */
    const char *data_dir; /* NULL: procedural images */
    const char *preproc;  /* see lt_model_preproc */
    uint64_t seed;
    int lanes; /* channel alignment; <= 1: none */
    int calib_images;
    lt_quant_options quant;
} lt_prep_options;

lt_prep_options lt_prep_defaults(void);

typedef struct {
    lt_graph graph;        /* lowered and aligned: node i is layer i-1 and tensor i of net */
    bool real;             /* trained weights */
    lt_dataset calib_data; /* training split, calib_images images */
    lt_calib calib;
    qnet net; /* dense */
} lt_prep;

/* Load, lower, align, calibrate, quantise, prove. On failure p is freed. */
lt_code lt_prep_dense(const lt_prep_options *o, lt_prep *p, lt_err *err);
void lt_prep_free(lt_prep *p);

#endif
