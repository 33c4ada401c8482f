/* The program generator and layers that exceed the accelerator: every one is lowered, never refused, and its operations
 * keep what the hardware asks of them (docs/architecture.md sections 4 and 5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"
#include "emit/regs.h"
#include "golden/load_word.h"
#include "program/builder.h"
#include "program/pack_pq.h"
#include "program/program.h"

typedef struct {
    int c, h, w, k, r, s, stride, dilation, pad, groups;
} shape;

static lt_config load(const char *name)
{
    char path[4096];
    lt_config c;
    lt_err err = {0};

    snprintf(path, sizeof path, "%s/configs/%s.yaml", LUTRA_ROOT, name);
    assert_int_equal(lt_config_load(path, &c, &err), LT_OK);
    return c;
}

static void check_operation(const lt_config *c, const uint32_t *d, bool acc_before, const uint32_t *before)
{
    int64_t cg = lt_desc_get(d, LT_D_CG), taps = lt_desc_get(d, LT_D_R) * lt_desc_get(d, LT_D_S);
    int64_t pixels = lt_desc_get(d, LT_D_OUT_H) * lt_desc_get(d, LT_D_OUT_W), a = lt_desc_get(d, LT_D_A);
    bool in = lt_desc_get(d, LT_D_ACC_IN), out = lt_desc_get(d, LT_D_ACC_OUT);

    assert_true(cg * taps * lt_desc_get(d, LT_D_OG) * c->lanes <= 2 * c->wb_words);
    assert_true(lt_desc_get(d, LT_D_TILE_W) * a <= c->psum_words);
    assert_int_equal(in, acc_before);
    if (in || out) {
        assert_true(pixels <= lt_desc_get(d, LT_D_TILE_W));
        assert_int_equal(lt_desc_get(d, LT_D_OG), a);
    }
    if (in) {
        assert_int_equal(lt_desc_get(d, LT_D_OUT_H), lt_desc_get(before, LT_D_OUT_H));
        assert_int_equal(lt_desc_get(d, LT_D_OUT_W), lt_desc_get(before, LT_D_OUT_W));
    }
    if (out) assert_int_equal(lt_desc_get(d, LT_D_WRITE_FB), 0);
}

/* Weights that stay are packed for the schedule of the operation that they were loaded for. */
static void check_order(const uint32_t *d, const uint32_t *before)
{
    assert_int_equal(lt_desc_get(d, LT_D_A), lt_desc_get(before, LT_D_A));
    assert_int_equal(lt_desc_get(d, LT_D_B), lt_desc_get(before, LT_D_B));
    assert_int_equal(lt_desc_get(d, LT_D_D), lt_desc_get(before, LT_D_D));
}

/* Beats of one transfer: rows start at bus words; a profile record of 32 bytes, too, takes whole ones. */
static uint32_t beats(const lt_config *c, const uint32_t *d)
{
    uint32_t bus = (uint32_t)c->bus_bits / 8, row = 32, rows = 1;

    assert_int_equal(lt_desc_get(d, LT_D_OFFSET) % bus, 0);
    if (lt_desc_get(d, LT_D_OPCODE) != LT_OP_PROFILE) {
        rows = (uint32_t)lt_desc_get(d, LT_D_ROWS);
        row = (uint32_t)(lt_desc_get(d, LT_D_WORDS) * lt_load_word_bytes(c, (int)lt_desc_get(d, LT_D_TARGET)));
        if (rows > 1) assert_int_equal(lt_desc_get(d, LT_D_DRAM_STRIDE) % bus, 0);
    }
    return rows * ((row + bus - 1) / bus);
}

/* What the cycle model says of the bus is what the descriptors ask for. */
static void check_beats(const lt_config *c, const lt_program *p)
{
    uint32_t read = (uint32_t)p->n_desc * 512 / (uint32_t)c->bus_bits, written = 0;

    for (int i = 0; i < p->n_desc; i++) {
        int64_t opcode = lt_desc_get(p->desc[i], LT_D_OPCODE);
        if (opcode == LT_OP_LOAD) read += beats(c, p->desc[i]);
        if (opcode == LT_OP_STORE || opcode == LT_OP_PROFILE) written += beats(c, p->desc[i]);
    }
    const lutra_profile *total = &p->image.predict[p->image.profile_count];
    assert_int_equal(total->read_beats, read);
    assert_int_equal(total->write_beats, written);
    assert_int_equal(p->image.profile_stride % ((uint32_t)c->bus_bits / 8), 0);
    assert_true(p->image.profile_stride >= LUTRA_COUNTERS_BYTES);
}

