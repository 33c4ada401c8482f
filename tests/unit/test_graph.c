/* Lowering and alignment keep what a graph computes; the built-in ResNet20 is sane. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "model/exec.h"
#include "model/model.h"

static float *random_floats(lt_rng *r, size_t n, double scale)
{
    float *v = malloc((n ? n : 1) * sizeof *v);
    for (size_t i = 0; i < n; i++) v[i] = (float)(scale * lt_rng_normal(r));
    return v;
}

static int must_add(lt_graph *g, lt_node n)
{
    int id;
    lt_err err;
    if (lt_graph_add(g, n, &id, &err) != LT_OK) fail_msg("%s", err.msg);
    return id;
}

static int add_conv(lt_graph *g, lt_rng *r, int in, int k, int kernel, int stride, int groups)
{
    char name[32];
    snprintf(name, sizeof name, "conv%d", g->n_nodes);
    lt_node n = lt_node_make(NODE_CONV, name, in);
    int c = g->nodes[in].shape.c / groups;
    n.shape.c = k;
    n.r = n.s = kernel;
    n.stride_h = n.stride_w = stride;
    n.groups = groups;
    n.pad_t = n.pad_l = n.pad_b = n.pad_r = kernel / 2;
    n.weight = random_floats(r, (size_t)(k * c * kernel * kernel), 1 / sqrt(c * kernel * kernel));
    n.bias = lt_rng_below(r, 2) ? random_floats(r, (size_t)k, 0.3) : NULL;
    return must_add(g, n);
}

static int add_bn(lt_graph *g, lt_rng *r, int in)
{
    lt_node n = lt_node_make(NODE_BN, "bn", in);
    n.weight = random_floats(r, (size_t)g->nodes[in].shape.c, 1);
    n.bias = random_floats(r, (size_t)g->nodes[in].shape.c, 0.3);
    return must_add(g, n);
}

static int add_clip(lt_graph *g, lt_rng *r, int in)
{
    lt_node n = lt_node_make(NODE_CLIP, "clip", in);
    n.lo = lt_rng_below(r, 4) ? 0 : -0.5f;
    if (lt_rng_below(r, 3) == 0) n.hi = 1.5f;
    return must_add(g, n);
}

/* Residual blocks with option-A shortcuts at odd offsets, pools, depthwise layers, adds in both operand orders, values
 * with several readers; then pooling or flattening, and a classifier. */
