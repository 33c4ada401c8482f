/* Training runs: the loss falls, the same bits for any number of threads and after any stop, errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>

#include "base/file.h"
#include "model/model.h"
#include "train/onnx_write.h"
#include "train_ref.h"
#include "train_run.h"

#define MODEL      "test_train_run.onnx"
#define TEACHER    "test_train_run_teacher.onnx"
#define CHECKPOINT "test_train_run.ckpt"

static void write_model(const char *path, uint64_t seed, int classes)
{
    lt_rng r = lt_rng_make(seed, 1);
    lt_graph g;
    lt_buf b = {0};
    ref_resnet(&g, &r, 16, 8, classes);
    assert_int_equal(lt_onnx_write(&g, NULL, &b, NULL), LT_OK);
    assert_int_equal(lt_write_file(path, b.data, b.len, NULL), LT_OK);
    lt_buf_free(&b);
    lt_graph_free(&g);
}

static int setup(void **state)
{
    (void)state;
    write_model(MODEL, 1, 10);
    write_model(TEACHER, 2, 10);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    remove(MODEL);
    remove(TEACHER);
    remove(CHECKPOINT);
    return 0;
}

/* 100 images in batches of 48: the last batch has 4, less than a chunk. */
static lt_train_options small(void)
{
    lt_train_options o = lt_train_defaults();
    o.model = MODEL;
    o.epochs = 2;
    o.batch = 48;
    o.train_images = 100;
    o.test_images = 50;
    o.augment = (lt_augment_options){true, 2, 4};
    return o;
}

static void expect_same(const lt_trainer *a, const lt_trainer *b)
{
    assert_int_equal(a->n_params, b->n_params);
    for (int i = 0; i < a->n_params; i++) {
        assert_memory_equal(a->params[i]->value, b->params[i]->value, a->params[i]->n * sizeof(float));
        if (a->optim.m[i]) assert_memory_equal(a->optim.m[i], b->optim.m[i], a->params[i]->n * sizeof(float));
    }
    assert_int_equal(a->n_rows, b->n_rows);
    for (int i = 0; i < a->n_rows; i++) {
        assert_true(a->rows[i].loss == b->rows[i].loss);
        assert_true(a->rows[i].train_acc == b->rows[i].train_acc);
    }
}

static void test_loss_falls(void **state)
{
    lt_train_options o = small();
    lt_trainer t;
    int after;

    (void)state;
    o.train_images = 320;
    o.test_images = 200;
    o.batch = 32;
    o.epochs = 4;
    o.augment = (lt_augment_options){0};
    create(&t, &o);
    steps(&t, 40);
    assert_true(lt_trainer_done(&t));
    assert_int_equal(lt_trainer_test(&t, 0, &after, NULL), LT_OK);
    assert_int_equal(t.n_rows, 4);
    for (int i = 1; i < 4; i++) assert_true(t.rows[i].loss < t.rows[i - 1].loss);
    assert_true(t.rows[3].loss < 0.9 * t.rows[0].loss);
    assert_true(t.rows[3].train_acc > t.rows[0].train_acc);
    assert_in_range(after, 30, 200); /* guessing gets 20 */
    lt_trainer_free(&t);
}

static void test_threads(void **state)
{
    lt_train_options o = small();
    lt_trainer a, b;

    (void)state;
    setenv("LUTRA_JOBS", "1", 1);
    create(&a, &o);
    steps(&a, 6);
    setenv("LUTRA_JOBS", "3", 1);
    create(&b, &o);
    unsetenv("LUTRA_JOBS");
    steps(&b, 6);
    expect_same(&a, &b);
    lt_trainer_free(&a);
    lt_trainer_free(&b);
}

/* Stopped within an epoch and at its end, with every kind of state: Adam, a teacher, training further. */
static void resume(lt_train_options o, int stop)
{
    lt_trainer a, b;
    lt_err err = {0};

    create(&a, &o);
    steps(&a, stop);
    if (lt_trainer_save(&a, CHECKPOINT, &err) != LT_OK) fail_msg("%s", err.msg);
    steps(&a, 6 - stop);
    create(&b, &o);
    if (lt_trainer_load(&b, CHECKPOINT, &err) != LT_OK) fail_msg("%s", err.msg);
    assert_int_equal(b.optim.steps, stop);
    steps(&b, 6 - stop);
    assert_true(lt_trainer_done(&b));
    expect_same(&a, &b);
    lt_trainer_free(&a);
    lt_trainer_free(&b);
}

