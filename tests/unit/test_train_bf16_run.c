/* Training with operands rounded to bfloat16: losses, the same bits again, what stays float32, checkpoints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <oneapi/dnnl/dnnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/file.h"
#include "base/rng.h"
#include "model/model.h"
#include "train/trainer.h"
#include "train_run.h"

#define CHECKPOINT "test_train_bf16_run.ckpt"

static lt_train_options small(lt_precision precision)
{
    lt_train_options o = lt_train_defaults();
    o.precision = precision;
    o.epochs = 2;
    o.batch = 32;
    o.train_images = 200; /* the last minibatch has 8 */
    o.test_images = 40;
    return o;
}

static bool same(const lt_trainer *a, const lt_trainer *b)
{
    for (int i = 0; i < a->n_params; i++)
        if (memcmp(a->params[i]->value, b->params[i]->value, a->params[i]->n * sizeof(float)) != 0) return false;
    return true;
}

/* Losses like those of float32, the same bits for any number of threads. */
static void test_runs(void **state)
{
    enum { STEPS = 14 };
    int isa = dnnl_cpu_isa_avx512_core_bf16;
    bool native = ((int)dnnl_get_effective_cpu_isa() & isa) == isa;
    lt_train_options o[3] = {small(LT_F32), small(LT_BF16), small(LT_BF16_EMULATED)};
    lt_trainer t[3], again;

    (void)state;
    for (int i = 0; i < 3; i++) {
        create(&t[i], &o[i]);
        steps(&t[i], STEPS);
        assert_true(lt_trainer_done(&t[i]));
        assert_true(t[i].rows[1].loss < t[i].rows[0].loss);
        for (int k = 0; k < 2; k++) {
            double f32 = t[0].rows[k].loss, got = t[i].rows[k].loss;
            if (!(fabs(got - f32) < 0.05 * f32))
                fail_msg("%s: loss %g, of f32 %g", i == 1 ? "bf16" : "emulated bf16", got, f32);
        }
        for (int k = 0; k < i; k++) assert_true(!same(&t[i], &t[k]) || (k == 1 && !native));
    }
    for (int i = 1; i < 3; i++) {
        setenv("LUTRA_JOBS", i == 1 ? "3" : "1", 1);
        create(&again, &o[i]);
        unsetenv("LUTRA_JOBS");
        steps(&again, STEPS);
        assert_true(same(&t[i], &again));
        assert_true(t[i].rows[1].loss == again.rows[1].loss);
        lt_trainer_free(&again);
    }
    for (int i = 0; i < 3; i++) lt_trainer_free(&t[i]);
}

enum { IMAGES = 11 };

static void fill(void *ctx, int i, float *x)
{
    lt_rng r = lt_rng_make(9, (uint64_t)i);
    (void)ctx;
    for (int k = 0; k < 3 * 32 * 32; k++) x[k] = (float)lt_rng_normal(&r);
}

static void each(void *ctx, const lt_chunk *c, const float *out, float *g)
{
    float *to = ctx;
    memcpy(to + 10 * c->first, out, (size_t)(10 * c->n) * sizeof *out);
    for (int i = 0; g && i < 10 * c->n; i++) g[i] = out[i];
}

typedef struct {
    float eval[10 * IMAGES], teach[10 * IMAGES], one[10 * IMAGES], train[10 * IMAGES];
    float gradient[3 * 9 * 16]; /* of the first convolution's weights */
} outputs;

static void pass(lt_net *net, int n, lt_mode mode, float *out)
{
    lt_io io = {fill, each, out};
    lt_err err = {0};
    if (lt_net_forward(net, n, mode, &io, &err) != LT_OK) fail_msg("%s", err.msg);
}

