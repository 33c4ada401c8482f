/* Writes program image and expected tensors for mock_top.v: a "network" of two layers that add a constant to bytes.
 * Usage: mock_image PREFIX bus=BYTES [fault=N] [latency=L] [images=N] [add=K] [wrong_prediction=1] [code=1]
 * [fingerprint=N]
 * makes PREFIX.lpi and PREFIX.exp. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/rng.h"
#include "program/expect.h"
#include "program/image.h"

enum { C = 3, H = 40, W = 37, LANES = 4, CLASSES = 10, CHUNK = 8, PAGE = 4096, RECORD = 64 /* of a profile */ };

static int bus = 8, fault, latency = 20, images = 2, add = 5, wrong_prediction, code, fingerprint = 0x1234ABCD;

static uint32_t ceil_div(uint32_t a, uint32_t b)
{
    return (a + b - 1) / b;
}

static uint32_t room(uint32_t offset)
{
    uint32_t beats = (PAGE - offset % PAGE) / (uint32_t)bus;
    return beats > CHUNK ? CHUNK : beats;
}

/* Cycles of one layer, see mock_top.v. */
static uint32_t layer_cycles(uint32_t beats, uint32_t from, uint32_t to)
{
    uint32_t sum = 0;
    for (uint32_t at = 0; at < beats;) {
        uint32_t n = beats - at < CHUNK ? beats - at : CHUNK;
        if (room(from + at * (uint32_t)bus) < n) n = room(from + at * (uint32_t)bus);
        if (room(to + at * (uint32_t)bus) < n) n = room(to + at * (uint32_t)bus);
        sum += 2 * n + 2 * (uint32_t)latency + 2;
        at += n;
    }
    return sum;
}

static void predict(lt_image *img, uint32_t in_beats, uint32_t out_beats, uint32_t dump)
{
    uint32_t lat = (uint32_t)latency, fetch = 64 / (uint32_t)bus, prof = ceil_div(LUTRA_COUNTERS_BYTES, (uint32_t)bus);
    uint32_t record = 1 + prof + lat, t0 = lat + fetch + 1;
    uint32_t end0 = t0 + layer_cycles(in_beats, 0, dump);
    uint32_t end1 = end0 + record + layer_cycles(out_beats, dump + (in_beats - out_beats) * (uint32_t)bus, 0);
    uint32_t end = end1 + record + 1;

    img->predict = calloc(3, sizeof *img->predict);
    if (!img->predict) abort();
    img->predict[0] = (lutra_profile){0, end0 - 1, end0 - 1, 0, 0, 0, fetch + in_beats, in_beats};
    img->predict[1] =
        (lutra_profile){1, end1 - 1, end1 - 1, 0, 0, 0, fetch + in_beats + out_beats, in_beats + prof + out_beats};
    img->predict[2] =
        (lutra_profile){1, end, end, 0, 0, 0, fetch + in_beats + out_beats, in_beats + 2 * prof + out_beats};
    if (wrong_prediction) img->predict[1].cycles++;
    img->predict_latency = latency;
}

static void describe(lutra_layer *l, const char *name, const lutra_tensor *in, const lutra_tensor *out)
{
    *l = (lutra_layer){.op = LUTRA_KIND_CONV, .in_c = in->c, .in_h = in->h, .in_w = in->w};
    snprintf(l->name, sizeof l->name, "%s", name);
    l->out_c = out->c;
    l->out_h = out->h;
    l->out_w = out->w;
    l->r = l->s = l->stride = l->groups = 1;
    l->macs = (uint64_t)out->c * out->h * out->w;
    l->peak_macs = 4;
}

static lt_image build(void)
{
    lt_image img = {.model = "adder", .config = "mock", .fingerprint = (uint32_t)fingerprint, .bus_bytes = bus};
    uint32_t dump = (uint32_t)bus; /* not a multiple of the burst: chunks would cross pages */

    img.input_bytes = code ? lt_image_code_layout(&img.input, LUTRA_BASE_INPUT, 0, C, H, W, 8, 1, bus)
                           : lt_image_fb_layout(&img.input, LUTRA_BASE_INPUT, 0, C, H, W, LANES, bus);
    img.output_bytes = lt_image_fb_layout(&img.output, LUTRA_BASE_OUTPUT, 0, CLASSES, 1, 1, LANES, bus);
    img.classes = CLASSES;
    uint32_t in_beats = img.input_bytes / (uint32_t)bus, out_beats = img.output_bytes / (uint32_t)bus;
    uint32_t profile = ceil_div(dump + img.input_bytes, 64) * 64;
    uint32_t desc[16] = {(uint32_t)fault, in_beats, out_beats, dump, profile, (uint32_t)add};

    for (unsigned i = 0; i < 128; i++) lt_buf_u8(&img.blob, i); /* weights that nobody needs */
    img.program_offset = (uint32_t)img.blob.len;
    for (int i = 0; i < 16; i++) lt_buf_le32(&img.blob, desc[i]);
    img.table = malloc((size_t)C * 256);
    img.layers = calloc(2, sizeof *img.layers);
    img.dumps = calloc(1, sizeof *img.dumps);
    if (!img.table || !img.layers || !img.dumps) abort();
    for (int c = 0; c < C; c++)
        for (int v = 0; v < 256; v++) img.table[c * 256 + v] = (int8_t)(v - 128 + 3 * c);
    img.n_layers = 2;
    img.n_dumps = 1;
    img.dumps[0].tensor = img.input;
    img.dumps[0].tensor.base = LUTRA_BASE_SCRATCH;
    img.dumps[0].tensor.offset = dump;
    describe(&img.layers[0], "add", &img.input, &img.input);
    describe(&img.layers[1], "add_again", &img.input, &img.output);
    img.profile_base = LUTRA_BASE_SCRATCH;
    img.profile_offset = profile;
    img.profile_count = 2;
    img.profile_stride = RECORD;
    img.scratch_bytes = profile + 2 * RECORD;
    predict(&img, in_beats, out_beats, dump);
    return img;
}

