/* Operands rounded to bfloat16: the rounding, every pass of convolutions against a plain reference, with the
 * processor's products and without, and training runs. */
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
#include "train/dnn_internal.h"

/* ---- rounding ---- */

static float of_bits(uint32_t u)
{
    float v;
    memcpy(&v, &u, sizeof v);
    return v;
}

static uint32_t bits_of(float v)
{
    uint32_t u;
    memcpy(&u, &v, sizeof u);
    return u;
}

/* By arithmetic: a significand of 8 bits, exponents of a float. */
static double bf16(double v)
{
    int e;
    if (v == 0 || !isfinite(v)) return v;
    frexp(v, &e);
    double unit = ldexp(1, (e < -125 ? -125 : e) - 8), r = nearbyint(v / unit) * unit;
    return fabs(r) < ldexp(1, 128) ? r : copysign(INFINITY, v);
}

static void test_rounding(void **state)
{
    static const uint32_t special[] = {0,          0x80000000, 1,          0x7fff,     0x8000,
                                       0x8001,     0x18000,    0x17fff,    0x3f808000, 0x3f818000,
                                       0x3f817fff, 0xbf808001, 0x7f7f7fff, 0x7f7f8000, 0x7f7fffff,
                                       0x7f800000, 0xff800000, 0x007fffff, 0x00ffffff};
    static const uint32_t nan[] = {0x7fc00000, 0x7f800001, 0x7fffffff, 0xffffffff, 0xff80ffff};
    enum { SPECIAL = sizeof special / sizeof *special, NANS = sizeof nan / sizeof *nan, N = 4099 };
    static float x[N], y[N];
    static uint16_t h[N + 1];
    lt_rng r = lt_rng_make(1, 2);
    int isas;
    const lt_vec *const *all = lt_vec_all(&isas);

    (void)state;
    for (int i = 0; i < N; i++) {
        uint32_t u = lt_rng_u32(&r);
        if ((u & 0x7f800000) == 0x7f800000) u ^= 0x00800000;
        x[i] = of_bits(i < SPECIAL ? special[i] : u);
        if (i % 7 == 3 && i >= SPECIAL) x[i] = of_bits((u & 0xffff0000) | 0x8000); /* a tie */
    }
    for (int v = 0; v < isas; v++) {
        for (int n = 0; n <= N; n += n < 40 ? 1 : N - 40) {
            memset(y, 0, sizeof y);
            memset(h, 0, sizeof h);
            all[v]->round_bf16(x, (size_t)n, y);
            all[v]->to_bf16(x, (size_t)n, h);
            for (int i = 0; i < n; i++) {
                float want = (float)bf16((double)x[i]);
                if (bits_of(y[i]) != bits_of(want) || h[i] != bits_of(want) >> 16)
                    fail_msg("%s: %a becomes %a and %04x, expected %a", all[v]->isa, (double)x[i], (double)y[i],
                             (unsigned)h[i], (double)want);
            }
            for (int i = n; i < N; i++) assert_true(y[i] == 0 && h[i] == 0);
        }
        for (int i = 0; i < 48; i++) y[i] = of_bits(nan[i % NANS]);
        all[v]->to_bf16(y, 41, h);
        all[v]->round_bf16(y, 41, y); /* in place */
        for (int i = 0; i < 41; i++) assert_true(isnan(y[i]) && isnan(of_bits((uint32_t)h[i] << 16)));
    }
}

/* ---- convolutions ---- */

typedef struct {
    lt_conv_shape s;
    int n, images; /* of the call, of the largest */
    double scale;
    size_t nx, ny, nw;
    float *x, *y, *w, *b, *gy;
} job;

/* What is added up for one result, and the sum of magnitudes. */
typedef struct {
    double sum, size;
    int n;
} total;

static double given(double v)
{
    return v;
}

typedef double (*rounding)(double);

static void add_product(total *t, rounding r, float a, float b)
{
    double p = r((double)a) * r((double)b);
    t->sum += p;
    t->size += fabs(p);
    t->n++;
}

/* Calls f for every product of the convolution: indices of input, output and weight. */
static void products(const job *j, void (*f)(const job *j, size_t x, size_t y, size_t w, void *ctx), void *ctx)
{
    const lt_conv_shape *s = &j->s;
    int cg = s->c / s->groups, kg = s->k / s->groups;
    for (int i = 0; i < j->n; i++)
        for (int p = 0; p < s->p; p++)
            for (int q = 0; q < s->q; q++)
                for (int a = 0; a < s->r; a++)
                    for (int b = 0; b < s->s; b++) {
                        int h = p * s->stride_h + a * s->dil_h - s->pad_t,
                            w = q * s->stride_w + b * s->dil_w - s->pad_l;
                        if (h < 0 || h >= s->h || w < 0 || w >= s->w) continue;
                        for (int k = 0; k < s->k; k++)
                            for (int c = 0; c < cg; c++)
                                f(j, (size_t)((i * s->h + h) * s->w + w) * (size_t)s->c + (size_t)(k / kg * cg + c),
                                  (size_t)((i * s->p + p) * s->q + q) * (size_t)s->k + (size_t)k,
                                  (size_t)((k * cg + c) * s->r + a) * (size_t)s->s + (size_t)b, ctx);
                    }
}

