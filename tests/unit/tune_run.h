/* Passes through tuned networks for the tests. */
#ifndef LUTRA_TESTS_TUNE_RUN_H
#define LUTRA_TESTS_TUNE_RUN_H

#include "golden/golden.h"
#include "train/augment.h"
#include "train/lsq.h"
#include "train/optim.h"
#include "tune_net.h"

/* Fake quantisation behind one node. */
typedef struct {
    int node;
    lt_fq_options o;
    lt_layer *layer;
} fq_probe;

static inline lt_code probe_behind(void *ctx, const lt_graph *g, int node, const lt_env *env, lt_layer **l, lt_err *err)
{
    fq_probe *p = ctx;
    (void)g;
    if (node != p->node) return LT_OK;
    lt_code rc = lt_layer_fq("probe", &p->o, env, l, err);
    p->layer = *l;
    return rc;
}

/* Inputs given, the loss a fixed projection of the output. */
typedef struct {
    float *x, *g, *seen; /* [images][in], [images][out] */
    size_t in, out;
} projection;

static inline void projection_fill(void *ctx, int i, float *x)
{
    projection *p = ctx;
    memcpy(x, p->x + (size_t)i * p->in, p->in * sizeof *x);
}

static inline void projection_each(void *ctx, const lt_chunk *c, const float *out, float *g)
{
    projection *p = ctx;
    size_t at = (size_t)c->first * p->out, n = (size_t)c->n * p->out;
    memcpy(p->seen + at, out, n * sizeof *out);
    if (g) memcpy(g, p->g + at, n * sizeof *g);
}

static inline void projection_free(projection *p)
{
    free(p->x);
    free(p->g);
    free(p->seen);
}

/* Images of the calibration set; the loss pulls the outputs to the labels by squares. */
typedef struct {
    const lt_dataset *d;
    lt_shape in;
    lt_byte_table table;
    int classes;
    double loss[TUNE_IMAGES];
    float out[TUNE_IMAGES * 16];
} tune_images;

static inline void images_fill(void *ctx, int i, float *x)
{
    tune_images *t = ctx;
    lt_augment_options o = {0};
    lt_augment(&o, NULL, &t->table, t->in, lt_dataset_image(t->d, (size_t)i), x);
}

static inline void images_each(void *ctx, const lt_chunk *c, const float *out, float *g)
{
    tune_images *t = ctx;
    for (int i = 0; i < c->n; i++) {
        int at = c->first + i;
        t->loss[at] = 0;
        for (int k = 0; k < t->classes; k++) {
            double e = (double)out[i * t->classes + k] - (k == t->d->labels[at] ? 1 : 0);
            t->loss[at] += e * e;
            t->out[at * t->classes + k] = out[i * t->classes + k];
            if (g) g[i * t->classes + k] = (float)(2 * e / TUNE_IMAGES);
        }
    }
}

static inline double images_pass(lt_net *net, tune_images *t, lt_mode mode)
{
    lt_io io = {images_fill, images_each, t};
    lt_err err = {0};
    double sum = 0;
    tune_ok(lt_net_forward(net, TUNE_IMAGES, mode, &io, &err), &err);
    for (int i = 0; i < TUNE_IMAGES; i++) sum += t->loss[i];
    return sum / TUNE_IMAGES;
}

static inline void tune_steps(lt_net *net, tune_images *t, int steps)
{
    lt_err err = {0};
    lt_optim opt;
    lt_optim_options o = lt_optim_defaults();
    int n;
    lt_param *const *params = lt_net_params(net, &n);
    o.kind = LT_ADAM;
    tune_ok(lt_optim_create(&opt, &o, params, n, &err), &err);
    double first = 0, last = 0;
    for (int i = 0; i < steps; i++) {
        last = images_pass(net, t, LT_MODE_TRAIN);
        if (i == 0) first = last;
        tune_ok(lt_net_backward(net, &err), &err);
        lt_optim_step(&opt, 3e-3);
    }
    lt_optim_free(&opt);
    if (!(last < 0.7 * first)) fail_msg("the loss went from %g to %g", first, last);
}

