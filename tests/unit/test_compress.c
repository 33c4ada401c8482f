/* k-means, tree encoders and lookup tables on problems whose answer is known. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/rng.h"
#include "compress/encoder_fit.h"
#include "compress/kmeans.h"
#include "compress/lut_round.h"
#include "compress/pq.h"
#include "compress/tree.h"
#include "golden/golden.h"

/* Points in tight, well separated balls: every ball must get one centre, in both metrics. */
static void kmeans_finds_separated_clusters(void **state)
{
    (void)state;
    enum { K = 8, D = 5, PER = 40, N = K * PER };
    static float x[N * D];
    float c[K * D];
    int assign[N];
    lt_rng r = lt_rng_make(7, 1);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < D; j++) x[i * D + j] = (float)(100 * (i % K) * (j + 1) + lt_rng_range(&r, -3, 3));
    for (int metric = KM_L2; metric <= KM_L1; metric++) {
        for (uint64_t seed = 1; seed <= 5; seed++) {
            double error;
            assert_int_equal(lt_kmeans(x, N, D, K, (km_metric)metric, 50, seed, c, assign, &error, NULL), LT_OK);
            for (int i = 0; i < N; i++) assert_int_equal(assign[i], assign[i % K]);
            for (int i = 0; i < K; i++)
                for (int j = 0; j < i; j++) assert_int_not_equal(assign[i], assign[j]);
            assert_true(error < (metric == KM_L2 ? 9.0 * D : 3.0 * D));
        }
    }
}

static void kmeans_is_deterministic_and_survives_few_points(void **state)
{
    (void)state;
    float x[] = {1, 1, 1, 5, 5, 9}, a[8], b[8];
    int assign[6];
    assert_int_equal(lt_kmeans(x, 6, 1, 8, KM_L2, 20, 3, a, assign, NULL, NULL), LT_OK);
    assert_int_equal(lt_kmeans(x, 6, 1, 8, KM_L2, 20, 3, b, assign, NULL, NULL), LT_OK);
    assert_memory_equal(a, b, sizeof a);
    for (int i = 0; i < 6; i++) assert_true(a[assign[i]] == x[i]);
}

/* Median, not mean: one outlier must not move an L1 centre. */
static void l1_centre_is_the_median(void **state)
{
    (void)state;
    float x[] = {1, 2, 3, 4, 1000}, c[1];
    int assign[5];
    assert_int_equal(lt_kmeans(x, 5, 1, 1, KM_L1, 5, 1, c, assign, NULL, NULL), LT_OK);
    assert_true(c[0] == 3);
}

/* Depth 1 is small enough to try every dimension and threshold. */
static void tree_level_is_optimal(void **state)
{
    (void)state;
    enum { N = 60, D = 3 };
    for (uint64_t seed = 1; seed <= 20; seed++) {
        lt_rng r = lt_rng_make(seed, 2);
        int16_t x[N * D], thresh[1];
        uint16_t dim[1];
        for (int i = 0; i < N * D; i++) x[i] = (int16_t)lt_rng_range(&r, 0, 15 + 20 * (i % D));
        assert_int_equal(lt_tree_fit(x, N, D, 1, 256, dim, thresh, NULL), LT_OK);
        double best = INFINITY, got = INFINITY;
        for (int j = 0; j < D; j++) {
            for (int t = 0; t <= 64; t++) {
                double sum[2][D] = {{0}}, sq = 0;
                int n[2] = {0, 0};
                for (int i = 0; i < N; i++) {
                    int side = x[i * D + j] >= t;
                    n[side]++;
                    for (int e = 0; e < D; e++) {
                        sum[side][e] += x[i * D + e];
                        sq += (double)x[i * D + e] * x[i * D + e];
                    }
                }
                double loss = sq;
                for (int s = 0; s < 2; s++)
                    for (int e = 0; e < D && n[s]; e++) loss -= sum[s][e] * sum[s][e] / n[s];
                if (loss < best) best = loss;
                if (j == dim[0] && t == thresh[0]) got = loss;
            }
        }
        assert_true(fabs(got - best) < 1e-6 * best);
    }
}

/* Sixteen distinct points on a grid: a tree of depth 4 gives each its own leaf, through the golden encoder. */
static void tree_separates_a_grid(void **state)
{
    (void)state;
    int16_t x[16 * 4];
    uint8_t codes[16];
    bool seen[16] = {false};
    qtensor t = {.c = 4, .h = 1, .w = 1, .bits = 8, .is_signed = false};
    qencoder e = {.mode = QPQ_CHANNEL,
                  .encoder = QENC_TREE,
                  .prototypes = 16,
                  .length = 4,
                  .codebooks = 1,
                  .enc_bits = 8,
                  .r = 1,
                  .s = 1};
    for (int i = 0; i < 16; i++)
        for (int j = 0; j < 4; j++) x[i * 4 + j] = (int16_t)((i >> j & 1) * (200 >> j) + 3);
    assert_int_equal(lt_encoder_alloc(&e, NULL), LT_OK);
    assert_int_equal(lt_encoder_fit(&e, &t, 0, x, 16, false, 0, 1, codes, NULL), LT_OK);
    for (int i = 0; i < 16; i++) {
        assert_false(seen[codes[i]]);
        seen[codes[i]] = true;
    }
    free(e.dim);
    free(e.thresh);
}

