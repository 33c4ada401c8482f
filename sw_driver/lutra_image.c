#include "lutra_image.h"

/* Largest size of a tensor's dimension: what a descriptor can address is smaller. */
enum { MAX_DIM = 65535 };

uint32_t lutra_crc32(uint32_t crc, const uint8_t *data, size_t bytes)
{
    /* four bits at a time: a 64-byte table suits a small firmware */
    static const uint32_t nibble[16] = {0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4,
                                        0x4DB26158, 0x5005713C, 0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
                                        0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C};
    crc = ~crc;
    for (size_t i = 0; i < bytes; i++) {
        crc ^= data[i];
        crc = (crc >> 4) ^ nibble[crc & 15];
        crc = (crc >> 4) ^ nibble[crc & 15];
    }
    return ~crc;
}

static lutra_result refuse(lutra_image *img, uint32_t at, lutra_result why)
{
    img->fault = at;
    return why;
}

static void decode_tensor(const uint8_t *p, lutra_tensor *t)
{
    uint32_t kind = lutra_get32(p + 20);

    t->base = lutra_get32(p);
    t->offset = lutra_get32(p + 4);
    t->c = lutra_get32(p + 8);
    t->h = lutra_get32(p + 12);
    t->w = lutra_get32(p + 16);
    t->bits = kind & 0xFF;
    t->is_signed = kind >> 8 & 1;
    t->word_values = lutra_get32(p + 24);
    t->unit_rows = lutra_get32(p + 28);
    t->word_bytes = lutra_get32(p + 32);
    t->group_stride = lutra_get32(p + 36);
    t->row_stride = lutra_get32(p + 40);
    t->x_stride = lutra_get32(p + 44);
}

static uint32_t buffer_bytes(const lutra_image *img, uint32_t base)
{
    switch (base) {
    case LUTRA_BASE_PROGRAM:
        return img->blob_bytes;
    case LUTRA_BASE_INPUT:
        return img->input_bytes;
    case LUTRA_BASE_OUTPUT:
        return img->output_bytes;
    case LUTRA_BASE_SCRATCH:
        return img->scratch_bytes;
    default:
        return 0;
    }
}

static bool dim_ok(uint32_t v)
{
    return v >= 1 && v <= MAX_DIM;
}

bool lutra_tensor_fits(const lutra_tensor *t, uint32_t bytes)
{
    if (!dim_ok(t->c) || !dim_ok(t->h) || !dim_ok(t->w)) return false;
    if (t->bits < 2 || t->bits > 8) return false;
    if (!dim_ok(t->word_values) || !dim_ok(t->unit_rows) || t->word_values > t->word_bytes) return false;
    uint32_t last_lane = (t->c < t->word_values ? t->c : t->word_values) - 1;
    uint32_t last_row = (t->h < t->unit_rows ? t->h : t->unit_rows) - 1;
    /* at most 2^32 + 4 * 2^16 * 2^32: no overflow in 64 bits */
    uint64_t last = (uint64_t)t->offset + (uint64_t)((t->c - 1) / t->word_values) * t->group_stride +
                    (uint64_t)((t->h - 1) / t->unit_rows) * t->row_stride + (uint64_t)(t->w - 1) * t->x_stride +
                    (uint64_t)last_row * t->word_bytes + last_lane;
    return last < bytes;
}

static bool tensor_ok(const lutra_image *img, const lutra_tensor *t)
{
    bool shared = t->base == LUTRA_BASE_INPUT || t->base == LUTRA_BASE_OUTPUT; /* by the images of a batch */
    return lutra_tensor_fits(t, buffer_bytes(img, t->base) / (shared ? img->batch : 1));
}

/* NUL-terminated within LUTRA_IMAGE_NAME bytes. */
static bool name_ok(const uint8_t *p)
{
    for (int i = 0; i < LUTRA_IMAGE_NAME; i++)
        if (p[i] == 0) return true;
    return false;
}

/* Section s as stated by the header; it lies behind the one before it, aligned, inside the image. */
static bool section_ok(const lutra_image *img, int s, uint32_t *end)
{
    const uint8_t *p = img->data + LUTRA_IMAGE_W_SECTIONS + 8 * s;
    uint32_t offset = lutra_get32(p), bytes = lutra_get32(p + 4);

    if (offset % LUTRA_IMAGE_ALIGN || offset < *end || offset > img->bytes || bytes > img->bytes - offset) return false;
    *end = offset + bytes;
    return true;
}

