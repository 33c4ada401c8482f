/* Calibration, quantisation and the whole way from a network to integers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/rng.h"
#include "golden/accuracy.h"
#include "golden/fast.h"
#include "golden/golden.h"
#include "model/exec.h"
#include "model/model.h"
#include "model/prep.h"
#include "model/qnet_file.h"

/* ---- calibration ---- */

static void scales_by_method(void **state)
{
    (void)state;
    static lt_tensor_stats t; /* 0..10 evenly, and one value in 10,000 at 100 */
    t.min = 0;
    t.max = 100;
    for (int b = 0; b < LT_HIST_BINS / 10; b++) t.hist[b] = 100;
    t.hist[LT_HIST_BINS - 1] = 4;
    for (int b = 0; b < LT_HIST_BINS; b++) t.count += t.hist[b];
    assert_true(fabs(lt_calib_scale(&t, LT_CALIB_MINMAX, 0, 8, false) - 100.0 / 255) < 1e-9);
    assert_true(fabs(lt_calib_scale(&t, LT_CALIB_MINMAX, 0, 8, true) - 100.0 / 127) < 1e-9);
    assert_true(fabs(lt_calib_scale(&t, LT_CALIB_PERCENTILE, 99.9, 8, false) - 10.0 / 255) < 0.1 / 255);
    assert_true(fabs(lt_calib_scale(&t, LT_CALIB_PERCENTILE, 100, 8, false) - 100.0 / 255) < 1e-9);
    /* few bits: clipping the outlier is worth it; its own error keeps the step from going lower */
    double s = lt_calib_scale(&t, LT_CALIB_MSE, 0, 3, false);
    assert_true(s * 7 < 60 && s * 7 > 8);
    /* the mean squared error of the chosen step is the least of all those around it */
    double least = INFINITY, chosen = 0;
    for (int k = 1; k <= 200; k++) {
        double step = 100.0 / 7 * k / 200, sum = 0;
        for (int b = 0; b < LT_HIST_BINS; b++) {
            double v = (b + 0.5) * 100 / LT_HIST_BINS, q = fmin(round(v / step), 7) * step;
            sum += (double)t.hist[b] * (v - q) * (v - q);
        }
        least = fmin(least, sum);
        if (fabs(step - s) < 100.0 / 7 / 400) chosen = sum;
    }
    assert_true(chosen > 0 && chosen < 1.02 * least);
    memset(&t, 0, sizeof t);
    assert_true(lt_calib_scale(&t, LT_CALIB_MSE, 0, 8, false) == 1.0);
}

/* A network small enough to check by eye: conv (2 channels), ReLU, global average pool, classifier. */
static lt_graph tiny_graph(void)
{
    lt_graph g = {.name = "tiny"};
    lt_err err;
    lt_node n = lt_node_make(NODE_INPUT, "input", -1);
    int id;
    n.shape = (lt_shape){3, 8, 8};
    assert_int_equal(lt_model_preproc(&g, "0.5,0.5,0.5/0.25,0.25,0.25", &err), LT_OK);
    assert_int_equal(lt_graph_add(&g, n, &id, &err), LT_OK);
    n = lt_node_make(NODE_CONV, "first", id);
    n.shape.c = 4;
    n.r = n.s = 3;
    n.pad_t = n.pad_l = n.pad_b = n.pad_r = 1;
    n.weight = malloc(4 * 27 * sizeof(float));
    n.bias = calloc(4, sizeof(float));
    lt_rng r = lt_rng_make(2, 2);
    for (int i = 0; i < 4 * 27; i++)
        n.weight[i] = (float)(lt_rng_normal(&r) * (i / 27 == 2 ? 0.002 : 0.2)); /* channel 2 tiny */
    for (int k = 0; k < 4; k++) n.bias[k] = 0.1f * (float)k;
    assert_int_equal(lt_graph_add(&g, n, &id, &err), LT_OK);
    n = lt_node_make(NODE_CLIP, "relu6", id);
    n.lo = 0;
    n.hi = 1.0f;
    assert_int_equal(lt_graph_add(&g, n, &id, &err), LT_OK);
    n = lt_node_make(NODE_CONV, "second", id);
    n.shape.c = 4;
    n.weight = calloc(16, sizeof(float));
    for (int i = 0; i < 16; i++) n.weight[i] = (float)lt_rng_normal(&r);
    assert_int_equal(lt_graph_add(&g, n, &id, &err), LT_OK);
    n = lt_node_make(NODE_ADD, "add", id);
    n.res = id - 1;
    assert_int_equal(lt_graph_add(&g, n, &id, &err), LT_OK);
    n = lt_node_make(NODE_MAXPOOL, "pool", id);
    n.r = n.s = n.stride_h = n.stride_w = 2;
    assert_int_equal(lt_graph_add(&g, n, &id, &err), LT_OK);
    n = lt_node_make(NODE_AVGPOOL, "gap", id);
    n.r = n.s = 4;
    assert_int_equal(lt_graph_add(&g, n, &id, &err), LT_OK);
    n = lt_node_make(NODE_GEMM, "fc", id);
    n.shape.c = 3;
    n.weight = malloc(12 * sizeof(float));
    for (int i = 0; i < 12; i++) n.weight[i] = (float)lt_rng_normal(&r);
    assert_int_equal(lt_graph_add(&g, n, &id, &err), LT_OK);
    if (lt_graph_lower(&g, &err) != LT_OK) fail_msg("%s", err.msg);
    assert_int_equal(g.n_nodes, 6);
    return g;
}

