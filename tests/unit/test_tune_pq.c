/* Lookup layers in training: the encoder's gradients against finite differences and against the definition of the
 * straight-through estimate, and the exported integer network against the one that was trained. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "train/encode_internal.h"
#include "train/lookup_vec.h"
#include "tune_net.h"
#include "tune_run.h"

enum { LENGTH = 5, CODES = 8, DEPTH = 3, OUTS = 3 };

/* One codebook and one block of positions. */
typedef struct {
    float table[CODES * LENGTH], mean[CODES * LENGTH], width[DEPTH + 1];
    float v[LENGTH][LK_BLOCK], h[CODES * LK_BLOCK], gv[LENGTH][LK_BLOCK], lanes[(CODES * LENGTH + 1) * LK_LANES];
    uint16_t dim[DEPTH];
    const float *x[LENGTH];
    float *gx[LENGTH];
    lk_book b;
} fixture;

static void fix(fixture *f, qpq_encoder kind, bool integers)
{
    lt_rng r = lt_rng_make(9, (uint64_t)kind);
    memset(f, 0, sizeof *f);
    for (int i = 0; i < CODES * LENGTH; i++) f->table[i] = (float)(20 + 10 * lt_rng_normal(&r));
    for (int i = 0; i < CODES * LENGTH; i++) f->mean[i] = (float)(20 + 10 * lt_rng_normal(&r));
    for (int i = 0; i < DEPTH; i++) f->dim[i] = (uint16_t)lt_rng_below(&r, LENGTH);
    for (int i = 0; i < CODES * LK_BLOCK; i++) f->h[i] = (float)lt_rng_normal(&r);
    for (int j = 0; j < LENGTH; j++) {
        for (int i = 0; i < LK_BLOCK; i++) f->v[j][i] = (float)(20 + 10 * lt_rng_normal(&r));
        f->x[j] = f->v[j];
        f->gx[j] = f->gv[j];
    }
    for (int i = 0; i < CODES * LENGTH && integers; i++) f->table[i] = roundf(f->table[i]);
    for (int j = 0; j < LENGTH; j++)
        for (int i = 0; i < LK_BLOCK && integers; i++) f->v[j][i] = roundf(f->v[j][i]);
    f->b = (lk_book){kind, LENGTH, CODES, DEPTH, f->table, f->table, f->dim, f->width, 1.3f};
    enc_width(&f->b, f->mean, f->width);
}

/* Sum over the block of the expected h under the soft assignment, by its definition. */
static double expected(const fixture *f)
{
    double all = 0, t = (double)f->b.temperature;
    for (int i = 0; i < LK_BLOCK; i++) {
        double p[CODES], sum = 0;
        for (int k = 0; k < CODES; k++) {
            double d = 0;
            p[k] = 1;
            for (int level = 0; level < DEPTH && f->b.kind == QENC_TREE; level++) {
                int node = (1 << level) - 1 + (k >> (DEPTH - level)), right = k >> (DEPTH - 1 - level) & 1;
                double z =
                    ((double)f->v[f->dim[level]][i] + 0.5 - (double)f->table[node]) / (t * (double)f->width[level]);
                p[k] *= 1 / (1 + exp(right ? -z : z));
            }
            for (int j = 0; j < LENGTH; j++) {
                double e = (double)f->v[j][i] - (double)f->table[k * LENGTH + j];
                d += f->b.kind == QENC_L1 ? fabs(e) : e * e;
            }
            if (f->b.kind != QENC_TREE) p[k] = exp(-d / (t * (double)f->width[0]));
            sum += p[k];
        }
        for (int k = 0; k < CODES; k++) all += p[k] / sum * (double)f->h[k * LK_BLOCK + i];
    }
    return all;
}

static void near(double want, double got, const char *what, int i)
{
    if (fabs(want - got) > 2e-3 + 2e-2 * fabs(want))
        fail_msg("%s %d: gradient %g, finite difference %g", what, i, got, want);
}

static double slope_at(fixture *f, float *value, float eps)
{
    float old = *value;
    *value = old + eps;
    double up = expected(f);
    *value = old - eps;
    double down = expected(f);
    *value = old;
    return (up - down) / (2 * (double)eps);
}

static double lane_sum(const fixture *f, int i)
{
    double s = 0;
    for (int j = 0; j < LK_LANES; j++) s += (double)f->lanes[i * LK_LANES + j];
    return s;
}

