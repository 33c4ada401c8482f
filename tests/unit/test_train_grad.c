/* The trainer's layers: values and gradients against finite differences of a double-precision reference. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "train/net.h"
#include "train_ref.h"

enum { IMAGES = 5, CHUNK = 2 };

typedef struct {
    const ref_net *r;
    double *proj; /* [IMAGES][out] the loss is the sum of proj * output; [k][p][q] as the reference has it */
    double worst; /* largest difference between the two outputs */
} check;

/* Position of [k][p][q] in the trainer's layout. */
static size_t nhwc(lt_shape s, size_t at)
{
    size_t px = (size_t)s.h * (size_t)s.w, c = at / px, p = at % px;
    return p * (size_t)s.c + c;
}

static void fill(void *ctx, int i, float *x)
{
    check *c = ctx;
    lt_shape s = c->r->g->nodes[0].shape;
    for (size_t k = 0; k < lt_shape_size(s); k++) x[nhwc(s, k)] = (float)ref_at(c->r, 0, i)[k];
}

static void each(void *ctx, const lt_chunk *ch, const float *out, float *g)
{
    check *c = ctx;
    lt_shape s = c->r->g->nodes[c->r->g->output].shape;
    size_t size = lt_shape_size(s);
    for (int i = 0; i < ch->n; i++)
        for (size_t k = 0; k < size; k++) {
            size_t at = (size_t)i * size + nhwc(s, k), image = (size_t)(ch->first + i);
            double d = fabs((double)out[at] - ref_at(c->r, c->r->g->output, (int)image)[k]);
            if (!(d <= c->worst)) c->worst = d;
            g[at] = (float)c->proj[image * size + k];
        }
}

static double projected(const ref_net *r, const double *proj)
{
    size_t n = (size_t)r->n * lt_shape_size(r->g->nodes[r->g->output].shape);
    double s = 0;
    ref_run(r);
    for (size_t i = 0; i < n; i++) s += proj[i] * r->t[r->g->output][i];
    return s;
}

/* The reference's array of a layer's parameter, NULL for running statistics. */
static double *ref_param(const ref_net *r, const lt_layer *l, int which)
{
    return which == 0 ? r->w[l->node] : which == 1 ? r->b[l->node] : NULL;
}

static void compare_param(const ref_net *r, const check *c, const lt_param *p, double *v)
{
    size_t step = p->n / 11 + 1;
    double scale = 1e-3, eps = 1e-7; /* small, so that no activation crosses a kink */
    for (size_t i = 0; i < p->n; i++) scale = fmax(scale, fabs((double)p->grad[i]));
    for (size_t i = 0; i < p->n; i += step) {
        double old = v[i];
        v[i] = old + eps;
        double up = projected(r, c->proj);
        v[i] = old - eps;
        double down = projected(r, c->proj);
        v[i] = old;
        double want = (up - down) / (2 * eps), got = (double)p->grad[i];
        if (fabs(got - want) > 2e-4 * scale + 1e-5)
            fail_msg("%s[%zu]: gradient %.8g, finite difference %.8g", p->name, i, got, want);
    }
}

