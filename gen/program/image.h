/* Writing and reading program images (`.lpi`). The format is defined in sw_driver/lutra_image.h, whose reader is the
 * one and only check; this adds the structure that a program generator fills and the compressed form on disk. */
#ifndef LUTRA_PROGRAM_IMAGE_H
#define LUTRA_PROGRAM_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/err.h"
#include "../../sw_driver/lutra_image.h"

/* What goes into an image. Zero-initialise; lt_image_free releases everything. */
typedef struct {
    char model[LUTRA_IMAGE_NAME], config[LUTRA_IMAGE_NAME];
    uint32_t fingerprint;
    int bus_bytes;
    lt_buf blob;             /* descriptors, weights, LUTs, parameters as they lie behind BASE0; at least 64 bytes */
    uint32_t program_offset; /* of the first descriptor in blob; a multiple of 64 */
    uint32_t input_bytes, output_bytes, scratch_bytes; /* sizes of the buffers behind BASE1..BASE3 */
    lutra_tensor input, output;
    int classes;
    int8_t *table;       /* [input.c][256], owned */
    lutra_layer *layers; /* [n_layers], owned */
    int n_layers;
    lutra_dump *dumps; /* [n_dumps], owned; NULL unless built with dumps */
    int n_dumps;
    uint32_t profile_base, profile_offset; /* where PROFILE descriptors write: LUTRA_BASE_OUTPUT or _SCRATCH */
    int profile_count;                     /* 0: the program writes none */
    uint32_t profile_stride;               /* bytes between records, at least 32 */
    lutra_profile *predict; /* [profile_count + 1], owned, or NULL: the cycle model's records, then the total with
                               `layer` = number of descriptors */
    int predict_latency;
    int batch; /* images per run, 0: 1; input_bytes and output_bytes are theirs together, divided evenly */
} lt_image;

void lt_image_free(lt_image *img);

/* Fills geometry and strides of a tensor [c][h][w] of feature-buffer words in a buffer: words of `lanes` bytes,
 * group-planar, rows padded to bus_bytes. Returns the bytes it takes. */
uint32_t lt_image_fb_layout(lutra_tensor *t, lutra_base base, uint32_t offset, int c, int h, int w, int lanes,
                            int bus_bytes);
/* The same for units of code memory (architecture.md section 6): word_bits is the width of a bank's word, word_values
 * the values in it (1 in channel mode, lanes in spatial mode). One row of units holds three rows of the tensor. */
uint32_t lt_image_code_layout(lutra_tensor *t, lutra_base base, uint32_t offset, int c, int h, int w, int word_bits,
                              int word_values, int bus_bytes);

/* Serialises into out (empty buffer): uncompressed, as the driver takes it, or with the body compressed. The result has
 * passed lutra_image_open; what that refuses is LT_EINPUT here. Equal contents give equal bytes. */
lt_code lt_image_pack(const lt_image *img, bool compress, lt_buf *out, lt_err *err);
/* lt_image_pack into a file, atomically. */
lt_code lt_image_save(const lt_image *img, bool compress, const char *path, lt_err *err);

/* Turns file content into the uncompressed image, aligned to LUTRA_IMAGE_ALIGN, and opens it; the caller frees *bytes.
 * Malformed content is LT_EINPUT with the offset of the field; `name` starts messages. */
lt_code lt_image_inflate(const void *data, size_t len, const char *name, uint8_t **bytes, lutra_image *view,
                         lt_err *err);
lt_code lt_image_open(const char *path, uint8_t **bytes, lutra_image *view, lt_err *err);

/* Copies an opened image into the generator's structure; packing that again gives the same bytes. */
lt_code lt_image_from_view(const lutra_image *view, lt_image *img, lt_err *err);

#endif
