/* Parts of the trainer: vector loops, loss, optimisers, schedules, augmentation, batch norm's calibration, ONNX. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "model/exec.h"
#include "model/model.h"
#include "train/augment.h"
#include "train/loss.h"
#include "train/onnx_write.h"
#include "train/optim.h"
#include "train_ref.h"

/* ---- vector loops: every instruction set gives the bits of the portable one ---- */
enum { PX = 301, C = 37, N = PX * C };

typedef struct {
    float y[N], g[N], gr[N], gx[N], z[N];
    double s[C], q[C], sum[C], dot[C];
} vec_result;

static void run_vec(const lt_vec *v, const float *x, const float *r, const float *a, const float *b, vec_result *o)
{
    memset(o, 0, sizeof *o);
    v->stats(x, PX, C, a, o->s, o->q);
    v->affine(x, r, PX, C, a, b, -1, 1.5f, o->y);
    memcpy(o->g, r, sizeof o->g);
    v->gather(x, o->y, o->g, o->gr, false, PX, C, b, -1, 1.5f, o->sum, o->dot);
    v->gather(x, o->y, o->g, o->gr, true, PX, C, b, -1, 1.5f, o->sum, o->dot);
    v->combine(x, o->g, PX, C, a, b, a, false, o->gx);
    v->combine(x, o->g, PX, C, b, a, a, true, o->gx);
    v->add_clip(x, r, N, -0.5f, 0.5f, o->z);
    v->mask(o->z, r, N, -0.5f, 0.5f, o->gx, true, o->gr, false);
    v->add(o->z, x, N);
}

static void test_vec(void **state)
{
    static vec_result want, got;
    lt_rng r = lt_rng_make(5, 5);
    float *x = ref_random(&r, N, 1), *y = ref_random(&r, N, 1), *a = ref_random(&r, C, 1), *b = ref_random(&r, C, 1);
    int n;
    const lt_vec *const *all = lt_vec_all(&n);

    (void)state;
    run_vec(all[0], x, y, a, b, &want);
    for (int c = 0; c < C; c++) {
        double s = 0;
        for (int p = 0; p < PX; p++) s += (double)x[p * C + c] - (double)a[c];
        assert_true(fabs(s - want.s[c]) < 1e-3);
    }
    for (int i = 1; i < n; i++) {
        run_vec(all[i], x, y, a, b, &got);
        if (memcmp(&want, &got, sizeof want) != 0) fail_msg("%s differs from portable", all[i]->isa);
    }
    /* a NaN is not lost in a clip */
    float bad[1] = {NAN}, out[1] = {0};
    for (int i = 0; i < n; i++) {
        all[i]->add_clip(bad, NULL, 1, 0, INFINITY, out);
        assert_true(isnan(out[0]));
    }
    free(x);
    free(y);
    free(a);
    free(b);
}

