/* The plain integer model against numbers worked out by hand, and the fast evaluator against the plain model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golden/accuracy.h"
#include "golden/fast.h"
#include "random_qnet.h"

/* ---- by hand ---- */

/* A network of one layer over a 1 x 3 x 3 input 1..9; the caller fills the layer's arrays with storage of its own. */
typedef struct {
    qtensor t[3];
    qlayer l;
    qencoder e;
    qnet n;
    int32_t bias[2];
    uint16_t mult[2];
    int8_t w[32];
    int16_t x[9], y[18], r[18];
    int16_t *tensors[3];
} single;

static void setup(single *s, int k, int h, int w)
{
    memset(s, 0, sizeof *s);
    s->t[0] = (qtensor){.c = 1, .h = 3, .w = 3, .bits = 8, .is_signed = true, .scale = 1};
    s->t[1] = (qtensor){.c = k, .h = h, .w = w, .bits = 8, .is_signed = true, .scale = 1};
    s->t[2] = s->t[1];
    s->l = (qlayer){.op = QOP_CONV,
                    .in = 0,
                    .out = 1,
                    .res = -1,
                    .res_step = 1,
                    .k = k,
                    .r = 2,
                    .s = 2,
                    .stride = 1,
                    .dilation = 1,
                    .groups = 1,
                    .w_bits = 8,
                    .w = s->w,
                    .encoder = -1,
                    .bias = s->bias,
                    .mult = s->mult,
                    .lo = -128,
                    .hi = 127};
    for (int i = 0; i < 2; i++) s->mult[i] = 1;
    for (int i = 0; i < 9; i++) s->x[i] = (int16_t)(i + 1);
    s->n = (qnet){.n_tensors = 3, .n_layers = 1, .n_encoders = 1, .tensors = s->t, .layers = &s->l, .encoders = &s->e};
    s->tensors[0] = s->x;
    s->tensors[1] = s->y;
    s->tensors[2] = s->r;
}

static void expect(const single *s, const int *want, int n)
{
    for (int i = 0; i < n; i++) assert_int_equal(s->y[i], want[i]);
}

static void convolution_by_hand(void **state)
{
    (void)state;
    single s;
    setup(&s, 1, 2, 2);
    memcpy(s.w, (int8_t[]){1, 0, 0, -1}, 4); /* x[p][q] - x[p+1][q+1] = -4 */
    golden_layer(&s.n, 0, s.tensors);
    expect(&s, (int[]){-4, -4, -4, -4}, 4);

    /* padding counts as 0, stride 2, bias */
    setup(&s, 1, 2, 2);
    s.l.pad_t = s.l.pad_l = 1;
    s.l.stride = 2;
    s.bias[0] = 10;
    memcpy(s.w, (int8_t[]){1, 1, 1, 1}, 4);
    golden_layer(&s.n, 0, s.tensors);
    expect(&s, (int[]){1 + 10, 2 + 3 + 10, 4 + 7 + 10, 5 + 6 + 8 + 9 + 10}, 4);

    /* dilation 2: the corners */
    setup(&s, 1, 1, 1);
    s.l.dilation = 2;
    memcpy(s.w, (int8_t[]){1, 2, 3, 4}, 4);
    golden_layer(&s.n, 0, s.tensors);
    expect(&s, (int[]){1 + 2 * 3 + 3 * 7 + 4 * 9}, 1);
}