typedef struct {
    rounding r;
    total *y, *gx, *gw, *gb;
} reference;

static void three_passes(const job *j, size_t x, size_t y, size_t w, void *ctx)
{
    reference *r = ctx;
    add_product(&r->y[y], r->r, j->x[x], j->w[w]);
    add_product(&r->gx[x], r->r, j->gy[y], j->w[w]);
    add_product(&r->gw[w], r->r, j->x[x], j->gy[y]);
}

static reference reference_make(const job *j, rounding round)
{
    size_t k = (size_t)j->s.k;
    reference r = {round, calloc(j->ny, sizeof(total)), calloc(j->nx, sizeof(total)), calloc(j->nw, sizeof(total)),
                   calloc(k, sizeof(total))};
    assert_true(r.y && r.gx && r.gw && r.gb);
    products(j, three_passes, &r);
    for (size_t i = 0; i < j->ny; i++) {
        add_product(&r.gb[i % k], round, j->gy[i], 1);
        if (!j->s.bias) continue;
        r.y[i].sum += (double)j->b[i % k];
        r.y[i].size += fabs((double)j->b[i % k]);
    }
    return r;
}

static void reference_free(reference *r)
{
    free(r->y);
    free(r->gx);
    free(r->gw);
    free(r->gb);
}

/* Values further off than rounding errors of float sums, which grow like the root of their number. */
static int wrong(const total *want, const float *got, size_t n)
{
    int bad = 0;
    for (size_t i = 0; i < n; i++) {
        double most = (2 + sqrt(want[i].n)) * ldexp(want[i].size, -23) + 1e-37;
        bad += !(fabs((double)got[i] - want[i].sum) <= most);
    }
    return bad;
}

static float *values(lt_rng *r, size_t n, double scale)
{
    float *v = malloc(n * sizeof *v);
    assert_non_null(v);
    for (size_t i = 0; i < n; i++) v[i] = (float)(scale * lt_rng_normal(r));
    return v;
}

