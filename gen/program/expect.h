/* Expected tensors, `.exp`: images and, for each, every layer's output as the golden model computes it. The testbench
 * compares the hardware with it. It depends on the network only, so all configurations share one file.
 *
 * All numbers little endian. Header: "LEXP", u32 version (1), u32 bytes of the index, u32 CRC-32 of the index. Index:
 * model name (QN_NAME bytes), u32 c, h, w, classes, layers, images; per layer: name (QN_NAME bytes), u32 c, h, w,
 * is_signed; per image: u32 label (all ones: unknown), stored bytes, CRC-32 of the unpacked values. Then the images,
 * each one zlib stream of: image bytes [c][h][w], then every layer's output [c][h][w], one byte per value. */
#ifndef LUTRA_PROGRAM_EXPECT_H
#define LUTRA_PROGRAM_EXPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/err.h"
#include "golden/qnet.h"

typedef struct {
    char name[QN_NAME];
    int c, h, w;
    bool is_signed;
} lt_expect_layer;

typedef struct {
    int label; /* -1: unknown */
    uint32_t crc;
    lt_buf stream;
} lt_expect_image;

typedef struct {
    char model[QN_NAME];
    int c, h, w; /* of an image */
    int classes;
    int n_layers;
    lt_expect_layer *layers;
    int n_images;
    lt_expect_image *images;
} lt_expect;

/* One image unpacked. */
typedef struct {
    const uint8_t *image;         /* [c][h][w] */
    const uint8_t *const *layers; /* [n_layers], each [c][h][w] */
    void *owned;
} lt_expect_values;

/* An empty set for this network. */
lt_code lt_expect_init(lt_expect *e, const qnet *n, lt_err *err);
void lt_expect_free(lt_expect *e);

/* Appends an image and what golden_run made of it: tensors[n_tensors] as in golden/golden.h. label: -1 if unknown. */
lt_code lt_expect_add(lt_expect *e, const qnet *n, const uint8_t *image, int label, int16_t *const *tensors,
                      lt_err *err);

lt_code lt_expect_pack(const lt_expect *e, lt_buf *out, lt_err *err);
/* Parses an index; streams are checked when they are read. Malformed input is LT_EINPUT; `name` starts messages. */
lt_code lt_expect_unpack(const void *data, size_t len, const char *name, lt_expect *e, lt_err *err);
lt_code lt_expect_save(const lt_expect *e, const char *path, lt_err *err);
lt_code lt_expect_load(const char *path, lt_expect *e, lt_err *err);

/* Unpacks image i; release with lt_expect_values_free. */
lt_code lt_expect_get(const lt_expect *e, int i, lt_expect_values *v, lt_err *err);
void lt_expect_values_free(lt_expect_values *v);

static inline size_t lt_expect_layer_size(const lt_expect_layer *l)
{
    return (size_t)l->c * (size_t)l->h * (size_t)l->w;
}
static inline int lt_expect_value(const lt_expect_layer *l, uint8_t byte)
{
    return l->is_signed ? (int8_t)byte : byte;
}

#endif