static const uint8_t *section(const lutra_image *img, int s)
{
    return img->data + lutra_get32(img->data + LUTRA_IMAGE_W_SECTIONS + 8 * s);
}

static uint32_t section_bytes(const lutra_image *img, int s)
{
    return lutra_get32(img->data + LUTRA_IMAGE_W_SECTIONS + 8 * s + 4);
}

static uint32_t section_word(int s)
{
    return (uint32_t)(LUTRA_IMAGE_W_SECTIONS + 8 * s);
}

static lutra_result check_records(lutra_image *img)
{
    uint32_t layer_bytes = section_bytes(img, LUTRA_SECTION_LAYERS);
    uint32_t dump_bytes = section_bytes(img, LUTRA_SECTION_DUMPS);
    uint32_t predict_bytes = section_bytes(img, LUTRA_SECTION_PREDICT);

    img->layers = layer_bytes / LUTRA_LAYER_BYTES;
    if (layer_bytes % LUTRA_LAYER_BYTES || img->layers > LUTRA_IMAGE_MAX_LAYERS)
        return refuse(img, section_word(LUTRA_SECTION_LAYERS), LUTRA_BAD_IMAGE);
    for (uint32_t i = 0; i < img->layers; i++) {
        const uint8_t *p = section(img, LUTRA_SECTION_LAYERS) + i * LUTRA_LAYER_BYTES;
        if (!name_ok(p) || lutra_get32(p + LUTRA_IMAGE_NAME) >= LUTRA_KIND_COUNT)
            return refuse(img, (uint32_t)(p - img->data), LUTRA_BAD_IMAGE);
    }

    img->dumps = dump_bytes / LUTRA_DUMP_BYTES;
    if (dump_bytes % LUTRA_DUMP_BYTES) return refuse(img, section_word(LUTRA_SECTION_DUMPS), LUTRA_BAD_IMAGE);
    for (uint32_t i = 0; i < img->dumps; i++) {
        lutra_dump d;
        lutra_image_dump(img, i, &d);
        if (d.layer >= img->layers || d.tensor.base < LUTRA_BASE_OUTPUT || !tensor_ok(img, &d.tensor))
            return refuse(img, (uint32_t)(section(img, LUTRA_SECTION_DUMPS) - img->data) + i * LUTRA_DUMP_BYTES,
                          LUTRA_BAD_IMAGE);
    }

    img->predicted = predict_bytes != 0;
    if (img->predicted && predict_bytes != (img->profile_count + 1) * LUTRA_COUNTERS_BYTES)
        return refuse(img, section_word(LUTRA_SECTION_PREDICT), LUTRA_BAD_IMAGE);
    return LUTRA_OK;
}

static lutra_result check_profile(lutra_image *img)
{
    const uint8_t *h = img->data;

    img->profile_base = lutra_get32(h + LUTRA_IMAGE_W_PROFILE_BASE);
    img->profile_offset = lutra_get32(h + LUTRA_IMAGE_W_PROFILE_OFFSET);
    img->profile_count = lutra_get32(h + LUTRA_IMAGE_W_PROFILE_COUNT);
    img->profile_stride = lutra_get32(h + LUTRA_IMAGE_W_PROFILE_STRIDE);
    if (img->profile_count == 0) return LUTRA_OK;
    if (img->profile_base != LUTRA_BASE_OUTPUT && img->profile_base != LUTRA_BASE_SCRATCH)
        return refuse(img, LUTRA_IMAGE_W_PROFILE_BASE, LUTRA_BAD_IMAGE);
    if (img->profile_count > MAX_DIM) return refuse(img, LUTRA_IMAGE_W_PROFILE_COUNT, LUTRA_BAD_IMAGE);
    if (img->profile_stride < LUTRA_COUNTERS_BYTES) return refuse(img, LUTRA_IMAGE_W_PROFILE_STRIDE, LUTRA_BAD_IMAGE);
    uint64_t end = img->profile_offset + (uint64_t)(img->profile_count - 1) * img->profile_stride;
    if (end + LUTRA_COUNTERS_BYTES > buffer_bytes(img, img->profile_base))
        return refuse(img, LUTRA_IMAGE_W_PROFILE_OFFSET, LUTRA_BAD_IMAGE);
    return LUTRA_OK;
}