static lt_graph random_graph(uint64_t seed)
{
    lt_rng r = lt_rng_make(seed, 11);
    lt_graph g = {.name = "random"};
    lt_err err;
    lt_node in = lt_node_make(NODE_INPUT, "input", -1);
    in.shape = (lt_shape){lt_rng_range(&r, 1, 4), lt_rng_range(&r, 8, 13), lt_rng_range(&r, 8, 13)};
    assert_int_equal(lt_model_preproc(&g, "byte", &err), LT_OK);
    int x = add_conv(&g, &r, must_add(&g, in), lt_rng_range(&r, 2, 6), 3, 1, 1);
    int blocks = lt_rng_range(&r, 1, 4);
    for (int b = 0; b < blocks; b++) {
        int from = x, c = g.nodes[from].shape.c, stride = lt_rng_below(&r, 3) == 0 ? 2 : 1;
        int k = stride == 2 || lt_rng_below(&r, 4) == 0 ? c + lt_rng_range(&r, 0, 7) : c;
        x = add_conv(&g, &r, from, k, 3, stride, 1);
        if (lt_rng_below(&r, 2)) x = add_bn(&g, &r, x);
        if (lt_rng_below(&r, 2)) x = add_clip(&g, &r, x);
        if (lt_rng_below(&r, 3) == 0) x = add_conv(&g, &r, x, k, 3, 1, k); /* depthwise */
        if (lt_rng_below(&r, 2)) x = add_conv(&g, &r, x, k, 1, 1, lt_rng_below(&r, 4) || k % 2 ? 1 : 2);
        if (lt_rng_below(&r, 2)) x = add_bn(&g, &r, x);
        int skip = from;
        if (k != c || stride != 1) {
            int way = (int)lt_rng_below(&r, 3);
            lt_node s = lt_node_make(NODE_SHORTCUT, "shortcut", from);
            s.shape.c = k;
            s.res_step = stride;
            s.res_c_off = lt_rng_range(&r, 0, k - c);
            if (way == 0) {
                skip = add_conv(&g, &r, from, k, 1, stride, 1);
            } else if (way == 1 && s.res_c_off) { /* in two steps */
                int all = s.res_c_off;
                s.shape.c = c + all;
                s.res_step = 1;
                skip = must_add(&g, s);
                lt_node t = lt_node_make(NODE_SHORTCUT, "shortcut2", skip);
                t.shape.c = k;
                t.res_step = stride;
                skip = must_add(&g, t);
            } else {
                skip = must_add(&g, s);
            }
        }
        if (lt_rng_below(&r, 6) == 0) skip = add_clip(&g, &r, skip);
        bool swap = lt_rng_below(&r, 2);
        lt_node sum = lt_node_make(NODE_ADD, "add", swap ? skip : x);
        sum.res = swap ? x : skip;
        x = must_add(&g, sum);
        if (lt_rng_below(&r, 4)) x = add_clip(&g, &r, x);
        if (lt_rng_below(&r, 5) == 0 && g.nodes[x].shape.h > 3 && g.nodes[x].shape.w > 3) {
            lt_node p = lt_node_make(lt_rng_below(&r, 2) ? NODE_MAXPOOL : NODE_AVGPOOL, "pool", x);
            p.r = p.s = p.stride_h = p.stride_w = 2;
            x = must_add(&g, p);
        }
    }
    if (lt_rng_below(&r, 2)) {
        lt_node p = lt_node_make(NODE_AVGPOOL, "gap", x);
        p.r = g.nodes[x].shape.h;
        p.s = g.nodes[x].shape.w;
        x = must_add(&g, p);
    }
    if (lt_rng_below(&r, 4)) {
        x = must_add(&g, lt_node_make(NODE_FLATTEN, "flatten", x));
        lt_node fc = lt_node_make(NODE_GEMM, "fc", x);
        fc.shape.c = 5;
        fc.weight = random_floats(&r, 5 * lt_shape_size(g.nodes[x].shape), 0.2);
        fc.bias = random_floats(&r, 5, 1);
        x = must_add(&g, fc);
        if (lt_rng_below(&r, 3) == 0) x = add_clip(&g, &r, x);
    }
    return g;
}

static void output_of(const lt_graph *g, const float *x, float *y)
{
    lt_exec e;
    lt_err err;
    assert_int_equal(lt_exec_init(&e, g, &err), LT_OK);
    lt_exec_run(&e, x);
    memcpy(y, e.t[g->output], lt_shape_size(g->nodes[g->output].shape) * sizeof *y);
    lt_exec_free(&e);
}

static void assert_same(const float *a, const float *b, size_t n, uint64_t seed, const char *what)
{
    double top = 1;
    for (size_t i = 0; i < n; i++) top = fmax(top, fabs((double)b[i]));
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)a[i] - (double)b[i]) < 1e-4 * top))
            fail_msg("seed %llu: %s: value %zu is %g, was %g", (unsigned long long)seed, what, i, (double)a[i],
                     (double)b[i]);
}