static void soft_gradients(const lk_vec *vec, qpq_encoder kind)
{
    fixture f;
    int n = kind == QENC_TREE ? CODES - 1 : CODES * LENGTH;
    fix(&f, kind, false);
    vec->back(&f.b, f.x, f.h, f.gx, f.lanes);
    for (int j = 0; j < LENGTH; j++)
        for (int i = 0; i < LK_BLOCK; i += 5) near(slope_at(&f, &f.v[j][i], 0.02f), (double)f.gv[j][i], "input", j);
    for (int i = 0; i < n; i++) near(slope_at(&f, &f.table[i], 0.02f), lane_sum(&f, i), "table", i);
    near(slope_at(&f, &f.b.temperature, 0.01f), lane_sum(&f, n), "temperature", 0);
}

static void each_kind(void (*check)(const lk_vec *, qpq_encoder))
{
    int n;
    const lk_vec *const *all = lk_vec_all(&n);
    for (int i = 0; i < n; i++) {
        check(all[i], QENC_L2);
        check(all[i], QENC_L1);
        check(all[i], QENC_TREE);
    }
}

static void test_soft(void **state)
{
    (void)state;
    each_kind(soft_gradients);
}

/* The codes are those of the golden model. */
static void hard_codes(const lk_vec *vec, qpq_encoder kind)
{
    fixture f;
    int16_t table[CODES * LENGTH], v[LENGTH];
    uint8_t codes[LK_BLOCK];
    fix(&f, kind, true);
    for (int i = 0; i < CODES * LENGTH; i++) table[i] = (int16_t)f.table[i];
    qencoder e = {.encoder = kind, .prototypes = CODES, .length = LENGTH, .codebooks = 1, .enc_bits = 8};
    e.proto = e.thresh = table;
    e.dim = f.dim;
    vec->encode(&f.b, f.x, LK_BLOCK - 3, codes);
    for (int i = 0; i < LK_BLOCK - 3; i++) {
        for (int j = 0; j < LENGTH; j++) v[j] = (int16_t)f.v[j][i];
        assert_int_equal(codes[i], golden_encode(&e, 0, v));
    }
}

static void test_codes(void **state)
{
    (void)state;
    each_kind(hard_codes);
}

/* Planes: bits dropped, halves up, and back. */
static void test_planes(void **state)
{
    enum { PX = 21, C = 19, PITCH = 40 };
    static float x[PX * C], planes[C * PITCH], y[PX * C];
    lt_rng r = lt_rng_make(7, 7);
    int n;
    const lk_vec *const *all = lk_vec_all(&n);
    (void)state;
    for (int i = 0; i < PX * C; i++) x[i] = 0.25f * (float)((int)lt_rng_below(&r, 1600) - 600);
    for (int k = 0; k < n; k++)
        for (int drop = 0; drop < 4; drop += 3) {
            all[k]->to_planes(x, PX, C, 0.5f, drop, planes, PITCH);
            for (int p = 0; p < PX; p++)
                for (int c = 0; c < C; c++) {
                    double v = fmin(fmax((double)x[p * C + c] * 0.5, -128), 255);
                    double want = floor(floor(v + 0.5) / (1 << drop));
                    assert_true(planes[c * PITCH + p] == (float)want);
                }
            all[k]->transpose(x, PX, C, planes, PITCH);
            memset(y, 0, sizeof y);
            all[k]->from_planes(planes, PITCH, PX, C, 2, true, y);
            all[k]->from_planes(planes, PITCH, PX, C, 1, true, y);
            for (int i = 0; i < PX * C; i++) assert_true(fabsf(y[i] - 3 * x[i]) < 1e-3f);
        }
}

