/* The procedural image set: reproducible, balanced, hard for a linear classifier on pixels, easy enough for features.
 */
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
#include "model/dataset.h"

enum { SIDE = 32, PIXELS = 3 * SIDE * SIDE, CLASSES = 10, TRAIN = 4000, TEST = 1000 };

/* ---- softmax regression by stochastic gradient descent ---- */

static void scores(const float *w, const float *x, int d, float *z)
{
    for (int k = 0; k < CLASSES; k++) {
        const float *row = w + (size_t)k * (size_t)(d + 1);
        float sum = row[d];
        for (int i = 0; i < d; i++) sum += row[i] * x[i];
        z[k] = sum;
    }
}

static void step(float *w, const float *x, int d, int label, float rate)
{
    float z[CLASSES], top = -INFINITY, sum = 0;
    scores(w, x, d, z);
    for (int k = 0; k < CLASSES; k++) top = fmaxf(top, z[k]);
    for (int k = 0; k < CLASSES; k++) sum += z[k] = expf(z[k] - top);
    for (int k = 0; k < CLASSES; k++) {
        float g = rate * (z[k] / sum - (k == label)), *row = w + (size_t)k * (size_t)(d + 1);
        for (int i = 0; i < d; i++) row[i] -= g * x[i];
        row[d] -= g;
    }
}

/* Best test accuracy in percent over all epochs: generous to the classifier. */
static double train(const float *x, const uint8_t *y, const float *tx, const uint8_t *ty, int d, int epochs, float rate)
{
    float *w = calloc((size_t)CLASSES * (size_t)(d + 1), sizeof *w);
    lt_rng r = lt_rng_make(7, 0);
    double best = 0;
    assert_non_null(w);
    for (int e = 0; e < epochs; e++) {
        for (int i = 0; i < TRAIN; i++) {
            size_t k = lt_rng_below(&r, TRAIN);
            step(w, x + k * (size_t)d, d, y[k], rate / (1 + 0.3f * (float)e));
        }
        int right = 0;
        for (int i = 0; i < TEST; i++) {
            float z[CLASSES];
            int arg = 0;
            scores(w, tx + (size_t)i * (size_t)d, d, z);
            for (int k = 1; k < CLASSES; k++)
                if (z[k] > z[arg]) arg = k;
            right += arg == ty[i];
        }
        best = fmax(best, 100.0 * right / TEST);
    }
    free(w);
    return best;
}

/* ---- features ---- */

static void pixels_of(const uint8_t *image, float *f)
{
    for (int i = 0; i < PIXELS; i++) f[i] = ((float)image[i] - 128) / 128 * 0.25f;
}

enum { BINS = 12, REACH = 5, OFFSETS = (2 * REACH + 1) * (REACH + 1), FEATURES = BINS + OFFSETS };

/* Neither place nor colour nor polarity changes these much: histogram of edge directions, and autocorrelation of the
 * edge strength. */
static void features_of(const uint8_t *image, float *f)
{
    float gray[SIDE][SIDE], mag[SIDE][SIDE] = {{0}}, total = 1e-6f, power = 1e-6f, mean = 0;
    memset(f, 0, FEATURES * sizeof *f);
    for (int i = 0; i < SIDE * SIDE; i++)
        gray[i / SIDE][i % SIDE] = (float)(image[i] + image[i + SIDE * SIDE] + image[i + 2 * SIDE * SIDE]) / 3;
    for (int y = 1; y < SIDE - 1; y++)
        for (int x = 1; x < SIDE - 1; x++) {
            float gx = gray[y][x + 1] - gray[y][x - 1], gy = gray[y + 1][x] - gray[y - 1][x];
            float m = sqrtf(gx * gx + gy * gy), a = (atan2f(gy, gx) + 3.14159265f) / 3.14159265f * BINS;
            mag[y][x] = m;
            f[(int)a % BINS] += m;
            total += m;
            mean += m / (SIDE * SIDE);
        }
    for (int b = 0; b < BINS; b++) f[b] = 4 * (f[b] / total - 1.0f / BINS) * 3;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            mag[y][x] -= mean;
            power += mag[y][x] * mag[y][x];
        }
    for (int dy = 0; dy <= REACH; dy++)
        for (int dx = -REACH; dx <= REACH; dx++) {
            float sum = 0;
            for (int y = 0; y + dy < SIDE; y++)
                for (int x = dx < 0 ? -dx : 0; x + (dx > 0 ? dx : 0) < SIDE; x++)
                    sum += mag[y][x] * mag[y + dy][x + dx];
            f[BINS + dy * (2 * REACH + 1) + dx + REACH] = 3 * sum / power;
        }
}