/* Values and the gradient of every parameter of g; frees g. */
static void check_graph(lt_graph *g)
{
    lt_rng rng = lt_rng_make(7, 3);
    ref_net r = ref_make(g, IMAGES);
    size_t in = lt_shape_size(g->nodes[0].shape), out = lt_shape_size(g->nodes[g->output].shape);
    check c = {.r = &r, .proj = malloc(IMAGES * out * sizeof(double))};
    lt_net *net;
    lt_err err = {0};

    for (size_t i = 0; i < IMAGES * in; i++) r.t[0][i] = (double)(float)lt_rng_normal(&rng);
    for (size_t i = 0; i < IMAGES * out; i++) c.proj[i] = (double)(float)lt_rng_normal(&rng);
    lt_net_options o = {.batch = IMAGES + 1, .chunk = CHUNK, .workers = 2, .train = true};
    if (lt_net_create(&net, g, &o, &err) != LT_OK) fail_msg("%s", err.msg);
    /* the reference takes weight and bias of a batch norm as gamma and beta */
    for (int i = 0; i < lt_net_n_layers(net); i++) {
        lt_layer *l = lt_net_layer(net, i);
        lt_bn_view v;
        if (!lt_layer_bn_view(l, &v)) continue;
        for (int k = 0; k < v.c; k++) v.gamma[k] = g->nodes[l->node].weight[k];
    }
    ref_run(&r);
    lt_io io = {fill, each, &c};
    assert_int_equal(lt_net_forward(net, IMAGES, LT_MODE_TRAIN, &io, &err), LT_OK);
    assert_int_equal(lt_net_backward(net, &err), LT_OK);
    if (!(c.worst < 2e-5)) fail_msg("outputs differ by %g", c.worst);
    int compared = 0;
    for (int i = 0; i < lt_net_n_layers(net); i++) {
        lt_layer *l = lt_net_layer(net, i);
        for (int k = 0; k < l->n_params; k++) {
            double *v = ref_param(&r, l, k);
            assert_true((v != NULL) == (l->params[k].grad != NULL));
            if (!v) continue;
            compare_param(&r, &c, &l->params[k], v);
            compared++;
        }
    }
    assert_true(compared > 0);
    lt_net_free(net);
    ref_free(&r);
    free(c.proj);
    lt_graph_free(g);
}

static lt_rng seed(void)
{
    return lt_rng_make(11, 1);
}

static void test_conv(void **state)
{
    lt_rng r = seed();
    lt_graph g;
    (void)state;
    int x = ref_input(&g, 3, 7, 6);
    lt_node n = lt_node_make(NODE_CONV, "first", x);
    n.r = 3;
    n.s = 2;
    n.pad_t = n.pad_b = n.pad_r = 1;
    x = ref_conv_node(&g, &r, n, 20, true);
    n = lt_node_make(NODE_CONV, "strided", x);
    n.r = 3;
    n.s = 3;
    n.stride_h = 2;
    n.stride_w = 3;
    n.pad_l = 1;
    x = ref_conv_node(&g, &r, n, 6, false);
    n = lt_node_make(NODE_CONV, "pointwise", x);
    n.stride_w = 2;
    ref_conv_node(&g, &r, n, 5, true);
    check_graph(&g);
}

static void test_conv_groups(void **state)
{
    lt_rng r = seed();
    lt_graph g;
    (void)state;
    int x = ref_input(&g, 4, 6, 6);
    lt_node n = lt_node_make(NODE_CONV, "groups", x);
    n.r = n.s = 3;
    n.groups = 2;
    n.pad_t = n.pad_l = n.pad_b = n.pad_r = 1;
    x = ref_conv_node(&g, &r, n, 8, true);
    n.in = x;
    strcpy(n.name, "depthwise");
    n.groups = 8;
    x = ref_conv_node(&g, &r, n, 8, false);
    n.in = x;
    strcpy(n.name, "dilated");
    n.groups = 1;
    n.dil_h = 2;
    n.pad_t = 2;
    ref_conv_node(&g, &r, n, 3, false);
    check_graph(&g);
}

static void test_batch_norm(void **state)
{
    lt_rng r = seed();
    lt_graph g;
    (void)state;
    /* 18 channels: a full vector and a rest */
    int x = ref_conv3(&g, &r, "conv", ref_input(&g, 3, 6, 5), 18);
    x = ref_clip_node(&g, "clip", ref_bn_node(&g, &r, "bn1", x), -0.8f, 0.9f);
    ref_bn_node(&g, &r, "bn2", ref_conv3(&g, &r, "conv2", x, 4));
    check_graph(&g);
}