static lutra_result check_header(lutra_image *img)
{
    const uint8_t *h = img->data;

    img->fingerprint = lutra_get32(h + LUTRA_IMAGE_W_FINGERPRINT);
    img->bus_bytes = lutra_get32(h + LUTRA_IMAGE_W_BUS_BYTES);
    if (img->bus_bytes < 4 || img->bus_bytes > LUTRA_IMAGE_ALIGN || (img->bus_bytes & (img->bus_bytes - 1)))
        return refuse(img, LUTRA_IMAGE_W_BUS_BYTES, LUTRA_BAD_IMAGE);

    uint32_t end = LUTRA_IMAGE_HEADER;
    for (int s = 0; s < LUTRA_SECTION_COUNT; s++)
        if (!section_ok(img, s, &end)) return refuse(img, section_word(s), LUTRA_BAD_IMAGE);
    if (end != img->bytes) return refuse(img, LUTRA_IMAGE_W_TOTAL, LUTRA_BAD_IMAGE);

    img->blob = section(img, LUTRA_SECTION_BLOB);
    img->blob_bytes = section_bytes(img, LUTRA_SECTION_BLOB);
    img->program_offset = lutra_get32(h + LUTRA_IMAGE_W_PROGRAM);
    /* a program is at least the descriptor END */
    if (img->blob_bytes < 64 || img->program_offset > img->blob_bytes - 64 || img->program_offset % 64)
        return refuse(img, LUTRA_IMAGE_W_PROGRAM, LUTRA_BAD_IMAGE);

    img->input_bytes = lutra_get32(h + LUTRA_IMAGE_W_INPUT_BYTES);
    img->output_bytes = lutra_get32(h + LUTRA_IMAGE_W_OUTPUT_BYTES);
    img->scratch_bytes = lutra_get32(h + LUTRA_IMAGE_W_SCRATCH_BYTES);
    decode_tensor(h + LUTRA_IMAGE_W_INPUT, &img->input);
    decode_tensor(h + LUTRA_IMAGE_W_OUTPUT, &img->output);
    img->batch = lutra_get32(h + LUTRA_IMAGE_W_BATCH);
    if (img->batch == 0) img->batch = 1;
    if (img->batch > LUTRA_IMAGE_MAX_BATCH || img->input_bytes % img->batch || img->output_bytes % img->batch)
        return refuse(img, LUTRA_IMAGE_W_BATCH, LUTRA_BAD_IMAGE);
    if (img->input.base != LUTRA_BASE_INPUT || !tensor_ok(img, &img->input))
        return refuse(img, LUTRA_IMAGE_W_INPUT, LUTRA_BAD_IMAGE);
    if (img->output.base != LUTRA_BASE_OUTPUT || !tensor_ok(img, &img->output))
        return refuse(img, LUTRA_IMAGE_W_OUTPUT, LUTRA_BAD_IMAGE);
    img->classes = lutra_get32(h + LUTRA_IMAGE_W_CLASSES);
    if (img->classes < 1 || img->classes > img->output.c) return refuse(img, LUTRA_IMAGE_W_CLASSES, LUTRA_BAD_IMAGE);

    /* plain char and int8_t have the size and alignment of uint8_t */
    img->table = (const int8_t *)section(img, LUTRA_SECTION_TABLE);
    if (section_bytes(img, LUTRA_SECTION_TABLE) != img->input.c * 256)
        return refuse(img, section_word(LUTRA_SECTION_TABLE), LUTRA_BAD_IMAGE);
    img->model = (const char *)h + LUTRA_IMAGE_W_MODEL;
    img->config = (const char *)h + LUTRA_IMAGE_W_CONFIG;
    if (!name_ok(h + LUTRA_IMAGE_W_MODEL)) return refuse(img, LUTRA_IMAGE_W_MODEL, LUTRA_BAD_IMAGE);
    if (!name_ok(h + LUTRA_IMAGE_W_CONFIG)) return refuse(img, LUTRA_IMAGE_W_CONFIG, LUTRA_BAD_IMAGE);
    img->predict_latency = lutra_get32(h + LUTRA_IMAGE_W_PREDICT_LATENCY);
    return LUTRA_OK;
}

