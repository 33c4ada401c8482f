/* Files of expected tensors: round trip and refusal of damage. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "program/expect.h"

enum { IMAGES = 3 };

static qtensor tensors[3] = {{.name = "in", .c = 3, .h = 4, .w = 5, .bits = 8, .is_signed = true},
                             {.name = "mid", .c = 6, .h = 2, .w = 3, .bits = 8, .is_signed = false},
                             {.name = "out", .c = 10, .h = 1, .w = 1, .bits = 8, .is_signed = true}};
static qlayer layers[2] = {{.name = "conv", .in = 0, .out = 1, .res = -1},
                           {.name = "fc", .in = 1, .out = 2, .res = -1}};
static const qnet net = {
    .name = "toy", .n_tensors = 3, .n_layers = 2, .tensors = tensors, .layers = layers, .classes = 10};

static uint8_t pixel(int image, size_t i)
{
    return (uint8_t)(image * 50 + (int)i * 3);
}

static int value(int image, int t, size_t i)
{
    int v = (int)((unsigned)(image + 1) * 31u * (unsigned)(i + 1) + (unsigned)t * 7u) & 0xFF;
    return tensors[t].is_signed ? v - 128 : v;
}

static lt_expect sample(void)
{
    lt_expect e;
    lt_err err;
    assert_int_equal(lt_expect_init(&e, &net, &err), LT_OK);
    for (int n = 0; n < IMAGES; n++) {
        uint8_t image[60];
        int16_t *t[3];
        for (size_t i = 0; i < sizeof image; i++) image[i] = pixel(n, i);
        for (int k = 0; k < 3; k++) {
            size_t count = qtensor_size(&tensors[k]);
            t[k] = malloc(count * sizeof *t[k]);
            for (size_t i = 0; i < count; i++) t[k][i] = (int16_t)value(n, k, i);
        }
        assert_int_equal(lt_expect_add(&e, &net, image, n == 1 ? -1 : n, t, &err), LT_OK);
        for (int k = 0; k < 3; k++) free(t[k]);
    }
    return e;
}

static void check_content(const lt_expect *e)
{
    lt_err err;
    assert_string_equal(e->model, "toy");
    assert_int_equal(e->n_layers, 2);
    assert_int_equal(e->n_images, IMAGES);
    assert_int_equal(e->classes, 10);
    for (int n = 0; n < IMAGES; n++) {
        lt_expect_values v;
        assert_int_equal(e->images[n].label, n == 1 ? -1 : n);
        assert_int_equal(lt_expect_get(e, n, &v, &err), LT_OK);
        for (size_t i = 0; i < 60; i++) assert_int_equal(v.image[i], pixel(n, i));
        for (int l = 0; l < 2; l++) {
            assert_string_equal(e->layers[l].name, layers[l].name);
            assert_int_equal(lt_expect_layer_size(&e->layers[l]), qtensor_size(&tensors[l + 1]));
            for (size_t i = 0; i < qtensor_size(&tensors[l + 1]); i++)
                assert_int_equal(lt_expect_value(&e->layers[l], v.layers[l][i]), value(n, l + 1, i));
        }
        lt_expect_values_free(&v);
    }
}

static void round_trip(void **state)
{
    (void)state;
    char path[] = P_tmpdir "/lutra_expect_XXXXXX";
    int fd = mkstemp(path);
    lt_expect e = sample(), again;
    lt_err err;

    assert_true(fd >= 0);
    close(fd);
    check_content(&e);
    assert_int_equal(lt_expect_save(&e, path, &err), LT_OK);
    assert_int_equal(lt_expect_load(path, &again, &err), LT_OK);
    check_content(&again);
    lt_expect_values v;
    assert_int_equal(lt_expect_get(&again, IMAGES, &v, &err), LT_EINPUT);
    assert_int_equal(lt_expect_get(&again, -1, &v, &err), LT_EINPUT);
    lt_expect_free(&e);
    lt_expect_free(&again);
    unlink(path);
    assert_int_equal(lt_expect_load(path, &again, &err), LT_EIO);
}

/* Whatever single bit flips or wherever the file ends: the index, or the image that was hit, is refused. */
static void damage_is_seen(void **state)
{
    (void)state;
    lt_expect e = sample(), bad;
    lt_buf b = {0};
    lt_err err;

    assert_int_equal(lt_expect_pack(&e, &b, &err), LT_OK);
    for (size_t len = 0; len < b.len; len++) {
        assert_int_equal(lt_expect_unpack(b.data, len, "cut", &bad, &err), LT_EINPUT);
        assert_null(bad.layers);
    }
    for (size_t i = 0; i < b.len; i++) {
        b.data[i] ^= 4;
        bool seen = lt_expect_unpack(b.data, b.len, "flip", &bad, &err) != LT_OK;
        for (int n = 0; !seen && n < IMAGES; n++) {
            lt_expect_values v;
            seen = lt_expect_get(&bad, n, &v, &err) != LT_OK;
            lt_expect_values_free(&v);
        }
        if (!seen) fail_msg("flip at byte %zu goes unnoticed", i);
        lt_expect_free(&bad);
        b.data[i] ^= 4;
    }
    lt_buf_u8(&b, 0);
    assert_int_equal(lt_expect_unpack(b.data, b.len, "long", &bad, &err), LT_EINPUT);
    lt_buf_free(&b);
    lt_expect_free(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(round_trip), cmocka_unit_test(damage_is_seen)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