/* A random shape, or for small numbers one that should be among them. */
static job make_job(lt_rng *r, int number)
{
    job j = {.images = lt_rng_range(r, 1, 4)};
    lt_conv_shape *s = &j.s;

    s->groups = lt_rng_below(r, 3) ? 1 : lt_rng_range(r, 2, 4);
    s->c = s->groups * lt_rng_range(r, 1, lt_rng_below(r, 2) ? 5 : 20);
    s->k = s->groups * lt_rng_range(r, 1, lt_rng_below(r, 2) ? 5 : 20);
    s->h = lt_rng_range(r, 5, 10);
    s->w = lt_rng_range(r, 5, 10);
    s->r = lt_rng_below(r, 3) ? 3 : lt_rng_range(r, 1, 5);
    s->s = lt_rng_below(r, 3) ? s->r : lt_rng_range(r, 1, 5);
    s->stride_h = lt_rng_range(r, 1, 2);
    s->stride_w = lt_rng_below(r, 4) ? s->stride_h : lt_rng_range(r, 1, 3);
    s->dil_h = s->dil_w = lt_rng_below(r, 4) ? 1 : 2;
    s->pad_t = lt_rng_range(r, 0, s->r / 2);
    s->pad_l = lt_rng_range(r, 0, s->s / 2);
    s->bias = lt_rng_below(r, 2);
    if (number == 0) *s = (lt_conv_shape){.c = 16, .h = 8, .w = 8, .k = 16, .r = 3, .s = 3, .pad_t = 1, .pad_l = 1};
    if (number == 1) *s = (lt_conv_shape){.c = 16, .h = 8, .w = 8, .k = 32, .r = 3, .s = 3, .stride_h = 2, .pad_t = 1};
    if (number == 2) *s = (lt_conv_shape){.c = 3, .h = 9, .w = 9, .k = 16, .r = 3, .s = 3, .pad_t = 1, .pad_l = 1};
    if (number == 3) *s = (lt_conv_shape){.c = 64, .h = 1, .w = 1, .k = 10, .r = 1, .s = 1, .bias = true};
    if (number == 4) *s = (lt_conv_shape){.c = 7, .h = 6, .w = 5, .k = 9, .r = 6, .s = 5, .bias = true};
    if (number == 5) *s = (lt_conv_shape){.c = 24, .h = 8, .w = 8, .k = 24, .r = 3, .s = 3, .groups = 24, .pad_t = 1};
    if (number == 6) *s = (lt_conv_shape){.c = 32, .h = 7, .w = 7, .k = 20, .r = 1, .s = 1, .stride_h = 2};
    /* where oneDNN 2.6 has kernels that are wrong or write where they should not */
    if (number == 7) *s = (lt_conv_shape){.c = 4, .h = 6, .w = 10, .k = 3, .r = 1, .s = 1};
    if (number == 8) *s = (lt_conv_shape){.c = 10, .h = 35, .w = 32, .k = 4, .r = 1, .s = 1, .stride_w = 2};
    if (number == 9) *s = (lt_conv_shape){.c = 4, .h = 10, .w = 10, .k = 4, .r = 1, .s = 1, .stride_h = 2};
    if (number == 10) *s = (lt_conv_shape){.c = 3, .h = 9, .w = 36, .k = 6, .r = 1, .s = 1, .dil_h = 2, .groups = 3};
    if (number < 11) {
        s->groups += !s->groups;
        s->stride_h += !s->stride_h;
        s->stride_w += s->stride_w ? 0 : s->stride_h;
        s->dil_h += !s->dil_h;
        s->dil_w = s->dil_h;
    }
    int reach_h = s->dil_h * (s->r - 1) + 1, reach_w = s->dil_w * (s->s - 1) + 1;
    s->p = (s->h + 2 * s->pad_t - reach_h) / s->stride_h + 1;
    s->q = (s->w + 2 * s->pad_l - reach_w) / s->stride_w + 1;
    if (s->p < 1) s->p = 1;
    if (s->q < 1) s->q = 1;
    s->pad_b = (s->p - 1) * s->stride_h + reach_h - s->h - s->pad_t;
    s->pad_r = (s->q - 1) * s->stride_w + reach_w - s->w - s->pad_l;
    j.n = lt_rng_range(r, 1, j.images);
    j.nx = (size_t)(j.n * s->c * s->h * s->w);
    j.ny = (size_t)(j.n * s->k * s->p * s->q);
    j.nw = (size_t)(s->k * (s->c / s->groups) * s->r * s->s);
    j.x = values(r, j.nx, 1);
    j.gy = values(r, j.ny, 1e-3);
    j.w = values(r, j.nw, 0.3);
    j.b = values(r, (size_t)s->k, 1);
    j.y = values(r, j.ny, 0);
    return j;
}

static void free_job(job *j)
{
    free(j->x);
    free(j->y);
    free(j->w);
    free(j->b);
    free(j->gy);
}

static bool has_bf16(void)
{
    int isa = dnnl_cpu_isa_avx512_core_bf16;
    return ((int)dnnl_get_effective_cpu_isa() & isa) == isa;
}

static const char *const names[] = {"f32", "bf16", "emulated bf16"};

static void expect(const job *j, const char *pass, lt_precision precision, const total *want, const float *got,
                   size_t n)
{
    const lt_conv_shape *s = &j->s;
    int bad = wrong(want, got, n);
    if (bad)
        fail_msg("%s, %s: %d of %zu values wrong; %d of %d images %dx%dx%d -> %dx%dx%d, kernel %dx%d, stride %d,%d, "
                 "dilation %d, %d groups",
                 pass, names[precision], bad, n, j->n, j->images, s->c, s->h, s->w, s->k, s->p, s->q, s->r, s->s,
                 s->stride_h, s->stride_w, s->dil_h, s->groups);
}

typedef struct {
    int native[LT_DNN_PASSES]; /* shapes whose pass multiplies bfloat16 */
    int told_apart;            /* results that the other reference refuses */
} seen;

/* Memory of the workers with something behind it that nobody should write, or read into a result: NaNs. */
enum { BEHIND = 1 << 16 };

static void fence(lt_dnn *d, lt_dnn_room *r)
{
    for (int i = 0; i < d->workers; i++) {
        size_t bytes = (r->size + BEHIND + 63) / 64 * 64;
        free(r->at[i]);
        r->at[i] = aligned_alloc(64, bytes);
        assert_non_null(r->at[i]);
        memset(r->at[i], 0xff, bytes);
    }
}

static void expect_fence(const job *j, const lt_dnn *d, const lt_dnn_room *r)
{
    for (int i = 0; i < d->workers; i++)
        for (size_t k = 0; k < BEHIND; k++)
            if (((unsigned char *)r->at[i])[r->size + k] != 0xff)
                fail_msg("%s: byte %zu behind scratch memory was written; %d images %dx%dx%d, stride %d",
                         names[d->precision], k, j->n, j->s.c, j->s.h, j->s.w, j->s.stride_h);
}