lutra_result lutra_image_open(lutra_image *img, const void *data, size_t bytes)
{
    if (!img || !data) return LUTRA_BAD_ARG;
    *img = (lutra_image){.data = data};
    if (bytes < LUTRA_IMAGE_HEADER) return refuse(img, LUTRA_IMAGE_W_MAGIC, LUTRA_BAD_MAGIC);
    const uint8_t *h = img->data;
    if (lutra_get32(h + LUTRA_IMAGE_W_MAGIC) != LUTRA_IMAGE_MAGIC)
        return refuse(img, LUTRA_IMAGE_W_MAGIC, LUTRA_BAD_MAGIC);
    uint32_t format = lutra_get32(h + LUTRA_IMAGE_W_FORMAT);
    if ((format & 0xFFFF) != LUTRA_IMAGE_VERSION) return refuse(img, LUTRA_IMAGE_W_FORMAT, LUTRA_BAD_VERSION);
    if (format >> 16 == LUTRA_IMAGE_ZLIB) return refuse(img, LUTRA_IMAGE_W_FORMAT, LUTRA_COMPRESSED);
    if (format >> 16) return refuse(img, LUTRA_IMAGE_W_FORMAT, LUTRA_BAD_IMAGE);
    img->bytes = lutra_get32(h + LUTRA_IMAGE_W_TOTAL);
    if (img->bytes < LUTRA_IMAGE_HEADER || img->bytes > bytes) return refuse(img, LUTRA_IMAGE_W_TOTAL, LUTRA_BAD_IMAGE);
    if (lutra_get32(h + LUTRA_IMAGE_W_STORED) != img->bytes - LUTRA_IMAGE_HEADER)
        return refuse(img, LUTRA_IMAGE_W_STORED, LUTRA_BAD_IMAGE);
    if (lutra_crc32(0, h + LUTRA_IMAGE_CRC_FROM, img->bytes - LUTRA_IMAGE_CRC_FROM) !=
        lutra_get32(h + LUTRA_IMAGE_W_CRC))
        return refuse(img, LUTRA_IMAGE_W_CRC, LUTRA_BAD_CRC);

    lutra_result r = check_header(img);
    if (r == LUTRA_OK) r = check_profile(img);
    if (r == LUTRA_OK) r = check_records(img);
    return r;
}

lutra_result lutra_image_output(const lutra_image *img, uint32_t i, lutra_tensor *t)
{
    if (!img || !t || i >= img->batch) return LUTRA_BAD_ARG;
    *t = img->output;
    t->offset += i * (img->output_bytes / img->batch);
    return LUTRA_OK;
}

lutra_result lutra_image_layer(const lutra_image *img, uint32_t i, lutra_layer *layer)
{
    if (!img || !layer || i >= img->layers) return LUTRA_BAD_ARG;
    const uint8_t *p = section(img, LUTRA_SECTION_LAYERS) + i * LUTRA_LAYER_BYTES;
    for (int k = 0; k < LUTRA_IMAGE_NAME; k++) layer->name[k] = (char)p[k];
    p += LUTRA_IMAGE_NAME;
    layer->op = lutra_get32(p);
    layer->lookup = lutra_get32(p + 4);
    layer->in_c = lutra_get32(p + 8);
    layer->in_h = lutra_get32(p + 12);
    layer->in_w = lutra_get32(p + 16);
    layer->out_c = lutra_get32(p + 20);
    layer->out_h = lutra_get32(p + 24);
    layer->out_w = lutra_get32(p + 28);
    layer->r = lutra_get32(p + 32);
    layer->s = lutra_get32(p + 36);
    layer->stride = lutra_get32(p + 40);
    layer->groups = lutra_get32(p + 44);
    layer->peak_macs = lutra_get32(p + 48);
    layer->macs = lutra_get32(p + 52) | (uint64_t)lutra_get32(p + 56) << 32;
    return LUTRA_OK;
}

lutra_result lutra_image_dump(const lutra_image *img, uint32_t i, lutra_dump *dump)
{
    if (!img || !dump || i >= img->dumps) return LUTRA_BAD_ARG;
    const uint8_t *p = section(img, LUTRA_SECTION_DUMPS) + i * LUTRA_DUMP_BYTES;
    dump->layer = lutra_get32(p);
    decode_tensor(p + 4, &dump->tensor);
    return LUTRA_OK;
}

lutra_result lutra_image_predicted(const lutra_image *img, uint32_t i, lutra_profile *p)
{
    if (!img || !p || !img->predicted || i > img->profile_count) return LUTRA_BAD_ARG;
    lutra_profile_decode(section(img, LUTRA_SECTION_PREDICT) + i * LUTRA_COUNTERS_BYTES, p);
    return LUTRA_OK;
}

void lutra_profile_decode(const uint8_t *record, lutra_profile *p)
{
    p->layer = lutra_get32(record);
    p->cycles = lutra_get32(record + 4);
    p->exec_busy = lutra_get32(record + 8);
    p->stall_read = lutra_get32(record + 12);
    p->stall_write = lutra_get32(record + 16);
    p->stall_core = lutra_get32(record + 20);
    p->read_beats = lutra_get32(record + 24);
    p->write_beats = lutra_get32(record + 28);
}