static void requantisation_by_hand(void **state)
{
    (void)state;
    single s;
    /* acc 1..9; (acc * 3 + 2) >> 2: halves go up */
    setup(&s, 1, 3, 3);
    s.l.r = s.l.s = 1;
    s.w[0] = 1;
    s.mult[0] = 3;
    s.l.shift = 2;
    golden_layer(&s.n, 0, s.tensors);
    expect(&s, (int[]){1, 2, 2, 3, 4, 5, 5, 6, 7}, 9);
    /* negative: -1.5 rounds to -1, -2.25 to -2: toward plus infinity at the half */
    s.w[0] = -1;
    golden_layer(&s.n, 0, s.tensors);
    expect(&s, (int[]){-1, -1, -2, -3, -4, -4, -5, -6, -7}, 9);
    /* clip */
    s.l.lo = -3;
    s.l.hi = -2;
    golden_layer(&s.n, 0, s.tensors);
    expect(&s, (int[]){-2, -2, -2, -3, -3, -3, -3, -3, -3}, 9);
    /* bias is added before the multiplication */
    s.l.lo = -128;
    s.l.hi = 127;
    s.bias[0] = 5;
    golden_layer(&s.n, 0, s.tensors);
    expect(&s, (int[]){3, 2, 2, 1, 0, -1, -1, -2, -3}, 9);
    /* shift 0 rounds nothing; the largest sums stay exact */
    s.l.shift = 47;
    s.mult[0] = 65535;
    s.bias[0] = INT32_MAX - 200;
    s.l.res = -1;
    golden_layer(&s.n, 0, s.tensors);
    int64_t v = ((int64_t)(INT32_MAX - 200 - 1) * 65535 + ((int64_t)1 << 46)) >> 47;
    assert_int_equal(s.y[0], v);
}

static void residual_by_hand(void **state)
{
    (void)state;
    single s;
    /* two output channels, residual of one channel at offset 1, every second pixel */
    setup(&s, 2, 2, 2);
    s.t[2] = (qtensor){.c = 1, .h = 3, .w = 3, .bits = 8, .is_signed = true, .scale = 1};
    s.tensors[2] = s.r;
    for (int i = 0; i < 9; i++) s.r[i] = (int16_t)(10 * (i + 1));
    s.l.res = 2;
    s.l.res_step = 2;
    s.l.res_c_off = 1;
    s.l.res_mult = 2;
    s.l.shift = 1;
    golden_layer(&s.n, 0, s.tensors); /* weights 0 */
    expect(&s, (int[]){0, 0, 0, 0, 10, 30, 70, 90}, 8);
}

static void pools_by_hand(void **state)
{
    (void)state;
    single s;
    setup(&s, 1, 2, 2);
    s.l.op = QOP_MAXPOOL;
    golden_layer(&s.n, 0, s.tensors);
    expect(&s, (int[]){5, 6, 8, 9}, 4);
    /* outside is ignored by max, even where everything inside is negative, and counts 0 in a sum */
    for (int i = 0; i < 9; i++) s.x[i] = (int16_t)(-1 - i);
    s.l.pad_t = s.l.pad_l = 1;
    s.l.stride = 2;
    golden_layer(&s.n, 0, s.tensors);
    expect(&s, (int[]){-1, -2, -4, -5}, 4);
    s.l.op = QOP_SUMPOOL;
    golden_layer(&s.n, 0, s.tensors);
    expect(&s, (int[]){-1, -5, -11, -28}, 4);
}

