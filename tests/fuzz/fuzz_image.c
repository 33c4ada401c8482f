/* Fuzzes the readers of program images and expected tensors. Build it with sanitizers:
 *
 *     fuzz_image [INPUTS [SEED]]     mutates valid files; default 20000 inputs, seed 1
 *     fuzz_image FILE                one input, to look at a finding
 *
 * Every input is either refused, or all that can be read from it is read: an accepted image must need no further check,
 * so the driver then packs an input and reads results with buffers of exactly the sizes the image states.
 * LLVMFuzzerTestOneInput is also the entry for libFuzzer and AFL++. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "../../sw_driver/lutra.h"
#include "../unit/sample_image.h"
#include "base/file.h"
#include "base/rng.h"
#include "lutra_hw.h"
#include "program/expect.h"

enum { MAX_BUFFER = 1 << 20, MAX_PIXELS = 1 << 20, MAX_FILE = 1 << 26 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned long long accepted, touched; /* the sum of all that was read: nothing is optimised away */

/* ---- an accelerator that is always done ---- */

static uint32_t fingerprint;

static uint32_t hal_read(void *context, uint32_t offset)
{
    (void)context;
    switch (offset) {
    case LUTRA_REG_ID:
        return LUTRA_HW_ID;
    case LUTRA_REG_VERSION:
        return LUTRA_HW_VERSION;
    case LUTRA_REG_FINGERPRINT:
        return fingerprint;
    case LUTRA_REG_STATUS:
        return LUTRA_STATUS_DONE_MASK | LUTRA_STATUS_BUS_IDLE_MASK;
    default:
        return 0;
    }
}

static void hal_write(void *context, uint32_t offset, uint32_t value)
{
    (void)context;
    (void)offset;
    (void)value;
}

static uint32_t hal_ticks(void *context)
{
    (void)context;
    return 0;
}

static void read_results(const lutra *dev, const lutra_image *img)
{
    int16_t *values = malloc(MAX_PIXELS * sizeof *values);
    lutra_dump d;
    lutra_profile p;

    if (!values) abort();
    if (lutra_read_tensor(dev, &img->output, values, MAX_PIXELS) == LUTRA_OK) touched += (uint16_t)values[0];
    if (img->classes <= MAX_PIXELS && lutra_logits(dev, values, img->classes) != LUTRA_OK) abort();
    for (uint32_t i = 0; i < img->dumps; i++) {
        lutra_image_dump(img, i, &d);
        if (lutra_read_tensor(dev, &d.tensor, values, MAX_PIXELS) == LUTRA_OK) touched += (uint16_t)values[0];
    }
    for (uint32_t i = 0; i < img->profile_count; i++) {
        if (lutra_read_profile(dev, i, &p) != LUTRA_OK) abort();
        touched += p.cycles;
    }
    free(values);
}

/* Runs the accepted image with the smallest buffers that lutra_load takes. */
static void drive(const lutra_image *img)
{
    const uint32_t sizes[4] = {img->blob_bytes, img->input_bytes, img->output_bytes, img->scratch_bytes};
    uint64_t pixels = (uint64_t)img->input.c * img->input.h * img->input.w;
    lutra_config config = {.hal = {.read32 = hal_read, .write32 = hal_write, .ticks = hal_ticks}, .timeout = 1};
    lutra dev;

    if (pixels > MAX_PIXELS) return;
    for (int i = 0; i < 4; i++)
        if (sizes[i] > MAX_BUFFER) return;
    for (uint32_t i = 0; i < 4; i++) {
        config.buffer[i] = (lutra_buffer){malloc(sizes[i] ? sizes[i] : 1), i * 2 * MAX_BUFFER, sizes[i]};
        if (!config.buffer[i].cpu) abort();
        memset(config.buffer[i].cpu, 0x3C, sizes[i]);
    }
    uint8_t *picture = calloc(1, (size_t)pixels);
    if (!picture) abort();
    fingerprint = img->fingerprint;
    if (lutra_init(&dev, &config) != LUTRA_OK || lutra_load(&dev, img) != LUTRA_OK ||
        lutra_run(&dev, picture) != LUTRA_OK)
        abort();
    read_results(&dev, img);
    free(picture);
    for (int i = 0; i < 4; i++) free(config.buffer[i].cpu);
}