/* What the mock must make of an image: bytes first, then the values in them. */
static void golden(const lt_image *img, const uint8_t *image, int16_t *const *t)
{
    uint8_t *raw = calloc(1, img->input_bytes);
    const lutra_tensor *in = &img->input, *out = &img->output;
    if (!raw) abort();
    for (uint32_t c = 0; c < C; c++)
        for (uint32_t y = 0; y < H; y++)
            for (uint32_t x = 0; x < W; x++)
                raw[lutra_tensor_at(in, c, y, x)] = (uint8_t)img->table[c * 256 + image[(c * H + y) * W + x]];
    for (uint32_t i = 0; i < img->input_bytes; i++) raw[i] = (uint8_t)(raw[i] + add);
    for (uint32_t c = 0; c < C; c++)
        for (uint32_t y = 0; y < H; y++)
            for (uint32_t x = 0; x < W; x++) t[1][(c * H + y) * W + x] = (int8_t)raw[lutra_tensor_at(in, c, y, x)];
    const uint8_t *tail = raw + img->input_bytes - img->output_bytes;
    for (uint32_t c = 0; c < CLASSES; c++) t[2][c] = (int8_t)(tail[lutra_tensor_at(out, c, 0, 0)] + add);
    free(raw);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int *value;
    } args[] = {{"bus=", &bus},         {"fault=", &fault},
                {"latency=", &latency}, {"images=", &images},
                {"add=", &add},         {"wrong_prediction=", &wrong_prediction},
                {"code=", &code},       {"fingerprint=", &fingerprint}};
    qtensor tensors[3] = {{.c = C, .h = H, .w = W, .bits = 8, .is_signed = true},
                          {.c = C, .h = H, .w = W, .bits = 8, .is_signed = true},
                          {.c = CLASSES, .h = 1, .w = 1, .bits = 8, .is_signed = true}};
    qlayer layers[2] = {{.name = "add", .in = 0, .out = 1, .res = -1},
                        {.name = "add_again", .in = 1, .out = 2, .res = -1}};
    qnet net = {
        .name = "adder", .n_tensors = 3, .n_layers = 2, .tensors = tensors, .layers = layers, .classes = CLASSES};
    static int16_t t1[C * H * W], t2[CLASSES];
    static uint8_t image[C * H * W];
    int16_t *const t[3] = {NULL, t1, t2};
    char path[512];
    lt_err err;
    lt_expect e;

    if (argc < 2) return 2;
    for (int i = 2; i < argc; i++) {
        size_t k = 0;
        while (k < sizeof args / sizeof *args && strncmp(argv[i], args[k].name, strlen(args[k].name)) != 0) k++;
        if (k == sizeof args / sizeof *args) return 2;
        *args[k].value = atoi(argv[i] + strlen(args[k].name));
    }
    lt_image img = build();
    lt_code rc = lt_expect_init(&e, &net, &err);
    for (int n = 0; rc == LT_OK && n < images; n++) {
        lt_rng rng = lt_rng_make(99, (uint64_t)n);
        for (size_t i = 0; i < sizeof image; i++) image[i] = (uint8_t)lt_rng_u32(&rng);
        golden(&img, image, t);
        rc = lt_expect_add(&e, &net, image, n % CLASSES, t, &err);
    }
    snprintf(path, sizeof path, "%s.lpi", argv[1]);
    if (rc == LT_OK) rc = lt_image_save(&img, true, path, &err);
    snprintf(path, sizeof path, "%s.exp", argv[1]);
    if (rc == LT_OK) rc = lt_expect_save(&e, path, &err);
    if (rc != LT_OK) fprintf(stderr, "mock_image: %s\n", err.msg);
    lt_image_free(&img);
    lt_expect_free(&e);
    return lt_exit_code(rc);
}
