/* ONNX import: what each operator becomes; with DATA set also the real networks against logits computed elsewhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>

#include "base/file.h"
#include "model/exec.h"
#include "onnx_check.h"

/* Output of g for this input; the caller frees. */
static float *run(const lt_graph *g, const float *x)
{
    lt_exec e;
    lt_err err;
    size_t n = lt_shape_size(g->nodes[g->output].shape);
    float *y = malloc(n * sizeof *y);
    assert_int_equal(lt_exec_init(&e, g, &err), LT_OK);
    lt_exec_run(&e, x);
    memcpy(y, e.t[g->output], n * sizeof *y);
    lt_exec_free(&e);
    return y;
}

static void assert_close(const float *got, const float *want, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!(fabsf(got[i] - want[i]) <= 1e-4f * (1 + fabsf(want[i]))))
            fail_msg("value %zu: got %g, expected %g", i, (double)got[i], (double)want[i]);
}

/* Imports m, checks the output shape and that the graph computes `want` for input x, imported and lowered. */
static void check(onnx_make *m, const float *x, lt_shape shape, const float *want)
{
    lt_graph g;
    lt_err err;
    if (import(m, &g, &err) != LT_OK) fail_msg("%s", err.msg);
    for (int pass = 0; pass < 2; pass++) {
        lt_shape s = g.nodes[g.output].shape;
        if (!pass) {
            assert_int_equal(s.c, shape.c);
            assert_int_equal(s.h, shape.h);
            assert_int_equal(s.w, shape.w);
        }
        assert_int_equal(lt_shape_size(s), lt_shape_size(shape));
        float *y = run(&g, x);
        assert_close(y, want, lt_shape_size(shape));
        free(y);
        if (!pass && lt_graph_lower(&g, &err) != LT_OK) fail_msg("%s", err.msg);
    }
    for (int i = 0; i < g.n_nodes; i++) assert_in_range(g.nodes[i].op, NODE_INPUT, NODE_ADD);
    lt_graph_free(&g);
}

/* Straightforward convolution, y[K][P][Q]. */
typedef struct {
    int c, h, w, k, r, s, sh, sw, dh, dw, groups, pt, pl, pb, pr;
} conv_case;

static float *naive_conv(const conv_case *q, const float *x, const float *w, const float *b, lt_shape *out)
{
    int p = (q->h + q->pt + q->pb - q->dh * (q->r - 1) - 1) / q->sh + 1,
        o = (q->w + q->pl + q->pr - q->dw * (q->s - 1) - 1) / q->sw + 1, cg = q->c / q->groups, kg = q->k / q->groups;
    float *y = malloc((size_t)(q->k * p * o) * sizeof *y);
    *out = (lt_shape){q->k, p, o};
    for (int k = 0; k < q->k; k++)
        for (int i = 0; i < p; i++)
            for (int j = 0; j < o; j++) {
                double sum = b ? (double)b[k] : 0;
                for (int c = 0; c < cg; c++)
                    for (int r = 0; r < q->r; r++)
                        for (int s = 0; s < q->s; s++) {
                            int yy = i * q->sh + r * q->dh - q->pt, xx = j * q->sw + s * q->dw - q->pl;
                            if (yy < 0 || yy >= q->h || xx < 0 || xx >= q->w) continue;
                            sum += (double)x[((k / kg * cg + c) * q->h + yy) * q->w + xx] *
                                   (double)w[((k * cg + c) * q->r + r) * q->s + s];
                        }
                y[(k * p + i) * o + j] = (float)sum;
            }
    return y;
}