/* ---- loss ---- */
static void test_loss(void **state)
{
    lt_loss_options plain = {.temperature = 1}, all = {.smoothing = 0.1, .distill = 0.7, .temperature = 3};
    float z[4] = {0.5f, -1, 2, 0.25f}, teacher[4] = {1, 0, 0.5f, -2}, g[4], none[4] = {0, 0, 0, 0};
    lt_err err = {0};

    (void)state;
    assert_true(fabs(lt_loss(&plain, none, 4, 1, NULL, 1, g) - log(4)) < 1e-12);
    assert_true(g[0] == 0.25f && g[1] == -0.75f);
    /* -0.9 log p(label) - 0.1 mean(log p), uniform logits: log 4 whatever the smoothing */
    assert_true(fabs(lt_loss(&(lt_loss_options){.smoothing = 0.1, .temperature = 1}, none, 4, 1, NULL, 1, NULL) -
                     log(4)) < 1e-12);
    /* the teacher itself has no divergence */
    lt_loss_options only = {.distill = 1, .temperature = 2};
    assert_true(fabs(lt_loss(&only, teacher, 4, 0, teacher, 1, g)) < 1e-12);
    for (int i = 0; i < 4; i++) assert_true(fabsf(g[i]) < 1e-7f);
    lt_loss(&all, z, 4, 2, teacher, 0.5, g);
    for (int i = 0; i < 4; i++) {
        float old = z[i], eps = 1.0f / 1024;
        z[i] = old + eps;
        double up = lt_loss(&all, z, 4, 2, teacher, 1, NULL);
        z[i] = old - eps;
        double down = lt_loss(&all, z, 4, 2, teacher, 1, NULL);
        z[i] = old;
        assert_true(fabs((up - down) / (2 * (double)eps) * 0.5 - (double)g[i]) < 1e-6);
    }
    z[1] = NAN;
    assert_false(isfinite(lt_loss(&plain, z, 4, 2, NULL, 1, NULL)));
    all.temperature = 0;
    assert_int_equal(lt_loss_check(&all, &err), LT_EINPUT);
    plain.smoothing = 1.5;
    assert_int_equal(lt_loss_check(&plain, &err), LT_EINPUT);
}

/* ---- optimisers: two steps by hand ---- */
static void set_param(lt_param *p, const char *name, float v, bool decay)
{
    assert_int_equal(lt_param_make(p, name, "v", 1, true, NULL), LT_OK);
    p->value[0] = v;
    p->decay = decay;
}

static void two_steps(lt_optim_options o, lt_param *p, float g1, float g2)
{
    lt_param *list[1] = {p};
    lt_optim opt;
    lt_err err = {0};
    assert_int_equal(lt_optim_create(&opt, &o, list, 1, &err), LT_OK);
    p->grad[0] = g1;
    lt_optim_step(&opt, 0.1);
    p->grad[0] = g2;
    lt_optim_step(&opt, 0.1);
    assert_int_equal(opt.steps, 2);
    lt_optim_free(&opt);
}

static void expect(lt_optim_options o, bool decay, float mult, double want)
{
    lt_param p;
    set_param(&p, "p", 1, decay);
    p.lr_mult = mult;
    two_steps(o, &p, 0.5f, -0.25f);
    if (fabs((double)p.value[0] - want) > 1e-6) fail_msg("got %.9g, expected %.9g", (double)p.value[0], want);
    lt_param_free(&p);
}

static void test_optim(void **state)
{
    lt_optim_options sgd = {.kind = LT_SGD, .momentum = 0.9, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8}, o;
    lt_err err = {0};
    lt_optim opt;

    (void)state;
    /* m = 0.5, w = 0.95; m = 0.45 - 0.25 = 0.2, w = 0.93 */
    expect(sgd, true, 1, 0.93);
    /* w = 1 - 0.1 (0.5 + 0.45) = 0.905; m = 0.2: w = 0.905 - 0.1 (-0.25 + 0.18) = 0.912 */
    o = sgd;
    o.nesterov = true;
    expect(o, true, 1, 0.912);
    /* decay 0.1: g = 0.6, w = 0.94; g = -0.25 + 0.094 = -0.156, m = 0.54 - 0.156 = 0.384, w = 0.9016 */
    o = sgd;
    o.weight_decay = 0.1;
    expect(o, true, 1, 0.9016);
    expect(o, false, 1, 0.93);
    expect(o, false, 0.5f, 0.965);
    expect(o, true, 0, 1);
    /* Adam: m^ = 0.5, v^ = 0.25: w = 1 - 0.1 * 1 = 0.9; m = 0.045 - 0.025 = 0.02, m^ = 0.02 / 0.19;
     * v = 0.00024975 + 0.0000625 = 0.00031225, v^ = 0.00031225 / 0.001999: w = 0.9 - 0.1 * 0.10526316 / 0.39522 */
    o = sgd;
    o.kind = LT_ADAM;
    expect(o, true, 1, 0.9 - 0.1 * (0.02 / 0.19) / sqrt(0.00031225 / 0.001999));
    /* decoupled decay: w = 1 - 0.1 * 0.5 - 0.1 = 0.85; w = 0.85 * 0.95 - the same second step */
    o.weight_decay = 0.5;
    expect(o, true, 1, 0.85 * 0.95 - 0.1 * (0.02 / 0.19) / sqrt(0.00031225 / 0.001999));
    /* limits */
    lt_param p;
    set_param(&p, "p", 1, true);
    p.lo = 0.97f;
    two_steps(sgd, &p, 0.5f, 0);
    assert_true(p.value[0] == 0.97f);
    lt_param_free(&p);
    o = sgd;
    o.momentum = 1;
    assert_int_equal(lt_optim_create(&opt, &o, NULL, 0, &err), LT_EINPUT);
    o = sgd;
    o.momentum = 0;
    o.nesterov = true;
    assert_int_equal(lt_optim_create(&opt, &o, NULL, 0, &err), LT_EINPUT);
}

