/* CIFAR ResNets (He et al. 2016, section 4.2) put together from a source of weights: an .npz archive, or a generator.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "model/exec.h"
#include "model/model.h"
#include "model/npy.h"

enum { STAGES = 3, MAX_BLOCKS = 200, SIDE = 32 };

typedef struct {
    const char *who;
    lt_graph *g;
    const lt_npz *z; /* NULL: random weights */
    bool *used;      /* [z->n] */
    lt_rng rng;
    lt_err *err;
} builder;

static lt_code bad(const builder *b, const char *name, const char *why)
{
    return lt_fail(b->err, LT_EINPUT, "%s: array '%s': %s", b->who, name, why);
}

static const lt_npy *find(const builder *b, const char *layer, const char *part)
{
    char name[2 * QN_NAME];
    snprintf(name, sizeof name, "%s.%s", layer, part);
    const lt_npy *a = lt_npz_find(b->z, name);
    if (a) b->used[a - b->z->a] = true;
    return a;
}

static float *copy(const float *v, size_t n)
{
    float *p = malloc((n ? n : 1) * sizeof *p);
    if (p && n) memcpy(p, v, n * sizeof *p);
    return p;
}

/* Gaussian of variance 2 / fan-in (He et al. 2015). */
static float *random_weights(builder *b, size_t n, size_t fan_in)
{
    float *p = malloc(n * sizeof *p);
    double sigma = sqrt(2.0 / (double)fan_in);
    for (size_t i = 0; p && i < n; i++) p[i] = (float)(sigma * lt_rng_normal(&b->rng));
    return p;
}

static lt_code add(builder *b, lt_node n, int *id)
{
    if (lt_graph_add(b->g, n, id, b->err) != LT_OK) return lt_wrap(b->err, "%s", b->who);
    return LT_OK;
}

/* k and kernel are read from the archive where there is one. */
static lt_code conv(builder *b, const char *name, int in, int k, int kernel, int stride, int *id)
{
    lt_node n = lt_node_make(NODE_CONV, name, in);
    size_t c = (size_t)b->g->nodes[in].shape.c;
    const lt_npy *w = NULL, *bias = NULL;

    if (b->z) {
        if (!(w = find(b, name, "weight"))) return bad(b, name, "no .weight in the archive");
        if (w->rank != 4 || w->dim[1] != c || w->dim[2] != w->dim[3] || w->dim[2] % 2 == 0 || w->dim[2] > 15 ||
            w->dim[0] < 1 || w->dim[0] > LT_MAX_CHANNELS)
            return bad(b, w->name, "expected [K][C][R][R], C as the layer's input has, R odd");
        k = (int)w->dim[0];
        kernel = (int)w->dim[2];
        bias = find(b, name, "bias");
        if (bias && bias->count != (size_t)k) return bad(b, bias->name, "expected K values");
    }
    n.shape.c = k;
    n.r = n.s = kernel;
    n.stride_h = n.stride_w = stride;
    n.pad_t = n.pad_l = n.pad_b = n.pad_r = kernel / 2;
    size_t fan_in = c * (size_t)(kernel * kernel), count = (size_t)k * fan_in;
    n.weight = w ? copy(w->v, count) : random_weights(b, count, fan_in);
    n.bias = bias ? copy(bias->v, (size_t)k) : NULL;
    if (!n.weight || (bias && !n.bias)) {
        free(n.weight);
        free(n.bias);
        return lt_fail(b->err, LT_EMEM, "%s: out of memory", b->who);
    }
    return add(b, n, id);
}

/* BatchNorm, eps 1e-5; nothing if the archive has it folded. Random: filled in by measure(). */
static lt_code norm(builder *b, const char *name, int *id)
{
    static const char *const parts[] = {"weight", "bias", "running_mean", "running_var"};
    const lt_npy *p[4] = {NULL};
    size_t c = (size_t)b->g->nodes[*id].shape.c;

    for (int i = 0; i < 4 && b->z; i++) {
        p[i] = find(b, name, parts[i]);
        if (i > 0 && !p[i] != !p[0])
            return bad(b, name, "some of .weight .bias .running_mean .running_var are missing");
        if (p[i] && p[i]->count != c) return bad(b, p[i]->name, "expected one value per channel");
    }
    if (b->z && !p[0]) return LT_OK;
    lt_node n = lt_node_make(NODE_BN, name, *id);
    n.weight = malloc(c * sizeof *n.weight);
    n.bias = malloc(c * sizeof *n.bias);
    if (!n.weight || !n.bias) {
        free(n.weight);
        free(n.bias);
        return lt_fail(b->err, LT_EMEM, "%s: out of memory", b->who);
    }
    for (size_t i = 0; i < c; i++) {
        double s = p[0] ? (double)p[0]->v[i] / sqrt((double)p[3]->v[i] + 1e-5) : 1.0;
        n.weight[i] = (float)s;
        n.bias[i] = p[0] ? (float)((double)p[1]->v[i] - (double)p[2]->v[i] * s) : 0.0f;
    }
    return add(b, n, id);
}

