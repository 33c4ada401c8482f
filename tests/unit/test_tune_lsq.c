/* LSQ: its gradients against their definition, and the exported integer network against the fake-quantised one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "train/lsq.h"
#include "train/round.h"
#include "train/trainer.h"
#include "tune_net.h"
#include "tune_run.h"

static void test_rounding(void **state)
{
    (void)state;
    for (int i = -70000; i < 70000; i++) {
        float v = (float)i / 128;
        float want = fminf(fmaxf(floorf(v + 0.5f), -128), 255);
        if (lt_round_clip(v, -128, 255) != want) fail_msg("%g: %g, expected %g", v, lt_round_clip(v, -128, 255), want);
    }
    assert_true(isnan(lt_round_clip(NAN, -128, 127)));
    assert_int_equal((int)lt_drop_bits(-1, 3), -1);
    assert_int_equal((int)lt_drop_bits(255, 3), 31);
}

/* Esser et al. 2020, equations 3 and 5. */
static double step_slope(double v, double lo, double hi)
{
    return v < lo ? lo : v > hi ? hi : floor(v + 0.5) - v;
}

/* A fake-quantised 1x1 convolution: values, and the gradients of weights, steps and (through them) the input's step. */
static void test_gradients(void **state)
{
    enum { C = 3, K = 2, PX = 4, N = 5 };
    lt_rng r = lt_rng_make(3, 3);
    lt_err err = {0};
    lt_graph g = {.name = "fq"};
    int id;
    (void)state;
    lt_node in = lt_node_make(NODE_INPUT, "x", -1);
    in.shape = (lt_shape){C, 2, 2};
    tune_ok(lt_graph_add(&g, in, &id, &err), &err);
    tune_conv(&g, &r, "conv", id, C, 1, 1, false, -1);
    tune_conv(&g, &r, "next", 1, K, 1, 1, false, -1);
    fq_probe probe = {.node = 1, .o = {.step = 0.3f, .lo = -2, .hi = 3, .learn = true}};
    lt_net_options o = {.batch = N, .chunk = 2, .workers = 2, .train = true, .parts = {&probe, NULL, probe_behind}};
    lt_net *net;
    tune_ok(lt_net_create(&net, &g, &o, &err), &err);
    lt_layer *conv = lt_net_find(net, "next");
    float steps[K] = {0.2f, 0.35f};
    lt_lsq_options lo = {.lo = -3, .hi = 3};
    tune_ok(lt_lsq_attach(conv, steps, &lo, &err), &err);
    projection p = {.x = tune_random(&r, N * C * PX, 1),
                    .g = tune_random(&r, N * K * PX, 1),
                    .in = C * PX,
                    .out = K * PX,
                    .seen = calloc(N * K * PX, sizeof(float))};
    lt_io io = {projection_fill, projection_each, &p};
    tune_ok(lt_net_forward(net, N, LT_MODE_TRAIN, &io, &err), &err);
    tune_ok(lt_net_backward(net, &err), &err);

    const float *x = lt_net_tensor(net, 1)->v, *pre = probe.layer->in->v, *w = conv->params[0].value;
    double gw[K][C] = {{0}}, gs[K] = {0}, gstep = 0;
    for (int i = 0; i < N * PX; i++)
        for (int k = 0; k < K; k++) {
            double y = (double)conv->params[1].value[k], gy = (double)p.g[i * K + k];
            for (int c = 0; c < C; c++) {
                double q = step_slope((double)w[k * C + c] / (double)steps[k], -3, 3);
                double v = (double)w[k * C + c] / (double)steps[k], used = v < -3 ? -3 : v > 3 ? 3 : floor(v + 0.5);
                y += used * (double)steps[k] * (double)x[i * C + c];
                if (v >= -3 && v <= 3) gw[k][c] += gy * (double)x[i * C + c];
                gs[k] += gy * (double)x[i * C + c] * q;
                gstep += gy * used * (double)steps[k] * step_slope((double)pre[i * C + c] / 0.3, -2, 3);
            }
            assert_true(fabs(y - (double)p.seen[i * K + k]) < 1e-5);
        }
    for (int k = 0; k < K; k++) {
        for (int c = 0; c < C; c++) assert_true(fabs(gw[k][c] - (double)conv->params[0].grad[k * C + c]) < 1e-4);
        assert_true(fabs(gs[k] / sqrt(C * 3.0) - (double)lt_lsq_steps(conv)->grad[k]) < 1e-4);
    }
    assert_true(fabs(gstep / sqrt(C * PX * 3.0) - (double)probe.layer->params[0].grad[0]) < 1e-4);
    lt_net_free(net);
    lt_graph_free(&g);
    projection_free(&p);
}

static void test_export(void **state)
{
    static const int bits[] = {8, 4, 2};
    (void)state;
    for (int i = 0; i < 3; i++) {
        lt_prep p;
        tune_prepare(&p, bits[i], NULL);
        check_export(&p, &(lt_encode_options){0}, false, false, 0);
        lt_prep_free(&p);
    }
}

/* Trained for some steps, exported again. */
static void test_trained(void **state)
{
    (void)state;
    lt_prep p;
    tune_prepare(&p, 3, NULL);
    check_export(&p, &(lt_encode_options){0}, false, false, 60);
    lt_prep_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rounding), cmocka_unit_test(test_gradients),
                                       cmocka_unit_test(test_export), cmocka_unit_test(test_trained)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
