/* Program images: round trip, layouts, refusal of every damaged field. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include "base/rng.h"
#include "sample_image.h"

static void set32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) p[i] = (uint8_t)(v >> (8 * i));
}

static void repair_crc(uint8_t *p, size_t len)
{
    set32(p + LUTRA_IMAGE_W_CRC, lutra_crc32(0, p + LUTRA_IMAGE_CRC_FROM, len - LUTRA_IMAGE_CRC_FROM));
}

static void crc_is_zlibs(void **state)
{
    (void)state;
    uint8_t data[300];
    for (unsigned i = 0; i < sizeof data; i++) data[i] = (uint8_t)(i * i + 3);
    for (unsigned n = 0; n <= sizeof data; n += 17) assert_int_equal(lutra_crc32(0, data, n), crc32(0, data, n));
    assert_int_equal(lutra_crc32(lutra_crc32(0, data, 100), data + 100, 200), crc32(0, data, 300));
}

static void round_trip(void **state)
{
    (void)state;
    for (int code = 0; code < 2; code++) {
        lt_image img = sample_image(code), again;
        lt_buf plain = {0}, zipped = {0}, second = {0};
        lt_err err;
        uint8_t *bytes;
        lutra_image view;

        assert_int_equal(lt_image_pack(&img, false, &plain, &err), LT_OK);
        assert_int_equal(lt_image_pack(&img, true, &zipped, &err), LT_OK);
        assert_true(zipped.len < plain.len);
        assert_int_equal(lt_image_inflate(zipped.data, zipped.len, "x", &bytes, &view, &err), LT_OK);
        assert_int_equal((uintptr_t)bytes % LUTRA_IMAGE_ALIGN, 0);
        assert_int_equal(view.bytes, plain.len);
        assert_memory_equal(bytes, plain.data, plain.len);

        assert_int_equal(view.fingerprint, SAMPLE_FINGERPRINT);
        assert_int_equal(view.bus_bytes, SAMPLE_BUS);
        assert_int_equal(view.blob_bytes, img.blob.len);
        assert_memory_equal(view.blob, img.blob.data, img.blob.len);
        assert_int_equal((view.blob - view.data) % LUTRA_IMAGE_ALIGN, 0);
        assert_memory_equal(&view.input, &img.input, sizeof view.input);
        assert_memory_equal(&view.output, &img.output, sizeof view.output);
        assert_memory_equal(view.table, img.table, 256 * SAMPLE_C);
        assert_string_equal(view.model, "sample");
        assert_string_equal(view.config, "tiny");
        for (uint32_t i = 0; i < SAMPLE_LAYERS; i++) {
            lutra_layer l;
            lutra_dump d;
            assert_int_equal(lutra_image_layer(&view, i, &l), LUTRA_OK);
            assert_int_equal(lutra_image_dump(&view, i, &d), LUTRA_OK);
            /* up to the last member: padding may follow it */
            assert_memory_equal(&l, &img.layers[i], offsetof(lutra_layer, groups) + sizeof l.groups);
            assert_int_equal(l.peak_macs, img.layers[i].peak_macs);
            assert_true(l.macs == img.layers[i].macs);
            assert_memory_equal(&d, &img.dumps[i], sizeof d);
        }
        for (uint32_t i = 0; i <= SAMPLE_LAYERS; i++) {
            lutra_profile p;
            assert_int_equal(lutra_image_predicted(&view, i, &p), LUTRA_OK);
            assert_memory_equal(&p, &img.predict[i], sizeof p);
        }
        lutra_layer l;
        lutra_dump d;
        lutra_profile p;
        assert_int_equal(lutra_image_layer(&view, SAMPLE_LAYERS, &l), LUTRA_BAD_ARG);
        assert_int_equal(lutra_image_dump(&view, SAMPLE_LAYERS, &d), LUTRA_BAD_ARG);
        assert_int_equal(lutra_image_predicted(&view, SAMPLE_LAYERS + 1, &p), LUTRA_BAD_ARG);

        assert_int_equal(lt_image_from_view(&view, &again, &err), LT_OK);
        assert_int_equal(lt_image_pack(&again, true, &second, &err), LT_OK);
        assert_int_equal(second.len, zipped.len);
        assert_memory_equal(second.data, zipped.data, zipped.len);

        lt_image_free(&img);
        lt_image_free(&again);
        lt_buf_free(&plain);
        lt_buf_free(&zipped);
        lt_buf_free(&second);
        free(bytes);
    }
}

