/* The program image, `.lpi`: everything firmware loads to run one network on one configuration.
 *
 * This header defines the format and a reader that needs no heap and no libc; gen/program/image.h writes the format and
 * adds compression for files. All numbers are little endian; a field is one 32-bit word unless it says otherwise.
 *
 *   header, LUTRA_IMAGE_HEADER bytes    the words of enum lutra_image_word
 *   body                                the sections, each at a multiple of LUTRA_IMAGE_ALIGN bytes from the image's
 *                                       start, in the order of enum lutra_image_section
 *
 * On disk the body may be one zlib stream (flag LUTRA_IMAGE_ZLIB; STORED then is the stream's length). In memory the
 * driver takes the image uncompressed. CRC covers the uncompressed image from LUTRA_IMAGE_CRC_FROM to its end, so the
 * two forms share it. */
#ifndef LUTRA_IMAGE_H
#define LUTRA_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lutra_result.h"

#define LUTRA_IMAGE_MAGIC 0x5254554Cu /* the bytes "LUTR" */

enum {
    LUTRA_IMAGE_VERSION = 1,
    LUTRA_IMAGE_ZLIB = 1, /* flag: the body is compressed */
    LUTRA_IMAGE_ALIGN = 64,
    LUTRA_IMAGE_CRC_FROM = 16,
    LUTRA_IMAGE_HEADER = 384,
    LUTRA_IMAGE_NAME = 64, /* names: NUL-terminated, rest zero */
    LUTRA_IMAGE_MAX_BATCH = 256,
    LUTRA_IMAGE_MAX_LAYERS = 256 /* the layer number of a profile record has 8 bits */
};

/* Byte offsets in the header. */
enum lutra_image_word {
    LUTRA_IMAGE_W_MAGIC = 0,
    LUTRA_IMAGE_W_FORMAT = 4, /* [15:0] LUTRA_IMAGE_VERSION, [31:16] flags */
    LUTRA_IMAGE_W_CRC = 8,
    LUTRA_IMAGE_W_STORED = 12, /* bytes of the body as stored */
    LUTRA_IMAGE_W_TOTAL = 16,  /* bytes of the uncompressed image, header included */
    LUTRA_IMAGE_W_FINGERPRINT = 20,
    LUTRA_IMAGE_W_BUS_BYTES = 24,
    LUTRA_IMAGE_W_PROGRAM = 28, /* offset of the first descriptor in the blob */
    LUTRA_IMAGE_W_INPUT_BYTES = 32,
    LUTRA_IMAGE_W_OUTPUT_BYTES = 36,
    LUTRA_IMAGE_W_SCRATCH_BYTES = 40,
    LUTRA_IMAGE_W_CLASSES = 44,
    LUTRA_IMAGE_W_PROFILE_BASE = 48, /* lutra_base */
    LUTRA_IMAGE_W_PROFILE_OFFSET = 52,
    LUTRA_IMAGE_W_PROFILE_COUNT = 56,
    LUTRA_IMAGE_W_PROFILE_STRIDE = 60,
    LUTRA_IMAGE_W_PREDICT_LATENCY = 64, /* memory latency in cycles that the prediction holds for */
    LUTRA_IMAGE_W_BATCH = 68,           /* images per run; 0: 1 */
    LUTRA_IMAGE_W_SECTIONS = 80,        /* LUTRA_SECTION_COUNT pairs: offset from the image's start, bytes */
    LUTRA_IMAGE_W_INPUT = 128,          /* tensor record */
    LUTRA_IMAGE_W_OUTPUT = 192,         /* tensor record */
    LUTRA_IMAGE_W_MODEL = 256,          /* name */
    LUTRA_IMAGE_W_CONFIG = 320          /* name */
};

enum lutra_image_section {
    LUTRA_SECTION_BLOB,    /* descriptors, weights, LUTs, parameters: goes to BASE0 */
    LUTRA_SECTION_TABLE,   /* int8 [C][256]: image byte -> input integer */
    LUTRA_SECTION_LAYERS,  /* layer records, in execution order; for reports */
    LUTRA_SECTION_DUMPS,   /* dump records, empty unless the program stores every layer */
    LUTRA_SECTION_PREDICT, /* empty, or PROFILE_COUNT + 1 counter records: the cycle model's profile, then the total */
    LUTRA_SECTION_COUNT
};

/* Record sizes in bytes. */
enum { LUTRA_TENSOR_BYTES = 48, LUTRA_LAYER_BYTES = 128, LUTRA_DUMP_BYTES = 64, LUTRA_COUNTERS_BYTES = 32 };

/* The four buffers, in the order of the registers BASE0..BASE3; lutra_hw.h has the same macros. */
typedef uint32_t lutra_base;
#define LUTRA_BASE_PROGRAM 0u
#define LUTRA_BASE_INPUT   1u
#define LUTRA_BASE_OUTPUT  2u
#define LUTRA_BASE_SCRATCH 3u