/* The slope g solves (C^T C + ridge) g = C^T h with C the centred means. */
static void test_straight_through(void **state)
{
    lt_rng r = lt_rng_make(4, 4);
    fixture f;
    double c[CODES][LENGTH], centre[LENGTH] = {0}, trace = 0, scratch[LENGTH * (LENGTH + 1)];
    float h[CODES], g[LENGTH] = {0}, slope[LENGTH * CODES];
    (void)state;
    fix(&f, QENC_L2, false);
    enc_slope(f.mean, CODES, LENGTH, slope, scratch);
    for (int k = 0; k < CODES; k++) h[k] = (float)(10 * lt_rng_normal(&r));
    for (int k = 0; k < CODES; k++)
        for (int j = 0; j < LENGTH; j++) centre[j] += (double)f.mean[k * LENGTH + j] / CODES;
    for (int k = 0; k < CODES; k++)
        for (int j = 0; j < LENGTH; j++) {
            c[k][j] = (double)f.mean[k * LENGTH + j] - centre[j];
            trace += c[k][j] * c[k][j];
            g[j] += slope[j * CODES + k] * h[k];
        }
    for (int i = 0; i < LENGTH; i++) {
        double left = ENC_RIDGE * trace / LENGTH * (double)g[i], right = 0;
        for (int k = 0; k < CODES; k++) {
            right += c[k][i] * (double)h[k];
            for (int j = 0; j < LENGTH; j++) left += c[k][i] * c[k][j] * (double)g[j];
        }
        if (fabs(left - right) > 1e-3 * (1 + fabs(right))) fail_msg("element %d: %g, expected %g", i, left, right);
    }
}

/* ---- the layer, against the definition, on one image ---- */

enum { IN_C = 11, IN_H = 5, IN_W = 7, OUT_C = 19, PROTOS = 4, SUB = 4, BOOKS = 3 };

typedef struct {
    qpq_mode mode;
    int stride, dilation, taps, length, books, p, q;
    qencoder e;
    qtensor format;
    qlayer l;
    int16_t proto[IN_C * PROTOS * 9];
    float step, x[IN_H * IN_W * IN_C], gx[IN_H * IN_W * IN_C], y[IN_H * IN_W * OUT_C], gy[IN_H * IN_W * OUT_C];
    float table[BOOKS * 9 * PROTOS * OUT_C + IN_C * PROTOS * OUT_C];
} place;

static void arrange(place *f, qpq_mode mode, int stride, int dilation)
{
    lt_rng r = lt_rng_make(31, (uint64_t)(mode * 8 + stride * 2 + dilation));
    bool spatial = mode == QPQ_SPATIAL;
    memset(f, 0, sizeof *f);
    f->mode = mode;
    f->stride = stride;
    f->dilation = dilation;
    f->taps = spatial ? 1 : 9;
    f->length = spatial ? 9 : SUB;
    f->books = spatial ? IN_C : BOOKS;
    f->p = (IN_H + 2 * dilation - 2 * dilation - 1) / stride + 1;
    f->q = (IN_W + 2 * dilation - 2 * dilation - 1) / stride + 1;
    f->step = 0.25f;
    f->format = (qtensor){.c = IN_C, .h = IN_H, .w = IN_W, .bits = 8};
    f->e = (qencoder){mode,     QENC_L2, PROTOS, f->length, f->books, 8, spatial ? 3 : 1, spatial ? 3 : 1,
                      f->proto, NULL,    NULL};
    f->l = (qlayer){.k = OUT_C,
                    .r = 3,
                    .s = 3,
                    .stride = stride,
                    .dilation = dilation,
                    .groups = 1,
                    .pad_t = dilation,
                    .pad_l = dilation,
                    .pad_b = dilation,
                    .pad_r = dilation};
    for (size_t i = 0; i < sizeof f->proto / sizeof *f->proto; i++) f->proto[i] = (int16_t)lt_rng_below(&r, 60);
    for (int i = 0; i < IN_H * IN_W * IN_C; i++) f->x[i] = f->step * (float)lt_rng_below(&r, 60);
    for (size_t i = 0; i < sizeof f->table / sizeof *f->table; i++) f->table[i] = (float)lt_rng_normal(&r);
    for (int i = 0; i < IN_H * IN_W * OUT_C; i++) f->gy[i] = (float)lt_rng_normal(&r);
}

/* Position that a tap of output pixel (p, q) reads; false: outside. */
static bool reads(const place *f, int p, int q, int tap, int *at)
{
    int y = p * f->stride + (tap / 3 - 1) * f->dilation, x = q * f->stride + (tap % 3 - 1) * f->dilation;
    *at = y * IN_W + x;
    return y >= 0 && y < IN_H && x >= 0 && x < IN_W;
}