static void test_schedule(void **state)
{
    lt_schedule s = {.kind = LT_COSINE, .lr = 1, .last_lr = 0.2, .total = 110, .warmup = 10};
    (void)state;
    assert_true(fabs(lt_schedule_lr(&s, 0) - 0.1) < 1e-12);
    assert_true(fabs(lt_schedule_lr(&s, 9) - 1) < 1e-12);
    assert_true(fabs(lt_schedule_lr(&s, 10) - 1) < 1e-12);
    assert_true(fabs(lt_schedule_lr(&s, 60) - 0.6) < 1e-12);
    assert_true(lt_schedule_lr(&s, 109) > 0.2 && lt_schedule_lr(&s, 109) < 0.201);
    for (long i = 11; i < 110; i++) assert_true(lt_schedule_lr(&s, i) < lt_schedule_lr(&s, i - 1));
    lt_schedule m = {.kind = LT_STEPS, .lr = 1, .n_milestones = 2, .milestone = {5, 8}, .factor = 0.5};
    assert_true(lt_schedule_lr(&m, 4) == 1 && lt_schedule_lr(&m, 5) == 0.5 && lt_schedule_lr(&m, 8) == 0.25);
    lt_schedule k = {.kind = LT_CONSTANT, .lr = 0.3};
    assert_true(lt_schedule_lr(&k, 1000) == 0.3);
}

/* ---- augmentation ---- */
static void test_augment(void **state)
{
    enum { H = 6, W = 8, CH = 3 };
    lt_augment_options o = {.flip = true, .crop = 2, .cutout = 3};
    lt_shape s = {CH, H, W};
    lt_preproc pre = {.mean = {0.5f, 0.25f, 0.1f}, .std = {0.2f, 0.3f, 1}};
    lt_rng r = lt_rng_make(3, 3);
    lt_byte_table table;
    uint8_t image[CH * H * W];
    float x[CH * H * W], plain[CH * H * W];
    int flips = 0, dy[5] = {0}, dx[5] = {0};

    (void)state;
    for (int i = 0; i < CH * H * W; i++) image[i] = (uint8_t)(i + 1);
    lt_byte_table_make(&table, &pre);
    lt_augment(&o, NULL, &table, s, image, x);
    lt_preprocess(&pre, s, image, plain);
    for (int c = 0; c < CH; c++)
        for (int p = 0; p < H * W; p++) assert_true(x[p * CH + c] == plain[c * H * W + p]);
    for (int i = 0; i < 2000; i++) {
        lt_augment_draw d = lt_augment_pick(&o, H, W, &r);
        assert_in_range(d.dy + 2, 0, 4);
        assert_in_range(d.dx + 2, 0, 4);
        assert_in_range(d.cy, 0, H - 1);
        assert_in_range(d.cx, 0, W - 1);
        flips += d.flip;
        dy[d.dy + 2]++;
        dx[d.dx + 2]++;
    }
    assert_in_range(flips, 900, 1100);
    for (int i = 0; i < 5; i++) {
        assert_in_range(dy[i], 300, 500);
        assert_in_range(dx[i], 300, 500);
    }
    /* one known draw: window one down and two right, flipped; a square around (2, 1) */
    lt_augment_draw d = {.dy = 1, .dx = 2, .cy = 2, .cx = 1, .flip = true};
    lt_augment(&o, &d, &table, s, image, x);
    for (int y = 0; y < H; y++)
        for (int i = 0; i < W; i++)
            for (int c = 0; c < CH; c++) {
                int sy = y + 1, sx = W - 1 - i + 2;
                float want = sy >= H || sx >= W ? table.of[c][0] : table.of[c][image[(c * H + sy) * W + sx]];
                if (y >= 1 && y <= 3 && i >= 0 && i <= 2) want = 0;
                assert_true(x[(y * W + i) * CH + c] == want);
            }
    lt_err err = {0};
    o.crop = 6;
    assert_int_equal(lt_augment_check(&o, H, W, &err), LT_EINPUT);
    o.crop = 0;
    o.cutout = 7;
    assert_int_equal(lt_augment_check(&o, H, W, &err), LT_EINPUT);
}