typedef struct {
    lt_graph g;
    lt_dataset d;
    lt_calib c;
} setup;

static setup make(lt_graph g, int images)
{
    setup s = {.g = g};
    lt_err err;
    if (lt_dataset_open(&s.d, &g, NULL, LT_TRAIN, images, 1, &err) != LT_OK) fail_msg("%s", err.msg);
    if (lt_calib_run(&s.c, &s.g, &s.d, images, &err) != LT_OK) fail_msg("%s", err.msg);
    return s;
}

static void drop(setup *s)
{
    lt_graph_free(&s->g);
    lt_dataset_free(&s->d);
    lt_calib_free(&s->c);
}

static void statistics_are_exact(void **state)
{
    (void)state;
    setup s = make(tiny_graph(), 7);
    lt_exec e;
    lt_err err;
    assert_int_equal(lt_exec_init(&e, &s.g, &err), LT_OK);
    for (int t = 0; t < s.g.n_nodes; t++) {
        double lo = INFINITY, hi = -INFINITY, mean[16] = {0};
        lt_shape sh = s.g.nodes[t].shape;
        size_t plane = (size_t)sh.h * (size_t)sh.w;
        for (size_t i = 0; i < 7; i++) {
            lt_preprocess(&s.g.pre, s.g.nodes[0].shape, lt_dataset_image(&s.d, i), e.t[0]);
            for (int k = 1; k < s.g.n_nodes; k++) lt_exec_node(&e, k);
            for (size_t k = 0; k < lt_shape_size(sh); k++) {
                double v = (double)e.t[t][k];
                lo = fmin(lo, v);
                hi = fmax(hi, v);
                mean[k / plane] += v / (7.0 * (double)plane);
            }
        }
        uint64_t count = 0;
        for (int b = 0; b < LT_HIST_BINS; b++) count += s.c.t[t].hist[b];
        assert_true(s.c.t[t].min == lo && s.c.t[t].max == hi);
        assert_int_equal(count, 7 * lt_shape_size(sh));
        assert_int_equal(count, s.c.t[t].count);
        for (int k = 0; k < sh.c; k++) assert_true(fabs(mean[k] - s.c.t[t].mean[k]) < 1e-5);
    }
    lt_exec_free(&e);
    drop(&s);
}

/* ---- multipliers ---- */