typedef struct {
    lt_dataset train, test;
} sets;

static double accuracy(const sets *s, int d, void (*extract)(const uint8_t *, float *), int epochs, float rate)
{
    float *x = malloc((size_t)TRAIN * (size_t)d * sizeof *x), *t = malloc((size_t)TEST * (size_t)d * sizeof *t);
    assert_non_null(x);
    assert_non_null(t);
    for (size_t i = 0; i < TRAIN; i++) extract(lt_dataset_image(&s->train, i), x + i * (size_t)d);
    for (size_t i = 0; i < TEST; i++) extract(lt_dataset_image(&s->test, i), t + i * (size_t)d);
    double a = train(x, s->train.labels, t, s->test.labels, d, epochs, rate);
    free(x);
    free(t);
    return a;
}

static int make_sets(void **state)
{
    static sets s;
    lt_err err;
    if (lt_procedural_load(&s.train, 1, LT_TRAIN, TRAIN, SIDE, SIDE, &err) != LT_OK) return -1;
    if (lt_procedural_load(&s.test, 1, LT_TEST, TEST, SIDE, SIDE, &err) != LT_OK) return -1;
    *state = &s;
    return 0;
}

static int free_sets(void **state)
{
    sets *s = *state;
    lt_dataset_free(&s->train);
    lt_dataset_free(&s->test);
    return 0;
}

static void linear_classifier_stays_below_60_percent(void **state)
{
    double a = accuracy(*state, PIXELS, pixels_of, 15, 0.02f);
    print_message("softmax on pixels: %.1f %%\n", a);
    assert_true(a < 60);
}

static void features_separate_the_classes(void **state)
{
    double a = accuracy(*state, FEATURES, features_of, 15, 0.05f);
    print_message("softmax on edge features: %.1f %%\n", a);
    assert_true(a > 65);
}

static void same_seed_same_images(void **state)
{
    const sets *s = *state;
    static uint8_t image[PIXELS];
    for (uint32_t i = 0; i < 50; i++) {
        assert_int_equal(lt_procedural_image(1, LT_TEST, i, SIDE, SIDE, image), s->test.labels[i]);
        assert_memory_equal(image, lt_dataset_image(&s->test, i), PIXELS);
    }
    lt_procedural_image(2, LT_TEST, 0, SIDE, SIDE, image);
    assert_memory_not_equal(image, lt_dataset_image(&s->test, 0), PIXELS);
    assert_memory_not_equal(lt_dataset_image(&s->train, 0), lt_dataset_image(&s->test, 0), PIXELS);
}

static void classes_are_balanced(void **state)
{
    const sets *s = *state;
    int count[CLASSES] = {0};
    for (int i = 0; i < TRAIN; i++) {
        assert_in_range(s->train.labels[i], 0, CLASSES - 1);
        count[s->train.labels[i]]++;
    }
    for (int k = 0; k < CLASSES; k++) assert_in_range(count[k], TRAIN / CLASSES * 3 / 4, TRAIN / CLASSES * 5 / 4);
}

static void other_sizes(void **state)
{
    (void)state;
    lt_dataset d;
    lt_err err;
    assert_int_equal(lt_procedural_load(&d, 3, LT_TEST, 4, 96, 64, &err), LT_OK);
    assert_int_equal(lt_image_size(&d), 3 * 96 * 64);
    lt_dataset_free(&d);
    assert_int_equal(lt_procedural_load(&d, 3, LT_TEST, 2, 1, 1, &err), LT_OK);
    lt_dataset_free(&d);
    assert_int_equal(lt_procedural_load(&d, 3, LT_TEST, 2, 0, 5, &err), LT_EINPUT);
    assert_int_equal(lt_procedural_load(&d, 3, LT_TEST, 2, 5, 100000, &err), LT_EINPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear_classifier_stays_below_60_percent),
        cmocka_unit_test(features_separate_the_classes),
        cmocka_unit_test(same_seed_same_images),
        cmocka_unit_test(classes_are_balanced),
        cmocka_unit_test(other_sizes),
    };
    return cmocka_run_group_tests(tests, make_sets, free_sets);
}