static void through_a_file(void **state)
{
    (void)state;
    char path[] = P_tmpdir "/lutra_image_XXXXXX";
    int fd = mkstemp(path);
    lt_image img = sample_image(0);
    lt_err err;
    uint8_t *bytes;
    lutra_image view;

    assert_true(fd >= 0);
    close(fd);
    for (int compress = 0; compress < 2; compress++) {
        assert_int_equal(lt_image_save(&img, compress, path, &err), LT_OK);
        assert_int_equal(lt_image_open(path, &bytes, &view, &err), LT_OK);
        assert_string_equal(view.model, "sample");
        free(bytes);
    }
    unlink(path);
    assert_int_equal(lt_image_open(path, &bytes, &view, &err), LT_EIO);
    assert_null(bytes);
    lt_image_free(&img);
}

/* Addresses of every value, straight from architecture.md sections 2 and 6. */
static void layouts(void **state)
{
    (void)state;
    lutra_tensor t;
    /* 21 channels in words of 8, rows of 5 words of 8 bytes padded to 16 */
    uint32_t bytes = lt_image_fb_layout(&t, LUTRA_BASE_INPUT, 32, 21, 3, 5, 8, 16);
    assert_int_equal(bytes, 3 * 3 * 48);
    for (uint32_t c = 0; c < 21; c++)
        for (uint32_t y = 0; y < 3; y++)
            for (uint32_t x = 0; x < 5; x++)
                assert_int_equal(lutra_tensor_at(&t, c, y, x), 32 + (c / 8 * 3 + y) * 48 + x * 8 + c % 8);
    /* channel mode: one 8-bit value per word, three row banks of one byte each in a unit of four */
    bytes = lt_image_code_layout(&t, LUTRA_BASE_INPUT, 0, 3, 7, 5, 8, 1, 16);
    assert_int_equal(bytes, 3 * 60 + 12); /* rows without gaps, the whole in words of the bus */
    for (uint32_t c = 0; c < 3; c++)
        for (uint32_t y = 0; y < 7; y++)
            for (uint32_t x = 0; x < 5; x++)
                assert_int_equal(lutra_tensor_at(&t, c, y, x), y / 3 * 60 + (x * 3 + c) * 4 + y % 3);
    /* channel mode with 12-bit words (3 codes of 4 bits): two bytes per bank, units of 8 */
    lt_image_code_layout(&t, LUTRA_BASE_INPUT, 0, 3, 7, 5, 12, 1, 4);
    assert_int_equal(lutra_tensor_at(&t, 2, 5, 4), 5 * 3 * 8 + (4 * 3 + 2) * 8 + 2 * 2);
    /* spatial mode: words of 4 values, units of 16, two chunks */
    bytes = lt_image_code_layout(&t, LUTRA_BASE_INPUT, 0, 6, 4, 5, 32, 4, 16);
    assert_int_equal(bytes, 2 * 160);
    for (uint32_t c = 0; c < 6; c++)
        for (uint32_t y = 0; y < 4; y++)
            for (uint32_t x = 0; x < 5; x++)
                assert_int_equal(lutra_tensor_at(&t, c, y, x), y / 3 * 160 + (x * 2 + c / 4) * 16 + y % 3 * 4 + c % 4);
}

static lt_buf packed_sample(void)
{
    lt_image img = sample_image(0);
    lt_buf b = {0};
    lt_err err;
    assert_int_equal(lt_image_pack(&img, false, &b, &err), LT_OK);
    lt_image_free(&img);
    return b;
}