/* A network of one convolution. Its operations must do every multiplication at least once. */
static void lower(const lt_config *c, const shape *s)
{
    int p = (s->h + 2 * s->pad - (s->r - 1) * s->dilation - 1) / s->stride + 1;
    int q = (s->w + 2 * s->pad - (s->s - 1) * s->dilation - 1) / s->stride + 1;
    qtensor t[2] = {{.c = s->c, .h = s->h, .w = s->w, .bits = 8, .is_signed = true, .scale = 1},
                    {.c = s->k, .h = p, .w = q, .bits = 8, .is_signed = true, .scale = 1}};
    size_t n = (size_t)s->k * (size_t)(s->c / s->groups * s->r * s->s);
    qlayer l = {.name = "layer", .op = QOP_CONV, .in = 0, .out = 1, .res = -1, .k = s->k, .r = s->r, .s = s->s};
    qnet net = {.name = "one", .n_tensors = 2, .n_layers = 1, .tensors = t, .layers = &l, .classes = s->k};
    lt_program_options o = {.last_layer = -1, .profile = true, .latency = 20};
    lt_program prog;
    lt_err err = {0};
    int64_t done = 0, sums = 0;
    const uint32_t *before = NULL;
    bool loaded = false;

    l.stride = s->stride, l.dilation = s->dilation, l.groups = s->groups, l.encoder = -1;
    l.pad_t = l.pad_l = l.pad_b = l.pad_r = s->pad;
    l.w_bits = 8, l.hi = 127, l.lo = -128;
    l.w = calloc(n, 1);
    l.bias = calloc((size_t)s->k, sizeof *l.bias);
    l.mult = calloc((size_t)s->k, sizeof *l.mult);
    net.input_table = calloc((size_t)s->c, 256);
    if (lt_program_build(c, &net, &o, &prog, &err) != LT_OK) fail_msg("%s: %s", c->name, err.msg);
    for (int i = 0; i < prog.n_desc; i++) {
        const uint32_t *d = prog.desc[i];
        if (lt_desc_get(d, LT_D_OPCODE) == LT_OP_LOAD) loaded = loaded || lt_desc_get(d, LT_D_TARGET) == TO_WEIGHT;
        if (lt_desc_get(d, LT_D_OPCODE) != LT_OP_CONV) continue;
        if (!loaded && lt_desc_get(d, LT_D_WEIGHT_BASE) == lt_desc_get(before, LT_D_WEIGHT_BASE))
            check_order(d, before);
        loaded = false;
        check_operation(c, d, before && lt_desc_get(before, LT_D_ACC_OUT), before);
        int64_t pixels = lt_desc_get(d, LT_D_OUT_H) * lt_desc_get(d, LT_D_OUT_W) * lt_desc_get(d, LT_D_OG);
        sums += pixels * lt_desc_get(d, LT_D_CG) * lt_desc_get(d, LT_D_R) * lt_desc_get(d, LT_D_S);
        if (!lt_desc_get(d, LT_D_ACC_OUT)) done += pixels;
        before = d;
    }
    assert_non_null(before);
    assert_false(lt_desc_get(before, LT_D_ACC_OUT));
    check_beats(c, &prog);
    int64_t og = (s->k + c->lanes - 1) / c->lanes, cg = (s->c + c->lanes - 1) / c->lanes;
    if (s->groups > 1) cg = 1;
    assert_int_equal(done, og * p * q);
    assert_int_equal(sums, og * p * q * cg * s->r * s->s);
    free(l.w);
    free(l.bias);
    free(l.mult);
    free(net.input_table);
    lt_program_free(&prog);
}

static void test_large_layers(void **state)
{
    static const char *const configs[] = {"ws16", "ews16", "tiny_ws", "tiny_ews"};
    static const shape shapes[] = {
        {512, 7, 7, 512, 3, 3, 1, 1, 1, 1}, /* the last stage of ResNet18 */
        {256, 14, 14, 256, 3, 3, 1, 1, 1, 1},
        {3, 224, 224, 64, 7, 7, 2, 1, 3, 1}, /* its first layer: no row of windows fits */
        {16, 112, 112, 16, 3, 3, 1, 1, 1, 1},
        {512, 7, 7, 32, 7, 7, 1, 1, 0, 1}, /* fully connected, 25088 inputs */
        {4096, 1, 1, 64, 1, 1, 1, 1, 0, 1},
        {32, 12, 12, 32, 11, 11, 1, 1, 5, 32}, /* depthwise */
        {8, 1, 600, 16, 1, 600, 1, 1, 0, 1},   /* kernels beyond their fields */
        {64, 9, 9, 16, 5, 5, 1, 2, 4, 1},
        {8, 100, 30, 8, 3, 3, 1, 1, 1, 1}, /* weights stay for tiles of several heights */
    };

    (void)state;
    for (size_t i = 0; i < sizeof configs / sizeof *configs; i++) {
        lt_config c = load(configs[i]);
        for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) lower(&c, &shapes[k]);
    }
}

