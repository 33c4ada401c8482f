/* ONNX import: what is refused and how, and survival of damaged files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>

#include "onnx_check.h"

static void refused(onnx_make *m, const char *part)
{
    lt_graph g;
    lt_err err = {0};
    lt_code rc = import(m, &g, &err);
    if (rc == LT_OK) rc = lt_graph_lower(&g, &err);
    if (rc == LT_OK) {
        lt_graph_free(&g);
        fail_msg("accepted, expected a refusal with '%s'", part);
    }
    if (g.nodes) lt_graph_free(&g);
    assert_int_equal(rc, LT_EINPUT);
    if (!strstr(err.msg, part)) fail_msg("message '%s' does not contain '%s'", err.msg, part);
}

static void begin_conv(onnx_make *m, const float *w)
{
    om_begin(m, 1, 4, 4);
    om_floats(m, "w", OM_DIMS(1, 1, 3, 3), w);
    om_node(m, "Conv", "x w", "y");
}

static void bad_models_are_refused(void **state)
{
    (void)state;
    float w[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    onnx_make m;

    om_begin(&m, 1, 4, 4);
    om_node(&m, "LSTM", "x", "y");
    refused(&m, "node 'n0': operator LSTM is not supported here; supported are Conv, BatchNormalization");
    om_end(&m);

    begin_conv(&m, w);
    m.nodes[0]->op_type = om_str(&m, "QuantizeLinear");
    refused(&m, "operator QuantizeLinear is not supported");
    om_end(&m);

    w[4] = NAN;
    begin_conv(&m, w);
    refused(&m, "n0: weight 4 is nan");
    om_end(&m);
    w[4] = INFINITY;
    begin_conv(&m, w);
    refused(&m, "n0: weight 4 is inf");
    om_end(&m);
    w[4] = 3e38f; /* finite, but folding overflows */
    begin_conv(&m, w);
    const float g1[] = {100}, zero[] = {0}, one[] = {1};
    om_floats(&m, "g", OM_DIMS(1), g1);
    om_floats(&m, "z", OM_DIMS(1), zero);
    om_floats(&m, "o", OM_DIMS(1), one);
    m.nodes[0]->output[0] = om_str(&m, "c");
    om_node(&m, "BatchNormalization", "c g z z o", "y");
    refused(&m, "weight 4 is inf");
    om_end(&m);
    w[4] = 5;

    begin_conv(&m, w);
    m.inits[0]->dims[0] = 0;
    m.inits[0]->raw_data.len = 0;
    refused(&m, "is 0 or too large");
    om_end(&m);

    om_begin(&m, 0, 4, 4); /* a channel count of 0 is no fixed dimension */
    om_node(&m, "Relu", "x", "y");
    refused(&m, "dimension 1 is -1, expected 1..4096");
    om_end(&m);

    begin_conv(&m, w);
    m.inits[0]->raw_data.len -= 4;
    refused(&m, "holds 8 values, its dimensions say 9");
    om_end(&m);

    begin_conv(&m, w);
    m.inits[0]->dims[0] = (int64_t)1 << 40;
    refused(&m, "initialiser 'w'");
    om_end(&m);

    begin_conv(&m, w);
    m.inits[0]->dims[2] = -3;
    refused(&m, "dimension 2 is -3");
    om_end(&m);

    begin_conv(&m, w);
    m.inits[0]->data_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16;
    refused(&m, "data type 10, expected float");
    om_end(&m);

    begin_conv(&m, w);
    m.inits[0]->has_data_location = 1;
    m.inits[0]->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
    refused(&m, "in another file");
    om_end(&m);

    begin_conv(&m, w);
    om_list(&m, "kernel_shape", 2, (int64_t[]){5, 5});
    refused(&m, "kernel_shape differs");
    om_end(&m);

    begin_conv(&m, w);
    om_list(&m, "strides", 2, (int64_t[]){0, 1});
    refused(&m, "must be positive");
    om_end(&m);

    begin_conv(&m, w);
    om_int(&m, "group", 3);
    refused(&m, "group times");
    om_end(&m);

    begin_conv(&m, w);
    om_list(&m, "dilations", 2, (int64_t[]){2, 2});
    refused(&m, "does not fit");
    om_end(&m);

    begin_conv(&m, w);
    m.nodes[0]->input[0] = om_str(&m, "nowhere");
    refused(&m, "reads 'nowhere', which no earlier node");
    om_end(&m);

    begin_conv(&m, w);
    m.nodes[0]->domain = om_str(&m, "com.example");
    refused(&m, "domain 'com.example'");
    om_end(&m);

    begin_conv(&m, w);
    om_node(&m, "Relu", "y", "y");
    refused(&m, "'y' is defined twice");
    om_end(&m);

    begin_conv(&m, w);
    m.opset.version = 3;
    refused(&m, "operator set 3, expected 7..");
    om_end(&m);

    begin_conv(&m, w);
    m.inputs[m.graph.n_input++] = om_value(&m, "x2", 4, (int64_t[]){1, 1, 4, 4});
    refused(&m, "more than one input");
    om_end(&m);

    begin_conv(&m, w);
    m.outputs[0]->name = om_str(&m, "other");
    refused(&m, "output 'other' is not computed");
    om_end(&m);

    begin_conv(&m, w);
    m.graph.n_node = 0;
    refused(&m, "holds no graph");
    om_end(&m);

    om_begin(&m, 1, 4, 4);
    om_node(&m, "Identity", "x", "y");
    refused(&m, "computes nothing");
    om_end(&m);

    om_begin(&m, 4, 4, 4);
    om_node(&m, "Transpose", "x", "y");
    refused(&m, "operator Transpose is not supported here");
    om_end(&m);

    om_begin(&m, 1, 4, 4);
    om_ints(&m, "a", 1, (int64_t[]){1});
    om_ints(&m, "e", 1, (int64_t[]){9});
    om_ints(&m, "ax", 1, (int64_t[]){2});
    om_node(&m, "Slice", "x a e ax", "y");
    refused(&m, "only subsampling of rows and columns from 0");
    om_end(&m);

    om_begin(&m, 1, 4, 4);
    om_ints(&m, "a", 1, (int64_t[]){0});
    om_ints(&m, "e", 1, (int64_t[]){9});
    om_ints(&m, "ax", 1, (int64_t[]){2});
    om_ints(&m, "s", 1, (int64_t[]){2});
    om_node(&m, "Slice", "x a e ax s", "z");
    om_node(&m, "Relu", "z", "y");
    refused(&m, "sliced with different steps");
    om_end(&m);
}