static void test_shuffle(void **state)
{
    enum { LEN = 100 };
    int a[LEN], b[LEN], seen[LEN] = {0}, moved = 0;
    (void)state;
    lt_shuffle(a, LEN, 1, 0);
    lt_shuffle(b, LEN, 1, 0);
    assert_memory_equal(a, b, sizeof a);
    lt_shuffle(b, LEN, 1, 1);
    assert_memory_not_equal(a, b, sizeof a);
    for (int i = 0; i < LEN; i++) {
        assert_in_range(a[i], 0, LEN - 1);
        seen[a[i]]++;
        moved += a[i] != i;
    }
    for (int i = 0; i < LEN; i++) assert_int_equal(seen[i], 1);
    assert_true(moved > 80);
}

/* ---- networks against the float executor ---- */
typedef struct {
    const lt_graph *g;
    const lt_dataset *d;
    float *out; /* [images][size], [K][P][Q] of 1x1 maps */
} outputs;

static void fill(void *ctx, int i, float *x)
{
    outputs *o = ctx;
    lt_byte_table t;
    lt_byte_table_make(&t, &o->g->pre);
    lt_augment(&(lt_augment_options){0}, NULL, &t, o->g->nodes[0].shape, lt_dataset_image(o->d, (size_t)i), x);
}

static void keep(void *ctx, const lt_chunk *c, const float *out, float *g)
{
    outputs *o = ctx;
    size_t n = lt_shape_size(o->g->nodes[o->g->output].shape);
    assert_null(g);
    memcpy(o->out + (size_t)c->first * n, out, (size_t)c->n * n * sizeof *out);
}

static void pass(lt_net *net, const lt_graph *g, const lt_dataset *d, lt_mode mode, float *out)
{
    outputs o = {g, d, out};
    lt_io io = {fill, keep, &o};
    lt_err err = {0};
    if (lt_net_forward(net, d->n, mode, &io, &err) != LT_OK) fail_msg("%s", err.msg);
}

static void expect_exec(const lt_graph *g, const lt_dataset *d, const float *out)
{
    size_t in = lt_shape_size(g->nodes[0].shape), n = lt_shape_size(g->nodes[g->output].shape);
    float *x = malloc(in * sizeof *x);
    lt_exec e;
    assert_int_equal(lt_exec_init(&e, g, NULL), LT_OK);
    for (int i = 0; i < d->n; i++) {
        lt_preprocess(&g->pre, g->nodes[0].shape, lt_dataset_image(d, (size_t)i), x);
        lt_exec_run(&e, x);
        for (size_t k = 0; k < n; k++) {
            float want = e.t[g->output][k], got = out[(size_t)i * n + k];
            if (!(fabsf(want - got) <= 1e-4f * (1 + fabsf(want))))
                fail_msg("image %d, output %zu: %g, not %g", i, k, (double)got, (double)want);
        }
    }
    lt_exec_free(&e);
    free(x);
}

