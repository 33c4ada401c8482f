#include "program/image.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "base/file.h"

/* Nothing larger is an image: the accelerator's addresses have 32 bits. */
static const size_t MAX_IMAGE = (size_t)1 << 30;

void lt_image_free(lt_image *img)
{
    lt_buf_free(&img->blob);
    free(img->table);
    free(img->layers);
    free(img->dumps);
    free(img->predict);
    *img = (lt_image){0};
}

static uint32_t round_up(uint32_t v, uint32_t to)
{
    return (v + to - 1) / to * to;
}

static uint32_t pow2_at_least(uint32_t v)
{
    uint32_t p = 1;
    while (p < v) p *= 2;
    return p;
}

static void set_geometry(lutra_tensor *t, lutra_base base, uint32_t offset, int c, int h, int w)
{
    *t = (lutra_tensor){.base = base,
                        .offset = offset,
                        .c = (uint32_t)c,
                        .h = (uint32_t)h,
                        .w = (uint32_t)w,
                        .bits = 8,
                        .is_signed = 1};
}

uint32_t lt_image_fb_layout(lutra_tensor *t, lutra_base base, uint32_t offset, int c, int h, int w, int lanes,
                            int bus_bytes)
{
    set_geometry(t, base, offset, c, h, w);
    t->word_values = (uint32_t)lanes;
    t->unit_rows = 1;
    t->word_bytes = pow2_at_least((uint32_t)lanes);
    t->x_stride = t->word_bytes;
    t->row_stride = round_up(t->w * t->x_stride, (uint32_t)bus_bytes);
    t->group_stride = t->h * t->row_stride;
    return (t->c + t->word_values - 1) / t->word_values * t->group_stride;
}

uint32_t lt_image_code_layout(lutra_tensor *t, lutra_base base, uint32_t offset, int c, int h, int w, int word_bits,
                              int word_values, int bus_bytes)
{
    set_geometry(t, base, offset, c, h, w);
    t->word_values = (uint32_t)word_values;
    t->unit_rows = 3;
    t->word_bytes = ((uint32_t)word_bits + 7) / 8;
    t->group_stride = pow2_at_least(3 * t->word_bytes);
    t->x_stride = (t->c + t->word_values - 1) / t->word_values * t->group_stride;
    t->row_stride = t->w * t->x_stride; /* one LOAD brings all rows */
    return round_up((t->h + 2) / 3 * t->row_stride, (uint32_t)bus_bytes);
}

static void put_name(lt_buf *b, const char *name)
{
    char field[LUTRA_IMAGE_NAME] = {0};
    memcpy(field, name, strnlen(name, sizeof field - 1));
    lt_buf_add(b, field, sizeof field);
}

static void put_tensor(lt_buf *b, const lutra_tensor *t)
{
    lt_buf_le32(b, t->base);
    lt_buf_le32(b, t->offset);
    lt_buf_le32(b, t->c);
    lt_buf_le32(b, t->h);
    lt_buf_le32(b, t->w);
    lt_buf_le32(b, t->bits | t->is_signed << 8);
    lt_buf_le32(b, t->word_values);
    lt_buf_le32(b, t->unit_rows);
    lt_buf_le32(b, t->word_bytes);
    lt_buf_le32(b, t->group_stride);
    lt_buf_le32(b, t->row_stride);
    lt_buf_le32(b, t->x_stride);
}

static void put_layer(lt_buf *b, const lutra_layer *l)
{
    put_name(b, l->name);
    lt_buf_le32(b, l->op);
    lt_buf_le32(b, l->lookup);
    lt_buf_le32(b, l->in_c);
    lt_buf_le32(b, l->in_h);
    lt_buf_le32(b, l->in_w);
    lt_buf_le32(b, l->out_c);
    lt_buf_le32(b, l->out_h);
    lt_buf_le32(b, l->out_w);
    lt_buf_le32(b, l->r);
    lt_buf_le32(b, l->s);
    lt_buf_le32(b, l->stride);
    lt_buf_le32(b, l->groups);
    lt_buf_le32(b, l->peak_macs);
    lt_buf_le64(b, l->macs);
    lt_buf_align(b, LUTRA_LAYER_BYTES);
}

static void put_profile(lt_buf *b, const lutra_profile *p)
{
    lt_buf_le32(b, p->layer);
    lt_buf_le32(b, p->cycles);
    lt_buf_le32(b, p->exec_busy);
    lt_buf_le32(b, p->stall_read);
    lt_buf_le32(b, p->stall_write);
    lt_buf_le32(b, p->stall_core);
    lt_buf_le32(b, p->read_beats);
    lt_buf_le32(b, p->write_beats);
}