static void test_resume(void **state)
{
    lt_train_options o = small();
    (void)state;
    resume(o, 2);
    resume(o, 3);
    o.optim.kind = LT_ADAM;
    o.lr = 1e-3;
    o.teacher = TEACHER;
    o.loss.distill = 0.5;
    o.loss.smoothing = 0.1;
    o.scratch = false;
    resume(o, 4);
    o.freeze_bn = true;
    resume(o, 1);
}

/* The loss of the first step with these teachers. */
static double first_loss(const char *teachers)
{
    lt_train_options o = small();
    lt_trainer t;

    o.teacher = teachers;
    o.loss.distill = 1;
    create(&t, &o);
    steps(&t, 1);
    double sum = t.loss_sum;
    lt_trainer_free(&t);
    return sum;
}

/* Several teachers: the mean of their logits. */
static void test_teachers(void **state)
{
    (void)state;
    double one = first_loss(TEACHER), other = first_loss(MODEL);
    assert_true(one != other);
    assert_true(first_loss(TEACHER "," TEACHER) == one);
    double both = first_loss(TEACHER "," MODEL);
    assert_true(both != one && both != other);
    assert_true(fabs(first_loss(MODEL "," TEACHER) - both) < 1e-4 * both);

    lt_train_options o = small();
    o.loss.distill = 1;
    o.teacher = TEACHER ",";
    lt_trainer t;
    create(&t, &o);
    assert_int_equal(t.n_teachers, 1);
    lt_trainer_free(&t);
}

/* ---- a method of its own: the first convolution's weights pruned by a mask, the last layer frozen ---- */
static void mask_forward(void *ctx, const float *w, float *out, size_t n, lt_mode mode)
{
    (void)ctx;
    (void)mode;
    for (size_t i = 0; i < n; i++) out[i] = i % 4 < 2 ? w[i] : 0;
}

static void mask_backward(void *ctx, const float *w, const float *g_out, float *g_w, size_t n)
{
    (void)ctx;
    (void)w;
    for (size_t i = 0; i < n; i++) g_w[i] = i % 4 < 2 ? g_out[i] : 0;
}

static lt_code prepare(void *ctx, lt_trainer *t, lt_err *err)
{
    lt_weight_hook h = {.forward = mask_forward, .backward = mask_backward};
    *(int *)ctx += 1;
    lt_net_find(t->net, "linear")->params[0].lr_mult = 0;
    return lt_layer_set_weight_hook(lt_net_find(t->net, "conv1"), &h, err);
}

static void test_method(void **state)
{
    lt_train_options o = small(), plain = small();
    lt_trainer t, other;
    lt_graph g;
    int calls = 0;

    (void)state;
    o.scratch = false;
    o.method = "mask";
    o.prepare = prepare;
    o.prepare_ctx = &calls;
    resume(o, 2);
    assert_int_equal(calls, 2);
    create(&t, &o);
    steps(&t, 3);
    const lt_layer *first = lt_net_find(t.net, "conv1"), *last = lt_net_find(t.net, "linear");
    const lt_graph *was = lt_net_graph(t.net);
    assert_memory_equal(last->params[0].value, was->nodes[last->node].weight, last->params[0].n * sizeof(float));
    assert_memory_not_equal(last->params[1].value, was->nodes[last->node].bias, last->params[1].n * sizeof(float));
    assert_int_equal(lt_net_to_graph(t.net, &g, NULL), LT_OK);
    for (size_t i = 0; i < first->params[0].n; i++) {
        float w = first->params[0].value[i], old = was->nodes[first->node].weight[i];
        assert_true(g.nodes[first->node].weight[i] == (i % 4 < 2 ? w : 0));
        /* masked weights only decay */
        if (i % 4 >= 2) assert_true(fabsf(w) <= fabsf(old) && fabsf(w) >= 0.99f * fabsf(old));
    }
    lt_graph_free(&g);
    plain.scratch = false;
    create(&other, &plain);
    lt_err err = {0};
    assert_int_equal(lt_trainer_save(&t, CHECKPOINT, &err), LT_OK);
    assert_int_equal(lt_trainer_load(&other, CHECKPOINT, &err), LT_EINPUT);
    assert_non_null(strstr(err.msg, "'method mask', this one 'method float'"));
    lt_trainer_free(&other);
    lt_trainer_free(&t);
}