/* Calibration leaves the function alone and makes batch statistics and running ones agree; ONNX keeps both. */
static void test_calibrate_and_onnx(void **state)
{
    enum { IMAGES = 40 };
    lt_rng r = lt_rng_make(2, 9);
    lt_graph g, back, low;
    lt_dataset d;
    lt_net *net, *again;
    lt_err err = {0};
    float before[IMAGES * 10], after[IMAGES * 10], train[IMAGES * 10];

    (void)state;
    ref_resnet(&g, &r, 8, 16, 10);
    assert_int_equal(lt_model_preproc(&g, "imagenet", &err), LT_OK);
    assert_int_equal(lt_procedural_load(&d, 1, LT_TRAIN, IMAGES, 8, 8, &err), LT_OK);
    lt_net_options o = {.batch = IMAGES, .train = false};
    assert_int_equal(lt_net_create(&net, &g, &o, &err), LT_OK);
    pass(net, &g, &d, LT_MODE_EVAL, before);
    expect_exec(&g, &d, before);
    pass(net, &g, &d, LT_MODE_CALIBRATE, after);
    assert_memory_equal(before, after, sizeof before);
    lt_net_calibrate(net);
    pass(net, &g, &d, LT_MODE_EVAL, after);
    for (int i = 0; i < IMAGES * 10; i++) assert_true(fabsf(before[i] - after[i]) < 1e-4f * (1 + fabsf(before[i])));
    lt_bn_view v;
    assert_true(lt_layer_bn_view(lt_net_layer(net, 1), &v));
    assert_true(v.var[0] != 1 && v.mean[0] != 0);

    assert_int_equal(lt_net_save_onnx(net, "test_train_parts.onnx", &err), LT_OK);
    assert_int_equal(lt_model_load("test_train_parts.onnx", NULL, 0, &back, NULL, &err), LT_OK);
    back.pre = g.pre;
    expect_exec(&back, &d, after);
    assert_int_equal(lt_graph_copy(&back, &low, &err), LT_OK);
    assert_int_equal(lt_graph_lower(&low, &err), LT_OK);
    expect_exec(&low, &d, after);

    /* what was read is the same network to the trainer, lowered or not, and lowered graphs can be written, too */
    assert_int_equal(lt_net_create(&again, &back, &o, &err), LT_OK);
    pass(again, &back, &d, LT_MODE_EVAL, train);
    for (int i = 0; i < IMAGES * 10; i++) assert_true(fabsf(train[i] - after[i]) < 1e-4f * (1 + fabsf(after[i])));
    lt_net_free(again);
    lt_buf b = {0};
    assert_int_equal(lt_onnx_write(&low, NULL, &b, &err), LT_OK);
    lt_graph_free(&back);
    if (lt_onnx_import(b.data, b.len, "low.onnx", &back, &err) != LT_OK) fail_msg("%s", err.msg);
    back.pre = g.pre;
    expect_exec(&back, &d, after);
    lt_buf_free(&b);
    remove("test_train_parts.onnx");
    lt_graph_free(&back);
    lt_graph_free(&low);
    lt_net_free(net);
    lt_dataset_free(&d);
    lt_graph_free(&g);
}

