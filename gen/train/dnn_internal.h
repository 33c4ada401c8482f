/* Shared by dnn.c, dnn_primitive.c and dnn_conv.c. */
#ifndef LUTRA_TRAIN_DNN_INTERNAL_H
#define LUTRA_TRAIN_DNN_INTERNAL_H

#include <oneapi/dnnl/dnnl.h>
#include <stdatomic.h>

#include "train/dnn.h"
#include "train/vec.h"

#if DNNL_VERSION_MAJOR != 2
#error "lutra uses the C API of oneDNN 2 (Debian 12: libdnnl-dev 2.6)"
#endif

enum { LT_DNN_ARGS = 4 };

/* Memory of every worker, for the time of one call. */
typedef struct {
    void **at; /* [workers] */
    size_t size;
} lt_dnn_room;

struct lt_dnn {
    dnnl_engine_t engine;
    int workers;
    lt_precision precision;
    bool native; /* the processor multiplies bfloat16 */
    const lt_vec *vec;
    dnnl_stream_t *streams; /* [workers] */
    lt_dnn_room scratch;    /* for the primitives, as large as any of them asks for */
    lt_dnn_room operands;   /* rounded activations */
    atomic_int failed;      /* first status that was not success */
};

/* ---- dnn.c ---- */
lt_code lt_dnn_bad(lt_err *err, dnnl_status_t s, const char *what);
void lt_dnn_note(lt_dnn *d, dnnl_status_t s);
/* oneDNN would start its own threads in every caller; the number is kept per thread. */
void lt_dnn_one_thread(void);
dnnl_status_t lt_dnn_grow(lt_dnn *d, lt_dnn_room *r, size_t bytes);
/* Between two layouts or types. */
dnnl_status_t lt_dnn_reorder(const lt_dnn *d, const dnnl_memory_desc_t *from, const dnnl_memory_desc_t *to,
                             dnnl_primitive_t *p);
void lt_dnn_run_reorder(lt_dnn *d, int worker, dnnl_primitive_t p, const dnnl_memory_desc_t *from_md, const void *from,
                        const dnnl_memory_desc_t *to_md, void *to);

/* ---- dnn_primitive.c: one pass of a convolution for one number of images ---- */
typedef struct {
    dnnl_primitive_t p;
    dnnl_memory_desc_t scratch;
    int n_args;
    int arg[LT_DNN_ARGS]; /* DNNL_ARG_* */
    dnnl_memory_desc_t md[LT_DNN_ARGS];
    dnnl_memory_t *mem; /* [workers][LT_DNN_ARGS + 1], the last one is scratch */
} lt_dnn_primitive;

/* What a primitive is made for. */
typedef struct {
    const lt_conv_shape *s;
    lt_dnn_pass pass;
    int images;
    dnnl_data_type_t type;             /* of the operands; what is added up is float32 */
    const dnnl_memory_desc_t *weights; /* [K][C/groups][R][S], with groups in front if there are any; float32 */
    const dnnl_memory_desc_t *chosen;  /* the layout that weights or their gradient have to take; NULL: any */
} lt_dnn_want;

/* `hint`: descriptor of the forward pass, NULL for itself. dnnl_unimplemented if oneDNN has no code
 * for bfloat16 that is worth it. */
dnnl_status_t lt_dnn_describe(const lt_dnn *d, const lt_dnn_want *w, dnnl_primitive_desc_t hint,
                              dnnl_primitive_desc_t *pd);
/* p->md[1] is the layout of the weights or of their gradient. */
dnnl_status_t lt_dnn_primitive_make(lt_dnn *d, const lt_dnn_want *w, dnnl_primitive_desc_t pd, lt_dnn_primitive *p);
void lt_dnn_primitive_free(const lt_dnn *d, lt_dnn_primitive *p);
/* FORWARD: x, weights, y, bias. DATA: gy, weights, gx. WEIGHTS: x, gw, gy, gb. */
void lt_dnn_primitive_run(lt_dnn *d, const lt_dnn_primitive *p, int worker, void *const *at);

#endif