static void encoders_by_hand(void **state)
{
    (void)state;
    int16_t proto[] = {0, 0, 4, 4, 4, 0, 0, 4}, v[2];
    qencoder e = {.encoder = QENC_L2, .prototypes = 4, .length = 2, .codebooks = 1, .enc_bits = 8, .proto = proto};
    v[0] = 3, v[1] = 4;
    assert_int_equal(golden_encode(&e, 0, v), 1);
    v[0] = 2, v[1] = 2; /* equally far from all: the lowest number */
    assert_int_equal(golden_encode(&e, 0, v), 0);
    v[0] = 3, v[1] = 2; /* 1 and 2 are equally near */
    assert_int_equal(golden_encode(&e, 0, v), 1);
    /* where the metrics differ: distances (3,0) and (2,2) */
    int16_t two[] = {3, 0, 2, 2};
    e.prototypes = 2;
    e.proto = two;
    v[0] = v[1] = 0;
    assert_int_equal(golden_encode(&e, 0, v), 1); /* 9 > 8 */
    e.encoder = QENC_L1;
    assert_int_equal(golden_encode(&e, 0, v), 0); /* 3 < 4 */
    /* low bits are dropped toward minus infinity: -1 >> 4 = -1 */
    int16_t low[] = {0, 0, -1, -1};
    e.proto = low;
    e.enc_bits = 4;
    v[0] = v[1] = -1;
    assert_int_equal(golden_encode(&e, 0, v), 1);
    v[0] = v[1] = 15;
    assert_int_equal(golden_encode(&e, 0, v), 0);

    /* tree of depth 2: x[1] >= 5 first, then x[0] against 1 (left) or 7 (right) */
    uint16_t dim[] = {1, 0};
    int16_t thresh[] = {5, 1, 7};
    qencoder t = {.encoder = QENC_TREE,
                  .prototypes = 4,
                  .length = 2,
                  .codebooks = 1,
                  .enc_bits = 8,
                  .dim = dim,
                  .thresh = thresh};
    const int cases[][3] = {{0, 4, 0}, {1, 4, 1}, {6, 5, 2}, {7, 9, 3}};
    for (int i = 0; i < 4; i++) {
        v[0] = (int16_t)cases[i][0];
        v[1] = (int16_t)cases[i][1];
        assert_int_equal(golden_encode(&t, 0, v), cases[i][2]);
    }
}

static void lookups_by_hand(void **state)
{
    (void)state;
    single s;
    /* channel mode, 1 codebook of length 1, threshold 5: code = x >= 5; 2x2 kernel without padding */
    setup(&s, 1, 2, 2);
    uint16_t dim[] = {0};
    int16_t thresh[] = {5};
    int8_t lut[] = {0, 1, 0, 10, 0, 20, 0, 40}; /* [tap][code] */
    s.e = (qencoder){.mode = QPQ_CHANNEL,
                     .encoder = QENC_TREE,
                     .prototypes = 2,
                     .length = 1,
                     .codebooks = 1,
                     .enc_bits = 8,
                     .r = 1,
                     .s = 1,
                     .dim = dim,
                     .thresh = thresh};
    s.l.encoder = 0;
    s.l.w = NULL;
    s.l.lut = lut;
    s.l.lut_bits = 8;
    golden_layer(&s.n, 0, s.tensors);
    expect(&s, (int[]){40, 60, 70, 71}, 4);
    /* a tap outside adds nothing, not the entry of code 0 */
    for (int i = 0; i < 8; i += 2) lut[i] = 3;
    s.l.pad_t = s.l.pad_l = 1;
    s.l.stride = 2;
    golden_layer(&s.n, 0, s.tensors);
    expect(&s, (int[]){3, 3 + 3, 3 + 40, 1 + 10 + 20 + 40}, 4);
    /* spatial mode: the window includes zeros from outside; code = lower right corner >= 5 */
    dim[0] = 3;
    s.e.mode = QPQ_SPATIAL;
    s.e.length = 4;
    s.e.r = s.e.s = 2;
    int8_t one[] = {-7, 7};
    s.l.lut = one;
    golden_layer(&s.n, 0, s.tensors);
    expect(&s, (int[]){-7, -7, 7, 7}, 4);
}

/* ---- fast against plain ---- */

static void compare(const qnet *n, fast_isa isa, uint64_t seed)
{
    lt_rng r = lt_rng_make(seed, 3);
    int16_t **t = golden_alloc(n);
    fast_net *f = fast_new(n, isa);
    fast_work *w = f ? fast_work_new(f) : NULL;
    uint8_t *image = malloc(qtensor_size(&n->tensors[0]));
    assert_non_null(t);
    assert_non_null(w);
    for (int rep = 0; rep < 2; rep++) {
        rq_image(&r, n, image);
        golden_input(n, image, t[0]);
        assert_int_equal(golden_run(n, t), 0);
        fast_input(w, image);
        fast_run(w, 0, n->n_layers - 1);
        for (int k = 0; k < n->n_tensors; k++) {
            size_t size = qtensor_size(&n->tensors[k]);
            int16_t *got = malloc(size * sizeof *got);
            fast_get(w, k, got);
            for (size_t i = 0; i < size; i++)
                if (got[i] != t[k][i])
                    fail_msg("seed %llu, isa %d, tensor %d, value %zu: got %d, expected %d", (unsigned long long)seed,
                             (int)fast_isa_used(f), k, i, got[i], t[k][i]);
            free(got);
        }
        assert_int_equal(fast_argmax(w), golden_argmax(n, t[n->layers[n->n_layers - 1].out]));
    }
    free(image);
    fast_work_free(w);
    fast_free(f);
    golden_free(n, t);
}