static void not_onnx_at_all(void **state)
{
    (void)state;
    lt_graph g;
    lt_err err;
    static const char *const texts[] = {"", "hello world, this is no model",
                                        "\x7f"
                                        "ELF\x02\x01\x01",
                                        "PK\x03\x04 but cut", "\x93NUMPY"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(lt_onnx_import(texts[i], strlen(texts[i]), "junk", &g, &err), LT_EINPUT);
        assert_non_null(strstr(err.msg, "not an ONNX model"));
    }
}

/* Nesting that would make the unpacker recurse without end: graph { node { attribute { g { node ... */
static void deep_nesting_is_refused(void **state)
{
    (void)state;
    enum { LEVELS = 199998 };
    size_t cap = (size_t)LEVELS * 8 + 64, at = cap, len = 0;
    uint8_t *b = malloc(cap);
    static const uint8_t tags[] = {(1 << 3) | 2, (5 << 3) | 2,
                                   (6 << 3) | 2}; /* node, attribute, g; from the inside out */
    assert_non_null(b);
    for (int i = 0; i < LEVELS && at > 64; i++) {
        uint8_t head[12];
        int n = 0;
        head[n++] = tags[2 - i % 3];
        for (size_t v = len; n == 1 || v; v >>= 7) head[n++] = (uint8_t)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
        if (at < (size_t)n + 32) break;
        at -= (size_t)n;
        memcpy(b + at, head, (size_t)n);
        len = cap - at;
    }
    uint8_t head[12];
    int n = 0;
    head[n++] = (7 << 3) | 2;
    for (size_t v = len; n == 1 || v; v >>= 7) head[n++] = (uint8_t)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
    at -= (size_t)n;
    memcpy(b + at, head, (size_t)n);
    lt_graph g;
    lt_err err;
    assert_int_equal(lt_onnx_import(b + at, cap - at, "deep", &g, &err), LT_EINPUT);
    assert_non_null(strstr(err.msg, "nested deeper than 32"));
    free(b);
}