static inline void check_antisymmetric(const qnet *n)
{
    int seen = 0;
    for (int i = 0; i < n->n_layers; i++) {
        const qlayer *l = &n->layers[i];
        if (l->encoder < 0) continue;
        const qencoder *e = &n->encoders[l->encoder];
        int p = e->prototypes, tables = e->codebooks * l->r * l->s;
        for (int t = 0; t < tables; t++)
            for (int c = 0; c < p; c++)
                for (int k = 0; k < l->k; k++)
                    assert_int_equal(l->lut[(t * p + c) * l->k + k], -l->lut[(t * p + p - 1 - c) * l->k + k]);
        seen++;
    }
    assert_true(seen > 0);
}

/* A residual is added as it was trained: its multiplier has no error. */
static inline void check_residuals(const qnet *q)
{
    int residuals = 0;
    for (int i = 0; i < q->n_layers; i++) {
        const qlayer *l = &q->layers[i];
        if (l->res < 0) continue;
        double ratio = q->tensors[l->res].scale / q->tensors[l->out].scale;
        assert_true(fabs(ldexp(ratio, l->shift) - l->res_mult) < 0.01);
        residuals++;
    }
    assert_true(residuals > 0);
}

/* Opens p for tuning, trains for some steps, exports; logits of both networks must agree. */
static inline void check_export(const lt_prep *p, const lt_encode_options *encode, bool products, bool mirror,
                                int steps)
{
    lt_tune t;
    lt_net *net;
    lt_err err = {0};
    qnet q;
    tune_images im = {.d = &p->calib_data, .in = p->graph.nodes[0].shape, .classes = 10};
    lt_tune_options o = {.acc_bits = TUNE_ACC_BITS,
                         .mult_bits = TUNE_MULT_BITS,
                         .edge_bits = 8,
                         .learn_steps = true,
                         .relative_steps = true,
                         .products = products,
                         .mirror = mirror};

    o.encode = *encode;
    tune_ok(lt_tune_open(&t, p, &o, &err), &err);
    lt_net_options no = {.batch = TUNE_IMAGES, .workers = 2, .train = true, .parts = lt_tune_parts(&t)};
    tune_ok(lt_net_create(&net, &t.graph, &no, &err), &err);
    lt_byte_table_make(&im.table, &p->graph.pre);
    images_pass(net, &im, LT_MODE_CALIBRATE);
    lt_net_calibrate(net);
    tune_ok(lt_tune_attach(&t, net, &err), &err);
    for (int i = 0; i <= products; i++) {
        images_pass(net, &im, LT_MODE_CALIBRATE);
        lt_net_calibrate(net);
        if (products && i == 0) lt_tune_start_products(&t);
    }
    if (steps) tune_steps(net, &im, steps);
    images_pass(net, &im, LT_MODE_EVAL);
    tune_ok(lt_tune_export(&t, &q, &err), &err);
    if (mirror) check_antisymmetric(&q);
    check_residuals(&q);
    int16_t **tensors = golden_alloc(&q);
    const qtensor *last = &q.tensors[q.layers[q.n_layers - 1].out];
    int same = 0, worst = 0, far = 0;
    for (int i = 0; i < TUNE_IMAGES; i++) {
        golden_input(&q, lt_dataset_image(im.d, (size_t)i), tensors[0]);
        assert_int_equal(golden_run(&q, tensors), 0);
        int best = 0;
        for (int k = 0; k < 10; k++) {
            int want = (int)lround((double)im.out[i * 10 + k] / last->scale);
            int off = abs(want - tensors[q.n_tensors - 1][k]);
            if (off > worst) worst = off;
            far += off > 2;
            if (im.out[i * 10 + k] > im.out[i * 10 + best]) best = k;
        }
        same += best == golden_argmax(&q, tensors[q.n_tensors - 1]);
    }
    print_message("%d steps: %d of %d predictions agree, logits within %d, %d of %d further than 2\n", steps, same,
                  TUNE_IMAGES, worst, far, TUNE_IMAGES * 10);
    bool coarse = false; /* tables of products are rounded at the end only; of few bits they lose what may differ */
    for (int i = 0; i < q.n_layers; i++) coarse |= products && q.layers[i].encoder >= 0 && q.layers[i].lut_bits < 8;
    /* a rounding that falls the other way may change a code, and that more */
    int most = products ? TUNE_IMAGES * 10 / 2 : TUNE_IMAGES / 2;
    if (!coarse && (same < TUNE_IMAGES - (products ? 8 : 5) || far > most))
        fail_msg("the integer network computes something else");
    golden_free(&q, tensors);
    qnet_free(&q);
    lt_net_free(net);
    lt_tune_free(&t);
}

#endif