/* The section's records, on their own so that record alignment counts from the section's start. */
static void put_section(const lt_image *img, int s, lt_buf *b)
{
    switch (s) {
    case LUTRA_SECTION_BLOB:
        lt_buf_add(b, img->blob.data, img->blob.len);
        break;
    case LUTRA_SECTION_TABLE:
        lt_buf_add(b, img->table, (size_t)img->input.c * 256);
        break;
    case LUTRA_SECTION_LAYERS:
        for (int i = 0; i < img->n_layers; i++) put_layer(b, &img->layers[i]);
        break;
    case LUTRA_SECTION_DUMPS:
        for (int i = 0; i < img->n_dumps; i++) {
            lt_buf_le32(b, img->dumps[i].layer);
            put_tensor(b, &img->dumps[i].tensor);
            lt_buf_align(b, LUTRA_DUMP_BYTES);
        }
        break;
    case LUTRA_SECTION_PREDICT:
        for (int i = 0; img->predict && i <= img->profile_count; i++) put_profile(b, &img->predict[i]);
        break;
    }
}

static void set32(lt_buf *b, size_t at, uint32_t v)
{
    if (b->failed) return;
    for (int i = 0; i < 4; i++) b->data[at + (size_t)i] = (char)(v >> (8 * i));
}

static void put_header(const lt_image *img, lt_buf *b)
{
    char zeros[LUTRA_IMAGE_HEADER] = {0};
    lt_buf rec = {0};

    lt_buf_add(b, zeros, sizeof zeros);
    set32(b, LUTRA_IMAGE_W_MAGIC, LUTRA_IMAGE_MAGIC);
    set32(b, LUTRA_IMAGE_W_FORMAT, LUTRA_IMAGE_VERSION);
    set32(b, LUTRA_IMAGE_W_FINGERPRINT, img->fingerprint);
    set32(b, LUTRA_IMAGE_W_BUS_BYTES, (uint32_t)img->bus_bytes);
    set32(b, LUTRA_IMAGE_W_PROGRAM, img->program_offset);
    set32(b, LUTRA_IMAGE_W_INPUT_BYTES, img->input_bytes);
    set32(b, LUTRA_IMAGE_W_OUTPUT_BYTES, img->output_bytes);
    set32(b, LUTRA_IMAGE_W_SCRATCH_BYTES, img->scratch_bytes);
    set32(b, LUTRA_IMAGE_W_CLASSES, (uint32_t)img->classes);
    set32(b, LUTRA_IMAGE_W_PROFILE_BASE, img->profile_base);
    set32(b, LUTRA_IMAGE_W_PROFILE_OFFSET, img->profile_offset);
    set32(b, LUTRA_IMAGE_W_PROFILE_COUNT, (uint32_t)img->profile_count);
    set32(b, LUTRA_IMAGE_W_PROFILE_STRIDE, img->profile_stride);
    set32(b, LUTRA_IMAGE_W_PREDICT_LATENCY, (uint32_t)img->predict_latency);
    set32(b, LUTRA_IMAGE_W_BATCH, img->batch > 1 ? (uint32_t)img->batch : 0);
    put_tensor(&rec, &img->input);
    put_tensor(&rec, &img->output);
    put_name(&rec, img->model);
    put_name(&rec, img->config);
    if (rec.failed) b->failed = true;
    if (!b->failed) {
        memcpy(b->data + LUTRA_IMAGE_W_INPUT, rec.data, LUTRA_TENSOR_BYTES);
        memcpy(b->data + LUTRA_IMAGE_W_OUTPUT, rec.data + LUTRA_TENSOR_BYTES, LUTRA_TENSOR_BYTES);
        memcpy(b->data + LUTRA_IMAGE_W_MODEL, rec.data + (size_t)2 * LUTRA_TENSOR_BYTES, (size_t)2 * LUTRA_IMAGE_NAME);
    }
    lt_buf_free(&rec);
}

static lt_code refuse(const char *name, lutra_result r, const lutra_image *view, lt_err *err)
{
    return lt_fail(err, LT_EINPUT, "%s: program image: %s, at byte %u", name, lutra_result_text(r), view->fault);
}