/* Batch norm with add and clip behind it, as either operand, and with the sum read twice. */
static void test_residual(void **state)
{
    lt_rng r = seed();
    lt_graph g;
    (void)state;
    int x = ref_conv3(&g, &r, "conv", ref_input(&g, 3, 5, 5), 8);
    int y = ref_bn_node(&g, &r, "bn1", ref_conv3(&g, &r, "conv1", x, 8));
    x = ref_clip_node(&g, "relu1", ref_add_node(&g, "add1", y, x), 0, INFINITY);
    y = ref_bn_node(&g, &r, "bn2", ref_conv3(&g, &r, "conv2", x, 8));
    x = ref_clip_node(&g, "relu2", ref_add_node(&g, "add2", x, y), 0, INFINITY);
    y = ref_bn_node(&g, &r, "bn3", x);
    x = ref_add_node(&g, "add3", y, x);
    int a = ref_bn_node(&g, &r, "bn4", ref_conv3(&g, &r, "conv4", x, 8));
    int b = ref_bn_node(&g, &r, "bn5", ref_conv3(&g, &r, "conv5", x, 8));
    x = ref_clip_node(&g, "relu4", ref_add_node(&g, "add4", a, b), 0, 6);
    ref_add_node(&g, "add5", ref_add_node(&g, "double", x, x), a);
    check_graph(&g);
}

static void test_join(void **state)
{
    lt_rng r = seed();
    lt_graph g;
    (void)state;
    int x = ref_conv3(&g, &r, "conv", ref_input(&g, 3, 5, 5), 7);
    int y = ref_clip_node(&g, "relu", ref_conv3(&g, &r, "conv1", x, 7), 0, INFINITY);
    x = ref_clip_node(&g, "clip", ref_add_node(&g, "add", y, x), -1, 0.7f);
    ref_add_node(&g, "twice", x, x);
    check_graph(&g);
}

/* Residual and clip as attributes of a convolution, as lowering leaves them. */
static void test_lowered(void **state)
{
    lt_rng r = seed();
    lt_graph g;
    (void)state;
    int x = ref_conv3(&g, &r, "conv", ref_input(&g, 3, 6, 6), 4);
    lt_node n = lt_node_make(NODE_CONV, "fused", x);
    n.r = n.s = 3;
    n.stride_h = n.stride_w = 2;
    n.pad_t = n.pad_l = n.pad_b = n.pad_r = 1;
    n.res = x;
    n.res_step = 2;
    n.res_c_off = 1;
    n.lo = 0;
    x = ref_conv_node(&g, &r, n, 7, true);
    lt_node pool = lt_node_make(NODE_AVGPOOL, "pool", x);
    pool.r = pool.s = 2;
    pool.hi = 0.5f;
    ref_add(&g, pool);
    check_graph(&g);
}

static void test_shortcut(void **state)
{
    lt_rng r = seed();
    lt_graph g;
    (void)state;
    int x = ref_conv3(&g, &r, "conv", ref_input(&g, 3, 7, 6), 4);
    int s = ref_shortcut_node(&g, "shortcut", x, 2, 3, 9), t = ref_shortcut_node(&g, "pad", x, 1, 0, 5);
    s = ref_pool_node(&g, NODE_AVGPOOL, "p", s, 2, 2, 0);
    t = ref_shortcut_node(&g, "again", ref_pool_node(&g, NODE_AVGPOOL, "q", t, 3, 3, 0), 1, 2, 9);
    t = ref_pool_node(&g, NODE_MAXPOOL, "r", t, 2, 1, 0);
    (void)s;
    (void)t;
    check_graph(&g);
}