/* One partial sum, one weight entry per bank. */
static void test_smallest_buffers(void **state)
{
    static const shape shapes[] = {{24, 6, 6, 20, 3, 3, 1, 1, 1, 1}, {64, 2, 2, 8, 2, 2, 1, 1, 0, 1}};
    lt_config c = load("tiny_ws");

    (void)state;
    c.psum_words = 1;
    c.wb_words = 16;
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) lower(&c, &shapes[k]);
}

/* Tables of pq_mirror: half of them is packed, and they have to be what the other half stands for. */
static void test_bus_widths(void **state)
{
    static const char *const configs[] = {"ws16", "tiny_ews"};
    static const shape shapes[] = {
        {20, 9, 7, 36, 3, 3, 1, 1, 1, 1},   /* rows that are no multiple of a wide bus */
        {16, 80, 80, 16, 3, 3, 2, 1, 1, 1}, /* tiles */
        {64, 1, 1, 10, 1, 1, 1, 1, 0, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof configs / sizeof *configs; i++) {
        lt_config c = load(configs[i]);
        for (c.bus_bits = 32; c.bus_bits <= 512; c.bus_bits *= 2)
            for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) lower(&c, &shapes[k]);
    }
}

static void test_mirrored_tables(void **state)
{
    enum { K = 16, PROTOS = 16, BOOKS = 2, TAPS = 9, SETS = BOOKS * TAPS };
    lt_config c = load("pq16"), half;
    qtensor t[2] = {{.c = 16, .h = 4, .w = 4, .bits = 8, .is_signed = true, .scale = 1},
                    {.c = K, .h = 4, .w = 4, .bits = 8, .is_signed = true, .scale = 1}};
    int8_t lut[SETS * PROTOS * K];
    int16_t proto[BOOKS * PROTOS * 8] = {0}, thresh[BOOKS * (PROTOS - 1)] = {0};
    uint16_t dim[BOOKS * 4] = {0}, mult[K] = {0};
    int32_t bias[K] = {0};
    qencoder e = {.mode = c.pq_mode, .encoder = c.pq_encoder, .prototypes = PROTOS, .length = 8, .codebooks = BOOKS};
    qlayer l = {.name = "mirrored", .op = QOP_CONV, .out = 1, .res = -1, .k = K, .r = 3, .s = 3, .stride = 1};
    qnet net = {.name = "one", .n_tensors = 2, .n_layers = 1, .tensors = t, .layers = &l, .classes = K};
    lt_program_options o = {.last_layer = -1};
    lt_program whole_prog, half_prog;
    lt_err err = {0};
    int8_t table[16 * 256] = {0};

    (void)state;
    assert_int_equal(c.pq_prototypes, PROTOS);
    assert_int_equal(c.pq_length, 8);
    for (int i = 0; i < SETS * PROTOS / 2 * K; i++) {
        int set = i / (PROTOS / 2 * K), code = i / K % (PROTOS / 2), v = i * 5 % 15 - 7;
        lut[(set * PROTOS + code) * K + i % K] = (int8_t)v;
        lut[(set * PROTOS + PROTOS - 1 - code) * K + i % K] = (int8_t)-v;
    }
    e.enc_bits = c.pq_enc_bits, e.proto = proto, e.thresh = thresh, e.dim = dim;
    net.encoders = &e, net.n_encoders = 1, net.input_table = table;
    l.dilation = l.groups = 1, l.pad_t = l.pad_l = l.pad_b = l.pad_r = 1;
    l.lut = lut, l.lut_bits = 4, l.hi = 127, l.lo = -128, l.bias = bias, l.mult = mult;
    half = c;
    half.pq_mirror = 1;
    if (lt_program_build(&c, &net, &o, &whole_prog, &err) != LT_OK) fail_msg("%s", err.msg);
    if (lt_program_build(&half, &net, &o, &half_prog, &err) != LT_OK) fail_msg("%s", err.msg);
    /* 16 rows of 16 4-bit entries for each codebook and tap: half of them is missing */
    assert_int_equal(whole_prog.image.blob.len - half_prog.image.blob.len, SETS * PROTOS / 2 * K / 2);
    lt_program_free(&whole_prog);
    lt_program_free(&half_prog);

    lut[(3 * PROTOS + 10) * K + 7]++;
    assert_int_equal(lt_program_build(&half, &net, &o, &half_prog, &err), LT_EINPUT);
    assert_non_null(strstr(err.msg, "layer mirrored: table 3, output 7"));
    assert_non_null(strstr(err.msg, "code 10"));
    if (lt_program_build(&c, &net, &o, &whole_prog, &err) != LT_OK) fail_msg("%s", err.msg);
    lt_program_free(&whole_prog);
}