/* Replaces the body of an uncompressed image by a zlib stream. */
static lt_code compress_body(lt_buf *b, lt_err *err)
{
    uLong body = (uLong)(b->len - LUTRA_IMAGE_HEADER);
    uLongf stored = compressBound(body);
    Bytef *z = malloc(stored);

    if (!z || compress2(z, &stored, (const Bytef *)b->data + LUTRA_IMAGE_HEADER, body, Z_BEST_COMPRESSION) != Z_OK) {
        free(z);
        return lt_fail(err, LT_EMEM, "program image: out of memory");
    }
    b->len = LUTRA_IMAGE_HEADER;
    lt_buf_add(b, z, stored);
    free(z);
    set32(b, LUTRA_IMAGE_W_FORMAT, LUTRA_IMAGE_VERSION | (uint32_t)LUTRA_IMAGE_ZLIB << 16);
    set32(b, LUTRA_IMAGE_W_STORED, (uint32_t)stored);
    return lt_buf_ok(b) ? LT_OK : lt_fail(err, LT_EMEM, "program image: out of memory");
}

lt_code lt_image_pack(const lt_image *img, bool compress, lt_buf *out, lt_err *err)
{
    put_header(img, out);
    for (int s = 0; s < LUTRA_SECTION_COUNT; s++) {
        lt_buf rec = {0};
        put_section(img, s, &rec);
        lt_buf_align(out, LUTRA_IMAGE_ALIGN);
        set32(out, LUTRA_IMAGE_W_SECTIONS + 8 * (size_t)s, (uint32_t)out->len);
        set32(out, LUTRA_IMAGE_W_SECTIONS + 8 * (size_t)s + 4, (uint32_t)rec.len);
        lt_buf_add(out, rec.data, rec.len);
        if (rec.failed) out->failed = true;
        lt_buf_free(&rec);
    }
    if (!lt_buf_ok(out)) return lt_fail(err, LT_EMEM, "program image: out of memory");
    if (out->len > MAX_IMAGE)
        return lt_fail(err, LT_EINPUT, "program image: %zu bytes, the limit is %zu", out->len, MAX_IMAGE);
    set32(out, LUTRA_IMAGE_W_TOTAL, (uint32_t)out->len);
    set32(out, LUTRA_IMAGE_W_STORED, (uint32_t)(out->len - LUTRA_IMAGE_HEADER));
    set32(out, LUTRA_IMAGE_W_CRC,
          lutra_crc32(0, (const uint8_t *)out->data + LUTRA_IMAGE_CRC_FROM, out->len - LUTRA_IMAGE_CRC_FROM));

    lutra_image view;
    lutra_result r = lutra_image_open(&view, out->data, out->len);
    if (r != LUTRA_OK) return refuse(img->model, r, &view, err);
    return compress ? compress_body(out, err) : LT_OK;
}

lt_code lt_image_save(const lt_image *img, bool compress, const char *path, lt_err *err)
{
    lt_buf b = {0};
    lt_code rc = lt_image_pack(img, compress, &b, err);

    if (rc == LT_OK) rc = lt_write_file(path, b.data, b.len, err);
    lt_buf_free(&b);
    return rc;
}

static lt_code inflate_body(const uint8_t *z, size_t stored, uint8_t *body, size_t want, const char *name, lt_err *err)
{
    uLongf got = (uLongf)want;
    uLong used = (uLong)stored;
    int rc = uncompress2(body, &got, z, &used);

    if (rc == Z_MEM_ERROR) return lt_fail(err, LT_EMEM, "%s: out of memory", name);
    if (rc != Z_OK || got != want || used != stored)
        return lt_fail(err, LT_EINPUT, "%s: program image: damaged zlib stream", name);
    return LT_OK;
}

