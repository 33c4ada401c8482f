/* A small network whose layers are larger than small accelerators: what tiling is tested with. 3 x 32 x 32 images, ten
 * classes, about half a million weights in kernels of 1 x 1 to 13 x 13, dense and depthwise, with up to 1024 channels. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/rng.h"
#include "model/model.h"

typedef struct {
    const char *name;
    int k, kernel, stride, groups;
    bool res;       /* adds its input to its result */
    bool max, full; /* max-pooling; fully connected */
} layer;

static const layer layers[] = {
    {"conv7", .k = 8, .kernel = 7, .stride = 4, .groups = 1},
    {"pool", .kernel = 3, .stride = 1, .max = true},
    {"depth5", .k = 8, .kernel = 5, .stride = 1, .groups = 8},
    {"conv3", .k = 96, .kernel = 3, .stride = 2, .groups = 1},
    {"conv5", .k = 32, .kernel = 5, .stride = 2, .groups = 1},
    {"conv1", .k = 256, .kernel = 1, .stride = 1, .groups = 1},
    {"narrow3", .k = 64, .kernel = 3, .stride = 1, .groups = 1},
    {"residual7", .k = 64, .kernel = 7, .stride = 1, .groups = 1, .res = true},
    {"depth13", .k = 64, .kernel = 13, .stride = 1, .groups = 64},
    {"grouped3", .k = 128, .kernel = 3, .stride = 1, .groups = 2},
    {"full1", .k = 1024, .full = true},
    {"full2", .k = 48, .full = true},
    {"full3", .k = 10, .full = true},
};
enum { N_LAYERS = sizeof layers / sizeof layers[0], SIDE = 32 };

/* Variance 2 / fan-in (He et al. 2015), of cubed Gaussians: a few large values among small ones, as trained weights are,
 * so that sums of thousands fit an accumulator of 24 bits. */
static float *heavy_tailed(lt_rng *rng, size_t n, size_t fan_in)
{
    float *p = malloc(n * sizeof *p);
    double sigma = sqrt(2.0 / 15.0 / (double)fan_in); /* the cube has variance 15 */
    for (size_t i = 0; p && i < n; i++) {
        double v = lt_rng_normal(rng);
        p[i] = (float)(sigma * v * v * v);
    }
    return p;
}

static lt_code add_layer(lt_graph *g, const layer *l, lt_rng *rng, int before, int *id, lt_err *err)
{
    lt_shape in = g->nodes[*id].shape;
    lt_node n = lt_node_make(l->max ? NODE_MAXPOOL : l->full ? NODE_GEMM : NODE_CONV, l->name, *id);
    size_t fan_in = l->full ? (size_t)(in.c * in.h * in.w) : 0;

    if (!l->full) {
        n.r = n.s = l->kernel;
        n.stride_h = n.stride_w = l->stride;
        n.pad_t = n.pad_l = n.pad_b = n.pad_r = l->kernel / 2;
    }
    if (l->max) return lt_graph_add(g, n, id, err);
    n.shape.c = l->k;
    if (!l->full) {
        n.groups = l->groups;
        fan_in = (size_t)(in.c / l->groups * l->kernel * l->kernel);
    }
    n.weight = heavy_tailed(rng, (size_t)l->k * fan_in, fan_in);
    n.bias = heavy_tailed(rng, (size_t)l->k, 50);
    if (!n.weight || !n.bias) {
        free(n.weight);
        free(n.bias);
        return lt_fail(err, LT_EMEM, "wide: out of memory");
    }
    LT_TRY(lt_graph_add(g, n, id, err));
    if (l->res) {
        lt_node sum = lt_node_make(NODE_ADD, "sum", *id);
        sum.res = before;
        LT_TRY(lt_graph_add(g, sum, id, err));
    }
    if (l == &layers[N_LAYERS - 1]) return LT_OK;
    char name[QN_NAME];
    snprintf(name, sizeof name, "%s.relu", l->name);
    lt_node relu = lt_node_make(NODE_CLIP, name, *id);
    relu.lo = 0;
    return lt_graph_add(g, relu, id, err);
}

static lt_code build(lt_graph *g, lt_rng *rng, lt_err *err)
{
    lt_node in = lt_node_make(NODE_INPUT, "input", -1);
    int id;
    bool flat = false;

    in.shape = (lt_shape){3, SIDE, SIDE};
    LT_TRY(lt_graph_add(g, in, &id, err));
    for (int i = 0; i < N_LAYERS; i++) {
        if (layers[i].full && !flat) {
            LT_TRY(lt_graph_add(g, lt_node_make(NODE_FLATTEN, "flatten", id), &id, err));
            flat = true;
        }
        LT_TRY(add_layer(g, &layers[i], rng, id, &id, err));
    }
    return LT_OK;
}

lt_code lt_wide_random(uint64_t seed, lt_graph *g, lt_err *err)
{
    lt_rng rng = lt_rng_make(seed, 21);

    *g = (lt_graph){0};
    snprintf(g->name, sizeof g->name, "wide-random");
    lt_code rc = lt_model_preproc(g, "imagenet", err);
    if (rc == LT_OK) rc = build(g, &rng, err);
    if (rc != LT_OK) lt_graph_free(g);
    return rc;
}
