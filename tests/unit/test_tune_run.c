/* Tuning runs: layer-wise reconstruction, its continuation from checkpoints, the temperature's schedule, what is
 * trained and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <zlib.h>

#include "base/file.h"
#include "train/lsq.h"
#include "train/onnx_write.h"
#include "train/tune_run.h"
#include "tune_net.h"

#define MODEL      "test_tune_run.onnx"
#define CHECKPOINT "test_tune_run.ckpt"

enum { LAYERS = 6 };

static int setup(void **state)
{
    lt_prep p;
    lt_buf b = {0};
    (void)state;
    tune_prepare(&p, 8, NULL);
    assert_int_equal(lt_onnx_write(&p.graph, NULL, &b, NULL), LT_OK);
    assert_int_equal(lt_write_file(MODEL, b.data, b.len, NULL), LT_OK);
    lt_buf_free(&b);
    lt_prep_free(&p);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    remove(MODEL);
    remove(CHECKPOINT);
    return 0;
}

static lt_pq_options products(qpq_mode mode, qpq_encoder kind, int prototypes, int length)
{
    lt_pq_options o = lt_pq_defaults();
    o.mode = mode;
    o.encoder = kind;
    o.prototypes = prototypes;
    o.length = length;
    o.images = TUNE_IMAGES;
    o.positions = 16;
    return o;
}

/* 2 epochs of 4 minibatches; 30 of them per reconstructed layer. */
static lt_tune_run_options small(int bits, const lt_pq_options *pq, lt_assign assign)
{
    lt_tune_run_options o = {.prep = lt_prep_defaults(), .pq = pq, .train = lt_train_defaults()};
    o.prep.model = MODEL;
    o.prep.preproc = "unit";
    o.prep.seed = 3;
    o.prep.calib_images = TUNE_IMAGES;
    o.prep.quant.w_bits = o.prep.quant.a_bits = bits;
    o.prep.quant.mult_bits = TUNE_MULT_BITS;
    o.prep.quant.acc_bits = TUNE_ACC_BITS;
    o.tune =
        (lt_tune_options){.acc_bits = TUNE_ACC_BITS,
                          .mult_bits = TUNE_MULT_BITS,
                          .edge_bits = 8,
                          .learn_steps = true,
                          .relative_steps = true,
                          .encode = {.assign = assign, .learn = true, .learn_temperature = true, .temperature = 1}};
    o.train.epochs = 2;
    o.train.batch = 24;
    o.train.train_images = 96;
    o.train.test_images = 64;
    o.train.optim.kind = LT_ADAM;
    o.train.lr = 1e-3;
    o.train.augment = (lt_augment_options){0};
    o.recon_steps = 30;
    o.recon_lr = 3e-3;
    return o;
}

static lt_tune_run *opened(const lt_tune_run_options *o)
{
    lt_tune_run *r = malloc(sizeof *r);
    lt_err err = {0};
    tune_ok(lt_tune_run_open(r, o, &err), &err);
    return r;
}

static void closed(lt_tune_run *r)
{
    lt_tune_run_close(r);
    free(r);
}

static void train(lt_tune_run *r, int steps)
{
    lt_err err = {0};
    for (int i = 0; i < steps && !lt_trainer_done(&r->trainer); i++)
        tune_ok(lt_trainer_step(&r->trainer, NULL, &err), &err);
}

static void same_parameters(const lt_tune_run *a, const lt_tune_run *b)
{
    assert_int_equal(a->trainer.n_params, b->trainer.n_params);
    for (int i = 0; i < a->trainer.n_params; i++) {
        const lt_param *p = a->trainer.params[i], *q = b->trainer.params[i];
        if (memcmp(p->value, q->value, p->n * sizeof *p->value) != 0) fail_msg("%s differs", p->name);
    }
}

/* ---- every layer's error falls ---- */

typedef struct {
    const lt_tune_run *r;
    int layers, stop_at; /* stop_at: of layers; 0: none */
    bool falls;          /* every error does */
} watch;