static void lowering_and_alignment_keep_the_function(void **state)
{
    (void)state;
    int shortcuts = 0, moved = 0, inserted = 0, fused = 0, lone = 0;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        lt_graph g = random_graph(seed);
        lt_err err;
        lt_rng r = lt_rng_make(seed, 12);
        size_t n = lt_shape_size(g.nodes[g.output].shape);
        float *x = random_floats(&r, lt_shape_size(g.nodes[0].shape), 1);
        float *want = malloc(n * sizeof *want), *y = malloc(n * sizeof *y);
        output_of(&g, x, want);
        if (lt_graph_lower(&g, &err) != LT_OK) fail_msg("seed %llu: %s", (unsigned long long)seed, err.msg);
        for (int i = 0; i < g.n_nodes; i++) assert_in_range(g.nodes[i].op, NODE_INPUT, NODE_ADD);
        assert_int_equal(g.output, g.n_nodes - 1);
        output_of(&g, x, y);
        assert_same(y, want, n, seed, "lowered");
        for (int i = 0; i < g.n_nodes; i++) {
            fused += g.nodes[i].op == NODE_CONV && g.nodes[i].res >= 0;
            lone += g.nodes[i].op == NODE_ADD;
        }
        for (int lanes = 2; lanes <= 5; lanes++) {
            lt_graph h;
            assert_int_equal(lt_graph_copy(&g, &h, &err), LT_OK);
            if (lt_graph_align(&h, lanes, &err) != LT_OK) fail_msg("seed %llu: %s", (unsigned long long)seed, err.msg);
            output_of(&h, x, y);
            assert_same(y, want, n, seed, "aligned");
            for (int i = 1; i < h.n_nodes; i++) assert_int_equal(h.nodes[i].res_c_off % lanes, 0);
            for (int i = 1; i < g.n_nodes; i++) {
                shortcuts += g.nodes[i].res_c_off > 0;
                moved += g.nodes[i].res_c_off % lanes != 0;
            }
            inserted += h.n_nodes - g.n_nodes;
            lt_graph_free(&h);
        }
        free(x);
        free(want);
        free(y);
        lt_graph_free(&g);
    }
    print_message("%d adds fused, %d not; %d shortcuts with an offset, %d misaligned, %d became convolutions\n", fused,
                  lone, shortcuts, moved, inserted);
    assert_true(fused > 300 && lone > 10 && moved > 100 && inserted > 10 && inserted < moved);
}

static void lowering_twice_changes_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 50; seed++) {
        lt_graph g = random_graph(seed);
        lt_err err;
        assert_int_equal(lt_graph_lower(&g, &err), LT_OK);
        int n = g.n_nodes;
        assert_int_equal(lt_graph_lower(&g, &err), LT_OK);
        assert_int_equal(g.n_nodes, n);
        lt_graph_free(&g);
    }
}

/* Activations of a random network neither die nor explode, and the same seed gives the same network. */
static void random_resnet20_is_sane(void **state)
{
    (void)state;
    lt_graph g, h;
    lt_err err;
    lt_dataset d;
    lt_exec e;
    if (lt_resnet20_random(3, &g, &err) != LT_OK) fail_msg("%s", err.msg);
    assert_int_equal(lt_resnet20_random(3, &h, &err), LT_OK);
    assert_int_equal(g.n_nodes, h.n_nodes);
    for (int i = 0; i < g.n_nodes; i++) {
        size_t n = lt_node_weights(&g, &g.nodes[i]);
        if (n) assert_memory_equal(g.nodes[i].weight, h.nodes[i].weight, n * sizeof(float));
    }
    lt_graph_free(&h);
    assert_int_equal(lt_resnet20_random(4, &h, &err), LT_OK);
    assert_memory_not_equal(g.nodes[1].weight, h.nodes[1].weight, 100);
    lt_graph_free(&h);
    assert_true(fabs(lt_graph_macs(&g) - 40551040) < 1);
    assert_true(lt_model_is_random(g.name));
    assert_false(lt_model_is_random("resnet20_cifar10"));
    if (lt_graph_lower(&g, &err) != LT_OK) fail_msg("%s", err.msg);
    assert_int_equal(g.n_nodes, 22);
    assert_int_equal(lt_procedural_load(&d, 99, LT_TEST, 4, 32, 32, &err), LT_OK);
    assert_int_equal(lt_exec_init(&e, &g, &err), LT_OK);
    for (size_t i = 0; i < 4; i++) {
        lt_preprocess(&g.pre, g.nodes[0].shape, lt_dataset_image(&d, i), e.t[0]);
        for (int k = 1; k < g.n_nodes; k++) {
            lt_exec_node(&e, k);
            double sq = 0;
            size_t n = lt_shape_size(g.nodes[k].shape);
            for (size_t j = 0; j < n; j++) sq += (double)e.t[k][j] * (double)e.t[k][j];
            assert_true(sqrt(sq / (double)n) > 0.05 && sqrt(sq / (double)n) < 50);
        }
    }
    lt_exec_free(&e);
    lt_dataset_free(&d);
    lt_graph_free(&g);
}

