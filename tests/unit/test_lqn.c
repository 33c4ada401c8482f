/* The .lqn container: round trips, refusals, damage on the outside and (with checksums repaired) on the inside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <unistd.h>
#include <zlib.h>

#include "base/buf.h"
#include "model/qnet_file.h"
#include "random_qnet.h"

static lt_buf pack(const qnet *n)
{
    lt_buf b = {0};
    lt_err err;
    if (lt_qnet_pack(n, &b, &err) != LT_OK) fail_msg("%s", err.msg);
    return b;
}

static lt_code unpack(const void *data, size_t len, qnet *n, lt_err *err)
{
    char *exact = malloc(len + !len);
    memcpy(exact, data, len);
    lt_code rc = lt_qnet_unpack(exact, len, "net.lqn", n, err);
    free(exact);
    return rc;
}

static void round_trips(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        qnet n = rq_net(seed, 1 + (int)(seed % 7)), m;
        lt_err err;
        lt_buf a = pack(&n);
        if (unpack(a.data, a.len, &m, &err) != LT_OK) fail_msg("seed %llu: %s", (unsigned long long)seed, err.msg);
        lt_buf b = pack(&m);
        assert_int_equal(a.len, b.len);
        assert_memory_equal(a.data, b.data, a.len);
        /* and it computes the same */
        int16_t **x = golden_alloc(&n), **y = golden_alloc(&m);
        lt_rng r = lt_rng_make(seed, 5);
        uint8_t *image = malloc(qtensor_size(&n.tensors[0]));
        rq_image(&r, &n, image);
        golden_input(&n, image, x[0]);
        golden_input(&m, image, y[0]);
        golden_run(&n, x);
        golden_run(&m, y);
        for (int t = 0; t < n.n_tensors; t++) assert_memory_equal(x[t], y[t], qtensor_size(&n.tensors[t]) * sizeof **x);
        assert_string_equal(n.layers[n.n_layers - 1].name, m.layers[n.n_layers - 1].name);
        free(image);
        golden_free(&n, x);
        golden_free(&m, y);
        lt_buf_free(&a);
        lt_buf_free(&b);
        qnet_free(&n);
        qnet_free(&m);
    }
}

static void files(void **state)
{
    (void)state;
    char path[] = P_tmpdir "/lutra_lqnXXXXXX";
    int fd = mkstemp(path);
    lt_err err;
    qnet n = rq_net(4, 3), m;
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(lt_qnet_save(&n, path, &err), LT_OK);
    assert_int_equal(lt_qnet_load(path, &m, &err), LT_OK);
    qnet_free(&m);
    unlink(path);
    assert_int_equal(lt_qnet_load(path, &m, &err), LT_EIO);
    assert_int_equal(lt_qnet_save(&n, "no/such/folder/x.lqn", &err), LT_EIO);
    qnet_free(&n);
}

static void expect(const lt_buf *b, const char *part)
{
    qnet n;
    lt_err err = {0};
    assert_int_equal(unpack(b->data, b->len, &n, &err), LT_EINPUT);
    if (!strstr(err.msg, part)) fail_msg("message '%s' does not contain '%s'", err.msg, part);
}

static void every_truncation_and_flip_is_noticed(void **state)
{
    (void)state;
    qnet n = rq_net(12, 4), m;
    lt_err err;
    lt_buf b = pack(&n);
    for (size_t len = 0; len < b.len; len++) assert_int_equal(unpack(b.data, len, &m, &err), LT_EINPUT);
    for (size_t i = 0; i < b.len; i++) {
        b.data[i] ^= (char)(1 << (i % 8));
        assert_int_equal(unpack(b.data, b.len, &m, &err), LT_EINPUT);
        b.data[i] ^= (char)(1 << (i % 8));
    }
    lt_buf_u8(&b, 0);
    expect(&b, "checksum");
    b.len--;
    b.data[4] = 2;
    expect(&b, ".lqn version 2, expected 1");
    b.data[0] = 'X';
    expect(&b, "not an integer network");
    lt_buf_free(&b);
    qnet_free(&n);
}

static uint32_t get32(const char *p)
{
    return (uint32_t)(uint8_t)p[0] | (uint32_t)(uint8_t)p[1] << 8 | (uint32_t)(uint8_t)p[2] << 16 |
           (uint32_t)(uint8_t)p[3] << 24;
}