static void convolutions(void **state)
{
    (void)state;
    static const conv_case cases[] = {
        {3, 8, 8, 4, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1},  {3, 9, 7, 5, 3, 2, 2, 1, 1, 1, 1, 0, 1, 2, 0},
        {4, 8, 8, 6, 1, 1, 2, 2, 1, 1, 2, 0, 0, 0, 0},  {4, 9, 9, 4, 3, 3, 1, 1, 2, 2, 4, 2, 2, 2, 2},
        {6, 10, 6, 6, 5, 1, 1, 1, 1, 1, 3, 2, 0, 2, 0}, {2, 11, 12, 3, 3, 3, 2, 3, 2, 1, 1, 1, 2, 3, 0},
        {1, 4, 4, 1, 4, 4, 1, 1, 1, 1, 1, 0, 0, 0, 0},  {4, 5, 5, 8, 3, 3, 1, 1, 1, 1, 4, 1, 1, 1, 1},
    };
    lt_rng r = lt_rng_make(1, 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const conv_case *q = &cases[i];
        onnx_make m;
        lt_shape shape;
        float *x = random_floats(&r, (size_t)(q->c * q->h * q->w));
        float *w = random_floats(&r, (size_t)(q->k * q->c / q->groups * q->r * q->s)),
              *b = random_floats(&r, (size_t)q->k);
        float *want = naive_conv(q, x, w, i % 2 ? b : NULL, &shape);
        om_begin(&m, q->c, q->h, q->w);
        om_floats(&m, "w", OM_DIMS(q->k, q->c / q->groups, q->r, q->s), w);
        om_floats(&m, "b", OM_DIMS(q->k), b);
        om_node(&m, "Conv", i % 2 ? "x w b" : "x w", "y");
        om_list(&m, "kernel_shape", 2, (int64_t[]){q->r, q->s});
        om_list(&m, "strides", 2, (int64_t[]){q->sh, q->sw});
        om_list(&m, "dilations", 2, (int64_t[]){q->dh, q->dw});
        om_list(&m, "pads", 4, (int64_t[]){q->pt, q->pl, q->pb, q->pr});
        om_int(&m, "group", q->groups);
        check(&m, x, shape, want);
        om_end(&m);
        free(x);
        free(w);
        free(b);
        free(want);
    }
}

static void auto_pad(void **state)
{
    (void)state;
    /* SAME_UPPER of a 2-wide kernel pads after, SAME_LOWER before; 1-channel 1x4 input 1 2 3 4, weights 1 10 */
    const float x[] = {1, 2, 3, 4}, w[] = {1, 10};
    const float upper[] = {21, 32, 43, 4}, lower[] = {10, 21, 32, 43}, valid[] = {21, 32, 43};
    const char *modes[] = {"SAME_UPPER", "SAME_LOWER", "VALID"};
    const float *want[] = {upper, lower, valid};
    for (int i = 0; i < 3; i++) {
        onnx_make m;
        om_begin(&m, 1, 1, 4);
        om_floats(&m, "w", OM_DIMS(1, 1, 1, 2), w);
        om_node(&m, "Conv", "x w", "y");
        om_text(&m, "auto_pad", modes[i]);
        check(&m, x, (lt_shape){1, 1, i < 2 ? 4 : 3}, want[i]);
        om_end(&m);
    }
}

static void batch_norm_folds(void **state)
{
    (void)state;
    const float x[] = {1, 2, 3, 4}, w[] = {2, -1}, gamma[] = {3, 1}, beta[] = {0.5f, -1}, mean[] = {1, 2},
                var[] = {4, 0.25f};
    float want[8];
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < 4; i++)
            want[k * 4 + i] = (w[k] * x[i] - mean[k]) / sqrtf(var[k] + 0.01f) * gamma[k] + beta[k];
    for (int twice = 0; twice < 2; twice++) {
        onnx_make m;
        om_begin(&m, 1, 2, 2);
        om_floats(&m, "w", OM_DIMS(2, 1, 1, 1), w);
        om_floats(&m, "g", OM_DIMS(2), gamma);
        om_floats(&m, "b", OM_DIMS(2), beta);
        om_floats(&m, "m", OM_DIMS(2), mean);
        om_floats(&m, "v", OM_DIMS(2), var);
        om_node(&m, "Conv", "x w", "c");
        om_node(&m, "BatchNormalization", "c g b m v", twice ? "d" : "y");
        om_float(&m, "epsilon", 0.01f);
        if (twice) { /* not after a convolution, with a clip between: becomes a depthwise convolution of its own */
            om_node(&m, "Relu", "d", "e");
            om_node(&m, "BatchNormalization", "e g b m v", "y");
            om_float(&m, "epsilon", 0.01f);
            for (int i = 0; i < 8; i++)
                want[i] = (fmaxf(want[i], 0) - mean[i / 4]) / sqrtf(var[i / 4] + 0.01f) * gamma[i / 4] + beta[i / 4];
        }
        check(&m, x, (lt_shape){2, 2, 2}, want);
        om_end(&m);
    }
}