static void multipliers_are_as_precise_as_they_can_be(void **state)
{
    (void)state;
    lt_rng r = lt_rng_make(3, 3);
    for (int i = 0; i < 500; i++) {
        enum { K = 5 };
        double real[K], res = lt_rng_below(&r, 2) ? fmin(exp(2 * lt_rng_normal(&r)), 200) : 0, top = 0;
        uint16_t mult[K];
        int bits = lt_rng_range(&r, 8, 16);
        lt_err err;
        qlayer l = {.k = K, .mult = mult};
        for (int k = 0; k < K; k++) top = fmax(top, real[k] = exp(3 * lt_rng_normal(&r) - 5));
        assert_int_equal(lt_quant_requant(&l, real, res, bits, &err), LT_OK);
        bool full = l.shift == 47;
        for (int k = 0; k < K; k++) {
            assert_in_range(mult[k], 1, (1 << bits) - 1);
            assert_true(fabs(ldexp(mult[k], -l.shift) - real[k]) <= ldexp(0.5, -l.shift) || mult[k] == 1);
            full |= real[k] == top && mult[k] >= 1 << (bits - 1);
        }
        assert_in_range(l.res_mult, 0, (1 << bits) - 1);
        assert_true(fabs(ldexp(l.res_mult, -l.shift) - res) <= ldexp(0.5, -l.shift));
        assert_true(full || l.res_mult >= 1 << (bits - 1)); /* one more shift would not fit */
    }
    double huge[1] = {300};
    uint16_t m[1];
    lt_err err;
    qlayer l = {.name = "big", .k = 1, .mult = m};
    assert_int_equal(lt_quant_requant(&l, huge, 0, 8, &err), LT_EINPUT);
    assert_non_null(strstr(err.msg, "big: "));
    huge[0] = NAN;
    assert_int_equal(lt_quant_requant(&l, huge, 0, 16, &err), LT_EINPUT);
}

/* ---- quantisation ---- */

static void quantise(const setup *s, const lt_quant_options *o, qnet *q)
{
    lt_err err;
    if (lt_quantize(&s->g, &s->c, o, q, &err) != LT_OK) fail_msg("%s", err.msg);
}

static void network_by_construction(void **state)
{
    (void)state;
    setup s = make(tiny_graph(), 32);
    lt_quant_options o = lt_quant_defaults();
    qnet q;
    o.method = LT_CALIB_MINMAX;
    o.w_mse = o.bias_correct = false;
    quantise(&s, &o, &q);
    assert_int_equal(q.n_layers, 5);
    assert_int_equal(q.classes, 3);
    /* input: the largest |(byte/255 - .5) / .25| = 2 becomes 127; halves away from zero */
    assert_true(fabs(q.tensors[0].scale - 2.0 / 127) < 1e-12);
    assert_int_equal(q.input_table[0], -127);
    assert_int_equal(q.input_table[255], 127);
    for (int b = 0; b < 256; b++) {
        double v = (b / 255.0 - 0.5) / 0.25 * 127 / 2;
        assert_int_equal(q.input_table[256 + b], (int)(v < 0 ? -floor(-v + 0.5) : floor(v + 0.5)));
    }
    /* ReLU and the upper clip: unsigned, 0..round(1 / scale) */
    assert_false(q.tensors[1].is_signed);
    assert_int_equal(q.layers[0].lo, 0);
    assert_int_equal(q.layers[0].hi, (int)fmin(255, floor(1.0 / q.tensors[1].scale + 0.5)));
    /* the add went into the second convolution; its result may be negative */
    assert_int_equal(q.layers[1].op, QOP_CONV);
    assert_int_equal(q.layers[1].res, 1);
    assert_true(q.tensors[2].is_signed);
    /* max pooling keeps the numbers, average pooling divides in the multiplier */
    assert_int_equal(q.layers[2].op, QOP_MAXPOOL);
    assert_true(q.tensors[3].scale == q.tensors[2].scale);
    assert_int_equal(q.layers[2].mult[0], 1);
    assert_int_equal(q.layers[2].shift, 0);
    assert_int_equal(q.layers[3].op, QOP_SUMPOOL);
    double real = ldexp(q.layers[3].mult[0], -q.layers[3].shift), want = q.tensors[3].scale / q.tensors[4].scale / 16;
    assert_true(fabs(real - want) < want * 1e-4);
    /* weights: w * step = what the multiplier says, nothing clipped, and no step wasted */
    const qlayer *l = &q.layers[0];
    for (int k = 0; k < 4; k++) {
        double step = ldexp(l->mult[k], -l->shift) * q.tensors[1].scale / q.tensors[0].scale;
        int most = 0;
        for (int i = 0; i < 27; i++) {
            double w = (double)s.g.nodes[1].weight[k * 27 + i];
            assert_true(fabs(w - step * l->w[k * 27 + i]) <= 0.5001 * step);
            most = abs(l->w[k * 27 + i]) > most ? abs(l->w[k * 27 + i]) : most;
        }
        assert_true(most == 127 ||
                    (k == 2 && most > 100)); /* the tiny channel has a coarse multiplier, not a useless one */
        assert_true(fabs(l->bias[k] * step * q.tensors[0].scale - 0.1 * k) < step * q.tensors[0].scale);
    }
    qnet_free(&q);
    drop(&s);
}