lt_code lt_image_inflate(const void *data, size_t len, const char *name, uint8_t **bytes, lutra_image *view,
                         lt_err *err)
{
    const uint8_t *src = data;

    *bytes = NULL;
    *view = (lutra_image){0};
    if (len < LUTRA_IMAGE_HEADER || lutra_get32(src + LUTRA_IMAGE_W_MAGIC) != LUTRA_IMAGE_MAGIC)
        return refuse(name, LUTRA_BAD_MAGIC, view, err);
    uint32_t format = lutra_get32(src + LUTRA_IMAGE_W_FORMAT);
    bool zipped = format >> 16 & LUTRA_IMAGE_ZLIB;
    size_t stored = lutra_get32(src + LUTRA_IMAGE_W_STORED), total = lutra_get32(src + LUTRA_IMAGE_W_TOTAL);
    if (stored != len - LUTRA_IMAGE_HEADER || total < LUTRA_IMAGE_HEADER || total > MAX_IMAGE ||
        (!zipped && total != len))
        return lt_fail(err, LT_EINPUT, "%s: program image: %zu bytes of file, %zu stored, %zu unpacked do not agree",
                       name, len, stored, total);
    /* a zlib stream cannot shrink its data to less than about 1/1030: a larger claim is refused before it costs memory
     */
    if (zipped && total / 1100 > stored)
        return lt_fail(err, LT_EINPUT, "%s: program image: %zu stored bytes cannot hold %zu", name, stored, total);

    uint8_t *p = aligned_alloc(LUTRA_IMAGE_ALIGN, round_up((uint32_t)total, LUTRA_IMAGE_ALIGN));
    if (!p) return lt_fail(err, LT_EMEM, "%s: out of memory", name);
    memcpy(p, src, LUTRA_IMAGE_HEADER);
    if (zipped) {
        lt_code rc = inflate_body(src + LUTRA_IMAGE_HEADER, stored, p + LUTRA_IMAGE_HEADER, total - LUTRA_IMAGE_HEADER,
                                  name, err);
        if (rc != LT_OK) {
            free(p);
            return rc;
        }
        uint32_t plain = (format & ~((uint32_t)LUTRA_IMAGE_ZLIB << 16)), body = (uint32_t)total - LUTRA_IMAGE_HEADER;
        for (int i = 0; i < 4; i++) {
            p[LUTRA_IMAGE_W_FORMAT + i] = (uint8_t)(plain >> (8 * i));
            p[LUTRA_IMAGE_W_STORED + i] = (uint8_t)(body >> (8 * i));
        }
    } else {
        memcpy(p + LUTRA_IMAGE_HEADER, src + LUTRA_IMAGE_HEADER, total - LUTRA_IMAGE_HEADER);
    }
    lutra_result r = lutra_image_open(view, p, total);
    if (r != LUTRA_OK) {
        free(p);
        return refuse(name, r, view, err);
    }
    *bytes = p;
    return LT_OK;
}

lt_code lt_image_open(const char *path, uint8_t **bytes, lutra_image *view, lt_err *err)
{
    char *data;
    size_t len;

    *bytes = NULL;
    LT_TRY(lt_read_file(path, MAX_IMAGE, &data, &len, err));
    lt_code rc = lt_image_inflate(data, len, path, bytes, view, err);
    free(data);
    return rc;
}

lt_code lt_image_from_view(const lutra_image *view, lt_image *img, lt_err *err)
{
    *img = (lt_image){.fingerprint = view->fingerprint,
                      .bus_bytes = (int)view->bus_bytes,
                      .program_offset = view->program_offset,
                      .input_bytes = view->input_bytes,
                      .output_bytes = view->output_bytes,
                      .scratch_bytes = view->scratch_bytes,
                      .input = view->input,
                      .output = view->output,
                      .classes = (int)view->classes,
                      .n_layers = (int)view->layers,
                      .n_dumps = (int)view->dumps,
                      .profile_base = view->profile_base,
                      .profile_offset = view->profile_offset,
                      .profile_count = (int)view->profile_count,
                      .profile_stride = view->profile_stride,
                      .predict_latency = (int)view->predict_latency,
                      .batch = (int)view->batch};
    memcpy(img->model, view->model, sizeof img->model);
    memcpy(img->config, view->config, sizeof img->config);
    lt_buf_add(&img->blob, view->blob, view->blob_bytes);
    img->table = malloc((size_t)view->input.c * 256);
    img->layers = calloc(view->layers ? view->layers : 1, sizeof *img->layers);
    img->dumps = calloc(view->dumps ? view->dumps : 1, sizeof *img->dumps);
    if (view->predicted) img->predict = calloc(view->profile_count + (size_t)1, sizeof *img->predict);
    if (!lt_buf_ok(&img->blob) || !img->table || !img->layers || !img->dumps || (view->predicted && !img->predict)) {
        lt_image_free(img);
        return lt_fail(err, LT_EMEM, "program image: out of memory");
    }
    memcpy(img->table, view->table, (size_t)view->input.c * 256);
    for (uint32_t i = 0; i < view->layers; i++) lutra_image_layer(view, i, &img->layers[i]);
    for (uint32_t i = 0; i < view->dumps; i++) lutra_image_dump(view, i, &img->dumps[i]);
    for (uint32_t i = 0; view->predicted && i <= view->profile_count; i++)
        lutra_image_predicted(view, i, &img->predict[i]);
    return LT_OK;
}