static lt_code done(void *ctx, const char *layer, double before, double after, lt_err *err)
{
    watch *w = ctx;
    bool rounding = strcmp(layer, "first") == 0 && before < 0.001; /* nothing else is left of the error */
    if (!(rounding || !w->falls ? after <= before : after < before))
        fail_msg("%s: error %g -> %g", layer, before, after);
    if (!(before > 0 && before < 2)) fail_msg("%s: error %g, expected a share of a variance", layer, before);
    if (++w->layers != w->stop_at) return LT_OK;
    tune_ok(lt_trainer_save(&w->r->trainer, CHECKPOINT, err), err);
    return LT_EINTERNAL;
}

static void lowers(int bits, const lt_pq_options *pq, lt_assign assign, bool products)
{
    lt_tune_run_options o = small(bits, pq, assign);
    o.tune.products = products;
    lt_tune_run *r = opened(&o);
    lt_err err = {0};
    watch w = {.r = r, .falls = true};
    tune_ok(lt_tune_reconstruct(r, done, &w, &err), &err);
    assert_int_equal(w.layers, LAYERS);
    /* and it is not repeated */
    tune_ok(lt_tune_reconstruct(r, done, &w, &err), &err);
    assert_int_equal(w.layers, LAYERS);
    train(r, 1);
    closed(r);
}

static void test_lowers(void **state)
{
    lt_pq_options tree = products(QPQ_CHANNEL, QENC_TREE, 8, 4), l2 = products(QPQ_CHANNEL, QENC_L2, 8, 4),
                  l1 = products(QPQ_SPATIAL, QENC_L1, 8, 9);
    (void)state;
    lowers(8, &tree, LT_ASSIGN_HARD, false);
    lowers(8, &tree, LT_ASSIGN_SOFT, false);
    lowers(8, &l2, LT_ASSIGN_SOFT, false);
    lowers(8, &l1, LT_ASSIGN_HARD, false);
    lowers(3, NULL, LT_ASSIGN_HARD, false);
    lowers(8, &tree, LT_ASSIGN_HARD, true);
    lowers(8, &l2, LT_ASSIGN_HARD, true);
}

/* Stopped after two layers and again after five steps, and continued: the bits of a run that was not. */
static void continued(const lt_tune_run_options *o)
{
    lt_tune_run *whole = opened(o), *r = opened(o);
    lt_err err = {0};
    watch w = {.r = whole};

    tune_ok(lt_tune_reconstruct(whole, done, &w, &err), &err);
    train(whole, 100);
    w = (watch){.r = r, .stop_at = 2};
    assert_int_equal(lt_tune_reconstruct(r, done, &w, &err), LT_EINTERNAL);
    closed(r);

    r = opened(o);
    w = (watch){.r = r};
    tune_ok(lt_trainer_load(&r->trainer, CHECKPOINT, &err), &err);
    tune_ok(lt_tune_reconstruct(r, done, &w, &err), &err);
    assert_int_equal(w.layers, LAYERS - 2);
    train(r, 5);
    tune_ok(lt_trainer_save(&r->trainer, CHECKPOINT, &err), &err);
    closed(r);

    r = opened(o);
    w = (watch){.r = r};
    tune_ok(lt_trainer_load(&r->trainer, CHECKPOINT, &err), &err);
    tune_ok(lt_tune_reconstruct(r, done, &w, &err), &err);
    assert_int_equal(w.layers, 0);
    train(r, 100);
    same_parameters(whole, r);
    closed(whole);
    closed(r);
}

static void test_continued(void **state)
{
    lt_pq_options tree = products(QPQ_CHANNEL, QENC_TREE, 8, 4), l2 = products(QPQ_CHANNEL, QENC_L2, 8, 4);
    lt_tune_run_options soft = small(8, &tree, LT_ASSIGN_SOFT), falling = soft, hard = small(8, &l2, LT_ASSIGN_HARD),
                        edges = small(8, &tree, LT_ASSIGN_HARD), tied = edges, vectors = hard,
                        dense = small(3, NULL, LT_ASSIGN_HARD);
    (void)state;
    falling.softness_end = 0.1;
    hard.tune.encode.follow = 0.1f;
    edges.tune.encode.follow = 0.1f;
    vectors.tune.products = true;
    vectors.tune.encode.follow = 0.1f;
    tied.tune.products = true;
    tied.tune.encode.follow = 0.1f;
    dense.train.freeze_bn = true;
    continued(&soft);
    continued(&falling);
    continued(&hard);
    continued(&vectors);
    continued(&dense);
    continued(&edges);
    continued(&tied);
}