static void test_pooling(void **state)
{
    lt_rng r = seed();
    lt_graph g;
    (void)state;
    int x = ref_conv3(&g, &r, "conv", ref_input(&g, 3, 9, 9), 6);
    int a = ref_pool_node(&g, NODE_MAXPOOL, "max", x, 3, 2, 1);
    lt_node n = lt_node_make(NODE_AVGPOOL, "avg", x);
    n.r = n.s = 3;
    n.stride_h = n.stride_w = 2;
    n.pad_t = n.pad_l = n.pad_b = n.pad_r = 1;
    int b = ref_add(&g, n);
    strcpy(n.name, "avg_pad");
    n.count_pad = true;
    int c = ref_add(&g, n);
    x = ref_add_node(&g, "sum2", ref_add_node(&g, "sum", a, b), c);
    ref_pool_node(&g, NODE_AVGPOOL, "global", x, 5, 1, 0);
    check_graph(&g);
}

/* Fully connected layers on a map, behind a flatten, and a flatten that something else reads. */
static void test_linear(void **state)
{
    lt_rng r = seed();
    lt_graph g;
    (void)state;
    int x = ref_conv3(&g, &r, "conv", ref_input(&g, 3, 3, 4), 5);
    int f = ref_add(&g, lt_node_make(NODE_FLATTEN, "flatten", x));
    int a = ref_gemm_node(&g, &r, "fc1", f, 6, true), b = ref_gemm_node(&g, &r, "fc2", x, 6, false);
    int c = ref_gemm_node(&g, &r, "fc3", ref_clip_node(&g, "relu", f, 0, INFINITY), 6, true);
    x = ref_add_node(&g, "sum2", ref_add_node(&g, "sum", a, b), c);
    ref_gemm_node(&g, &r, "fc4", ref_bn_node(&g, &r, "bn", x), 3, true);
    check_graph(&g);
}

static void test_resnet(void **state)
{
    lt_rng r = seed();
    lt_graph g;
    (void)state;
    ref_resnet(&g, &r, 8, 16, 10);
    check_graph(&g);
}

/* The second block of three trained alone: values and gradients are those of the graph that ends there, other layers'
 * gradients are not touched, and the whole network works again afterwards. */
static void test_window(void **state)
{
    lt_rng r = seed(), rng = lt_rng_make(7, 3);
    lt_graph g;
    lt_net *net;
    lt_err err = {0};
    int node[3], x;

    (void)state;
    x = ref_conv3(&g, &r, "conv", ref_input(&g, 3, 5, 5), 8);
    for (int i = 0; i < 3; i++) {
        char name[3][8];
        snprintf(name[0], sizeof name[0], "conv%d", i);
        snprintf(name[1], sizeof name[1], "bn%d", i);
        snprintf(name[2], sizeof name[2], "add%d", i);
        int y = ref_bn_node(&g, &r, name[1], ref_conv3(&g, &r, name[0], x, 8));
        x = node[i] = ref_clip_node(&g, name[2], ref_add_node(&g, name[2], y, x), 0, INFINITY);
    }
    int last = g.output;
    lt_net_options o = {.batch = IMAGES, .chunk = CHUNK, .workers = 2, .train = true};
    assert_int_equal(lt_net_create(&net, &g, &o, &err), LT_OK);
    assert_int_equal(lt_net_n_layers(net), 7);
    assert_int_equal(lt_net_window(net, 4, 3, &err), LT_EINTERNAL);
    assert_int_equal(lt_net_window(net, 0, 7, &err), LT_EINTERNAL);
    assert_int_equal(lt_net_window(net, 3, 4, &err), LT_OK);

    g.output = node[1];
    ref_net ref = ref_make(&g, IMAGES);
    size_t out = lt_shape_size(g.nodes[g.output].shape);
    check c = {.r = &ref, .proj = malloc(IMAGES * out * sizeof(double))};
    for (size_t i = 0; i < IMAGES * 75; i++) ref.t[0][i] = (double)(float)lt_rng_normal(&rng);
    for (size_t i = 0; i < IMAGES * out; i++) c.proj[i] = (double)(float)lt_rng_normal(&rng);
    for (int i = 0; i < 7; i++) {
        lt_layer *l = lt_net_layer(net, i);
        lt_bn_view v;
        l->params[0].grad[0] = 77;
        if (!lt_layer_bn_view(l, &v)) continue;
        for (int k = 0; k < v.c; k++) v.gamma[k] = g.nodes[l->node].weight[k];
    }
    ref_run(&ref);
    lt_io io = {fill, each, &c};
    assert_int_equal(lt_net_out_size(net), out);
    assert_int_equal(lt_net_backward(net, &err), LT_EINTERNAL);
    for (int turn = 0; turn < 2; turn++) {
        c.worst = 0;
        assert_int_equal(lt_net_forward(net, IMAGES, LT_MODE_TRAIN, &io, &err), LT_OK);
        assert_int_equal(lt_net_backward(net, &err), LT_OK);
        assert_true(c.worst < 2e-5);
        for (int i = 0; i < 7; i++) {
            lt_layer *l = lt_net_layer(net, i);
            if (turn == 0 && i != 3 && i != 4) assert_true(l->params[0].grad[0] == 77);
            if (turn == 1 || i == 3 || i == 4) compare_param(&ref, &c, &l->params[0], ref.w[l->node]);
        }
        g.output = last; /* the last block has the same shape, so the projection fits */
        assert_int_equal(lt_net_window(net, 0, 6, &err), LT_OK);
        ref_run(&ref);
    }
    lt_net_free(net);
    ref_free(&ref);
    free(c.proj);
    lt_graph_free(&g);
}