/* All passes in one precision, and an exact one between them; `plain`: the reference without rounding. */
static void check_passes(const job *j, lt_precision precision, const reference *own, const reference *plain, seen *s)
{
    lt_dnn *d;
    lt_dnn_conv *c;
    lt_err err = {0};
    const float *bias = j->s.bias ? j->b : NULL;

    if (lt_dnn_open(&d, 2, precision, &err) != LT_OK) fail_msg("%s", err.msg);
    if (lt_dnn_conv_create(d, &j->s, j->images, true, true, &c, &err) != LT_OK) fail_msg("%s", err.msg);
    float *gw = malloc((lt_dnn_conv_partial(c) + 16) * sizeof *gw), *to = malloc(j->nw * sizeof *to);
    float *gb = malloc((size_t)j->s.k * sizeof *gb), *gx = malloc(j->nx * sizeof *gx);
    assert_true(gw && to && gb && gx);
    for (int i = 0; i < 2; i++)
        if (lt_dnn_conv_prepare(c, j->n, i, &err) != LT_OK) fail_msg("%s", err.msg);
    fence(d, &d->scratch);
    fence(d, &d->operands);
    lt_dnn_conv_load(c, j->w, true, false);
    lt_dnn_conv_forward(c, 1, j->n, j->x, bias, j->y);
    expect(j, "exact forward", precision, plain->y, j->y, j->ny);

    lt_dnn_conv_load(c, j->w, false, true);
    lt_dnn_conv_forward(c, 0, j->n, j->x, bias, j->y);
    expect(j, "forward", precision, own->y, j->y, j->ny);
    s->told_apart += precision != LT_F32 && wrong(plain->y, j->y, j->ny) > 0;
    memcpy(gx, j->x, j->nx * sizeof *gx);
    lt_dnn_conv_backward(c, 1, j->n, gx, j->gy, gw, gb, gx);
    lt_dnn_conv_unload(c, 0, gw, to);
    expect(j, "data gradient", precision, own->gx, gx, j->nx);
    expect(j, "weight gradient", precision, own->gw, to, j->nw);
    if (bias) expect(j, "bias gradient", precision, own->gb, gb, (size_t)j->s.k);
    s->told_apart += precision != LT_F32 && wrong(plain->gw, to, j->nw) > 0;
    memset(gw, 0, lt_dnn_conv_partial(c) * sizeof *gw);
    lt_dnn_conv_backward(c, 0, j->n, j->x, j->gy, gw, gb, NULL);
    lt_dnn_conv_unload(c, 1, gw, to);
    expect(j, "weight gradient alone", precision, own->gw, to, j->nw);
    for (int i = 0; i < LT_DNN_PASSES; i++) {
        s->native[i] += lt_dnn_conv_native(c, (lt_dnn_pass)i);
        if (precision != LT_BF16) assert_false(lt_dnn_conv_native(c, (lt_dnn_pass)i));
    }
    if (lt_dnn_check(d, &err) != LT_OK) fail_msg("%s", err.msg);
    expect_fence(j, d, &d->scratch);
    expect_fence(j, d, &d->operands);
    lt_dnn_conv_free(c);
    lt_dnn_close(d);
    free(gw);
    free(to);
    free(gb);
    free(gx);
}

static void test_convolutions(void **state)
{
    enum { JOBS = 40 };
    lt_rng r = lt_rng_make(3, 1);
    seen s = {{0}, 0};

    (void)state;
    for (int i = 0; i < JOBS; i++) {
        job j = make_job(&r, i);
        reference rounded = reference_make(&j, bf16), plain = reference_make(&j, given);
        check_passes(&j, LT_F32, &plain, &plain, &s);
        check_passes(&j, LT_BF16, &rounded, &plain, &s);
        check_passes(&j, LT_BF16_EMULATED, &rounded, &plain, &s);
        reference_free(&rounded);
        reference_free(&plain);
        free_job(&j);
    }
    /* the bounds are narrow enough to see whether operands were rounded */
    assert_true(s.told_apart > 3 * JOBS);
    /* in the second precision alone, and there wherever it is worth it */
    for (int i = 0; i < LT_DNN_PASSES; i++) {
        if (has_bf16() != (s.native[i] > JOBS / 2) || (!has_bf16() && s.native[i]))
            fail_msg("pass %d: bfloat16 products for %d of %d shapes", i, s.native[i], JOBS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rounding), cmocka_unit_test(test_convolutions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