enum { ROWS = 4000, ACTIVE = 10, CODES = 8, OUTS = 18, ENTRIES = ACTIVE * CODES };

typedef struct {
    int32_t idx[ROWS * ACTIVE];
    float y[ROWS * OUTS];
    float truth[ENTRIES * OUTS];
} problem;

static lt_lut_samples make_problem(problem *p, uint64_t seed, bool mirrored)
{
    lt_rng r = lt_rng_make(seed, 3);
    for (int i = 0; i < ENTRIES * OUTS; i++) p->truth[i] = (float)lt_rng_normal(&r);
    for (int row = 0; row < ROWS; row++) {
        int mood = lt_rng_range(&r, 0, CODES - 1); /* codes are correlated, as in a real layer */
        for (int a = 0; a < ACTIVE; a++) {
            int code = lt_rng_below(&r, 2) ? mood : lt_rng_range(&r, 0, CODES - 1);
            p->idx[row * ACTIVE + a] = lt_rng_below(&r, 10) ? a * CODES + code : LT_LUT_NONE;
            if (mirrored && p->idx[row * ACTIVE + a] >= 0 && lt_rng_below(&r, 2))
                p->idx[row * ACTIVE + a] = ~p->idx[row * ACTIVE + a];
        }
        for (int k = 0; k < OUTS; k++) {
            double v = 0.5 * k;
            for (int a = 0; a < ACTIVE; a++) {
                int i = p->idx[row * ACTIVE + a];
                if (i != LT_LUT_NONE) v += i < 0 ? -p->truth[~i * OUTS + k] : p->truth[i * OUTS + k];
            }
            p->y[row * OUTS + k] = (float)v;
        }
    }
    return (lt_lut_samples){ROWS, ACTIVE, ENTRIES, OUTS, p->idx, p->y, mirrored};
}

/* The output is a table lookup plus a constant: solving must explain all of it. */
static void recover(bool mirrored)
{
    problem *p = malloc(sizeof *p);
    lt_lut_samples s = make_problem(p, 11, mirrored);
    float table[ENTRIES * OUTS], bias[OUTS];
    assert_int_equal(lt_lut_solve(&s, 1e-7, table, bias, NULL, NULL), LT_OK);
    for (int row = 0; row < ROWS; row++) {
        for (int k = 0; k < OUTS; k++) {
            double v = bias[k];
            for (int a = 0; a < ACTIVE; a++)
                if (s.idx[row * ACTIVE + a] >= 0)
                    v += table[s.idx[row * ACTIVE + a] * OUTS + k];
                else if (s.idx[row * ACTIVE + a] != LT_LUT_NONE)
                    v -= table[~s.idx[row * ACTIVE + a] * OUTS + k];
            assert_true(fabs(v - s.y[row * OUTS + k]) < 0.02);
        }
    }
    free(p);
}

static void solve_recovers_a_planted_table(void **state)
{
    (void)state;
    recover(false);
    recover(true);
}

static double rounded_error(const lt_lut_samples *s, int bits, bool feedback)
{
    float table[ENTRIES * OUTS], bias[OUTS], scale[OUTS];
    static double normal[ENTRIES * ENTRIES];
    int8_t q[ENTRIES * OUTS];
    double mse, var;
    lt_lut_scaling any = {1e-9f, NULL, NULL};
    assert_int_equal(lt_lut_solve(s, 1e-6, table, bias, normal, NULL), LT_OK);
    assert_int_equal(lt_lut_round(s, table, feedback ? normal : NULL, bits, &any, q, scale, bias, NULL), LT_OK);
    for (int i = 0; i < ENTRIES * OUTS; i++)
        assert_in_range(q[i] + 128, 128 - (1 << (bits - 1)) + s->mirrored, 127 + (1 << (bits - 1)));
    lt_lut_error(s, q, scale, bias, &mse, &var);
    assert_true(var > 0);
    return mse / var;
}

/* More bits mean less error, and feeding errors forward helps at equal bits. */
static void rounding_improves_with_bits_and_feedback(void **state)
{
    (void)state;
    problem *p = malloc(sizeof *p);
    double plain = 0, fed = 0;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        lt_lut_samples s = make_problem(p, seed, seed > 4);
        double e4 = rounded_error(&s, 4, false), e6 = rounded_error(&s, 6, false), e8 = rounded_error(&s, 8, false);
        assert_true(e8 < e6 && e6 < e4 && e8 < 1e-3);
        plain += e4;
        fed += rounded_error(&s, 4, true);
    }
    assert_true(fed < plain);
    free(p);
}