/* ---- hooks: weights times s, input times t, with gradients by s and t ---- */
typedef struct {
    lt_param p;
    double part[8];
} scale_hook;

static void weight_forward(void *ctx, const float *w, float *out, size_t n, lt_mode mode)
{
    scale_hook *h = ctx;
    (void)mode;
    for (size_t i = 0; i < n; i++) out[i] = w[i] * h->p.value[0];
}

static void weight_backward(void *ctx, const float *w, const float *g_out, float *g_w, size_t n)
{
    scale_hook *h = ctx;
    double s = 0;
    for (size_t i = 0; i < n; i++) {
        g_w[i] = g_out[i] * h->p.value[0];
        s += (double)g_out[i] * (double)w[i];
    }
    h->p.grad[0] = (float)s;
}

static void input_forward(void *ctx, const lt_chunk *c, const float *x, float *y, size_t size)
{
    scale_hook *h = ctx;
    for (size_t i = 0; i < (size_t)c->n * size; i++) y[i] = x[i] * h->p.value[0];
}

static void input_backward(void *ctx, const lt_chunk *c, const float *x, const float *gy, float *gx, size_t size)
{
    scale_hook *h = ctx;
    double s = 0;
    for (size_t i = 0; i < (size_t)c->n * size; i++) {
        s += (double)gy[i] * (double)x[i];
        gx[i] = gy[i] * h->p.value[0];
    }
    h->part[c->index] = s;
}

static void input_finish(void *ctx, const lt_pass *p)
{
    scale_hook *h = ctx;
    double s = 0;
    for (int i = 0; i < p->chunks; i++) s += h->part[i];
    h->p.grad[0] = (float)s;
}

static void free_scale(void *ctx)
{
    lt_param_free(&((scale_hook *)ctx)->p);
    free(ctx);
}

static scale_hook *make_scale(const char *name, float v)
{
    scale_hook *h = calloc(1, sizeof *h);
    assert_int_equal(lt_param_make(&h->p, name, "scale", 1, true, NULL), LT_OK);
    h->p.value[0] = v;
    return h;
}