/* Root mean square of (integer - float) over that of float, at every tensor, on the calibration images. */
static double worst_error(const setup *s, const qnet *q)
{
    fast_net *f = fast_new(q, FAST_BEST);
    fast_work *w = fast_work_new(f);
    lt_exec e;
    lt_err err;
    double *num = calloc((size_t)q->n_tensors, sizeof *num), *den = calloc((size_t)q->n_tensors, sizeof *den),
           worst = 0;
    assert_int_equal(lt_exec_init(&e, &s->g, &err), LT_OK);
    for (size_t i = 0; i < 8; i++) {
        lt_preprocess(&s->g.pre, s->g.nodes[0].shape, lt_dataset_image(&s->d, i), e.t[0]);
        for (int k = 1; k < s->g.n_nodes; k++) lt_exec_node(&e, k);
        fast_input(w, lt_dataset_image(&s->d, i));
        fast_run(w, 0, q->n_layers - 1);
        for (int t = 0; t < q->n_tensors; t++) {
            size_t n = qtensor_size(&q->tensors[t]);
            int16_t *v = malloc(n * sizeof *v);
            fast_get(w, t, v);
            for (size_t k = 0; k < n; k++) {
                double d = v[k] * q->tensors[t].scale - (double)e.t[t][k];
                num[t] += d * d;
                den[t] += (double)e.t[t][k] * (double)e.t[t][k];
            }
            free(v);
        }
    }
    for (int t = 0; t < q->n_tensors; t++) worst = fmax(worst, sqrt(num[t] / den[t]));
    free(num);
    free(den);
    lt_exec_free(&e);
    fast_work_free(w);
    fast_free(f);
    return worst;
}

static void integers_follow_the_float_network(void **state)
{
    (void)state;
    lt_err err;
    lt_graph g;
    if (lt_resnet20_random(1, &g, &err) != LT_OK) fail_msg("%s", err.msg);
    assert_int_equal(lt_graph_lower(&g, &err), LT_OK);
    assert_int_equal(lt_graph_align(&g, 16, &err), LT_OK);
    setup s = make(g, 32);
    double last = 0;
    for (int method = LT_CALIB_MINMAX; method <= LT_CALIB_MSE; method++)
        for (int bits = 8; bits >= 4; bits -= 2) {
            lt_quant_options o = lt_quant_defaults();
            qnet q;
            o.w_bits = o.a_bits = o.edge_bits = bits;
            o.method = (lt_calib_method)method;
            quantise(&s, &o, &q);
            double e = worst_error(&s, &q);
            print_message("method %d, %d bits: worst relative error %.3f\n", method, bits, e);
            assert_true(e < (bits == 8 ? 0.1 : bits == 6 ? 0.4 : 1.2));
            if (bits < 8) assert_true(e > last);
            last = e;
            qnet_free(&q);
        }
    /* a narrow multiplier costs little: the weights absorb its rounding */
    lt_quant_options o = lt_quant_defaults();
    qnet q;
    o.mult_bits = 8;
    quantise(&s, &o, &q);
    assert_true(worst_error(&s, &q) < 0.1);
    for (int i = 0; i < q.n_layers; i++)
        for (int k = 0; k < q.layers[i].k; k++) assert_true(q.layers[i].mult[k] < 256);
    qnet_free(&q);
    drop(&s);
}

static void bits_are_obeyed(void **state)
{
    (void)state;
    setup s = make(tiny_graph(), 16);
    for (int bits = 2; bits <= 8; bits++) {
        lt_quant_options o = lt_quant_defaults();
        qnet q;
        o.w_bits = o.a_bits = bits;
        o.n_overrides = 1;
        o.override[0] = (lt_quant_override){.name = "sec*", .w_bits = 5, .a_bits = 3};
        quantise(&s, &o, &q);
        assert_int_equal(q.layers[0].w_bits, 8); /* first and last: edge_bits */
        assert_int_equal(q.layers[4].w_bits, 8);
        assert_int_equal(q.layers[1].w_bits, 5);
        assert_int_equal(q.tensors[1].bits, bits);
        assert_int_equal(q.tensors[2].bits, 3);
        assert_int_equal(q.tensors[3].bits, 3); /* max pooling keeps them */
        assert_int_equal(q.tensors[4].bits, bits);
        assert_int_equal(q.tensors[5].bits, 8); /* the result */
        for (int i = 0; i < 16; i++) assert_in_range(q.layers[1].w[i] + 15, 0, 30);
        qnet_free(&q);
        o.edge_bits = 0;
        quantise(&s, &o, &q);
        assert_int_equal(q.layers[0].w_bits, bits);
        qnet_free(&q);
    }
    drop(&s);
}