/* A network that is trained further starts as the file says, and frozen batch norm stays. */
static void test_keep(void **state)
{
    lt_train_options o = small();
    lt_trainer t;
    lt_bn_view v;
    float mean;

    (void)state;
    o.scratch = false;
    o.freeze_bn = true;
    create(&t, &o);
    assert_true(lt_layer_bn_view(lt_net_layer(t.net, 1), &v));
    mean = v.mean[0];
    assert_true(mean != 0); /* calibrated */
    const lt_layer *l = lt_net_layer(t.net, 0);
    assert_memory_equal(l->params[0].value, lt_net_graph(t.net)->nodes[l->node].weight, l->params[0].n * sizeof(float));
    steps(&t, 2);
    assert_true(v.mean[0] == mean);
    assert_memory_not_equal(l->params[0].value, lt_net_graph(t.net)->nodes[l->node].weight,
                            l->params[0].n * sizeof(float));
    lt_trainer_free(&t);
    o.freeze_bn = false;
    create(&t, &o);
    steps(&t, 1);
    assert_true(lt_layer_bn_view(lt_net_layer(t.net, 1), &v));
    assert_true(v.mean[0] != mean);
    lt_trainer_free(&t);
}

static void expect_refused(lt_trainer *t, const char *path, lt_code code, const char *says)
{
    lt_err err = {0};
    assert_int_equal(lt_trainer_load(t, path, &err), code);
    if (!strstr(err.msg, says)) fail_msg("'%s' does not say '%s'", err.msg, says);
}

static void test_bad_checkpoints(void **state)
{
    lt_train_options o = small();
    lt_trainer t, other;
    lt_err err = {0};
    char *data;
    size_t len;

    (void)state;
    create(&t, &o);
    steps(&t, 2);
    assert_int_equal(lt_trainer_save(&t, CHECKPOINT, &err), LT_OK);
    assert_int_equal(lt_read_file(CHECKPOINT, 1 << 28, &data, &len, &err), LT_OK);
    /* a full disk leaves the good one */
    assert_int_equal(lt_trainer_save(&t, "/dev/full", &err), LT_EIO);
    assert_int_equal(lt_trainer_save(&t, "no/such/folder.ckpt", &err), LT_EIO);
    assert_int_equal(lt_trainer_load(&t, CHECKPOINT, &err), LT_OK);

    static const size_t cut[] = {0, 3, 11, 12, 100, 600};
    for (size_t i = 0; i < sizeof cut / sizeof *cut; i++) {
        assert_int_equal(lt_write_file("test_train_run.cut", data, cut[i], &err), LT_OK);
        expect_refused(&t, "test_train_run.cut", LT_EINPUT, "checkpoint");
    }
    assert_int_equal(lt_write_file("test_train_run.cut", data, len - 1, &err), LT_OK);
    expect_refused(&t, "test_train_run.cut", LT_EINPUT, "checksum");
    data[len / 2] ^= 1;
    assert_int_equal(lt_write_file("test_train_run.cut", data, len, &err), LT_OK);
    expect_refused(&t, "test_train_run.cut", LT_EINPUT, "checksum");
    data[4] = 9;
    assert_int_equal(lt_write_file("test_train_run.cut", data, len, &err), LT_OK);
    expect_refused(&t, "test_train_run.cut", LT_EINPUT, "version 9");
    expect_refused(&t, "test_train_run.none", LT_EIO, "test_train_run.none");
    o.lr = 0.05;
    create(&other, &o);
    expect_refused(&other, CHECKPOINT, LT_EINPUT, "'lr 0.1', this one 'lr 0.05'");
    lt_trainer_free(&other);
    free(data);
    remove("test_train_run.cut");
    /* nothing of all that has touched the run */
    assert_int_equal(t.step, 2);
    steps(&t, 1);
    lt_trainer_free(&t);
}

