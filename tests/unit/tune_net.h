/* A small network with a shortcut, prepared as `lutra prep` does, for the tests of tuning. */
#ifndef LUTRA_TESTS_TUNE_NET_H
#define LUTRA_TESTS_TUNE_NET_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "compress/pq.h"
#include "golden/golden.h"
#include "model/model.h"
#include "model/prep.h"
#include "train/tune.h"

enum { TUNE_SIDE = 10, TUNE_IMAGES = 48, TUNE_MULT_BITS = 9, TUNE_ACC_BITS = 24 };

static inline void tune_ok(lt_code rc, const lt_err *err)
{
    if (rc != LT_OK) fail_msg("%s", err->msg);
}

static inline float *tune_random(lt_rng *r, size_t n, double sigma)
{
    float *v = malloc(n * sizeof *v);
    for (size_t i = 0; i < n; i++) v[i] = (float)(sigma * lt_rng_normal(r));
    return v;
}

static inline int tune_conv(lt_graph *g, lt_rng *r, const char *name, int in, int k, int side, int stride, bool relu,
                            int res)
{
    lt_node n = lt_node_make(NODE_CONV, name, in);
    int c = g->nodes[in].shape.c;
    lt_err err = {0};
    int id;
    n.shape.c = k;
    n.r = n.s = side;
    n.stride_h = n.stride_w = stride;
    n.pad_t = n.pad_l = n.pad_b = n.pad_r = side == 3;
    n.weight = tune_random(r, (size_t)(k * c * side * side), sqrt(2.0 / (c * side * side)));
    n.bias = tune_random(r, (size_t)k, 0.1);
    if (relu) n.lo = 0;
    n.res = res;
    if (res >= 0 && g->nodes[res].shape.c != k) {
        n.res_step = 2;
        n.res_c_off = (k - g->nodes[res].shape.c) / 2;
    }
    tune_ok(lt_graph_add(g, n, &id, &err), &err);
    return id;
}

/* bits: of weights and activations. pq: NULL, or the settings of lookup layers. Freed by lt_prep_free. */
static inline void tune_prepare(lt_prep *p, int bits, const lt_pq_options *pq)
{
    lt_rng r = lt_rng_make(5, 1);
    lt_err err = {0};
    lt_graph *g = &p->graph;
    int id;

    *p = (lt_prep){0};
    strcpy(g->name, "small");
    lt_node in = lt_node_make(NODE_INPUT, "input", -1);
    in.shape = (lt_shape){3, TUNE_SIDE, TUNE_SIDE};
    tune_ok(lt_graph_add(g, in, &id, &err), &err);
    tune_ok(lt_model_preproc(g, "unit", &err), &err);
    id = tune_conv(g, &r, "first", id, 8, 3, 1, true, -1);
    int a = tune_conv(g, &r, "a", id, 8, 3, 1, true, -1);
    int b = tune_conv(g, &r, "b", a, 8, 3, 1, true, id);
    int c = tune_conv(g, &r, "c", b, 12, 3, 2, true, -1);
    int d = tune_conv(g, &r, "d", c, 12, 3, 1, true, b);
    lt_node pool = lt_node_make(NODE_AVGPOOL, "pool", d);
    pool.r = pool.s = g->nodes[d].shape.h;
    tune_ok(lt_graph_add(g, pool, &id, &err), &err);
    tune_conv(g, &r, "last", id, 10, 1, 1, false, -1);
    tune_ok(lt_dataset_for(&p->calib_data, in.shape, g->name, NULL, LT_TRAIN, TUNE_IMAGES, 3, &err), &err);
    tune_ok(lt_calib_run(&p->calib, g, &p->calib_data, TUNE_IMAGES, &err), &err);
    lt_quant_options q = lt_quant_defaults();
    q.w_bits = q.a_bits = bits;
    q.mult_bits = TUNE_MULT_BITS;
    q.acc_bits = TUNE_ACC_BITS;
    tune_ok(lt_quantize(g, &p->calib, &q, &p->net, &err), &err);
    if (!pq) return;
    lt_pq_result res[16];
    int n;
    tune_ok(lt_pq_fit(p, pq, TUNE_ACC_BITS, TUNE_MULT_BITS, res, &n, &err), &err);
    assert_int_equal(n, 4);
}

#endif