static lt_code relu(builder *b, const char *name, int *id)
{
    lt_node n = lt_node_make(NODE_CLIP, name, *id);
    n.lo = 0;
    return add(b, n, id);
}

/* conv - norm - relu - conv - norm - add - relu. Option A where the shape changes, option B if the archive has one. */
static lt_code block(builder *b, int stage, int number, int k, int *id)
{
    char base[24], name[QN_NAME];
    int in = *id, stride = stage > 1 && number == 0 ? 2 : 1, skip = in;

    snprintf(base, sizeof base, "layer%d.%d", stage, number);
    snprintf(name, sizeof name, "%s.conv1", base);
    LT_TRY(conv(b, name, in, k, 3, stride, id));
    snprintf(name, sizeof name, "%s.bn1", base);
    LT_TRY(norm(b, name, id));
    snprintf(name, sizeof name, "%s.relu1", base);
    LT_TRY(relu(b, name, id));
    snprintf(name, sizeof name, "%s.conv2", base);
    LT_TRY(conv(b, name, *id, k, 3, 1, id));
    snprintf(name, sizeof name, "%s.bn2", base);
    LT_TRY(norm(b, name, id));

    snprintf(name, sizeof name, "%s.shortcut.0", base);
    lt_shape from = b->g->nodes[in].shape, to = b->g->nodes[*id].shape;
    if (b->z && find(b, name, "weight")) {
        LT_TRY(conv(b, name, in, to.c, 1, stride, &skip));
        snprintf(name, sizeof name, "%s.shortcut.1", base);
        LT_TRY(norm(b, name, &skip));
    } else if (from.c != to.c || stride != 1) {
        lt_node s = lt_node_make(NODE_SHORTCUT, name, in);
        s.shape.c = to.c;
        s.res_step = stride;
        s.res_c_off = (to.c - from.c) / 2;
        LT_TRY(add(b, s, &skip));
    }
    snprintf(name, sizeof name, "%s.add", base);
    lt_node sum = lt_node_make(NODE_ADD, name, *id);
    sum.res = skip;
    LT_TRY(add(b, sum, id));
    snprintf(name, sizeof name, "%s.relu2", base);
    return relu(b, name, id);
}

static lt_code linear(builder *b, int id)
{
    const lt_npy *w = b->z ? find(b, "linear", "weight") : NULL, *bias = b->z ? find(b, "linear", "bias") : NULL;
    size_t c = (size_t)b->g->nodes[id].shape.c, k = 10;
    lt_node n = lt_node_make(NODE_GEMM, "linear", id);

    if (b->z) {
        if (!w || w->rank != 2 || w->dim[1] != c || w->dim[0] < 1 || w->dim[0] > LT_MAX_CHANNELS)
            return bad(b, "linear.weight", "missing, or not [classes][channels]");
        k = w->dim[0];
        if (bias && bias->count != k) return bad(b, "linear.bias", "expected one value per class");
    }
    n.shape.c = (int)k;
    n.weight = w ? copy(w->v, k * c) : random_weights(b, k * c, c);
    n.bias = bias ? copy(bias->v, k) : NULL;
    if (!n.weight || (bias && !n.bias)) {
        free(n.weight);
        free(n.bias);
        return lt_fail(b->err, LT_EMEM, "%s: out of memory", b->who);
    }
    return add(b, n, &id);
}

static lt_code build(builder *b, const int blocks[STAGES])
{
    int id;
    lt_node in = lt_node_make(NODE_INPUT, "input", -1);
    in.shape = (lt_shape){3, SIDE, SIDE};
    LT_TRY(add(b, in, &id));
    LT_TRY(conv(b, "conv1", id, 16, 3, 1, &id));
    LT_TRY(norm(b, "bn1", &id));
    LT_TRY(relu(b, "relu1", &id));
    for (int stage = 1; stage <= STAGES; stage++)
        for (int i = 0; i < blocks[stage - 1]; i++) LT_TRY(block(b, stage, i, 16 << (stage - 1), &id));
    lt_node pool = lt_node_make(NODE_AVGPOOL, "gap", id);
    pool.r = b->g->nodes[id].shape.h;
    pool.s = b->g->nodes[id].shape.w;
    LT_TRY(add(b, pool, &id));
    LT_TRY(add(b, lt_node_make(NODE_FLATTEN, "flatten", id), &id));
    return linear(b, id);
}