static void refused(const setup *s, const lt_quant_options *o, const char *part)
{
    qnet q;
    lt_err err = {0};
    assert_int_equal(lt_quantize(&s->g, &s->c, o, &q, &err), LT_EINPUT);
    if (!strstr(err.msg, part)) fail_msg("message '%s' does not contain '%s'", err.msg, part);
}

static void what_cannot_be_done_is_refused(void **state)
{
    (void)state;
    setup s = make(tiny_graph(), 8);
    lt_quant_options o = lt_quant_defaults();
    o.acc_bits = 12;
    refused(&s, &o, "first: channel 0: the accumulator can reach");
    o = lt_quant_defaults();
    o.n_overrides = 1;
    o.override[0] = (lt_quant_override){.name = "conv9", .w_bits = 4};
    refused(&s, &o, "override 'conv9' matches no layer");
    o = lt_quant_defaults();
    o.w_bits = 9;
    refused(&s, &o, "weight bits 9");
    o = lt_quant_defaults();
    o.mult_bits = 17;
    refused(&s, &o, "mult_bits 17");
    o = lt_quant_defaults();
    s.g.nodes[1].stride_w = 2;
    s.g.nodes[1].shape.w = 4;
    refused(&s, &o, "first: strides 1,2; the hardware has one stride");
    s.g.nodes[1].stride_w = 1;
    s.g.nodes[1].shape.w = 8;
    s.g.nodes[1].dil_h = 2;
    refused(&s, &o, "first: dilations 2,1");
    s.g.nodes[1].dil_h = 1;
    s.g.nodes[4].pad_t = 1; /* gap, padding left out of the divisor */
    s.g.nodes[4].stride_h = s.g.nodes[4].stride_w = 2;
    refused(&s, &o, "gap: average pooling that leaves padding out of the divisor");
    s.g.nodes[4].pad_t = 0;
    drop(&s);
}

/* Channels that training switched off (weights near 0, a bias) must not blow up the accumulator. */
static void dead_channels(void **state)
{
    (void)state;
    setup s = make(tiny_graph(), 8);
    for (int i = 0; i < 27; i++) {
        s.g.nodes[1].weight[i] = 0;
        s.g.nodes[1].weight[27 + i] *= 1e-9f;
    }
    s.g.nodes[1].bias[0] = 0.25f;
    s.g.nodes[1].bias[1] = -0.5f;
    lt_calib_free(&s.c);
    lt_err err;
    assert_int_equal(lt_calib_run(&s.c, &s.g, &s.d, 8, &err), LT_OK);
    for (int mult = 8; mult <= 16; mult += 8) {
        lt_quant_options o = lt_quant_defaults();
        qnet q;
        o.acc_bits = 20;
        o.mult_bits = mult;
        quantise(&s, &o, &q);
        assert_true(worst_error(&s, &q) < 0.1);
        qnet_free(&q);
    }
    drop(&s);
}

/* ---- files and the whole pipeline ---- */