static void bad_nodes_are_refused(void **state)
{
    (void)state;
    lt_graph g = {.name = "bad"};
    lt_err err;
    lt_node in = lt_node_make(NODE_INPUT, "input", -1), n;
    assert_int_equal(lt_graph_add(&g, lt_node_make(NODE_CLIP, "first", -1), NULL, &err), LT_EINPUT);
    in.shape = (lt_shape){3, 0, 4};
    assert_int_equal(lt_graph_add(&g, in, NULL, &err), LT_EINPUT);
    in.shape = (lt_shape){3, 4, 4};
    assert_int_equal(lt_graph_add(&g, in, NULL, &err), LT_OK);
    assert_int_equal(lt_graph_add(&g, in, NULL, &err), LT_EINPUT);
    assert_int_equal(lt_graph_add(&g, lt_node_make(NODE_CLIP, "ahead", 5), NULL, &err), LT_EINPUT);
    n = lt_node_make(NODE_CONV, "none", 0);
    n.shape.c = 0; /* zero output channels */
    assert_int_equal(lt_graph_add(&g, n, NULL, &err), LT_EINPUT);
    assert_non_null(strstr(err.msg, "none: 0 output channels"));
    n.shape.c = 60000; /* bounded before memory: 60000 x 3 x 4096 x 4096 weights */
    n.r = n.s = 4096;
    n.pad_t = n.pad_l = 4096;
    assert_int_equal(lt_graph_add(&g, n, NULL, &err), LT_EINPUT);
    n = lt_node_make(NODE_MAXPOOL, "empty", 0);
    n.r = n.s = 2;
    n.pad_t = 2; /* the first window would hold no input */
    assert_int_equal(lt_graph_add(&g, n, NULL, &err), LT_EINPUT);
    n = lt_node_make(NODE_SHORTCUT, "wide", 0);
    n.shape.c = 4;
    n.res_c_off = 2; /* 3 channels do not fit behind 2 of 4 */
    assert_int_equal(lt_graph_add(&g, n, NULL, &err), LT_EINPUT);
    lt_graph_free(&g);
}

static void preprocessing_words(void **state)
{
    (void)state;
    lt_graph g = {.name = "ic_resnet8_float"};
    lt_err err;
    assert_int_equal(lt_model_preproc(&g, NULL, &err), LT_OK);
    assert_true(fabsf(g.pre.std[0] * 255 - 1) < 1e-5f && g.pre.mean[0] == 0);
    assert_int_equal(lt_model_preproc(&g, "0.1,0.2,0.3/1,2,4", &err), LT_OK);
    assert_true(g.pre.mean[2] == 0.3f && g.pre.std[1] == 2);
    static const char *const bad[] = {"imagenets",     "1,2/3",        "0,0,0/0,1,1",
                                      "0,0,0/1,1,nan", "0,0,0/1,1,1x", "nan,0,0/1,1,1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(lt_model_preproc(&g, bad[i], &err), LT_EINPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lowering_and_alignment_keep_the_function),
        cmocka_unit_test(lowering_twice_changes_nothing),
        cmocka_unit_test(random_resnet20_is_sane),
        cmocka_unit_test(bad_nodes_are_refused),
        cmocka_unit_test(preprocessing_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