/* The mean squared error of output k with the bias of least error. */
static double centred_error(const lt_lut_samples *s, const int8_t *q, const float *scale, int k)
{
    double sum = 0, squares = 0;
    for (int r = 0; r < s->rows; r++) {
        int at, acc = 0;
        for (int i = 0; i < s->active; i++) {
            int sign = lt_lut_entry(s->idx[r * s->active + i], &at);
            if (sign) acc += sign * q[at * s->k + k];
        }
        double e = (double)s->y[r * s->k + k] - (double)scale[k] * acc;
        sum += e;
        squares += e * e;
    }
    return squares / s->rows - (sum / s->rows) * (sum / s->rows);
}

/* No step of a single entry lowers the error of a table rounded in the metric of its samples. */
static void rounding_settles(void **state)
{
    (void)state;
    problem *p = malloc(sizeof *p);
    for (uint64_t seed = 1; seed <= 2; seed++) {
        lt_lut_samples s = make_problem(p, seed, seed == 2);
        lt_lut_scaling any = {1e-9f, NULL, NULL};
        float table[ENTRIES * OUTS], bias[OUTS], scale[OUTS];
        static double normal[ENTRIES * ENTRIES];
        int8_t q[ENTRIES * OUTS];
        assert_int_equal(lt_lut_solve(&s, 1e-6, table, bias, normal, NULL), LT_OK);
        assert_int_equal(lt_lut_round(&s, table, normal, 3, &any, q, scale, bias, NULL), LT_OK);
        for (int i = 0; i < ENTRIES * OUTS; i++) {
            double least = centred_error(&s, q, scale, i % OUTS);
            for (int d = -1; d <= 1; d += 2) {
                if (q[i] + d < (s.mirrored ? -3 : -4) || q[i] + d > 3) continue;
                q[i] = (int8_t)(q[i] + d);
                assert_true(centred_error(&s, q, scale, i % OUTS) > least * (1 - 1e-5));
                q[i] = (int8_t)(q[i] - d);
            }
        }
    }
    free(p);
}

static void singular_problem_is_refused_or_regularised(void **state)
{
    (void)state;
    /* entry 1 never occurs: the ridge alone keeps the matrix regular, and the entry is 0 */
    int32_t idx[] = {0, 0, 2, 2};
    float y[] = {1, 1, 3, 3}, table[3], bias[1];
    lt_lut_samples s = {4, 1, 3, 1, idx, y, false};
    assert_int_equal(lt_lut_solve(&s, 0, table, bias, NULL, NULL), LT_OK);
    assert_true(table[1] == 0);
    assert_true(fabsf(table[0] + bias[0] - 1) < 1e-3f && fabsf(table[2] + bias[0] - 3) < 1e-3f);
}

static void overrides_are_read_and_faults_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } bad[] = {{"a prototypes=7\n", "ov.txt:1: prototypes: got 7, expected a power of two, 2..256"},
               {"# x\nconv1 length=0\n", "ov.txt:2: length: got 0, expected 1..64"},
               {"a dens\n", "ov.txt:1: got 'dens', expected dense, lookup, prototypes=N or length=N"},
               {"a\n", "ov.txt:1: a: no setting follows"}};
    lt_err err;
    lt_pq_options *o = malloc(sizeof *o);
    *o = lt_pq_defaults();
    const char *good = "layer1.* dense\n# comment\nfc lookup prototypes=8 length=4 # tail\n\n";
    char path[] = "ov.txt";
    assert_int_equal(lt_write_file(path, good, strlen(good), &err), LT_OK);
    assert_int_equal(lt_pq_read_overrides(path, o, &err), LT_OK);
    assert_int_equal(o->n_overrides, 2);
    assert_string_equal(o->override[0].name, "layer1.*");
    assert_int_equal(o->override[0].dense, 1);
    assert_int_equal(o->override[1].dense, -1);
    assert_int_equal(o->override[1].prototypes, 8);
    assert_int_equal(o->override[1].length, 4);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(lt_write_file(path, bad[i].text, strlen(bad[i].text), &err), LT_OK);
        assert_int_equal(lt_pq_read_overrides(path, o, &err), LT_EINPUT);
        assert_string_equal(err.msg, bad[i].message);
    }
    remove(path);
    free(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(kmeans_finds_separated_clusters),
                                       cmocka_unit_test(kmeans_is_deterministic_and_survives_few_points),
                                       cmocka_unit_test(l1_centre_is_the_median),
                                       cmocka_unit_test(tree_level_is_optimal),
                                       cmocka_unit_test(tree_separates_a_grid),
                                       cmocka_unit_test(solve_recovers_a_planted_table),
                                       cmocka_unit_test(rounding_improves_with_bits_and_feedback),
                                       cmocka_unit_test(rounding_settles),
                                       cmocka_unit_test(singular_problem_is_refused_or_regularised),
                                       cmocka_unit_test(overrides_are_read_and_faults_named)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