/* One wrong field at a time, with a right CRC: the refusal names that field. */
static void each_field_is_checked(void **state)
{
    (void)state;
    static const struct {
        uint32_t at, value;
        lutra_result want;
        uint32_t fault;
    } bad[] = {
        {LUTRA_IMAGE_W_MAGIC, 0x12345678, LUTRA_BAD_MAGIC, LUTRA_IMAGE_W_MAGIC},
        {LUTRA_IMAGE_W_FORMAT, 2, LUTRA_BAD_VERSION, LUTRA_IMAGE_W_FORMAT},
        {LUTRA_IMAGE_W_FORMAT, 0x10001, LUTRA_COMPRESSED, LUTRA_IMAGE_W_FORMAT},
        {LUTRA_IMAGE_W_FORMAT, 0x20001, LUTRA_BAD_IMAGE, LUTRA_IMAGE_W_FORMAT},
        {LUTRA_IMAGE_W_STORED, 7, LUTRA_BAD_IMAGE, LUTRA_IMAGE_W_STORED},
        {LUTRA_IMAGE_W_TOTAL, 0, LUTRA_BAD_IMAGE, LUTRA_IMAGE_W_TOTAL},
        {LUTRA_IMAGE_W_TOTAL, 0xFFFFFFFF, LUTRA_BAD_IMAGE, LUTRA_IMAGE_W_TOTAL},
        {LUTRA_IMAGE_W_BUS_BYTES, 12, LUTRA_BAD_IMAGE, LUTRA_IMAGE_W_BUS_BYTES},
        {LUTRA_IMAGE_W_BUS_BYTES, 128, LUTRA_BAD_IMAGE, LUTRA_IMAGE_W_BUS_BYTES},
        {LUTRA_IMAGE_W_PROGRAM, 0x100000, LUTRA_BAD_IMAGE, LUTRA_IMAGE_W_PROGRAM},
        {LUTRA_IMAGE_W_PROGRAM, 4, LUTRA_BAD_IMAGE, LUTRA_IMAGE_W_PROGRAM},
        {LUTRA_IMAGE_W_INPUT_BYTES, 8, LUTRA_BAD_IMAGE, LUTRA_IMAGE_W_INPUT},
        {LUTRA_IMAGE_W_OUTPUT_BYTES, 8, LUTRA_BAD_IMAGE, LUTRA_IMAGE_W_OUTPUT},
        {LUTRA_IMAGE_W_BATCH, LUTRA_IMAGE_MAX_BATCH + 1, LUTRA_BAD_IMAGE, LUTRA_IMAGE_W_BATCH},
        {LUTRA_IMAGE_W_BATCH, 7, LUTRA_BAD_IMAGE, LUTRA_IMAGE_W_BATCH},  /* the buffers do not divide */
        {LUTRA_IMAGE_W_BATCH, 2, LUTRA_BAD_IMAGE, LUTRA_IMAGE_W_INPUT}, /* they do, but are too small */
        {LUTRA_IMAGE_W_CLASSES, 0, LUTRA_BAD_IMAGE, LUTRA_IMAGE_W_CLASSES},
        {LUTRA_IMAGE_W_CLASSES, 11, LUTRA_BAD_IMAGE, LUTRA_IMAGE_W_CLASSES},
        {LUTRA_IMAGE_W_PROFILE_BASE, 1, LUTRA_BAD_IMAGE, LUTRA_IMAGE_W_PROFILE_BASE},
        {LUTRA_IMAGE_W_PROFILE_OFFSET, 0xFFFFFFF0, LUTRA_BAD_IMAGE, LUTRA_IMAGE_W_PROFILE_OFFSET},
        {LUTRA_IMAGE_W_PROFILE_COUNT, 0xFFFFFFFF, LUTRA_BAD_IMAGE, LUTRA_IMAGE_W_PROFILE_COUNT},
        {LUTRA_IMAGE_W_PROFILE_COUNT, 3, LUTRA_BAD_IMAGE, LUTRA_IMAGE_W_PROFILE_OFFSET},
        {LUTRA_IMAGE_W_PROFILE_COUNT, 1, LUTRA_BAD_IMAGE, LUTRA_IMAGE_W_SECTIONS + 8 * LUTRA_SECTION_PREDICT},
        {LUTRA_IMAGE_W_PROFILE_STRIDE, 16, LUTRA_BAD_IMAGE, LUTRA_IMAGE_W_PROFILE_STRIDE},
        {LUTRA_IMAGE_W_SECTIONS, 13, LUTRA_BAD_IMAGE, LUTRA_IMAGE_W_SECTIONS},
        {LUTRA_IMAGE_W_SECTIONS, 0, LUTRA_BAD_IMAGE, LUTRA_IMAGE_W_SECTIONS},
        {LUTRA_IMAGE_W_SECTIONS + 4, 0xFFFFFFFF, LUTRA_BAD_IMAGE, LUTRA_IMAGE_W_SECTIONS},
        {LUTRA_IMAGE_W_SECTIONS + 12, 255, LUTRA_BAD_IMAGE, LUTRA_IMAGE_W_SECTIONS + 8},
        {LUTRA_IMAGE_W_SECTIONS + 20, 127, LUTRA_BAD_IMAGE, LUTRA_IMAGE_W_SECTIONS + 16},
        {LUTRA_IMAGE_W_SECTIONS + 28, 1, LUTRA_BAD_IMAGE, LUTRA_IMAGE_W_SECTIONS + 24},
        {LUTRA_IMAGE_W_SECTIONS + 36, 32, LUTRA_BAD_IMAGE, LUTRA_IMAGE_W_TOTAL},
        {LUTRA_IMAGE_W_INPUT, 2, LUTRA_BAD_IMAGE, LUTRA_IMAGE_W_INPUT},                /* base */
        {LUTRA_IMAGE_W_INPUT + 8, 0, LUTRA_BAD_IMAGE, LUTRA_IMAGE_W_INPUT},            /* c */
        {LUTRA_IMAGE_W_INPUT + 12, 0x10000, LUTRA_BAD_IMAGE, LUTRA_IMAGE_W_INPUT},     /* h */
        {LUTRA_IMAGE_W_INPUT + 20, 9, LUTRA_BAD_IMAGE, LUTRA_IMAGE_W_INPUT},           /* bits */
        {LUTRA_IMAGE_W_INPUT + 24, 0, LUTRA_BAD_IMAGE, LUTRA_IMAGE_W_INPUT},           /* word_values */
        {LUTRA_IMAGE_W_INPUT + 28, 0, LUTRA_BAD_IMAGE, LUTRA_IMAGE_W_INPUT},           /* unit_rows */
        {LUTRA_IMAGE_W_INPUT + 44, 0xFFFFFFFF, LUTRA_BAD_IMAGE, LUTRA_IMAGE_W_INPUT},  /* x_stride */
        {LUTRA_IMAGE_W_OUTPUT + 40, 0xFFFFFFFF, LUTRA_OK, 0},                          /* row_stride: one row only */
        {LUTRA_IMAGE_W_OUTPUT + 36, 0xFFFFFFFF, LUTRA_BAD_IMAGE, LUTRA_IMAGE_W_OUTPUT} /* group_stride */
    };
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        lt_buf b = packed_sample();
        lutra_image view;
        set32((uint8_t *)b.data + bad[i].at, bad[i].value);
        repair_crc((uint8_t *)b.data, b.len);
        lutra_result r = lutra_image_open(&view, b.data, b.len);
        if (r != bad[i].want || view.fault != bad[i].fault)
            fail_msg("case %u: %s at %u", i, lutra_result_text(r), view.fault);
        lt_buf_free(&b);
    }
}