static void run_modes(lt_precision precision, outputs *o)
{
    lt_net_options no = {.batch = IMAGES, .chunk = 4, .train = true, .precision = precision};
    lt_err err = {0};
    lt_graph g;
    lt_net *net;

    memset(o, 0, sizeof *o);
    assert_int_equal(lt_resnet20_random(1, &g, &err), LT_OK);
    if (lt_net_create(&net, &g, &no, &err) != LT_OK) fail_msg("%s", err.msg);
    pass(net, IMAGES, LT_MODE_EVAL, o->eval);
    pass(net, IMAGES, LT_MODE_TEACH, o->teach);
    pass(net, 1, LT_MODE_EVAL, o->one);
    pass(net, IMAGES, LT_MODE_TRAIN, o->train);
    if (lt_net_backward(net, &err) != LT_OK) fail_msg("%s", err.msg);
    const lt_param *w = &lt_net_layer(net, 0)->params[0];
    assert_int_equal(w->n * sizeof(float), sizeof o->gradient);
    memcpy(o->gradient, w->grad, sizeof o->gradient);
    lt_net_free(net);
    lt_graph_free(&g);
}

/* Evaluation is float32 whatever the precision, and may come between training passes. */
static void test_modes(void **state)
{
    static outputs f32, bf16;

    (void)state;
    run_modes(LT_F32, &f32);
    run_modes(LT_BF16, &bf16);
    assert_memory_equal(f32.eval, f32.teach, sizeof f32.eval);
    assert_memory_equal(f32.eval, bf16.eval, sizeof f32.eval);
    assert_memory_equal(f32.one, bf16.one, sizeof f32.eval);
    for (int i = 0; i < 10; i++) assert_true(fabsf(f32.one[i] - f32.eval[i]) <= 1e-4f * fabsf(f32.eval[i]));
    assert_memory_not_equal(f32.teach, bf16.teach, sizeof f32.eval);
    assert_memory_not_equal(f32.train, bf16.train, sizeof f32.eval);
    assert_memory_not_equal(f32.gradient, bf16.gradient, sizeof f32.gradient);
}

static void expect_refused(lt_trainer *t, const char *says)
{
    lt_err err = {0};
    assert_int_equal(lt_trainer_load(t, CHECKPOINT, &err), LT_EINPUT);
    if (!strstr(err.msg, says)) fail_msg("'%s' does not say '%s'", err.msg, says);
}

/* The same file as version 2 had it, without a precision. */
static void write_version_2(void)
{
    static const char line[] = "precision f32\n";
    char *data, *at;
    size_t len, cut = sizeof line - 1;

    assert_int_equal(lt_read_file(CHECKPOINT, 1 << 28, &data, &len, NULL), LT_OK);
    at = memmem(data, len, line, cut);
    assert_non_null(at);
    memmove(at, at + cut, (size_t)(data + len - (at + cut)));
    len -= cut;
    uint32_t settings;
    memcpy(&settings, data + 8, 4);
    settings -= (uint32_t)cut;
    memcpy(data + 8, &settings, 4);
    data[4] = 2;
    uint32_t crc = (uint32_t)crc32_z(0, (const unsigned char *)data, len - 4);
    memcpy(data + len - 4, &crc, 4);
    assert_int_equal(lt_write_file(CHECKPOINT, data, len, NULL), LT_OK);
    free(data);
}

static void test_checkpoints(void **state)
{
    lt_train_options o[2] = {small(LT_F32), small(LT_BF16)};
    lt_trainer f32, bf16, again;

    (void)state;
    create(&f32, &o[0]);
    create(&bf16, &o[1]);
    create(&again, &o[1]);
    steps(&bf16, 2);
    assert_int_equal(lt_trainer_save(&bf16, CHECKPOINT, NULL), LT_OK);
    expect_refused(&f32, "it has 'precision bf16', this one 'precision f32'");
    assert_int_equal(lt_trainer_load(&again, CHECKPOINT, NULL), LT_OK);
    steps(&bf16, 1);
    steps(&again, 1);
    assert_true(same(&bf16, &again));
    steps(&f32, 1);
    assert_int_equal(lt_trainer_save(&f32, CHECKPOINT, NULL), LT_OK);
    expect_refused(&bf16, "it has 'precision f32', this one 'precision bf16'");
    write_version_2();
    expect_refused(&bf16, "it has 'precision f32', this one 'precision bf16'");
    assert_int_equal(lt_trainer_load(&f32, CHECKPOINT, NULL), LT_OK);
    assert_int_equal(f32.optim.steps, 1);
    lt_trainer_free(&f32);
    lt_trainer_free(&bf16);
    lt_trainer_free(&again);
    remove(CHECKPOINT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs),
        cmocka_unit_test(test_modes),
        cmocka_unit_test(test_checkpoints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