/* The file again with its sections unpacked, edited by `edit`, packed again, lengths and checksum right. */
static lt_buf rebuilt(const lt_buf *b, void (*edit)(void *ctx, int section, unsigned char *body, size_t len), void *ctx)
{
    lt_buf out = {0};
    size_t at = 16;
    lt_buf_add(&out, b->data, 16);
    for (int s = 0; s < 6; s++) {
        uint32_t packed = get32(b->data + at + 4), len = get32(b->data + at + 8);
        unsigned char *body = malloc(len + 1), *z = malloc(compressBound(len));
        uLongf got = len, zlen = compressBound(len);
        assert_int_equal(uncompress(body, &got, (const Bytef *)b->data + at + 12, packed), Z_OK);
        edit(ctx, s, body, len);
        assert_int_equal(compress(z, &zlen, body, len), Z_OK);
        lt_buf_add(&out, b->data + at, 4);
        lt_buf_le32(&out, (uint32_t)zlen);
        lt_buf_le32(&out, len);
        lt_buf_add(&out, z, zlen);
        free(body);
        free(z);
        at += 12 + packed;
    }
    uint32_t crc = (uint32_t)crc32(0, (const Bytef *)out.data + 16, (uInt)(out.len - 16));
    for (int i = 0; i < 4; i++) out.data[8 + i] = (char)(crc >> (8 * i));
    return out;
}

static void scramble(void *ctx, int section, unsigned char *body, size_t len)
{
    lt_rng *r = ctx;
    static const unsigned char nasty[] = {0, 1, 0x7f, 0x80, 0xff};
    (void)section;
    if (len == 0 || lt_rng_below(r, 3) == 0) return;
    for (int k = lt_rng_range(r, 1, 3); k > 0; k--) {
        size_t at = lt_rng_below(r, (uint32_t)len);
        switch (lt_rng_below(r, 3)) {
        case 0:
            body[at] ^= (unsigned char)(1 << lt_rng_below(r, 8));
            break;
        case 1:
            body[at] = nasty[lt_rng_below(r, 5)];
            break;
        default: /* a whole number, aligned as the fields are */
            for (size_t i = at & ~(size_t)3; i < (at & ~(size_t)3) + 4 && i < len; i++)
                body[i] = nasty[lt_rng_below(r, 5)];
        }
    }
}

/* What gets past the reader must run without a fault in both evaluators. */
static void damage_inside_never_crashes(void **state)
{
    (void)state;
    const char *env = getenv("SEED");
    lt_rng r = lt_rng_make(env ? strtoull(env, NULL, 10) : 1, 6);
    int accepted = 0;
    for (int i = 0; i < 6000; i++) {
        qnet n = rq_net(1 + (uint64_t)(i % 40), 1 + i % 4), m;
        lt_err err = {0};
        lt_buf b = pack(&n), bad = rebuilt(&b, scramble, &r);
        lt_code rc = unpack(bad.data, bad.len, &m, &err);
        if (rc == LT_OK) {
            accepted++;
            size_t size = qtensor_size(&m.tensors[0]);
            if (size < 4096) {
                int16_t **t = golden_alloc(&m);
                uint8_t *image = calloc(size, 1);
                golden_input(&m, image, t[0]);
                golden_run(&m, t);
                golden_free(&m, t);
                free(image);
            }
            qnet_free(&m);
        } else {
            assert_true(rc == LT_EINPUT || rc == LT_EMEM);
        }
        lt_buf_free(&b);
        lt_buf_free(&bad);
        qnet_free(&n);
    }
    print_message("%d of 6000 still valid\n", accepted);
    assert_true(accepted > 100 && accepted < 5000);
}

/* ---- the checker, one rule at a time ---- */