static void test_not_finite(void **state)
{
    lt_train_options o = small();
    lt_trainer t;
    lt_err err = {0};
    lt_code rc = LT_OK;

    (void)state;
    create(&t, &o);
    lt_net_find(t.net, "linear")->params[0].value[3] = NAN;
    rc = lt_trainer_step(&t, NULL, &err);
    assert_int_equal(rc, LT_EINPUT);
    assert_non_null(strstr(err.msg, "not finite in step 1 of epoch 1"));
    lt_trainer_free(&t);
}

static void expect_bad(lt_train_options o, lt_code code, const char *says)
{
    lt_trainer t;
    lt_err err = {0};
    assert_int_equal(lt_trainer_create(&t, &o, &err), code);
    if (!strstr(err.msg, says)) fail_msg("'%s' does not say '%s'", err.msg, says);
}

static void test_bad_input(void **state)
{
    lt_train_options o = small();
    (void)state;
    o.epochs = 0;
    expect_bad(o, LT_EINPUT, "epochs: got 0");
    o = small();
    o.batch = 0;
    expect_bad(o, LT_EINPUT, "batch: got 0");
    o = small();
    o.lr = -1;
    expect_bad(o, LT_EINPUT, "learning rate: got -1");
    o = small();
    o.loss.distill = 0.5;
    expect_bad(o, LT_EINPUT, "needs a teacher");
    o = small();
    o.augment.crop = 16;
    expect_bad(o, LT_EINPUT, "crop: got 16");
    o = small();
    o.model = "test_train_run.none";
    expect_bad(o, LT_EIO, "test_train_run.none");
    o = small();
    o.preproc = "colourful";
    expect_bad(o, LT_EINPUT, "colourful");
    write_model("test_train_run_7.onnx", 1, 7);
    o = small();
    o.model = "test_train_run_7.onnx";
    expect_bad(o, LT_EINPUT, "has 7 outputs");
    o = small();
#define THREE TEACHER "," TEACHER "," TEACHER
    o.teacher = THREE "," THREE "," THREE;
    expect_bad(o, LT_EINPUT, "at most 8 networks");
    o.teacher = "test_train_run_7.onnx";
    expect_bad(o, LT_EINPUT, "the teacher test_train_run_7 has 7 outputs");
    remove("test_train_run_7.onnx");

    /* a data file that was cut off */
    lt_err err = {0};
    char *junk = calloc(1, 5000);
    assert_int_equal(lt_write_file("data_batch_1.bin", junk, 5000, &err), LT_OK);
    free(junk);
    o = small();
    o.model = "resnet20";
    o.data_dir = ".";
    expect_bad(o, LT_EINPUT, "data_batch_1.bin");
    remove("data_batch_1.bin");
}

static void test_log(void **state)
{
    lt_train_options o = small();
    lt_trainer t;
    lt_err err = {0};
    char *text;
    size_t len;

    (void)state;
    create(&t, &o);
    steps(&t, 6);
    t.rows[0].seconds = 2;
    t.rows[1].test_acc = 12.5;
    assert_int_equal(lt_trainer_log(&t, "test_train_run.csv", &err), LT_OK);
    assert_int_equal(lt_read_file("test_train_run.csv", 10000, &text, &len, &err), LT_OK);
    assert_non_null(strstr(text, "epoch,lr,loss,train_accuracy,test_accuracy,seconds,images_per_second\n1,"));
    assert_non_null(strstr(text, ",n/a,2.00,50\n2,"));
    assert_non_null(strstr(text, ",12.50,"));
    free(text);
    assert_int_equal(lt_trainer_log(&t, "test_train_run.json", &err), LT_OK);
    assert_int_equal(lt_read_file("test_train_run.json", 10000, &text, &len, &err), LT_OK);
    assert_non_null(strstr(text, "\"test_accuracy\": null, \"seconds\": 2.00, \"images_per_second\": 50},\n"));
    assert_int_equal(text[len - 2], ']');
    free(text);
    assert_int_equal(lt_trainer_log(&t, "/dev/full", &err), LT_EIO);
    remove("test_train_run.csv");
    remove("test_train_run.json");
    lt_trainer_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loss_falls), cmocka_unit_test(test_threads),   cmocka_unit_test(test_resume),
        cmocka_unit_test(test_method),     cmocka_unit_test(test_keep),      cmocka_unit_test(test_bad_checkpoints),
        cmocka_unit_test(test_not_finite), cmocka_unit_test(test_bad_input), cmocka_unit_test(test_log),
        cmocka_unit_test(test_teachers),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