static void activations(void **state)
{
    (void)state;
    const float x[] = {-3, -0.5f, 2, 9}, w[] = {1};
    for (int kind = 0; kind < 5; kind++) {
        onnx_make m;
        const float lo[] = {-1}, hi[] = {6};
        float want[4];
        om_begin(&m, 1, 2, 2);
        om_floats(&m, "w", OM_DIMS(1, 1, 1, 1), w);
        om_floats(&m, "lo", 0, NULL, lo);
        om_floats(&m, "hi", 0, NULL, hi);
        om_node(&m, "Conv", "x w", "c");
        om_node(&m, kind == 0 ? "Relu" : "Clip",
                kind == 2   ? "c lo hi"
                : kind == 3 ? "c - hi"
                            : "c",
                kind == 4 ? "d" : "y");
        if (kind == 1) om_float(&m, "min", 0), om_float(&m, "max", 6);
        if (kind == 4) { /* a clip of a clip; the first one's value has another reader */
            om_float(&m, "max", 6);
            om_node(&m, "Relu", "d", "e");
            om_node(&m, "Add", "d e", "y");
        }
        for (int i = 0; i < 4; i++) {
            want[i] = x[i];
            if (kind == 0 || kind == 1) want[i] = fmaxf(want[i], 0);
            if (kind == 2) want[i] = fmaxf(want[i], -1);
            if (kind >= 1) want[i] = fminf(want[i], 6);
            if (kind == 4) want[i] += fmaxf(want[i], 0);
        }
        check(&m, x, (lt_shape){1, 2, 2}, want);
        om_end(&m);
    }
}

static void fully_connected(void **state)
{
    (void)state;
    const float x[] = {1, 2, 3, 4}, b[] = {1, 2, 3, 4, 5, 6, 7, 8}, c[] = {100, 200};
    const float trans[] = {30, 70}, plain[] = {1 + 6 + 15 + 28, 2 + 8 + 18 + 32};
    for (int kind = 0; kind < 4; kind++) {
        onnx_make m;
        float want[2];
        om_begin(&m, 1, 2, 2);
        om_floats(&m, "bt", OM_DIMS(2, 4), b);
        om_floats(&m, "b", OM_DIMS(4, 2), b);
        om_floats(&m, "c", OM_DIMS(1, 2), c);
        if (kind % 2)
            om_node(&m, "Flatten", "x", "f");
        else
            om_ints(&m, "shape", 2, (int64_t[]){kind == 0 ? -1 : 0, kind == 0 ? 4 : -1}),
                om_node(&m, "Reshape", "x shape", "f");
        if (kind < 2) {
            om_node(&m, "Gemm", "f bt c", "y");
            om_int(&m, "transB", 1);
            om_float(&m, "alpha", 2);
            om_float(&m, "beta", 0.5f);
            for (int k = 0; k < 2; k++) want[k] = 2 * trans[k] + 0.5f * c[k];
        } else {
            om_node(&m, "MatMul", "f b", kind == 2 ? "y" : "g");
            if (kind == 3) om_node(&m, "Add", "g c", "y");
            for (int k = 0; k < 2; k++) want[k] = plain[k] + (kind == 3 ? c[k] : 0);
        }
        check(&m, x, (lt_shape){2, 1, 1}, want);
        om_end(&m);
    }
}