static qnet small(void)
{
    qnet n = {.n_tensors = 3, .n_layers = 2, .classes = 2, .name = "small"};
    n.tensors = calloc(3, sizeof *n.tensors);
    n.layers = calloc(2, sizeof *n.layers);
    n.encoders = calloc(1, sizeof *n.encoders);
    n.input_table = calloc(2, 256);
    n.tensors[0] = (qtensor){.name = "in", .c = 2, .h = 4, .w = 4, .bits = 8, .is_signed = true, .scale = 1};
    n.tensors[1] = (qtensor){.name = "mid", .c = 2, .h = 4, .w = 4, .bits = 8, .is_signed = false, .scale = 1};
    n.tensors[2] = (qtensor){.name = "out", .c = 2, .h = 4, .w = 4, .bits = 8, .is_signed = true, .scale = 1};
    for (int i = 0; i < 2; i++) {
        n.layers[i] = (qlayer){.in = i,
                               .out = i + 1,
                               .res = -1,
                               .res_step = 1,
                               .k = 2,
                               .r = 1,
                               .s = 1,
                               .stride = 1,
                               .dilation = 1,
                               .groups = 1,
                               .w_bits = 8,
                               .encoder = -1,
                               .lo = i ? -128 : 0,
                               .hi = 127};
        snprintf(n.layers[i].name, sizeof n.layers[i].name, "layer%d", i);
        n.layers[i].w = calloc(4, 1);
        n.layers[i].bias = calloc(2, sizeof(int32_t));
        n.layers[i].mult = calloc(2, sizeof(uint16_t));
    }
    return n;
}

static void bad_shape(qnet *n)
{
    n->tensors[1].h = 5;
}
static void bad_bits(qnet *n)
{
    n->tensors[1].bits = 9;
}
static void bad_scale(qnet *n)
{
    n->tensors[1].scale = NAN;
}
static void bad_channels(qnet *n)
{
    n->tensors[1].c = 0;
}
static void bad_weight(qnet *n)
{
    n->layers[0].w[1] = -128;
}
static void bad_weight_bits(qnet *n)
{
    n->layers[0].w_bits = 4, n->layers[0].w[3] = 8;
}
static void bad_order(qnet *n)
{
    n->layers[0].in = 1;
}
static void bad_twice(qnet *n)
{
    n->layers[1].out = 1;
}
static void bad_groups(qnet *n)
{
    n->layers[0].groups = 3;
}
static void bad_shift(qnet *n)
{
    n->layers[0].shift = 48;
}
static void bad_clip(qnet *n)
{
    n->layers[0].lo = -1;
}
static void bad_residual(qnet *n)
{
    n->layers[0].res = 2;
}
static void bad_step(qnet *n)
{
    n->layers[1].res = 0, n->layers[1].res_step = 2;
}
static void bad_classes(qnet *n)
{
    n->classes = 33;
}
static void bad_input(qnet *n)
{
    n->tensors[0].is_signed = false;
}
static void bad_encoder(qnet *n)
{
    n->layers[0].encoder = 0;
}
static void bad_bound(qnet *n)
{
    n->layers[0].bias[1] = INT32_MIN;
}

static void every_rule_of_the_checker(void **state)
{
    (void)state;
    static const struct {
        void (*spoil)(qnet *);
        const char *part;
    } cases[] = {{bad_shape, "does not follow"},
                 {bad_bits, "mid: bits: got 9, expected 2..8"},
                 {bad_scale, "scale nan"},
                 {bad_channels, "mid: channels: got 0"},
                 {bad_weight, "weight: got -128"},
                 {bad_weight_bits, "weight: got 8"},
                 {bad_order, "input: got 1, expected a tensor written before"},
                 {bad_twice, "output: got 1, expected a tensor not written yet"},
                 {bad_groups, "groups: got 3"},
                 {bad_shift, "shift: got 48, expected 0..47"},
                 {bad_clip, "clip range -1..127, expected within 0..255"},
                 {bad_residual, "residual: got 2"},
                 {bad_step, "residual step: got 2"},
                 {bad_classes, "classes: got 33"},
                 {bad_input, "a signed 8-bit input"},
                 {bad_encoder, "encoder: got 0"},
                 {bad_bound, "can reach 2147483648, which does not fit 32 bits"}};
    lt_err err;
    qnet good = small();
    if (lt_quant_check(&good, 12, &err) != LT_OK) fail_msg("%s", err.msg);
    qnet_free(&good);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        qnet n = small();
        cases[i].spoil(&n);
        assert_int_equal(lt_quant_check(&n, 0, &err), LT_EINPUT);
        if (!strstr(err.msg, cases[i].part)) fail_msg("message '%s' does not contain '%s'", err.msg, cases[i].part);
        qnet_free(&n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips),
        cmocka_unit_test(files),
        cmocka_unit_test(every_truncation_and_flip_is_noticed),
        cmocka_unit_test(damage_inside_never_crashes),
        cmocka_unit_test(every_rule_of_the_checker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