/* Every operator survives writing and reading. */
static void test_onnx_operators(void **state)
{
    lt_rng r = lt_rng_make(4, 9);
    lt_graph g, back;
    lt_dataset d;
    lt_net *net;
    lt_err err = {0};
    lt_buf b = {0};
    float out[6 * 7];

    (void)state;
    int x = ref_input(&g, 3, 9, 8);
    lt_node n = lt_node_make(NODE_CONV, "conv", x);
    n.r = 3;
    n.s = 2;
    n.stride_h = 2;
    n.dil_w = 2;
    n.pad_t = 1;
    n.pad_r = 2;
    n.groups = 3;
    x = ref_conv_node(&g, &r, n, 6, true);
    x = ref_clip_node(&g, "clip", x, -1, 1);
    x = ref_clip_node(&g, "low", x, -0.75f, INFINITY);
    x = ref_clip_node(&g, "high", x, -INFINITY, 0.875f);
    int s = ref_shortcut_node(&g, "step", x, 2, 0, 6);
    s = ref_shortcut_node(&g, "channels", s, 1, 1, 8);
    s = ref_shortcut_node(&g, "both", ref_shortcut_node(&g, "same", s, 1, 0, 8), 2, 0, 9);
    s = ref_pool_node(&g, NODE_MAXPOOL, "max", s, 2, 1, 1);
    n = lt_node_make(NODE_AVGPOOL, "avg", s);
    n.r = n.s = 2;
    n.pad_b = 1;
    n.count_pad = true;
    s = ref_bn_node(&g, &r, "bn", ref_add(&g, n));
    s = ref_gemm_node(&g, &r, "fc", ref_add(&g, lt_node_make(NODE_FLATTEN, "flat", s)), 7, true);
    ref_clip_node(&g, "relu", s, 0, INFINITY);
    assert_int_equal(lt_procedural_load(&d, 1, LT_TRAIN, 6, 9, 8, &err), LT_OK);
    lt_net_options o = {.batch = 6, .chunk = 4};
    if (lt_net_create(&net, &g, &o, &err) != LT_OK) fail_msg("%s", err.msg);
    pass(net, &g, &d, LT_MODE_EVAL, out);
    expect_exec(&g, &d, out);
    assert_int_equal(lt_onnx_write(&g, NULL, &b, &err), LT_OK);
    if (lt_onnx_import(b.data, b.len, "ops.onnx", &back, &err) != LT_OK) fail_msg("%s", err.msg);
    back.pre = g.pre;
    expect_exec(&back, &d, out);
    lt_buf_free(&b);
    lt_graph_free(&back);
    lt_net_free(net);
    lt_dataset_free(&d);
    lt_graph_free(&g);
}

static void test_net_errors(void **state)
{
    lt_rng r = lt_rng_make(4, 9);
    lt_graph g, empty = {0};
    lt_net *net;
    lt_err err = {0};
    lt_io io = {0};

    (void)state;
    ref_conv3(&g, &r, "conv", ref_input(&g, 3, 4, 4), 4);
    assert_int_equal(lt_net_create(&net, &g, &(lt_net_options){.batch = 0}, &err), LT_EINPUT);
    assert_int_equal(lt_net_create(&net, &empty, &(lt_net_options){.batch = 1}, &err), LT_EINPUT);
    assert_int_equal(lt_net_create(&net, &g, &(lt_net_options){.batch = 2}, &err), LT_OK);
    assert_int_equal(lt_net_forward(net, 3, LT_MODE_EVAL, &io, &err), LT_EINTERNAL);
    assert_int_equal(lt_net_forward(net, 1, LT_MODE_TRAIN, &io, &err), LT_EINTERNAL);
    assert_int_equal(lt_net_backward(net, &err), LT_EINTERNAL);
    lt_net_free(net);
    lt_graph_free(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vec),
        cmocka_unit_test(test_loss),
        cmocka_unit_test(test_optim),
        cmocka_unit_test(test_schedule),
        cmocka_unit_test(test_augment),
        cmocka_unit_test(test_shuffle),
        cmocka_unit_test(test_calibrate_and_onnx),
        cmocka_unit_test(test_onnx_operators),
        cmocka_unit_test(test_net_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