static unsigned bits_at(const lt_buf *b, size_t at, int n)
{
    unsigned v = 0;
    for (int i = 0; i < n; i++) v |= ((unsigned char)b->data[(at + (size_t)i) / 8] >> (at + (size_t)i) % 8 & 1u) << i;
    return v;
}

/* Layers of fewer prototypes than the configuration's 64: the rows of a table and the levels of an encoder, by hand. */
static void test_fewer_prototypes(void **state)
{
    /* codes a1 a0 b1 b0 with a1 = 0, by row: b1 is its lowest bit, then a0, then b0 */
    static const int rows16[8] = {0, 2, 4, 6, 1, 3, 5, 7};
    /* codes a2 a1 a0 b1 b0 with a2 = 0: b1, a1, b0, a0 */
    static const int rows32[16] = {0, 2, 8, 10, 1, 3, 9, 11, 4, 6, 12, 14, 5, 7, 13, 15};
    enum { LANES = 16, BOOKS = 16, UNITS = 8 };
    lt_config c = load("pq3");

    (void)state;
    assert_int_equal(c.pq_prototypes, 64);
    for (int protos = 16; protos <= 32; protos *= 2) {
        const int *codes = protos == 16 ? rows16 : rows32;
        int a_bits = protos == 16 ? 2 : 3, b_bits = 2, set = protos / 2;
        int8_t lut[BOOKS * 32 * LANES];
        int16_t thresh[BOOKS * 31];
        uint16_t dim[BOOKS * 5] = {0};
        qencoder e = {.encoder = QENC_TREE,
                      .prototypes = protos,
                      .length = 2,
                      .codebooks = BOOKS,
                      .enc_bits = 8,
                      .dim = dim,
                      .thresh = thresh};
        qlayer l = {.k = LANES, .r = 1, .s = 1, .stride = 1, .dilation = 1, .groups = 1, .lut = lut, .lut_bits = 4};
        lt_buf words = {0};

        for (int i = 0; i < BOOKS * protos * LANES; i++) lut[i] = (int8_t)(i * 7 % 15 - 7 + (i / 240) % 2);
        for (int i = 0; i < BOOKS * (protos - 1); i++)
            thresh[i] = (int16_t)(i % (protos - 1) + 10 * (i / (protos - 1)));
        assert_int_equal(lt_pq_rows(&c, &l, &e, 2), 2 * set); /* two chunks, one behind the other */
        lt_pack_pq_lut(&c, &l, &e, 0, 2, 0, 0, 2 * set, &words);
        assert_int_equal(words.len, 2 * set * UNITS * LANES / 2);
        for (int row = 0; row < 2 * set; row++)
            for (int u = 0; u < UNITS; u++)
                for (int lane = 0; lane < LANES; lane++) {
                    int at = ((row / set * UNITS + u) * protos + codes[row % set]) * LANES + lane;
                    assert_int_equal(bits_at(&words, ((size_t)(row * UNITS + u) * LANES + (size_t)lane) * 4, 4),
                                     lut[at] & 15);
                }
        lt_buf_free(&words);

        /* fields of 1, 2 and 4 thresholds of 9 bits for 8 codebooks, in slices of 16 bytes, twice */
        static const int slice[6] = {0, 1, 3, 6, 7, 9};
        lt_pack_pq_encoder(&c, &e, false, 1, &words);
        assert_int_equal(words.len, 12 * 16);
        for (int level = 0; level < 6; level++)
            for (int i = 0; i < UNITS << level % 3; i++) {
                int own = level % 3, bits = level < 3 ? a_bits : b_bits, u = i >> own;
                int node = (1 << ((level < 3 ? 0 : a_bits) + own)) - 1 + (i & ((1 << own) - 1));
                int want = own < bits ? thresh[(UNITS + u) * (protos - 1) + node] : 256; /* none */
                assert_int_equal(bits_at(&words, (size_t)slice[level] * 128 + (size_t)i * 9, 9), want);
            }
        lt_buf_free(&words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_large_layers), cmocka_unit_test(test_smallest_buffers),
                                       cmocka_unit_test(test_bus_widths), cmocka_unit_test(test_mirrored_tables),
                                       cmocka_unit_test(test_fewer_prototypes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