static void little_endian(char *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) p[i] = (char)(v >> (8 * i));
}

/* Checkpoints of version 1 were written after the reconstruction only, and did not say so. Neither had they a precision
 * as the last of the settings. */
static void test_version_1(void **state)
{
    lt_tune_run_options o = small(4, NULL, LT_ASSIGN_HARD);
    lt_tune_run *r = opened(&o), *s = opened(&o);
    lt_err err = {0};
    watch w = {.r = r};
    char *data;
    size_t n;
    (void)state;

    train(r, 2);
    tune_ok(lt_trainer_save(&r->trainer, CHECKPOINT, &err), &err);
    tune_ok(lt_read_file(CHECKPOINT, 1 << 24, &data, &n, &err), &err);
    size_t settings = 0;
    for (int i = 3; i >= 0; i--) settings = settings << 8 | (unsigned char)data[8 + i];
    size_t at = 12 + settings, precision = strlen("precision f32\n");
    assert_memory_equal(data + at - precision, "precision f32\n", precision);
    memmove(data + at - precision, data + at + 4, n - at - 4);
    n -= 4 + precision;
    little_endian(data + 4, 1);
    little_endian(data + 8, (uint32_t)(settings - precision));
    little_endian(data + n - 4, (uint32_t)crc32_z(0, (const unsigned char *)data, n - 4));
    tune_ok(lt_write_file(CHECKPOINT, data, n, &err), &err);
    tune_ok(lt_trainer_load(&s->trainer, CHECKPOINT, &err), &err);
    same_parameters(r, s);
    tune_ok(lt_tune_reconstruct(s, done, &w, &err), &err);
    assert_int_equal(w.layers, 0);
    free(data);
    closed(r);
    closed(s);
}

/* ---- the temperature ---- */

static double temperature(const lt_tune_run *r)
{
    int n;
    return (double)lt_encoder_params(r->tune.encoders[0], &n)[1].value[0];
}

static void test_temperature(void **state)
{
    lt_pq_options l2 = products(QPQ_CHANNEL, QENC_L2, 8, 4);
    lt_tune_run_options o = small(8, &l2, LT_ASSIGN_SOFT);
    lt_err err = {0};
    lt_tune_run *r;
    (void)state;

    o.tune.encode.temperature = 2;
    r = opened(&o);
    train(r, 3);
    assert_true(temperature(r) != 2 && fabs(temperature(r) - 2) < 0.1); /* learned */
    closed(r);
    o.softness_end = 0.125;
    r = opened(&o);
    assert_true(temperature(r) == 2);
    for (int i = 0; i < 8; i++) { /* of 8 steps */
        train(r, 1);
        double want = 2 * pow(0.125 / 2, i / 7.0);
        if (fabs(temperature(r) - want) > 1e-6)
            fail_msg("step %d: temperature %g, expected %g", i, temperature(r), want);
    }
    assert_true(lt_trainer_done(&r->trainer));
    tune_ok(lt_trainer_save(&r->trainer, CHECKPOINT, &err), &err);
    closed(r);
    /* a part of the settings */
    o.softness_end = 0.25;
    r = opened(&o);
    assert_int_equal(lt_trainer_load(&r->trainer, CHECKPOINT, &err), LT_EINPUT);
    if (!strstr(err.msg, "T2..0.125") || !strstr(err.msg, "T2..0.25")) fail_msg("%s", err.msg);
    closed(r);
}

/* ---- what is trained ---- */

static bool is_a(const lt_param *p, const char *part)
{
    size_t n = strlen(p->name), m = strlen(part);
    return n > m && strcmp(p->name + n - m, part) == 0;
}