/* Input element j of codebook cb at a position (channel mode: an input pixel, spatial: an output pixel); -1: none. */
static int element(const place *f, int cb, int position, int j)
{
    int at;
    if (f->mode == QPQ_CHANNEL) return cb * SUB + j < IN_C ? position * IN_C + cb * SUB + j : -1;
    return reads(f, position / f->q, position % f->q, j, &at) ? at * IN_C + cb : -1;
}

static int code_at(const place *f, int cb, int position)
{
    int16_t v[9];
    for (int j = 0; j < f->length; j++) {
        int i = element(f, cb, position, j);
        v[j] = i < 0 ? 0 : (int16_t)lrintf(f->x[i] / f->step);
    }
    return golden_encode(&f->e, cb, v);
}

static void check_layer(qpq_mode mode, int stride, int dilation, lt_assign assign)
{
    static place f;
    static double y[IN_H * IN_W * OUT_C], table[sizeof f.table / sizeof *f.table], h[IN_H * IN_W * IN_C * PROTOS];
    double gx[IN_H * IN_W * IN_C] = {0}, scratch[9 * 10];
    lt_env env = {.vec = lt_vec_best(), .train = true, .batch = 1, .chunk = 1, .workers = 1, .chunks = 1};
    lt_encode_options o = {.assign = assign, .learn = true, .temperature = 1};
    lt_pass pass = {LT_MODE_TRAIN, 1, 1};
    lt_chunk chunk = {&pass, 0, 0, 1, 0};
    lt_encoder *e;
    lt_layer *l;
    lt_err err = {0};

    arrange(&f, mode, stride, dilation);
    lt_shape in = {IN_C, IN_H, IN_W}, out = {OUT_C, f.p, f.q};
    lt_tensor ti = {in, IN_H * IN_W * IN_C, f.x, f.gx, IN_H * IN_W * IN_C};
    lt_tensor to = {out, (size_t)(f.p * f.q * OUT_C), f.y, f.gy, (size_t)(f.p * f.q * OUT_C)};
    assert_int_equal(lt_encoder_create(&e, "e", &f.e, &f.format, &f.step, NULL, &o, &env, &err), LT_OK);
    assert_int_equal(lt_layer_lookup("l", 1, e, &f.l, false, f.table, in, out, &env, &l, &err), LT_OK);
    l->in = &ti;
    l->out = &to;
    assert_int_equal(l->ops->begin(l, &pass, &err), LT_OK);
    l->ops->forward(l, &chunk, 0);
    l->ops->backward(l, &chunk, 0);
    l->ops->finish(l, &pass, 0);

    memset(y, 0, sizeof y);
    memset(table, 0, sizeof table);
    memset(h, 0, sizeof h);
    for (int px = 0; px < f.p * f.q; px++)
        for (int cb = 0; cb < f.books; cb++)
            for (int tap = 0; tap < f.taps; tap++) {
                int at = px;
                if (mode == QPQ_CHANNEL && !reads(&f, px / f.q, px % f.q, tap, &at)) continue;
                int code = code_at(&f, cb, at);
                for (int k = 0; k < PROTOS; k++)
                    for (int c = 0; c < OUT_C; c++) {
                        int entry = ((cb * f.taps + tap) * PROTOS + k) * OUT_C + c;
                        double g = (double)f.gy[px * OUT_C + c];
                        h[(at * f.books + cb) * PROTOS + k] += (double)f.table[entry] * g;
                        if (k != code) continue;
                        y[px * OUT_C + c] += (double)f.table[entry];
                        table[entry] += g;
                    }
            }
    for (int i = 0; i < f.p * f.q * OUT_C; i++) assert_true(fabs(y[i] - (double)f.y[i]) < 1e-4);
    for (size_t i = 0; i < l->params[0].n; i++) assert_true(fabs(table[i] - (double)l->params[0].grad[i]) < 1e-3);

    /* the input's gradient from h, by the functions that were checked above */
    int positions = mode == QPQ_CHANNEL ? IN_H * IN_W : f.p * f.q;
    for (int at = 0; at < positions; at++)
        for (int cb = 0; cb < f.books; cb++) {
            static float v[9][LK_BLOCK], g[9][LK_BLOCK], hb[8 * LK_BLOCK], lanes[(PROTOS * 9 + 1) * LK_LANES];
            const float *x[9];
            float *to_x[9], slope[9 * PROTOS], means[9 * PROTOS];
            lk_book b = enc_book(e, cb);
            for (int j = 0; j < f.length; j++) {
                int i = element(&f, cb, at, j);
                v[j][0] = i < 0 ? 0 : f.x[i] / f.step;
                x[j] = v[j];
                to_x[j] = g[j];
            }
            for (int k = 0; k < PROTOS; k++) hb[k * LK_BLOCK] = (float)h[(at * f.books + cb) * PROTOS + k];
            for (int i = 0; i < PROTOS * f.length; i++) means[i] = f.proto[cb * PROTOS * f.length + i];
            enc_slope(means, PROTOS, f.length, slope, scratch);
            if (assign == LT_ASSIGN_SOFT) lk_vec_best()->back(&b, x, hb, to_x, lanes);
            for (int j = 0; j < f.length; j++) {
                double s = (double)g[j][0];
                for (int k = 0; k < PROTOS && assign == LT_ASSIGN_HARD; k++)
                    s = (k ? s : 0) + (double)slope[j * PROTOS + k] * h[(at * f.books + cb) * PROTOS + k];
                int i = element(&f, cb, at, j);
                if (i >= 0) gx[i] += s / (double)f.step;
            }
        }
    for (int i = 0; i < IN_H * IN_W * IN_C; i++)
        if (fabs(gx[i] - (double)f.gx[i]) > 1e-3 * (1 + fabs(gx[i])))
            fail_msg("mode %d stride %d dilation %d: input %d: gradient %g, expected %g", mode, stride, dilation, i,
                     (double)f.gx[i], gx[i]);
    l->ops->free(l);
}