/* Two convolutions; the second sees 1.5 w and 0.5 x, so its output is that of 0.75 w. */
static void test_hooks(void **state)
{
    lt_rng r = seed(), rng = lt_rng_make(7, 3);
    lt_graph g, back;
    lt_net *net;
    lt_err err = {0};
    int n;

    (void)state;
    int x = ref_conv3(&g, &r, "one", ref_input(&g, 3, 5, 5), 4);
    int two = ref_conv3(&g, &r, "two", x, 6);
    ref_add_node(&g, "sum", two, ref_conv3(&g, &r, "three", x, 6));
    ref_net ref = ref_make(&g, IMAGES);
    size_t out = lt_shape_size(g.nodes[g.output].shape), weights = lt_node_weights(&g, &g.nodes[two]);
    check c = {.r = &ref, .proj = malloc(IMAGES * out * sizeof(double))};
    for (size_t i = 0; i < IMAGES * 75; i++) ref.t[0][i] = (double)(float)lt_rng_normal(&rng);
    for (size_t i = 0; i < IMAGES * out; i++) c.proj[i] = (double)(float)lt_rng_normal(&rng);
    for (size_t i = 0; i < weights; i++) ref.w[two][i] *= 0.75;
    lt_net_options o = {.batch = IMAGES, .chunk = CHUNK, .workers = 2, .train = true};
    assert_int_equal(lt_net_create(&net, &g, &o, &err), LT_OK);
    scale_hook *ws = make_scale("w", 1.5f), *xs = make_scale("x", 0.5f);
    lt_weight_hook wh = {ws, weight_forward, weight_backward, 1, &ws->p, free_scale};
    lt_input_hook ih = {xs, input_forward, input_backward, input_finish, 1, &xs->p, free_scale};
    assert_int_equal(lt_layer_set_weight_hook(lt_net_find(net, "two"), &wh, &err), LT_OK);
    assert_int_equal(lt_conv_set_input_hook(lt_net_find(net, "two"), &ih, &err), LT_OK);
    lt_net_params(net, &n);
    assert_int_equal(n, 5);

    ref_run(&ref);
    lt_io io = {fill, each, &c};
    assert_int_equal(lt_net_forward(net, IMAGES, LT_MODE_TRAIN, &io, &err), LT_OK);
    assert_int_equal(lt_net_backward(net, &err), LT_OK);
    assert_true(c.worst < 2e-5);
    compare_param(&ref, &c, &lt_net_find(net, "one")->params[0], ref.w[1]);

    /* d/ds at s = 1.5 of f(s * 0.5 * w), d/dt at t = 0.5 of f(1.5 * t * w): linear in both */
    double at[3];
    static const double scale[3] = {1, 1 + 1e-4, 1 - 1e-4};
    for (int k = 0; k < 3; k++) {
        for (size_t i = 0; i < weights; i++) ref.w[two][i] = (double)g.nodes[two].weight[i] * 0.75 * scale[k];
        at[k] = projected(&ref, c.proj);
    }
    double slope = (at[1] - at[2]) / 2e-4; /* by the common factor */
    assert_true(fabs((double)ws->p.grad[0] - slope / 1.5) < 1e-3 * fabs(slope));
    assert_true(fabs((double)xs->p.grad[0] - slope / 0.5) < 1e-3 * fabs(slope));

    /* the hooked weights are what is saved */
    assert_int_equal(lt_net_to_graph(net, &back, &err), LT_OK);
    for (size_t i = 0; i < weights; i++) assert_true(back.nodes[two].weight[i] == 1.5f * g.nodes[two].weight[i]);
    lt_graph_free(&back);
    lt_net_free(net);
    ref_free(&ref);
    free(c.proj);
    lt_graph_free(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conv),     cmocka_unit_test(test_conv_groups), cmocka_unit_test(test_batch_norm),
        cmocka_unit_test(test_residual), cmocka_unit_test(test_join),        cmocka_unit_test(test_lowered),
        cmocka_unit_test(test_shortcut), cmocka_unit_test(test_pooling),     cmocka_unit_test(test_linear),
        cmocka_unit_test(test_resnet),   cmocka_unit_test(test_window),      cmocka_unit_test(test_hooks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