static void fast_equals_plain_on_random_networks(void **state)
{
    (void)state;
    const char *env = getenv("SEED");
    uint64_t base = env ? strtoull(env, NULL, 10) : 1;
    int kinds[4] = {0};
    size_t moving = 0, all = 0;

    print_message("seeds %llu..%llu\n", (unsigned long long)base, (unsigned long long)base + 399);
    for (uint64_t seed = base; seed < base + 400; seed++) {
        lt_err err;
        qnet n = rq_net(seed, 1 + (int)(seed % 6));
        if (lt_quant_check(&n, 0, &err) != LT_OK) fail_msg("seed %llu: %s", (unsigned long long)seed, err.msg);
        for (int isa = FAST_PORTABLE; isa <= FAST_VNNI; isa++) compare(&n, (fast_isa)isa, seed);
        for (int i = 0; i < n.n_layers; i++) kinds[n.layers[i].encoder >= 0 ? 3 : n.layers[i].op == QOP_CONV ? 0 : 1]++;
        /* networks that clip everything to one value would prove little */
        int16_t **t = golden_alloc(&n);
        lt_rng r = lt_rng_make(seed, 3);
        uint8_t *image = malloc(qtensor_size(&n.tensors[0]));
        rq_image(&r, &n, image);
        golden_input(&n, image, t[0]);
        golden_run(&n, t);
        for (int k = 1; k < n.n_tensors; k++)
            for (size_t i = 1; i < qtensor_size(&n.tensors[k]); i++, all++) moving += t[k][i] != t[k][i - 1];
        free(image);
        golden_free(&n, t);
        qnet_free(&n);
    }
    print_message("%d dense, %d pool and add, %d lookup layers; %.0f %% of neighbouring values differ\n", kinds[0],
                  kinds[1], kinds[3], 100.0 * (double)moving / (double)all);
    assert_true(kinds[0] > 300 && kinds[1] > 100 && kinds[3] > 100);
    assert_true(moving * 4 > all);
}

/* Sums near the ends of 32 bits, where the offset of signed activations wraps on the way. */
static void fast_equals_plain_near_overflow(void **state)
{
    (void)state;
    enum { C = 65536 };
    static int8_t w[C];
    int32_t bias[1];
    uint16_t mult[1] = {1};
    qtensor t[2] = {{.c = C, .h = 1, .w = 1, .bits = 8, .is_signed = true, .scale = 1},
                    {.c = 1, .h = 1, .w = 1, .bits = 8, .is_signed = true, .scale = 1}};
    qlayer l = {.op = QOP_CONV,
                .in = 0,
                .out = 1,
                .res = -1,
                .res_step = 1,
                .k = 1,
                .r = 1,
                .s = 1,
                .stride = 1,
                .dilation = 1,
                .groups = 1,
                .w_bits = 8,
                .w = w,
                .encoder = -1,
                .bias = bias,
                .mult = mult,
                .shift = 24,
                .lo = -128,
                .hi = 127};
    qnet n = {.n_tensors = 2, .n_layers = 1, .tensors = t, .layers = &l, .classes = 1};
    static int16_t x[C];
    for (int sign = -1; sign <= 1; sign += 2) {
        for (int i = 0; i < C; i++) {
            w[i] = (int8_t)(sign * 127);
            x[i] = -128;
        }
        bias[0] = sign * -1000000000;
        int16_t y, *tensors[2] = {x, &y};
        golden_layer(&n, 0, tensors);
        for (int isa = FAST_PORTABLE; isa <= FAST_VNNI; isa++) {
            fast_net *f = fast_new(&n, (fast_isa)isa);
            fast_work *wk = fast_work_new(f);
            int16_t got;
            fast_set(wk, 0, x);
            fast_run(wk, 0, 0);
            fast_get(wk, 1, &got);
            assert_int_equal(got, y);
            fast_work_free(wk);
            fast_free(f);
        }
        assert_int_equal(y, sign < 0 ? 123 : -123); /* (2065353216 + 2^23) >> 24, and its negative */
    }
}