static void try_image(const uint8_t *data, size_t size)
{
    uint8_t *bytes;
    lutra_image img;
    lutra_layer l;
    lutra_profile p;
    lt_image copy;
    lt_err err;

    if (lt_image_inflate(data, size, "fuzz", &bytes, &img, &err) != LT_OK) {
        if (bytes || err.code == LT_OK || !*err.msg) abort();
        return;
    }
    accepted++;
    for (uint32_t i = 0; i < img.blob_bytes; i++) touched += img.blob[i];
    for (uint32_t i = 0; i < img.input.c * 256; i++) touched += (uint8_t)img.table[i];
    for (uint32_t i = 0; i < img.layers; i++) {
        if (lutra_image_layer(&img, i, &l) != LUTRA_OK) abort();
        touched += strlen(l.name) + l.macs;
    }
    for (uint32_t i = 0; img.predicted && i <= img.profile_count; i++) {
        if (lutra_image_predicted(&img, i, &p) != LUTRA_OK) abort();
        touched += p.cycles;
    }
    touched += strlen(img.model) + strlen(img.config);
    drive(&img);
    /* what was read can be written again, and reads the same */
    lt_buf again = {0};
    if (lt_image_from_view(&img, &copy, &err) != LT_OK || lt_image_pack(&copy, false, &again, &err) != LT_OK) abort();
    lt_image_free(&copy);
    lt_buf_free(&again);
    free(bytes);
}

static void try_expect(const uint8_t *data, size_t size)
{
    lt_expect e;
    lt_expect_values v;
    lt_err err;

    if (lt_expect_unpack(data, size, "fuzz", &e, &err) != LT_OK) {
        if (e.layers || e.images) abort();
        return;
    }
    accepted++;
    for (int i = 0; i < e.n_images; i++) {
        if (lt_expect_get(&e, i, &v, &err) != LT_OK) continue;
        for (int l = 0; l < e.n_layers; l++)
            for (size_t k = 0; k < lt_expect_layer_size(&e.layers[l]); k++) touched += v.layers[l][k];
        lt_expect_values_free(&v);
    }
    lt_expect_free(&e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_image(data, size);
    try_expect(data, size);
    return 0;
}

/* ---- mutation ---- */

static void put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) p[i] = (uint8_t)(v >> (8 * i));
}

static uint32_t odd_value(lt_rng *r)
{
    static const uint32_t values[] = {0,          1,          2,          3,          7,         8,
                                      64,         255,        256,        65535,      65536,     1u << 20,
                                      0x7FFFFFFF, 0x80000000, 0xFFFFFFC0, 0xFFFFFFFE, 0xFFFFFFFF};
    if (lt_rng_below(r, 3) == 0) return lt_rng_u32(r) >> lt_rng_below(r, 32);
    return values[lt_rng_below(r, sizeof values / sizeof *values)];
}

/* One to eight changes; words are hit more often than bytes, and the header more often than the rest. */
static size_t mutate(lt_rng *r, uint8_t *data, size_t size, size_t room)
{
    for (uint32_t n = 1 + lt_rng_below(r, 8); n > 0; n--) {
        if (size < 8) return size;
        uint32_t span = lt_rng_below(r, 2) && size > 512 ? 512 : (uint32_t)size;
        uint32_t at = lt_rng_below(r, span), word = lt_rng_below(r, span / 4) * 4;
        switch (lt_rng_below(r, 8)) {
        case 0:
            data[at] ^= (uint8_t)(1u << lt_rng_below(r, 8));
            break;
        case 1:
            data[at] = (uint8_t)lt_rng_u32(r);
            break;
        case 2: /* cut or grow */
            if (lt_rng_below(r, 8) == 0) size = lt_rng_below(r, (uint32_t)(room - 8)) + 8;
            break;
        case 3: /* a little more or less */
            put32(data + word, lutra_get32(data + word) + (uint32_t)lt_rng_range(r, -64, 64));
            break;
        default:
            put32(data + word, odd_value(r));
        }
    }
    return size;
}