/* A tensor [c][h][w] in a buffer, one byte per value. Value (c, y, x) lies at
 *
 *   offset + (c / word_values) * group_stride + (y / unit_rows) * row_stride + x * x_stride
 *          + (y % unit_rows) * word_bytes + c % word_values
 *
 * Feature-buffer words (architecture.md section 2): word_values = lanes, unit_rows = 1, x_stride = word_bytes.
 * Units of code memory (section 6): unit_rows = 3, x_stride = chunks * group_stride, group_stride = bytes of a unit.
 * Record: the members in this order, c..x_stride one word each, bits in [7:0] and is_signed in [8] of one word. */
typedef struct {
    lutra_base base;
    uint32_t offset;
    uint32_t c, h, w;
    uint32_t bits;
    uint32_t is_signed; /* 0 or 1 */
    uint32_t word_values, unit_rows, word_bytes;
    uint32_t group_stride, row_stride, x_stride;
} lutra_tensor;

typedef enum { LUTRA_KIND_CONV, LUTRA_KIND_MAXPOOL, LUTRA_KIND_SUMPOOL, LUTRA_KIND_ADD, LUTRA_KIND_COUNT } lutra_kind;

/* One layer, for reports. Record: name, then the other members, one word each; macs takes two. */
typedef struct {
    char name[LUTRA_IMAGE_NAME];
    uint32_t op;     /* lutra_kind */
    uint32_t lookup; /* 1: computed by table lookup */
    uint32_t in_c, in_h, in_w, out_c, out_h, out_w;
    uint32_t r, s, stride, groups;
    uint32_t peak_macs; /* multiply-accumulates, or their equivalent, per cycle of a fully used core; 0: not said */
    uint64_t macs;      /* of the layer as the network states it, 0 for pooling and addition */
} lutra_layer;

/* Output of a layer that the program leaves in a buffer for inspection. Record: layer, tensor, zeros. */
typedef struct {
    uint32_t layer;
    lutra_tensor tensor;
} lutra_dump;

/* Counters as a PROFILE descriptor writes them: at the end of the layer's last operation, counted from START.
 * Record: the members in this order. In the total of a prediction `layer` is the number of descriptors. */
typedef struct {
    uint32_t layer;
    uint32_t cycles, exec_busy, stall_read, stall_write, stall_core, read_beats, write_beats;
} lutra_profile;

/* An image that was checked. Pointers lead into the caller's image, which must stay where it is. */
typedef struct {
    const uint8_t *data;
    uint32_t bytes;
    uint32_t fingerprint, bus_bytes;
    const uint8_t *blob;
    uint32_t blob_bytes, program_offset;
    uint32_t
        batch; /* images per run: image i lies i * input_bytes / batch into the input buffer, its output likewise */
    uint32_t input_bytes, output_bytes, scratch_bytes;
    lutra_tensor input, output; /* of the first image */
    uint32_t classes;
    const int8_t *table; /* [input.c][256] */
    uint32_t layers, dumps;
    uint32_t profile_base, profile_offset, profile_count, profile_stride;
    bool predicted;
    uint32_t predict_latency;
    const char *model, *config;
    uint32_t fault; /* after a refusal: byte offset of the field that was refused */
} lutra_image;

static inline uint32_t lutra_get32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Offset of a value from the start of the tensor's buffer. */
static inline uint32_t lutra_tensor_at(const lutra_tensor *t, uint32_t c, uint32_t y, uint32_t x)
{
    return t->offset + c / t->word_values * t->group_stride + y / t->unit_rows * t->row_stride + x * t->x_stride +
           y % t->unit_rows * t->word_bytes + c % t->word_values;
}

/* The tensor has sane sizes and every value lies in a buffer of so many bytes. */
bool lutra_tensor_fits(const lutra_tensor *t, uint32_t bytes);

/* Checks an uncompressed image: magic, version, CRC, and that every offset, count and tensor stays inside its section
 * or buffer, so that nothing read from it later needs another check. LUTRA_BAD_MAGIC, LUTRA_BAD_VERSION, LUTRA_BAD_CRC,
 * LUTRA_COMPRESSED or LUTRA_BAD_IMAGE, with img->fault set. */
lutra_result lutra_image_open(lutra_image *img, const void *data, size_t bytes);

/* The output of image i of a batch; LUTRA_BAD_ARG beyond the last. */
lutra_result lutra_image_output(const lutra_image *img, uint32_t i, lutra_tensor *t);

/* Record number i; LUTRA_BAD_ARG beyond the last. */
lutra_result lutra_image_layer(const lutra_image *img, uint32_t i, lutra_layer *layer);
lutra_result lutra_image_dump(const lutra_image *img, uint32_t i, lutra_dump *dump);
/* Predicted profile record i < profile_count, or the total for i == profile_count; LUTRA_BAD_ARG if none. */
lutra_result lutra_image_predicted(const lutra_image *img, uint32_t i, lutra_profile *p);

/* Decodes one profile record, of an image or as the hardware wrote it. */
void lutra_profile_decode(const uint8_t *record, lutra_profile *p);

/* CRC-32 of IEEE 802.3, as zlib's crc32(): start with crc = 0. */
uint32_t lutra_crc32(uint32_t crc, const uint8_t *data, size_t bytes);

#endif