static void pooling(void **state)
{
    (void)state;
    float x[20];
    for (int i = 0; i < 20; i++) x[i] = (float)((i * 7) % 20) - 8; /* 1 x 4 x 5 */
    static const struct {
        const char *op;
        int r, s, stride, pt, pl, pb, pr, ceil, count_pad;
    } cases[] = {{"MaxPool", 2, 2, 2, 0, 0, 0, 0, 0, 0},     {"MaxPool", 3, 3, 2, 1, 1, 1, 1, 0, 0},
                 {"MaxPool", 2, 2, 2, 0, 0, 0, 0, 1, 0},     {"AveragePool", 2, 2, 1, 0, 0, 0, 0, 0, 0},
                 {"AveragePool", 3, 3, 2, 1, 1, 1, 1, 0, 0}, {"AveragePool", 3, 3, 2, 1, 1, 1, 1, 0, 1},
                 {"AveragePool", 2, 2, 2, 0, 0, 0, 0, 1, 0}, {"GlobalAveragePool", 4, 5, 1, 0, 0, 0, 0, 0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        onnx_make m;
        float want[20];
        int r = cases[i].r, s = cases[i].s, st = cases[i].stride, room_h = 4 + cases[i].pt + cases[i].pb - r,
            room_w = 5 + cases[i].pl + cases[i].pr - s, up = cases[i].ceil ? st - 1 : 0;
        int p = (room_h + up) / st + 1, q = (room_w + up) / st + 1;
        for (int a = 0; a < p; a++)
            for (int b = 0; b < q; b++) {
                float sum = 0, top = -INFINITY;
                int n = 0;
                for (int k = 0; k < r * s; k++) {
                    int yy = a * st + k / s - cases[i].pt, xx = b * st + k % s - cases[i].pl;
                    if (yy < 0 || yy >= 4 || xx < 0 || xx >= 5) continue;
                    sum += x[yy * 5 + xx];
                    top = fmaxf(top, x[yy * 5 + xx]);
                    n++;
                }
                want[a * q + b] = cases[i].op[0] == 'M' ? top : sum / (float)(cases[i].count_pad ? r * s : n);
            }
        om_begin(&m, 1, 4, 5);
        om_node(&m, cases[i].op, "x", "y");
        if (cases[i].op[0] != 'G') {
            om_list(&m, "kernel_shape", 2, (int64_t[]){r, s});
            om_list(&m, "strides", 2, (int64_t[]){st, st});
            om_list(&m, "pads", 4, (int64_t[]){cases[i].pt, cases[i].pl, cases[i].pb, cases[i].pr});
            om_int(&m, "ceil_mode", cases[i].ceil);
            om_int(&m, "count_include_pad", cases[i].count_pad);
        }
        check(&m, x, (lt_shape){1, p, q}, want);
        om_end(&m);
    }
}

/* The many ways to write a ResNet option-A shortcut: subsample by 2, one zero channel before and two after. */
static void option_a_shortcuts(void **state)
{
    (void)state;
    enum { C = 2, K = 5, H = 6, W = 4, P = 3, Q = 2 };
    lt_rng r = lt_rng_make(5, 5);
    float *x = random_floats(&r, C * H * W), *w = random_floats(&r, K * C * 4), *main_path, want[K * P * Q];
    lt_shape s;
    main_path = naive_conv(&(conv_case){C, H, W, K, 2, 2, 2, 2, 1, 1, 1, 0, 0, 0, 0}, x, w, NULL, &s);
    for (int k = 0; k < K; k++)
        for (int p = 0; p < P; p++)
            for (int q = 0; q < Q; q++) {
                float res = k >= 1 && k < 3 ? x[((k - 1) * H + 2 * p) * W + 2 * q] : 0;
                want[(k * P + p) * Q + q] = fmaxf(main_path[(k * P + p) * Q + q] + res, 0);
            }
    for (int kind = 0; kind < 4; kind++) {
        onnx_make m;
        om_begin(&m, C, H, W);
        om_floats(&m, "w", OM_DIMS(K, C, 2, 2), w);
        om_node(&m, "Conv", "x w", "c");
        om_list(&m, "strides", 2, (int64_t[]){2, 2});
        if (kind == 0) { /* one slice of both axes, one pad */
            om_ints(&m, "st", 2, (int64_t[]){0, 0});
            om_ints(&m, "en", 2, (int64_t[]){INT64_MAX, 1000});
            om_ints(&m, "ax", 2, (int64_t[]){2, -1});
            om_ints(&m, "sp", 2, (int64_t[]){2, 2});
            om_ints(&m, "pads", 8, (int64_t[]){0, 1, 0, 0, 0, 2, 0, 0});
            om_node(&m, "Slice", "x st en ax sp", "s");
            om_node(&m, "Pad", "s pads", "z");
        } else if (kind < 3) { /* PyTorch: a slice per axis; pads computed, or zeros concatenated */
            om_const_ints(&m, "zero", 1, (int64_t[]){0});
            om_const_ints(&m, "end", 1, (int64_t[]){INT64_MAX});
            om_const_ints(&m, "a2", 1, (int64_t[]){2});
            om_const_ints(&m, "a3", 1, (int64_t[]){3});
            om_node(&m, "Slice", "x zero end a2 a2", "s2");
            om_node(&m, "Slice", "s2 zero end a3 a2", "s");
            if (kind == 1) { /* torch's order: last axis first, (before, after) pairs */
                om_const_ints(&m, "six", 6, (int64_t[]){0, 0, 0, 0, 1, 2});
                om_const_ints(&m, "two", 1, (int64_t[]){2});
                om_node(&m, "ConstantOfShape", "two", "zeros");
                Onnx__AttributeProto *v = om_attr(&m, "value", ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR);
                v->t = om_tensor(&m, "", ONNX__TENSOR_PROTO__DATA_TYPE__INT64, OM_DIMS(1));
                om_raw(&m, v->t, (int64_t[]){0}, 8);
                om_node(&m, "Concat", "six zeros", "eight");
                om_int(&m, "axis", 0);
                om_const_ints(&m, "m12", 2, (int64_t[]){-1, 2});
                om_node(&m, "Cast", "eight", "eight_i");
                om_int(&m, "to", 7);
                om_node(&m, "Reshape", "eight_i m12", "pairs");
                om_const_ints(&m, "minus", 1, (int64_t[]){-1});
                om_const_ints(&m, "far", 1, (int64_t[]){-INT64_MAX});
                om_node(&m, "Slice", "pairs minus far zero minus", "flipped");
                om_node(&m, "Transpose", "flipped", "turned");
                om_list(&m, "perm", 2, (int64_t[]){1, 0});
                om_node(&m, "Reshape", "turned minus", "flat");
                om_node(&m, "Cast", "flat", "pads");
                om_int(&m, "to", 7);
                om_node(&m, "Pad", "s pads", "z");
                om_text(&m, "mode", "constant");
            } else {
                const float none[2 * P * Q] = {0};
                om_floats(&m, "before", OM_DIMS(1, 1, P, Q), none);
                om_floats(&m, "after", OM_DIMS(1, 2, P, Q), none);
                om_node(&m, "Concat", "before s after", "z");
                om_int(&m, "axis", 1);
            }
        } else { /* as a convolution */
            float eye[K * C] = {0};
            eye[1 * C + 0] = eye[2 * C + 1] = 1;
            om_floats(&m, "eye", OM_DIMS(K, C, 1, 1), eye);
            om_node(&m, "Conv", "x eye", "z");
            om_list(&m, "strides", 2, (int64_t[]){2, 2});
        }
        om_node(&m, "Add", kind % 2 ? "z c" : "c z", "sum");
        om_node(&m, "Relu", "sum", "y");
        check(&m, x, (lt_shape){K, P, Q}, want);
        /* it is an attribute of the convolution that adds it, not a layer */
        lt_graph g;
        lt_err err;
        assert_int_equal(import(&m, &g, &err), LT_OK);
        assert_int_equal(lt_graph_lower(&g, &err), LT_OK);
        assert_int_equal(g.n_nodes, kind == 3 ? 3 : 2);
        const lt_node *n = &g.nodes[g.output];
        assert_int_equal(n->op, NODE_CONV);
        assert_true(n->lo == 0);
        assert_int_equal(n->res_step, kind == 3 ? 1 : 2);
        assert_int_equal(n->res_c_off, kind == 3 ? 0 : 1);
        lt_graph_free(&g);
        om_end(&m);
    }
    free(x);
    free(w);
    free(main_path);
}

static void padding_before_convolution(void **state)
{
    (void)state;
    enum { C = 2, H = 5, W = 5, K = 3 };
    lt_rng r = lt_rng_make(6, 5);
    float *x = random_floats(&r, C * H * W), *w = random_floats(&r, K * C * 9);
    lt_shape s;
    float *want = naive_conv(&(conv_case){C, H, W, K, 3, 3, 2, 2, 1, 1, 1, 0, 1, 2, 1}, x, w, NULL, &s);
    onnx_make m;
    om_begin(&m, C, H, W);
    om_floats(&m, "w", OM_DIMS(K, C, 3, 3), w);
    om_ints(&m, "pads", 8, (int64_t[]){0, 0, 0, 1, 0, 0, 2, 1});
    om_node(&m, "Pad", "x pads", "p");
    om_node(&m, "Conv", "p w", "y");
    om_list(&m, "strides", 2, (int64_t[]){2, 2});
    check(&m, x, s, want);
    lt_graph g;
    lt_err err;
    assert_int_equal(import(&m, &g, &err), LT_OK);
    assert_int_equal(g.n_nodes, 2); /* the convolution's own padding */
    lt_graph_free(&g);
    /* any other reader gets a padded tensor */
    m.nodes[1]->op_type = om_str(&m, "Relu");
    m.nodes[1]->n_input = 1;
    m.nodes[1]->n_attribute = 0;
    float padded[C * 7 * 7] = {0};
    for (int c = 0; c < C; c++)
        for (int i = 0; i < H * W; i++) padded[(c * 7 + i / W) * 7 + i % W + 1] = fmaxf(x[c * H * W + i], 0);
    check(&m, x, (lt_shape){C, 7, 7}, padded);
    om_end(&m);
    free(x);
    free(w);
    free(want);
}

/* view(x.size(0), -1) as PyTorch exports it, Identity, Dropout, and a Softmax that is left out. */
static void shape_arithmetic(void **state)
{
    (void)state;
    const float x[] = {1, 2, 3, 4, 5, 6, 7, 8}, b[] = {1, 1, 1, 1, 1, 1, 1, 1};
    onnx_make m;
    om_begin(&m, 2, 2, 2);
    om_floats(&m, "b", OM_DIMS(8, 1), b);
    om_node(&m, "Shape", "x", "s");
    om_const_ints(&m, "i0", 1, (int64_t[]){0});
    m.nodes[m.graph.n_node - 1]->attribute[0]->t->n_dims = 0; /* a scalar index */
    om_node(&m, "Gather", "s i0", "n");
    om_const_ints(&m, "ax", 1, (int64_t[]){0});
    om_node(&m, "Unsqueeze", "n ax", "n1");
    om_const_ints(&m, "m1", 1, (int64_t[]){-1});
    om_node(&m, "Concat", "n1 m1", "shape");
    om_int(&m, "axis", 0);
    om_node(&m, "Identity", "x", "id");
    om_node(&m, "Dropout", "id", "d");
    om_node(&m, "Reshape", "d shape", "f");
    om_node(&m, "MatMul", "f b", "z");
    om_node(&m, "Softmax", "z", "y");
    check(&m, x, (lt_shape){1, 1, 1}, (float[]){36});
    om_end(&m);
}

static void adds(void **state)
{
    (void)state;
    const float x[] = {1, 2, 3, 4, 5, 6, 7, 8}, c[] = {10, 20}, one[] = {0.5f}, w[] = {1, 0, 0, 1};
    float want[8];
    onnx_make m;
    om_begin(&m, 2, 2, 2);
    om_floats(&m, "c", OM_DIMS(2, 1, 1), c);
    om_floats(&m, "one", 0, NULL, one);
    om_floats(&m, "w", OM_DIMS(2, 2, 1, 1), w);
    om_node(&m, "Add", "x c", "a");   /* per channel */
    om_node(&m, "Add", "one a", "b"); /* scalar, constant first */
    om_node(&m, "Conv", "b w", "d");
    om_node(&m, "Add", "b d", "e"); /* residual from before */
    om_node(&m, "Add", "e e", "y"); /* twice the same */
    for (int i = 0; i < 8; i++) want[i] = 4 * (x[i] + c[i / 4] + 0.5f);
    check(&m, x, (lt_shape){2, 2, 2}, want);
    om_end(&m);
}

/* ---- the real networks ---- */

static void real_networks_match_their_logits(void **state)
{
    (void)state;
    static const char *const models[] = {"resnet20_cifar10.onnx",
                                         "resnet20_cifar10_bnfold.onnx",
                                         "resnet20_cifar10_bnfold_convsc.onnx",
                                         "resnet20_cifar10_torch_export.onnx",
                                         "resnet20_cifar10.npz",
                                         "resnet20_cifar10_bnfold.npz"};
    enum { IMAGES = 20 };
    const char *dir = getenv("DATA");
    char path[4096], *logits;
    size_t len;
    lt_err err;
    lt_dataset d;
    if (!dir || !dir[0]) {
        print_message("DATA is not set: real networks not tried\n");
        skip();
    }
    snprintf(path, sizeof path, "%s/models/resnet20_test_logits_f32.bin", dir);
    if (lt_read_file(path, 1 << 20, &logits, &len, &err) != LT_OK) fail_msg("%s", err.msg);
    if (lt_cifar10_load(&d, dir, LT_TEST, IMAGES, &err) != LT_OK) fail_msg("%s", err.msg);
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        lt_graph g;
        snprintf(path, sizeof path, "%s/models/%s", dir, models[i]);
        if (lt_model_load(path, NULL, 1, &g, NULL, &err) != LT_OK) fail_msg("%s", err.msg);
        for (int pass = 0; pass < 3; pass++) {
            if (pass == 1 && lt_graph_lower(&g, &err) != LT_OK) fail_msg("%s", err.msg);
            if (pass == 2 && lt_graph_align(&g, 16, &err) != LT_OK) fail_msg("%s", err.msg);
            float x[3 * 32 * 32];
            for (int k = 0; k < IMAGES; k++) {
                float want[10];
                memcpy(want, logits + (size_t)k * sizeof want, sizeof want);
                lt_preprocess(&g.pre, g.nodes[0].shape, lt_dataset_image(&d, (size_t)k), x);
                float *y = run(&g, x);
                assert_close(y, want, 10);
                free(y);
            }
        }
        assert_int_equal(g.n_nodes, strstr(models[i], "convsc") ? 24 : 22);
        for (int k = 0; k < g.n_nodes; k++) assert_int_equal(g.nodes[k].res_c_off % 16, 0);
        lt_graph_free(&g);
    }
    static const char *const others[] = {"ic_resnet8_float.onnx", "vww_mobilenetv1_025_96_float.onnx"};
    for (int i = 0; i < 2; i++) {
        lt_graph g;
        snprintf(path, sizeof path, "%s/models/%s", dir, others[i]);
        if (lt_model_load(path, NULL, 1, &g, NULL, &err) != LT_OK) fail_msg("%s", err.msg);
        if (lt_graph_lower(&g, &err) != LT_OK) fail_msg("%s", err.msg);
        assert_int_equal(g.n_nodes, i ? 30 : 12);
        lt_graph_free(&g);
    }
    lt_dataset_free(&d);
    free(logits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolutions),
        cmocka_unit_test(auto_pad),
        cmocka_unit_test(batch_norm_folds),
        cmocka_unit_test(activations),
        cmocka_unit_test(fully_connected),
        cmocka_unit_test(pooling),
        cmocka_unit_test(option_a_shortcuts),
        cmocka_unit_test(padding_before_convolution),
        cmocka_unit_test(shape_arithmetic),
        cmocka_unit_test(adds),
        cmocka_unit_test(real_networks_match_their_logits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