/* A model with a bit of everything, for the damage test. */
static void begin_rich(onnx_make *m, lt_rng *r)
{
    float *w = random_floats(r, 4 * 3 * 9), *f = random_floats(r, 40);
    om_begin(m, 3, 6, 6);
    om_floats(m, "w", OM_DIMS(4, 3, 3, 3), w);
    om_floats(m, "f", OM_DIMS(10, 4), f);
    om_node(m, "Conv", "x w", "c");
    om_list(m, "pads", 4, (int64_t[]){1, 1, 1, 1});
    om_list(m, "strides", 2, (int64_t[]){2, 2});
    om_const_ints(m, "two", 2, (int64_t[]){2, 2});
    om_const_ints(m, "zz", 2, (int64_t[]){0, 0});
    om_const_ints(m, "ee", 2, (int64_t[]){99, 99});
    om_const_ints(m, "aa", 2, (int64_t[]){2, 3});
    om_node(m, "Slice", "x zz ee aa two", "s");
    om_const_ints(m, "pads", 8, (int64_t[]){0, 1, 0, 0, 0, 0, 0, 0});
    om_node(m, "Pad", "s pads", "p");
    om_node(m, "Add", "c p", "a");
    om_node(m, "Relu", "a", "re");
    om_node(m, "MaxPool", "re", "mp");
    om_list(m, "kernel_shape", 2, (int64_t[]){2, 2});
    om_node(m, "GlobalAveragePool", "mp", "gp");
    om_const_ints(m, "sh", 2, (int64_t[]){1, -1});
    om_node(m, "Reshape", "gp sh", "fl");
    om_node(m, "Gemm", "fl f", "y");
    om_int(m, "transB", 1);
    free(w);
    free(f);
}

static void try_bytes(const uint8_t *data, size_t len)
{
    lt_graph g;
    lt_err err = {0};
    uint8_t *exact = malloc(len ? len : 1); /* so that a sanitizer sees a read past the end */
    memcpy(exact, data, len);
    lt_code rc = lt_onnx_import(exact, len, "damaged", &g, &err);
    if (rc == LT_OK) {
        if (lt_graph_lower(&g, &err) == LT_OK) lt_graph_align(&g, 4, &err);
        lt_graph_free(&g);
    } else {
        assert_true(rc == LT_EINPUT || rc == LT_EMEM);
        assert_true(err.msg[0] != '\0');
    }
    free(exact);
}

static void damaged_files_never_crash(void **state)
{
    (void)state;
    const char *env = getenv("SEED");
    lt_rng r = lt_rng_make(env ? strtoull(env, NULL, 10) : 1, 8);
    onnx_make m;
    size_t len;
    begin_rich(&m, &r);
    uint8_t *good = om_pack(&m, &len), *bad = malloc(len);
    lt_graph g;
    lt_err err;
    if (lt_onnx_import(good, len, "good", &g, &err) != LT_OK) fail_msg("%s", err.msg);
    lt_graph_free(&g);
    for (size_t n = 0; n < len; n++) try_bytes(good, n);
    for (int i = 0; i < 20000; i++) {
        memcpy(bad, good, len);
        int flips = lt_rng_range(&r, 1, 4);
        for (int k = 0; k < flips; k++) {
            size_t at = lt_rng_below(&r, (uint32_t)len);
            if (lt_rng_below(&r, 2))
                bad[at] ^= (uint8_t)(1u << lt_rng_below(&r, 8));
            else
                bad[at] = (uint8_t)lt_rng_u32(&r);
        }
        try_bytes(bad, len);
    }
    free(good);
    free(bad);
    om_end(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_models_are_refused),
        cmocka_unit_test(not_onnx_at_all),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(damaged_files_never_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