/* Statistics of batch norms follow the minibatches whatever is trained. */
static bool may_change(const lt_param *p, lt_tune_set set)
{
    bool dense = strncmp(p->name, "first.", 6) == 0 || strncmp(p->name, "last.", 5) == 0;
    if (is_a(p, ".running_mean") || is_a(p, ".running_var") || set == LT_TUNE_ALL) return true;
    if (is_a(p, ".proto") || is_a(p, ".decode") || is_a(p, ".temperature")) return set != LT_TUNE_TABLES;
    return set == LT_TUNE_TABLES || (set == LT_TUNE_BOTH && !dense);
}

static void trains(lt_tune_set set, bool vectors, bool prototypes, bool tables, bool dense)
{
    lt_pq_options l2 = products(QPQ_CHANNEL, QENC_L2, 8, 4);
    lt_tune_run_options o = small(8, &l2, vectors ? LT_ASSIGN_HARD : LT_ASSIGN_SOFT);
    lt_err err = {0};
    bool seen[3] = {false};

    o.set = set;
    o.tune.products = vectors;
    o.recon_steps = 2;
    lt_tune_run *before = opened(&o), *r = opened(&o);
    tune_ok(lt_tune_reconstruct(r, NULL, NULL, &err), &err);
    train(r, 2);
    for (int i = 0; i < r->trainer.n_params; i++) {
        const lt_param *p = r->trainer.params[i], *q = before->trainer.params[i];
        bool changed = memcmp(p->value, q->value, p->n * sizeof *p->value) != 0;
        if (changed && !may_change(p, set)) fail_msg("set %d: %s changed", set, p->name);
        if (is_a(p, vectors ? ".decode" : ".proto")) seen[0] |= changed;
        if (strcmp(p->name, "b.weight") == 0) seen[1] = changed;
        if (strcmp(p->name, "first.weight") == 0) seen[2] = changed;
    }
    if (seen[0] != prototypes || seen[1] != tables || seen[2] != dense)
        fail_msg("set %d: changed: prototypes %d, tables %d, dense weights %d", set, seen[0], seen[1], seen[2]);
    closed(before);
    closed(r);
}

static void test_sets(void **state)
{
    (void)state;
    for (int vectors = 0; vectors < 2; vectors++) {
        trains(LT_TUNE_ALL, vectors, true, true, true);
        trains(LT_TUNE_PROTOTYPES, vectors, true, false, false);
        trains(LT_TUNE_TABLES, vectors, false, true, true);
        trains(LT_TUNE_BOTH, vectors, true, true, false);
    }
}

/* ---- errors ---- */

static void test_runs_away(void **state)
{
    lt_tune_run_options o = small(4, NULL, LT_ASSIGN_HARD);
    lt_err err = {0};
    char *was, *is;
    size_t n_was, n_is;
    (void)state;

    o.recon_lr = 1e38;
    lt_tune_run *r = opened(&o);
    tune_ok(lt_trainer_save(&r->trainer, CHECKPOINT, &err), &err);
    tune_ok(lt_read_file(CHECKPOINT, 1 << 24, &was, &n_was, &err), &err);
    assert_int_equal(lt_tune_reconstruct(r, NULL, NULL, &err), LT_EINPUT);
    if (!strstr(err.msg, "reconstruction error is not finite")) fail_msg("%s", err.msg);
    assert_int_equal(r->trainer.prepared, 0);
    /* nor is what it left written over what was good */
    r->trainer.params[2]->value[0] = NAN;
    assert_int_equal(lt_trainer_save(&r->trainer, CHECKPOINT, &err), LT_EINPUT);
    if (!strstr(err.msg, "is not finite after step 0")) fail_msg("%s", err.msg);
    tune_ok(lt_read_file(CHECKPOINT, 1 << 24, &is, &n_is, &err), &err);
    assert_int_equal(n_was, n_is);
    assert_memory_equal(was, is, n_is);
    free(was);
    free(is);
    closed(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lowers),    cmocka_unit_test(test_continued),
                                       cmocka_unit_test(test_version_1), cmocka_unit_test(test_temperature),
                                       cmocka_unit_test(test_sets),      cmocka_unit_test(test_runs_away)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