lt_code lt_npz_import(const void *data, size_t len, const char *name, lt_graph *g, lt_err *err)
{
    lt_npz z;
    int blocks[STAGES];

    *g = (lt_graph){0};
    LT_TRY(lt_npz_parse(data, len, name, &z, err));
    const char *base = strrchr(name, '/');
    snprintf(g->name, sizeof g->name, "%s", base ? base + 1 : name);
    char *dot = strrchr(g->name, '.');
    if (dot && dot != g->name) *dot = '\0';
    builder b = {.who = name, .g = g, .z = &z, .used = calloc((size_t)z.n, sizeof(bool)), .err = err};
    lt_code rc = b.used ? LT_OK : lt_fail(err, LT_EMEM, "%s: out of memory", name);
    for (int s = 0; s < STAGES && rc == LT_OK; s++) {
        char layer[32];
        for (blocks[s] = 0; blocks[s] < MAX_BLOCKS; blocks[s]++) {
            snprintf(layer, sizeof layer, "layer%d.%d.conv1.weight", s + 1, blocks[s]);
            if (!lt_npz_find(&z, layer)) break;
        }
        if (blocks[s] == 0)
            rc = lt_fail(err, LT_EINPUT, "%s: no array 'layer%d.0.conv1.weight': not a CIFAR ResNet with PyTorch names",
                         name, s + 1);
    }
    if (rc == LT_OK) rc = build(&b, blocks);
    for (int i = 0; i < z.n && rc == LT_OK; i++)
        if (!b.used[i] && !strstr(z.a[i].name, "num_batches_tracked")) rc = bad(&b, z.a[i].name, "belongs to no layer");
    free(b.used);
    lt_npz_free(&z);
    if (rc != LT_OK) lt_graph_free(g);
    return rc;
}

/* Rounded to 10 bits, so that last-bit differences between BLAS libraries do not reach the weights. */
static float coarse(double v)
{
    int e;
    double m = frexp(v, &e);
    return (float)ldexp(floor(m * 1024 + 0.5), e - 10);
}

/* Sets every BatchNorm from the statistics of its input over a few procedural images, front to back. */
static lt_code measure(builder *b, uint64_t seed)
{
    enum { IMAGES = 8 };
    lt_exec x[IMAGES];
    lt_dataset d;
    int ready = 0;
    lt_graph *g = b->g;

    LT_TRY(lt_procedural_load(&d, seed, LT_TRAIN, IMAGES, SIDE, SIDE, b->err));
    lt_code rc = LT_OK;
    while (rc == LT_OK && ready < IMAGES) {
        rc = lt_exec_init(&x[ready], g, b->err);
        if (rc != LT_OK) break;
        lt_preprocess(&g->pre, g->nodes[0].shape, lt_dataset_image(&d, (size_t)ready), x[ready].t[0]);
        ready++;
    }
    for (int i = 1; i < g->n_nodes && rc == LT_OK; i++) {
        lt_node *n = &g->nodes[i];
        size_t plane = (size_t)n->shape.h * (size_t)n->shape.w;
        for (int c = 0; n->op == NODE_BN && c < n->shape.c; c++) {
            double sum = 0, sq = 0, count = (double)plane * IMAGES;
            for (int m = 0; m < IMAGES; m++)
                for (size_t k = 0; k < plane; k++) {
                    double v = (double)x[m].t[n->in][(size_t)c * plane + k];
                    sum += v;
                    sq += v * v;
                }
            double mean = sum / count, var = fmax(sq / count - mean * mean, 1e-6);
            double gamma = 0.8 + 0.4 * lt_rng_unit(&b->rng), beta = 0.2 * lt_rng_normal(&b->rng);
            n->weight[c] = coarse(gamma / sqrt(var));
            n->bias[c] = coarse(beta - mean * gamma / sqrt(var));
        }
        for (int m = 0; m < IMAGES; m++) lt_exec_node(&x[m], i);
    }
    for (int i = 0; i < ready; i++) lt_exec_free(&x[i]);
    lt_dataset_free(&d);
    return rc;
}

lt_code lt_resnet20_random(uint64_t seed, lt_graph *g, lt_err *err)
{
    static const int blocks[STAGES] = {3, 3, 3};
    builder b = {.who = "resnet20", .g = g, .rng = lt_rng_make(seed, 20), .err = err};

    *g = (lt_graph){0};
    snprintf(g->name, sizeof g->name, "resnet20-random");
    lt_code rc = lt_model_preproc(g, "imagenet", err);
    if (rc == LT_OK) rc = build(&b, blocks);
    if (rc == LT_OK) rc = measure(&b, seed);
    if (rc != LT_OK) lt_graph_free(g);
    return rc;
}