static void records_are_checked(void **state)
{
    (void)state;
    lt_buf b = packed_sample();
    uint8_t *p = (uint8_t *)b.data;
    lutra_image view;
    uint32_t layers = lutra_get32(p + LUTRA_IMAGE_W_SECTIONS + 8 * LUTRA_SECTION_LAYERS);
    uint32_t dumps = lutra_get32(p + LUTRA_IMAGE_W_SECTIONS + 8 * LUTRA_SECTION_DUMPS);
    struct {
        uint32_t at, value, fault;
    } bad[] = {
        {layers + LUTRA_IMAGE_NAME, LUTRA_KIND_COUNT, layers},
        {dumps, SAMPLE_LAYERS, dumps},
        {dumps + 4, LUTRA_BASE_INPUT, dumps},
        {dumps + LUTRA_DUMP_BYTES + 4, 4, dumps + LUTRA_DUMP_BYTES},
        {dumps + LUTRA_DUMP_BYTES + 8, 0x7FFFFFFF, dumps + LUTRA_DUMP_BYTES},
    };
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint32_t was = lutra_get32(p + bad[i].at);
        set32(p + bad[i].at, bad[i].value);
        repair_crc(p, b.len);
        assert_int_equal(lutra_image_open(&view, p, b.len), LUTRA_BAD_IMAGE);
        assert_int_equal(view.fault, bad[i].fault);
        set32(p + bad[i].at, was);
    }
    repair_crc(p, b.len);
    assert_int_equal(lutra_image_open(&view, p, b.len), LUTRA_OK);
    memset(p + layers, 'x', LUTRA_IMAGE_NAME); /* a name without an end */
    repair_crc(p, b.len);
    assert_int_equal(lutra_image_open(&view, p, b.len), LUTRA_BAD_IMAGE);
    lt_buf_free(&b);
}