static void running_layer_by_layer_is_the_same(void **state)
{
    (void)state;
    for (uint64_t seed = 1000; seed < 1040; seed++) {
        qnet n = rq_net(seed, 5);
        fast_net *f = fast_new(&n, FAST_BEST);
        fast_work *a = fast_work_new(f), *b = fast_work_new(f);
        uint8_t *image = malloc(qtensor_size(&n.tensors[0]));
        lt_rng r = lt_rng_make(seed, 4);
        rq_image(&r, &n, image);
        fast_input(a, image);
        fast_input(b, image);
        fast_run(a, 0, 4);
        for (int i = 0; i < 5; i++) fast_run(b, i, i);
        for (int t = 0; t < n.n_tensors; t++)
            assert_memory_equal(fast_tensor(a, t), fast_tensor(b, t), fast_tensor_size(f, t));
        free(image);
        fast_work_free(a);
        fast_work_free(b);
        fast_free(f);
        qnet_free(&n);
    }
}

static void accuracy_counts_right_labels(void **state)
{
    (void)state;
    enum { N = 37 };
    qnet n = rq_net(5, 3);
    size_t size = qtensor_size(&n.tensors[0]);
    uint8_t *images = malloc(N * size), labels[N];
    int16_t **t = golden_alloc(&n);
    lt_rng r = lt_rng_make(9, 9);
    lt_err err;
    int right, wrong = 0;
    for (int i = 0; i < N; i++) {
        rq_image(&r, &n, images + (size_t)i * size);
        golden_input(&n, images + (size_t)i * size, t[0]);
        golden_run(&n, t);
        labels[i] = (uint8_t)golden_argmax(&n, t[n.layers[2].out]);
        if (i % 5 == 0) {
            labels[i]++;
            wrong++;
        }
    }
    assert_int_equal(golden_accuracy(&n, images, labels, N, NULL, &right, &err), LT_OK);
    assert_int_equal(right, N - wrong);
    assert_int_equal(golden_accuracy(&n, images, labels, 0, NULL, &right, &err), LT_OK);
    assert_int_equal(right, 0);
    free(images);
    golden_free(&n, t);
    qnet_free(&n);
}

static void last_use(void **state)
{
    (void)state;
    qlayer l[3] = {{.in = 0, .out = 1, .res = -1}, {.in = 1, .out = 2, .res = 0}, {.in = 2, .out = 3, .res = -1}};
    qnet n = {.n_tensors = 4, .n_layers = 3, .layers = l};
    assert_int_equal(qnet_last_use(&n, 0), 1);
    assert_int_equal(qnet_last_use(&n, 1), 1);
    assert_int_equal(qnet_last_use(&n, 3), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolution_by_hand),
        cmocka_unit_test(requantisation_by_hand),
        cmocka_unit_test(residual_by_hand),
        cmocka_unit_test(pools_by_hand),
        cmocka_unit_test(encoders_by_hand),
        cmocka_unit_test(lookups_by_hand),
        cmocka_unit_test(fast_equals_plain_on_random_networks),
        cmocka_unit_test(fast_equals_plain_near_overflow),
        cmocka_unit_test(running_layer_by_layer_is_the_same),
        cmocka_unit_test(accuracy_counts_right_labels),
        cmocka_unit_test(last_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
