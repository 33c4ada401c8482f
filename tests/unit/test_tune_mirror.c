/* Mirrored trees and tables: compress/tree_mirrored.c, train/grid.h, and networks made with them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "compress/tree.h"
#include "golden/mirror.h"
#include "train/grid.h"
#include "tune_run.h"

static lt_pq_options settings(int prototypes, int length, int enc_bits)
{
    lt_pq_options o = lt_pq_defaults();
    o.prototypes = prototypes;
    o.length = length;
    o.enc_bits = enc_bits;
    o.mirror = true;
    o.images = TUNE_IMAGES;
    o.positions = 16;
    return o;
}

/* A code is the levels of the elements, the first in the highest bits. */
static void check_codes(int codes, int length)
{
    enum { N = 400 };
    int16_t x[N * 8], thresh[256];
    uint16_t dim[8];
    lt_rng r = lt_rng_make(9, (uint64_t)(codes * 16 + length));
    lt_err err = {0};

    for (int i = 0; i < N * length; i++) x[i] = (int16_t)(lt_rng_below(&r, 90) + lt_rng_below(&r, 90));
    assert_int_equal(lt_tree_fit_mirrored(x, N, length, codes, 0, 255, dim, thresh, &err), LT_OK);
    qencoder e = {.encoder = QENC_TREE, .prototypes = codes, .length = length, .codebooks = 1, .enc_bits = 8};
    e.dim = dim;
    e.thresh = thresh;
    int used = 0, seen[256] = {0};
    for (int i = 0; i < N; i++) {
        int want = 0;
        for (int j = 0; j < length; j++) {
            int level = 0, b = qenc_element_bits(codes, length, j), top = (1 << b) - 1;
            while (level < top && x[i * length + j] >= thresh[lt_tree_mirrored_node(codes, length, j, level + 1)])
                level++;
            want = want << b | level;
        }
        int got = golden_encode(&e, 0, x + i * length);
        assert_int_equal(got, want);
        used += !seen[got]++;
    }
    assert_true(used > codes / 2);
    for (int j = 0; j < length; j++) /* equally far apart, but for rounding */
        for (int l = 1; l + 2 < 1 << qenc_element_bits(codes, length, j); l++) {
            int t[3];
            for (int i = 0; i < 3; i++) t[i] = thresh[lt_tree_mirrored_node(codes, length, j, l + i)];
            assert_true(abs(t[1] - t[0] - (t[2] - t[1])) <= 1);
        }
}

static void test_tree(void **state)
{
    (void)state;
    check_codes(16, 4);
    check_codes(16, 2);
    check_codes(16, 1);
    check_codes(8, 3);
    check_codes(64, 2);
    check_codes(32, 2); /* three bits and two */
    check_codes(16, 3);
    assert_int_equal(qenc_element_bits(16, 2, 0), 2);
    assert_int_equal(qenc_element_bits(32, 2, 0), 3);
    assert_int_equal(qenc_element_bits(32, 2, 1), 2);
    assert_false(lt_tree_can_mirror(16, 8));
}

/* Values and gradients of the grid in every variant of the loops, against the definition. */
static void test_grid_loops(void **state)
{
    enum { PX = 150, C = 19, EDGES = 3 };
    static float x[PX * C], g[PX * C], y[PX * C], gx[PX * C];
    float edge[EDGES * C], centre[C], step[C], per[C], most[C];
    double sums[2 * C];
    lt_rng r = lt_rng_make(2, 6);
    int n;
    const lt_vec *const *all = lt_vec_all(&n);
    (void)state;
    for (int i = 0; i < PX * C; i++) {
        x[i] = 2 * (float)lt_rng_normal(&r);
        g[i] = (float)lt_rng_normal(&r);
    }
    for (int c = 0; c < C; c++) {
        centre[c] = (float)lt_rng_normal(&r);
        step[c] = 0.3f + 0.05f * (float)c;
        per[c] = 1 / step[c];
        most[c] = c % 2 ? 0.5f : 1.5f; /* two levels or four */
        for (int i = 0; i < EDGES; i++) edge[i * C + c] = centre[c] + step[c] * (float)(i - 1) + 0.01f;
        if (c % 2) edge[c] = centre[c], edge[C + c] = edge[2 * C + c] = INFINITY;
    }
    for (int v = 0; v < n; v++) {
        double want[2 * C] = {0};
        all[v]->grid(x, PX, C, EDGES, edge, step, most, y);
        all[v]->grid_back(x, g, PX, C, EDGES, edge, centre, per, most, gx, sums, sums + C);
        for (int i = 0; i < PX * C; i++) {
            int c = i % C;
            float level = -most[c], u = (x[i] - centre[c]) * per[c];
            for (int k = 0; k < EDGES; k++) level += x[i] >= edge[k * C + c];
            bool in = u >= -most[c] && u <= most[c];
            assert_true(y[i] == step[c] * level);
            assert_true(gx[i] == (in ? g[i] : 0));
            want[c] -= in ? (double)g[i] : 0;
            want[C + c] += (double)(g[i] * (in ? level - u : level));
        }
        for (int i = 0; i < 2 * C; i++) assert_true(fabs(want[i] - sums[i]) < 1e-4 * (1 + fabs(want[i])));
    }
}

static void exported(lt_pq_options pq, bool products, int steps)
{
    lt_encode_options e = {.assign = LT_ASSIGN_HARD, .temperature = 1};
    lt_prep p;
    tune_prepare(&p, 8, &pq);
    check_antisymmetric(&p.net);
    check_export(&p, &e, products, true, steps);
    lt_prep_free(&p);
}

/* What is exported computes what was trained, before and after steps. */
static void test_export(void **state)
{
    (void)state;
    for (int steps = 0; steps <= 40; steps += 40) {
        exported(settings(16, 2, 8), false, steps);
        exported(settings(8, 3, 8), false, steps); /* a codebook over the edge, one bit per element */
        exported(settings(16, 4, 6), false, steps);
        exported(settings(32, 2, 8), false, steps);
    }
    lt_pq_options fine = settings(16, 2, 8); /* products are rounded once more: what an 8-bit table hardly changes */
    fine.lut_bits = 8;
    exported(fine, true, 0);
    exported(fine, true, 40);
    fine.prototypes = 32;
    exported(fine, true, 40);
    exported(settings(16, 2, 8), true, 40); /* whose multipliers are larger than those of the weights */
}

static void test_refused(void **state)
{
    lt_prep p;
    lt_pq_options o = settings(8, 4, 8);
    lt_pq_result results[16];
    lt_err err = {0};
    int n;
    (void)state;
    tune_prepare(&p, 8, NULL);
    assert_int_equal(lt_pq_fit(&p, &o, TUNE_ACC_BITS, TUNE_MULT_BITS, results, &n, &err), LT_EINPUT);
    assert_non_null(strstr(err.msg, "8 prototypes of length 4"));
    o = settings(16, 2, 8);
    o.encoder = QENC_L2;
    assert_int_equal(lt_pq_fit(&p, &o, TUNE_ACC_BITS, TUNE_MULT_BITS, results, &n, &err), LT_EINPUT);
    lt_prep_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_tree), cmocka_unit_test(test_grid_loops),
                                       cmocka_unit_test(test_export), cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