static void override_files(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part; /* NULL: accepted */
    } cases[] = {{"# all\nconv1 w_bits=4 a_bits=3 # first\n\n  layer1* a_bits=6\r\n", NULL},
                 {"conv1\n", ":1: conv1: nothing set"},
                 {"\nconv1 w_bits=9\n", ":2: conv1: got 'w_bits=9', expected w_bits=2..8"},
                 {"conv1 bits=4", "got 'bits=4'"},
                 {"conv1 w_bits=4x", "got 'w_bits=4x'"},
                 {"conv1 w_bits=", "got 'w_bits='"}};
    char path[] = P_tmpdir "/lutra_overXXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lt_quant_options o = lt_quant_defaults();
        lt_err err = {0};
        FILE *f = fopen(path, "w");
        fputs(cases[i].text, f);
        fclose(f);
        lt_code rc = lt_quant_read_overrides(path, &o, &err);
        if (cases[i].part) {
            assert_int_equal(rc, LT_EINPUT);
            if (!strstr(err.msg, cases[i].part)) fail_msg("message '%s' does not contain '%s'", err.msg, cases[i].part);
        } else {
            assert_int_equal(rc, LT_OK);
            assert_int_equal(o.n_overrides, 2);
            assert_int_equal(o.override[0].w_bits, 4);
            assert_int_equal(o.override[0].a_bits, 3);
            assert_string_equal(o.override[1].name, "layer1*");
            assert_int_equal(o.override[1].w_bits, 0);
        }
    }
    unlink(path);
}

static void preparing_twice_gives_the_same_bytes(void **state)
{
    (void)state;
    lt_buf b[2] = {{0}};
    for (int i = 0; i < 2; i++) {
        lt_prep_options o = lt_prep_defaults();
        lt_prep p;
        lt_err err;
        o.calib_images = 16;
        if (lt_prep_dense(&o, &p, &err) != LT_OK) fail_msg("%s", err.msg);
        assert_false(p.real);
        assert_int_equal(p.net.n_layers, p.graph.n_nodes - 1);
        assert_int_equal(lt_qnet_pack(&p.net, &b[i], &err), LT_OK);
        lt_prep_free(&p);
    }
    assert_int_equal(b[0].len, b[1].len);
    assert_memory_equal(b[0].data, b[1].data, b[0].len);
    lt_buf_free(&b[0]);
    lt_buf_free(&b[1]);
}

static void missing_things_are_reported(void **state)
{
    (void)state;
    lt_prep_options o = lt_prep_defaults();
    lt_prep p;
    lt_err err;
    o.model = "no/such/model.onnx";
    assert_int_equal(lt_prep_dense(&o, &p, &err), LT_EIO);
    assert_non_null(strstr(err.msg, "no/such/model.onnx: No such file"));
    o.model = "resnet20";
    o.data_dir = "no/such/folder";
    assert_int_equal(lt_prep_dense(&o, &p, &err), LT_EIO);
    o.data_dir = NULL;
    o.calib_images = 4;
    o.quant.acc_bits = 14;
    assert_int_equal(lt_prep_dense(&o, &p, &err), LT_EINPUT);
}

static void real_resnet20_keeps_its_accuracy(void **state)
{
    (void)state;
    enum { IMAGES = 1000 };
    lt_prep_options o = lt_prep_defaults();
    lt_prep p;
    lt_err err;
    lt_dataset d;
    int right, float_right;
    o.data_dir = getenv("DATA");
    if (!o.data_dir || !o.data_dir[0]) {
        print_message("DATA is not set: the real ResNet20 is not tried\n");
        skip();
    }
    o.calib_images = 128;
    if (lt_prep_dense(&o, &p, &err) != LT_OK) fail_msg("%s", err.msg);
    assert_true(p.real);
    if (lt_cifar10_load(&d, o.data_dir, LT_TEST, IMAGES, &err) != LT_OK) fail_msg("%s", err.msg);
    assert_int_equal(golden_accuracy(&p.net, d.pixels, d.labels, d.n, NULL, &right, &err), LT_OK);
    assert_int_equal(lt_exec_accuracy(&p.graph, &d, d.n, &float_right, &err), LT_OK);
    print_message("of %d images: float %d, int8 %d right\n", IMAGES, float_right, right);
    assert_true(float_right > 900 && abs(right - float_right) <= 10);
    lt_dataset_free(&d);
    lt_prep_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scales_by_method),
        cmocka_unit_test(statistics_are_exact),
        cmocka_unit_test(multipliers_are_as_precise_as_they_can_be),
        cmocka_unit_test(network_by_construction),
        cmocka_unit_test(integers_follow_the_float_network),
        cmocka_unit_test(bits_are_obeyed),
        cmocka_unit_test(what_cannot_be_done_is_refused),
        cmocka_unit_test(dead_channels),
        cmocka_unit_test(override_files),
        cmocka_unit_test(preparing_twice_gives_the_same_bytes),
        cmocka_unit_test(missing_things_are_reported),
        cmocka_unit_test(real_resnet20_keeps_its_accuracy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