static void test_layer(void **state)
{
    (void)state;
    for (int assign = 0; assign < 2; assign++) {
        check_layer(QPQ_CHANNEL, 1, 1, (lt_assign)assign);
        check_layer(QPQ_CHANNEL, 2, 1, (lt_assign)assign);
        check_layer(QPQ_CHANNEL, 1, 2, (lt_assign)assign);
        check_layer(QPQ_SPATIAL, 1, 1, (lt_assign)assign);
        check_layer(QPQ_SPATIAL, 2, 1, (lt_assign)assign);
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

static void exported(lt_pq_options pq, bool products, lt_assign assign, float follow, int steps)
{
    lt_encode_options e = {
        .assign = assign, .learn = true, .learn_temperature = true, .temperature = 1, .follow = follow};
    lt_prep p;
    tune_prepare(&p, 8, &pq);
    check_export(&p, &e, products, false, steps);
    lt_prep_free(&p);
}

static void test_export(void **state)
{
    (void)state;
    exported(settings(QPQ_CHANNEL, QENC_TREE, 8, 4, 8), false, LT_ASSIGN_HARD, 0, 0);
    exported(settings(QPQ_CHANNEL, QENC_L2, 16, 3, 6), false, LT_ASSIGN_HARD, 0, 0); /* a codebook over the edge */
    exported(settings(QPQ_CHANNEL, QENC_L1, 4, 4, 4), false, LT_ASSIGN_HARD, 0, 0);
    exported(settings(QPQ_SPATIAL, QENC_TREE, 16, 9, 8), false, LT_ASSIGN_HARD, 0, 0);
    exported(settings(QPQ_SPATIAL, QENC_L2, 8, 9, 8), false, LT_ASSIGN_HARD, 0, 0);
}

static void test_trained(void **state)
{
    (void)state;
    exported(settings(QPQ_CHANNEL, QENC_TREE, 8, 4, 8), false, LT_ASSIGN_HARD, 0, 60);
    exported(settings(QPQ_CHANNEL, QENC_TREE, 8, 4, 8), false, LT_ASSIGN_SOFT, 0, 60);
    exported(settings(QPQ_CHANNEL, QENC_L2, 8, 4, 8), false, LT_ASSIGN_SOFT, 0, 60);
    exported(settings(QPQ_SPATIAL, QENC_L1, 8, 9, 8), false, LT_ASSIGN_SOFT, 0, 60);
    exported(settings(QPQ_CHANNEL, QENC_L1, 16, 3, 5), false, LT_ASSIGN_HARD, 0.05f, 60);
}

/* Tables of products: the vectors' gradients, tables and the exported network, whose tables are rounded to 8 bits. */
static void test_products(void **state)
{
    lt_pq_options o = settings(QPQ_CHANNEL, QENC_TREE, 8, 3, 7);
    lt_encode_options e = {.assign = LT_ASSIGN_HARD, .temperature = 1, .follow = 0.05f};
    lt_tune_options to = {
        .acc_bits = TUNE_ACC_BITS, .mult_bits = TUNE_MULT_BITS, .learn_steps = true, .products = true, .encode = e};
    lt_pass pass = {LT_MODE_TRAIN, 2, 1};
    lt_chunk chunk = {&pass, 0, 0, 2, 0};
    lt_rng r = lt_rng_make(3, 3);
    lt_err err = {0};
    lt_prep p;
    lt_tune t;
    lt_net *net;
    int i = 1;
    (void)state;

    o.lut_bits = 8;
    tune_prepare(&p, 8, &o);
    tune_ok(lt_tune_open(&t, &p, &to, &err), &err);
    lt_net_options no = {.batch = 2, .chunk = 2, .workers = 1, .train = true, .parts = lt_tune_parts(&t)};
    tune_ok(lt_net_create(&net, &t.graph, &no, &err), &err);
    tune_ok(lt_tune_attach(&t, net, &err), &err);
    while (t.net.layers[i - 1].encoder < 0) i++;
    const lt_layer *conv = t.nodes[i].conv;
    const lt_input_hook *h = lt_conv_input_hook(conv);
    lt_shape in = conv->in->s;
    qencoder q = t.net.encoders[t.net.layers[i - 1].encoder];
    size_t size = conv->in->size, values = h->params[0].n;
    float *x = malloc(2 * size * sizeof *x), *y = malloc(2 * size * sizeof *y), *gy = malloc(2 * size * sizeof *gy);
    float *gx = malloc(2 * size * sizeof *gx), step = t.nodes[t.net.layers[i - 1].in].step;
    double *want = calloc(values, sizeof *want);
    const qtensor *format = &t.net.tensors[t.net.layers[i - 1].in];
    for (size_t k = 0; k < 2 * size; k++) {
        x[k] = step * (float)lt_rng_below(&r, 128);
        gy[k] = (float)lt_rng_normal(&r);
    }
    lt_tune_refresh(&t);
    h->forward(h->ctx, &chunk, x, y, size);
    h->backward(h->ctx, &chunk, x, gy, gx, size);
    h->finish(h->ctx, &pass);
    double full = (qtensor_max(format) >> 1) - (qtensor_min(format) >> 1) + 1;
    double unit = 2 * (double)step * full;
    for (size_t px = 0; px < 2 * (size_t)(in.h * in.w); px++)
        for (int cb = 0; cb < q.codebooks; cb++) {
            int16_t v[3] = {0};
            for (int j = 0; j < 3 && cb * 3 + j < in.c; j++)
                v[j] = (int16_t)lrintf(x[px * (size_t)in.c + (size_t)(cb * 3 + j)] / step);
            int code = golden_encode(&q, cb, v);
            for (int j = 0; j < 3 && cb * 3 + j < in.c; j++) {
                size_t at = px * (size_t)in.c + (size_t)(cb * 3 + j), k = (size_t)((cb * 8 + code) * 3 + j);
                assert_true(fabs((double)y[at] - (double)h->params[0].value[k] * unit) < 1e-4);
                assert_true(gx[at] == gy[at]);
                want[k] += (double)gy[at] * unit;
            }
        }
    for (int cb = 0; cb < q.codebooks; cb++)
        for (int k = 0; k < 8 * 3 && cb * 3 + k % 3 < in.c; k++)
            assert_true(fabs(want[cb * 24 + k] - (double)h->params[0].grad[cb * 24 + k]) <
                        1e-3 * (1 + fabs(want[cb * 24 + k])));
    free(x);
    free(y);
    free(gy);
    free(gx);
    free(want);
    lt_net_free(net);
    lt_tune_free(&t);
    lt_prep_free(&p);
    exported(o, true, LT_ASSIGN_HARD, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_soft),    cmocka_unit_test(test_codes),
                                       cmocka_unit_test(test_planes),  cmocka_unit_test(test_straight_through),
                                       cmocka_unit_test(test_layer),   cmocka_unit_test(test_export),
                                       cmocka_unit_test(test_trained), cmocka_unit_test(test_products)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
