/* Lookup layers in training: the encoder's gradients against finite differences and against the definition of the
 * straight-through estimate, and the exported integer network against the one that was trained. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "train/encode_internal.h"
#include "tune_net.h"
#include "tune_run.h"

enum { LENGTH = 5, CODES = 8, LANES = 8, DEPTH = 3 };

typedef struct {
    float table[LENGTH * LANES], mean[CODES * LENGTH], slope[LENGTH * CODES], width[DEPTH + 1];
    uint16_t dim[DEPTH];
    enc_book b;
} fixture;

static void fix(fixture *f, qpq_encoder kind)
{
    lt_rng r = lt_rng_make(9, (uint64_t)kind);
    double scratch[LENGTH * (LENGTH + 1)];
    for (int i = 0; i < LENGTH * LANES; i++) f->table[i] = (float)(20 + 10 * lt_rng_normal(&r));
    for (int i = 0; i < CODES * LENGTH; i++) f->mean[i] = (float)(20 + 10 * lt_rng_normal(&r));
    for (int i = 0; i < DEPTH; i++) f->dim[i] = (uint16_t)lt_rng_below(&r, LENGTH);
    f->b = (enc_book){kind, LENGTH, CODES, LANES, DEPTH, f->table, f->table, f->dim, f->slope, f->width, 1.3f};
    enc_width(&f->b, f->mean, f->width);
    enc_slope(f->mean, CODES, LENGTH, f->slope, scratch);
}

static double weighted(const fixture *f, const float *v, const float *h)
{
    float p[CODES];
    double s = 0;
    enc_soft(&f->b, v, p);
    for (int k = 0; k < CODES; k++) s += (double)p[k] * (double)h[k];
    return s;
}

static void near(double want, double got, const char *what, int i)
{
    if (fabs(want - got) > 2e-3 + 2e-2 * fabs(want))
        fail_msg("%s %d: gradient %g, finite difference %g", what, i, got, want);
}

static void soft_gradients(qpq_encoder kind)
{
    lt_rng r = lt_rng_make(21, (uint64_t)kind);
    fixture f;
    float eps = 0.02f;
    fix(&f, kind);
    for (int trial = 0; trial < 20; trial++) {
        float v[LENGTH], h[CODES], gv[LENGTH], gt[CODES * LENGTH] = {0}, p[CODES];
        double sum = 0;
        for (int j = 0; j < LENGTH; j++) v[j] = (float)(20 + 10 * lt_rng_normal(&r));
        for (int k = 0; k < CODES; k++) h[k] = (float)lt_rng_normal(&r);
        enc_soft(&f.b, v, p);
        for (int k = 0; k < CODES; k++) sum += (double)p[k];
        assert_true(fabs(sum - 1) < 1e-5);
        float gtau = enc_soft_back(&f.b, v, h, gv, gt);
        for (int j = 0; j < LENGTH; j++) {
            float old = v[j];
            v[j] = old + eps;
            double up = weighted(&f, v, h);
            v[j] = old - eps;
            double down = weighted(&f, v, h);
            v[j] = old;
            near((up - down) / (2 * (double)eps), (double)gv[j], "input", j);
        }
        int n = kind == QENC_TREE ? CODES - 1 : CODES * LENGTH;
        for (int i = 0; i < n; i++) {
            float *t = kind == QENC_TREE ? &f.table[i] : &f.table[i % LENGTH * LANES + i / LENGTH], old = *t;
            *t = old + eps;
            double up = weighted(&f, v, h);
            *t = old - eps;
            double down = weighted(&f, v, h);
            *t = old;
            near((up - down) / (2 * (double)eps), (double)gt[i], "table", i);
        }
        float old = f.b.temperature;
        f.b.temperature = old + 0.01f;
        double up = weighted(&f, v, h);
        f.b.temperature = old - 0.01f;
        double down = weighted(&f, v, h);
        f.b.temperature = old;
        near((up - down) / 0.02, (double)gtau, "temperature", 0);
    }
}

static void test_soft(void **state)
{
    (void)state;
    soft_gradients(QENC_L2);
    soft_gradients(QENC_L1);
    soft_gradients(QENC_TREE);
}

/* Colder and colder, the soft assignment becomes the hard one. */
static void test_cold(void **state)
{
    static const qpq_encoder kinds[] = {QENC_L1, QENC_L2, QENC_TREE};
    (void)state;
    for (int i = 0; i < 3; i++) {
        lt_rng r = lt_rng_make(2, (uint64_t)i);
        fixture f;
        int seen = 0, mask = 0;
        fix(&f, kinds[i]);
        for (int k = 0; k < LENGTH * LANES; k++) f.table[k] = roundf(f.table[k]);
        f.b.temperature = 1e-3f;
        for (int t = 0; t < 200; t++) {
            float v[LENGTH], p[CODES];
            for (int j = 0; j < LENGTH; j++) v[j] = roundf((float)(20 + 10 * lt_rng_normal(&r)));
            enc_soft(&f.b, v, p);
            int code = enc_hard(&f.b, v);
            /* equal distances share */
            for (int k = 0; k < CODES; k++) assert_true(p[k] <= p[code] + 1e-6f);
            if (!(mask >> code & 1)) seen++;
            mask |= 1 << code;
        }
        assert_true(seen > 3);
    }
}