static void damage_is_seen(void **state)
{
    (void)state;
    lt_buf b = packed_sample();
    uint8_t *p = (uint8_t *)b.data;
    lutra_image view;
    for (size_t i = LUTRA_IMAGE_CRC_FROM; i < b.len; i += 11) {
        p[i] ^= 0x10;
        assert_int_not_equal(lutra_image_open(&view, p, b.len), LUTRA_OK);
        p[i] ^= 0x10;
    }
    for (size_t len = 0; len < b.len; len += 13) assert_int_not_equal(lutra_image_open(&view, p, len), LUTRA_OK);
    assert_int_equal(lutra_image_open(NULL, p, b.len), LUTRA_BAD_ARG);
    assert_int_equal(lutra_image_open(&view, NULL, b.len), LUTRA_BAD_ARG);
    lt_buf_free(&b);
}

static void bad_files(void **state)
{
    (void)state;
    lt_image img = sample_image(0);
    lt_buf z = {0};
    lt_err err;
    uint8_t *bytes;
    lutra_image view;

    assert_int_equal(lt_image_pack(&img, true, &z, &err), LT_OK);
    for (size_t len = 0; len < z.len; len += 7) {
        assert_int_equal(lt_image_inflate(z.data, len, "cut.lpi", &bytes, &view, &err), LT_EINPUT);
        assert_null(bytes);
        assert_non_null(strstr(err.msg, "cut.lpi: program image: "));
    }
    /* a header that claims far more than the stream can hold is refused before memory is taken */
    set32((uint8_t *)z.data + LUTRA_IMAGE_W_TOTAL, 0x30000000);
    assert_int_equal(lt_image_inflate(z.data, z.len, "x", &bytes, &view, &err), LT_EINPUT);
    assert_non_null(strstr(err.msg, "cannot hold"));
    lt_buf_free(&z);

    /* what the reader would refuse is never written */
    img.program_offset = 1;
    lt_buf none = {0};
    assert_int_equal(lt_image_pack(&img, false, &none, &err), LT_EINPUT);
    lt_buf_free(&none);
    lt_image_free(&img);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc_is_zlibs),          cmocka_unit_test(round_trip),
        cmocka_unit_test(through_a_file),        cmocka_unit_test(layouts),
        cmocka_unit_test(each_field_is_checked), cmocka_unit_test(records_are_checked),
        cmocka_unit_test(damage_is_seen),        cmocka_unit_test(bad_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
