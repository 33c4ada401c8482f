/* A small program image with every section filled, shared by the tests of format, driver and testbench. */
#ifndef LUTRA_TESTS_SAMPLE_IMAGE_H
#define LUTRA_TESTS_SAMPLE_IMAGE_H

#include <stdio.h>
#include <stdlib.h>
#include "program/image.h"

enum {
    SAMPLE_LAYERS = 2,
    SAMPLE_LANES = 4,
    SAMPLE_BUS = 8,
    SAMPLE_C = 3,
    SAMPLE_H = 5,
    SAMPLE_W = 7,
    SAMPLE_CLASSES = 10,
    SAMPLE_FINGERPRINT = 0x1234ABCD
};

static inline int8_t sample_table(int c, int byte)
{
    return (int8_t)(byte - 128 + c);
}

/* code_layout: the input goes to code memory (one value of 8 bits per word), else to the feature buffer. */
static inline lt_image sample_image(int code_layout)
{
    lt_image img = {.model = "sample", .config = "tiny", .fingerprint = SAMPLE_FINGERPRINT, .bus_bytes = SAMPLE_BUS};

    for (unsigned i = 0; i < 200; i++) lt_buf_u8(&img.blob, i * 7);
    lt_buf_align(&img.blob, 64);
    img.program_offset = (uint32_t)img.blob.len;
    for (unsigned i = 0; i < 64; i++) lt_buf_u8(&img.blob, 0); /* END */

    img.input_bytes = code_layout ? lt_image_code_layout(&img.input, LUTRA_BASE_INPUT, 0, SAMPLE_C, SAMPLE_H, SAMPLE_W,
                                                         8, 1, SAMPLE_BUS)
                                  : lt_image_fb_layout(&img.input, LUTRA_BASE_INPUT, 0, SAMPLE_C, SAMPLE_H, SAMPLE_W,
                                                       SAMPLE_LANES, SAMPLE_BUS);
    img.output_bytes =
        lt_image_fb_layout(&img.output, LUTRA_BASE_OUTPUT, 0, SAMPLE_CLASSES, 1, 1, SAMPLE_LANES, SAMPLE_BUS);
    img.classes = SAMPLE_CLASSES;
    img.table = malloc((size_t)SAMPLE_C * 256);
    for (int c = 0; c < SAMPLE_C; c++)
        for (int v = 0; v < 256; v++) img.table[c * 256 + v] = sample_table(c, v);

    img.n_layers = SAMPLE_LAYERS;
    img.layers = calloc(SAMPLE_LAYERS, sizeof *img.layers);
    img.n_dumps = SAMPLE_LAYERS;
    img.dumps = calloc(SAMPLE_LAYERS, sizeof *img.dumps);
    for (unsigned i = 0; i < SAMPLE_LAYERS; i++) {
        lutra_layer *l = &img.layers[i];
        *l = (lutra_layer){.op = LUTRA_KIND_CONV, .lookup = i, .in_c = 3, .in_h = 5, .in_w = 7, .out_c = 10};
        snprintf(l->name, sizeof l->name, "layer%u", i);
        l->out_h = l->out_w = i == 0 ? 4 : 1;
        l->r = l->s = 3;
        l->stride = l->groups = 1;
        l->peak_macs = 16;
        l->macs = 0x100000001u + i;
        img.dumps[i].layer = i;
        img.scratch_bytes += lt_image_fb_layout(&img.dumps[i].tensor, LUTRA_BASE_SCRATCH, img.scratch_bytes,
                                                SAMPLE_CLASSES, (int)l->out_h, (int)l->out_w, SAMPLE_LANES, SAMPLE_BUS);
    }
    img.profile_base = LUTRA_BASE_SCRATCH;
    img.profile_offset = img.scratch_bytes;
    img.profile_count = SAMPLE_LAYERS;
    img.profile_stride = LUTRA_COUNTERS_BYTES;
    img.scratch_bytes += SAMPLE_LAYERS * LUTRA_COUNTERS_BYTES;
    img.predict = calloc(SAMPLE_LAYERS + 1, sizeof *img.predict);
    for (unsigned i = 0; i <= SAMPLE_LAYERS; i++)
        img.predict[i] = (lutra_profile){i, 100 * (i + 1), 90 * (i + 1), 3, 2, 1, 40 * i, 20 * i};
    img.predict_latency = 20;
    return img;
}

#endif