/* The slope g solves (C^T C + ridge) g = C^T h with C the centred means. */
static void test_straight_through(void **state)
{
    lt_rng r = lt_rng_make(4, 4);
    fixture f;
    double c[CODES][LENGTH], centre[LENGTH] = {0}, trace = 0;
    float h[CODES], g[LENGTH];
    (void)state;
    fix(&f, QENC_L2);
    for (int k = 0; k < CODES; k++) h[k] = (float)(10 * lt_rng_normal(&r));
    for (int k = 0; k < CODES; k++)
        for (int j = 0; j < LENGTH; j++) centre[j] += (double)f.mean[k * LENGTH + j] / CODES;
    for (int k = 0; k < CODES; k++)
        for (int j = 0; j < LENGTH; j++) {
            c[k][j] = (double)f.mean[k * LENGTH + j] - centre[j];
            trace += c[k][j] * c[k][j];
        }
    enc_slope_back(&f.b, h, g);
    for (int i = 0; i < LENGTH; i++) {
        double left = ENC_RIDGE * trace / LENGTH * (double)g[i], right = 0;
        for (int k = 0; k < CODES; k++) {
            right += c[k][i] * (double)h[k];
            for (int j = 0; j < LENGTH; j++) left += c[k][i] * c[k][j] * (double)g[j];
        }
        if (fabs(left - right) > 1e-3 * (1 + fabs(right))) fail_msg("element %d: %g, expected %g", i, left, right);
    }
}

static lt_pq_options settings(qpq_mode mode, qpq_encoder kind, int prototypes, int length, int enc_bits)
{
    lt_pq_options o = lt_pq_defaults();
    o.mode = mode;
    o.encoder = kind;
    o.prototypes = prototypes;
    o.length = length;
    o.enc_bits = enc_bits;
    o.images = TUNE_IMAGES;
    o.positions = 16;
    return o;
}

static void exported(lt_pq_options pq, lt_assign assign, bool soft_forward, int steps)
{
    lt_encode_options e = {
        .assign = assign, .soft_forward = soft_forward, .learn = true, .learn_temperature = true, .temperature = 1};
    lt_prep p;
    tune_prepare(&p, 8, &pq);
    check_export(&p, &e, steps);
    lt_prep_free(&p);
}

static void test_export(void **state)
{
    (void)state;
    exported(settings(QPQ_CHANNEL, QENC_TREE, 8, 4, 8), LT_ASSIGN_HARD, false, 0);
    exported(settings(QPQ_CHANNEL, QENC_L2, 16, 3, 6), LT_ASSIGN_HARD, false, 0); /* a codebook over the edge */
    exported(settings(QPQ_CHANNEL, QENC_L1, 4, 4, 4), LT_ASSIGN_HARD, false, 0);
    exported(settings(QPQ_SPATIAL, QENC_TREE, 16, 9, 8), LT_ASSIGN_HARD, false, 0);
    exported(settings(QPQ_SPATIAL, QENC_L2, 8, 9, 8), LT_ASSIGN_HARD, false, 0);
}

static void test_trained(void **state)
{
    (void)state;
    exported(settings(QPQ_CHANNEL, QENC_TREE, 8, 4, 8), LT_ASSIGN_HARD, false, 60);
    exported(settings(QPQ_CHANNEL, QENC_TREE, 8, 4, 8), LT_ASSIGN_SOFT, false, 60);
    exported(settings(QPQ_CHANNEL, QENC_L2, 8, 4, 8), LT_ASSIGN_SOFT, false, 60);
    exported(settings(QPQ_SPATIAL, QENC_L1, 8, 9, 8), LT_ASSIGN_SOFT, true, 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_soft), cmocka_unit_test(test_cold),
                                       cmocka_unit_test(test_straight_through), cmocka_unit_test(test_export),
                                       cmocka_unit_test(test_trained)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