/* Makes checksums and lengths right again, so that the checks behind them are reached. */
static void repair(uint8_t *data, size_t size)
{
    if (size >= LUTRA_IMAGE_HEADER && lutra_get32(data) == LUTRA_IMAGE_MAGIC) {
        put32(data + LUTRA_IMAGE_W_TOTAL, (uint32_t)size);
        put32(data + LUTRA_IMAGE_W_STORED, (uint32_t)(size - LUTRA_IMAGE_HEADER));
        put32(data + LUTRA_IMAGE_W_CRC, lutra_crc32(0, data + LUTRA_IMAGE_CRC_FROM, size - LUTRA_IMAGE_CRC_FROM));
    } else if (size >= 16 && memcmp(data, "LEXP", 4) == 0 && lutra_get32(data + 8) <= size - 16) {
        put32(data + 12, (uint32_t)crc32(0, data + 16, lutra_get32(data + 8)));
    }
}

static lt_buf sample_expect(void)
{
    qtensor t[2] = {{.c = 2, .h = 3, .w = 3}, {.c = 4, .h = 1, .w = 1, .is_signed = true}};
    qlayer l = {.name = "only", .in = 0, .out = 1};
    qnet n = {.name = "net", .n_tensors = 2, .n_layers = 1, .tensors = t, .layers = &l, .classes = 4};
    int16_t in[18] = {0}, out[4] = {1, -2, 3, -4}, *const tensors[2] = {in, out};
    uint8_t image[18] = {9, 8, 7};
    lt_expect e;
    lt_buf b = {0};
    lt_err err;

    if (lt_expect_init(&e, &n, &err) != LT_OK || lt_expect_add(&e, &n, image, 2, tensors, &err) != LT_OK ||
        lt_expect_add(&e, &n, image, -1, tensors, &err) != LT_OK || lt_expect_pack(&e, &b, &err) != LT_OK)
        abort();
    lt_expect_free(&e);
    return b;
}

static int one_file(const char *path)
{
    char *data;
    size_t len;
    lt_err err;

    if (lt_read_file(path, MAX_FILE, &data, &len, &err) != LT_OK) {
        fprintf(stderr, "fuzz_image: %s\n", err.msg);
        return 3;
    }
    LLVMFuzzerTestOneInput((const uint8_t *)data, len);
    free(data);
    printf("fuzz_image: %s: %s\n", path, accepted ? "accepted" : "refused");
    return 0;
}

#ifndef LUTRA_LIBFUZZER
int main(int argc, char **argv)
{
    enum { SAMPLES = 5, SLACK = 256 };
    lt_buf samples[SAMPLES] = {{0}};
    long inputs = argc > 1 ? strtol(argv[1], NULL, 10) : 20000;
    unsigned long seed = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
    lt_rng r = lt_rng_make(seed, 0xF0);
    lt_err err;

    if (argc > 1 && inputs <= 0) return one_file(argv[1]);
    for (int i = 0; i < 4; i++) {
        lt_image img = sample_image(i & 1);
        if (lt_image_pack(&img, i >= 2, &samples[i], &err) != LT_OK) abort();
        lt_image_free(&img);
    }
    samples[4] = sample_expect();
    for (int i = 0; i < SAMPLES; i++) LLVMFuzzerTestOneInput((const uint8_t *)samples[i].data, samples[i].len);
    if (accepted != SAMPLES) {
        fprintf(stderr, "fuzz_image: the samples themselves are refused\n");
        return 1;
    }
    for (long i = 0; i < inputs; i++) {
        const lt_buf *s = &samples[lt_rng_below(&r, SAMPLES)];
        uint8_t *data = calloc(1, s->len + SLACK);
        if (!data) abort();
        memcpy(data, s->data, s->len);
        size_t size = mutate(&r, data, s->len, s->len + SLACK);
        if (lt_rng_below(&r, 4) != 0) repair(data, size);
        /* a block of its own of exactly this size: a byte too far is seen */
        uint8_t *exact = malloc(size ? size : 1);
        if (!exact) abort();
        memcpy(exact, data, size);
        LLVMFuzzerTestOneInput(exact, size);
        free(exact);
        free(data);
    }
    for (int i = 0; i < SAMPLES; i++) lt_buf_free(&samples[i]);
    printf("fuzz_image: %ld inputs, %llu accepted, seed %lu (checksum %llx)\n", inputs, accepted - SAMPLES, seed,
           touched);
    printf("fuzz_image: 1 passed, 0 failed\n");
    return 0;
}
#endif
