#include "program/expect.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "base/file.h"

enum { VERSION = 1, HEADER = 16, MAX_LAYERS = 256, MAX_DIM = 65535, NO_LABEL = -1 };
enum { INDEX_FIXED = QN_NAME + 6 * 4, INDEX_LAYER = QN_NAME + 4 * 4, INDEX_IMAGE = 3 * 4 };
static const size_t MAX_FILE = (size_t)1 << 31, MAX_IMAGE_BYTES = (size_t)1 << 30;

static lt_code no_memory(lt_err *err)
{
    return lt_fail(err, LT_EMEM, "expected tensors: out of memory");
}

void lt_expect_free(lt_expect *e)
{
    for (int i = 0; i < e->n_images; i++) lt_buf_free(&e->images[i].stream);
    free(e->images);
    free(e->layers);
    *e = (lt_expect){0};
}

lt_code lt_expect_init(lt_expect *e, const qnet *n, lt_err *err)
{
    *e = (lt_expect){.c = n->tensors[0].c,
                     .h = n->tensors[0].h,
                     .w = n->tensors[0].w,
                     .classes = n->classes,
                     .n_layers = n->n_layers};
    memcpy(e->model, n->name, sizeof e->model);
    e->layers = calloc((size_t)n->n_layers, sizeof *e->layers);
    if (!e->layers) return no_memory(err);
    for (int i = 0; i < n->n_layers; i++) {
        const qtensor *t = &n->tensors[n->layers[i].out];
        lt_expect_layer *l = &e->layers[i];
        *l = (lt_expect_layer){.c = t->c, .h = t->h, .w = t->w, .is_signed = t->is_signed};
        memcpy(l->name, n->layers[i].name, sizeof l->name);
    }
    return LT_OK;
}

/* Bytes of one image with all its outputs. */
static size_t values_size(const lt_expect *e)
{
    size_t n = (size_t)e->c * (size_t)e->h * (size_t)e->w;
    for (int i = 0; i < e->n_layers; i++) n += lt_expect_layer_size(&e->layers[i]);
    return n;
}

static lt_expect_image *append_image(lt_expect *e)
{
    lt_expect_image *p = realloc(e->images, ((size_t)e->n_images + 1) * sizeof *p);
    if (!p) return NULL;
    e->images = p;
    p[e->n_images] = (lt_expect_image){.label = NO_LABEL};
    return &p[e->n_images++];
}

lt_code lt_expect_add(lt_expect *e, const qnet *n, const uint8_t *image, int label, int16_t *const *tensors,
                      lt_err *err)
{
    size_t raw_len = values_size(e), at = qtensor_size(&n->tensors[0]);
    uLongf stored = compressBound((uLong)raw_len);
    uint8_t *raw = malloc(raw_len), *z = malloc(stored);
    lt_expect_image *out = raw && z ? append_image(e) : NULL;
    lt_code rc = LT_OK;

    if (out) {
        memcpy(raw, image, at);
        for (int i = 0; i < n->n_layers; i++) {
            int t = n->layers[i].out;
            size_t count = qtensor_size(&n->tensors[t]);
            for (size_t k = 0; k < count; k++) raw[at + k] = (uint8_t)tensors[t][k];
            at += count;
        }
        out->label = label;
        out->crc = (uint32_t)crc32(0, raw, (uInt)raw_len);
        if (compress2(z, &stored, raw, (uLong)raw_len, Z_DEFAULT_COMPRESSION) == Z_OK)
            lt_buf_add(&out->stream, z, stored);
    }
    if (!out || !lt_buf_ok(&out->stream) || out->stream.len == 0) rc = no_memory(err);
    free(raw);
    free(z);
    return rc;
}

lt_code lt_expect_pack(const lt_expect *e, lt_buf *out, lt_err *err)
{
    lt_buf index = {0};

    lt_buf_add(&index, e->model, sizeof e->model);
    lt_buf_le32(&index, (uint32_t)e->c);
    lt_buf_le32(&index, (uint32_t)e->h);
    lt_buf_le32(&index, (uint32_t)e->w);
    lt_buf_le32(&index, (uint32_t)e->classes);
    lt_buf_le32(&index, (uint32_t)e->n_layers);
    lt_buf_le32(&index, (uint32_t)e->n_images);
    for (int i = 0; i < e->n_layers; i++) {
        const lt_expect_layer *l = &e->layers[i];
        lt_buf_add(&index, l->name, sizeof l->name);
        lt_buf_le32(&index, (uint32_t)l->c);
        lt_buf_le32(&index, (uint32_t)l->h);
        lt_buf_le32(&index, (uint32_t)l->w);
        lt_buf_le32(&index, l->is_signed);
    }
    for (int i = 0; i < e->n_images; i++) {
        lt_buf_le32(&index, (uint32_t)e->images[i].label);
        lt_buf_le32(&index, (uint32_t)e->images[i].stream.len);
        lt_buf_le32(&index, e->images[i].crc);
    }
    lt_buf_puts(out, "LEXP");
    lt_buf_le32(out, VERSION);
    lt_buf_le32(out, (uint32_t)index.len);
    lt_buf_le32(out, (uint32_t)crc32(0, (const Bytef *)index.data, (uInt)index.len));
    lt_buf_add(out, index.data, index.len);
    if (index.failed) out->failed = true;
    lt_buf_free(&index);
    for (int i = 0; i < e->n_images; i++) lt_buf_add(out, e->images[i].stream.data, e->images[i].stream.len);
    return lt_buf_ok(out) ? LT_OK : no_memory(err);
}

lt_code lt_expect_save(const lt_expect *e, const char *path, lt_err *err)
{
    lt_buf b = {0};
    lt_code rc = lt_expect_pack(e, &b, err);
    if (rc == LT_OK) rc = lt_write_file(path, b.data, b.len, err);
    lt_buf_free(&b);
    return rc;
}

/* Walks over the file; reading beyond the end sets `bad` and gives zeros. */
typedef struct {
    const uint8_t *p;
    size_t left;
    bool bad;
} cursor;

static const uint8_t *take(cursor *c, size_t n)
{
    if (n > c->left) {
        c->bad = true;
        return NULL;
    }
    const uint8_t *p = c->p;
    c->p += n;
    c->left -= n;
    return p;
}

static uint32_t take32(cursor *c)
{
    const uint8_t *p = take(c, 4);
    return p ? (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24 : 0;
}

static void take_name(cursor *c, char *name)
{
    const uint8_t *p = take(c, QN_NAME);
    if (p) memcpy(name, p, QN_NAME);
    if (!p || name[QN_NAME - 1] != '\0') c->bad = true;
}

static int take_dim(cursor *c)
{
    uint32_t v = take32(c);
    if (v < 1 || v > MAX_DIM) c->bad = true;
    return (int)v;
}

static lt_code parse_index(cursor *c, const char *name, lt_expect *e, lt_err *err)
{
    take_name(c, e->model);
    e->c = take_dim(c);
    e->h = take_dim(c);
    e->w = take_dim(c);
    e->classes = take_dim(c);
    uint32_t layers = take32(c), images = take32(c);
    if (c->bad || layers < 1 || layers > MAX_LAYERS || images > c->left / INDEX_IMAGE ||
        c->left != layers * (size_t)INDEX_LAYER + images * (size_t)INDEX_IMAGE)
        return lt_fail(err, LT_EINPUT, "%s: expected tensors: impossible sizes in the index", name);
    e->layers = calloc(layers, sizeof *e->layers);
    e->images = calloc(images ? images : 1, sizeof *e->images);
    if (!e->layers || !e->images) return no_memory(err);
    e->n_layers = (int)layers;
    for (uint32_t i = 0; i < layers; i++) {
        lt_expect_layer *l = &e->layers[i];
        take_name(c, l->name);
        l->c = take_dim(c);
        l->h = take_dim(c);
        l->w = take_dim(c);
        l->is_signed = take32(c) != 0;
        if (c->bad || lt_expect_layer_size(l) > MAX_IMAGE_BYTES)
            return lt_fail(err, LT_EINPUT, "%s: expected tensors: impossible layer %u", name, i);
    }
    if (values_size(e) > MAX_IMAGE_BYTES)
        return lt_fail(err, LT_EINPUT, "%s: expected tensors: %zu bytes for one image", name, values_size(e));
    e->n_images = (int)images;
    return LT_OK;
}

lt_code lt_expect_unpack(const void *data, size_t len, const char *name, lt_expect *e, lt_err *err)
{
    cursor c = {data, len, false};
    lt_code rc;

    *e = (lt_expect){0};
    const uint8_t *magic = take(&c, 4);
    if (!magic || memcmp(magic, "LEXP", 4) != 0)
        return lt_fail(err, LT_EINPUT, "%s: not a file of expected tensors", name);
    uint32_t version = take32(&c), index_len = take32(&c), crc = take32(&c);
    if (c.bad || version != VERSION)
        return lt_fail(err, LT_EINPUT, "%s: expected tensors: got version %u, expected %d", name, version, VERSION);
    const uint8_t *at = take(&c, index_len);
    if (!at || index_len < INDEX_FIXED || crc32(0, at, index_len) != crc)
        return lt_fail(err, LT_EINPUT, "%s: expected tensors: damaged index", name);

    cursor index = {at, index_len, false};
    rc = parse_index(&index, name, e, err);
    for (int i = 0; rc == LT_OK && i < e->n_images; i++) {
        lt_expect_image *img = &e->images[i];
        img->label = (int)take32(&index);
        uint32_t stored = take32(&index);
        img->crc = take32(&index);
        const uint8_t *stream = take(&c, stored);
        if (!stream || img->label < NO_LABEL) {
            rc = lt_fail(err, LT_EINPUT, "%s: expected tensors: image %d is cut off or has no sane label", name, i);
            break;
        }
        lt_buf_add(&img->stream, stream, stored);
        if (!lt_buf_ok(&img->stream)) rc = no_memory(err);
    }
    if (rc == LT_OK && c.left != 0)
        rc = lt_fail(err, LT_EINPUT, "%s: expected tensors: %zu bytes too many", name, c.left);
    if (rc != LT_OK) lt_expect_free(e);
    return rc;
}

lt_code lt_expect_load(const char *path, lt_expect *e, lt_err *err)
{
    char *data;
    size_t len;

    *e = (lt_expect){0};
    LT_TRY(lt_read_file(path, MAX_FILE, &data, &len, err));
    lt_code rc = lt_expect_unpack(data, len, path, e, err);
    free(data);
    return rc;
}

lt_code lt_expect_get(const lt_expect *e, int i, lt_expect_values *v, lt_err *err)
{
    *v = (lt_expect_values){0};
    if (i < 0 || i >= e->n_images) return lt_fail(err, LT_EINPUT, "expected tensors: image %d of %d", i, e->n_images);
    const lt_expect_image *img = &e->images[i];
    size_t want = values_size(e), table = (size_t)e->n_layers * sizeof(uint8_t *);
    if (want / 1100 > img->stream.len)
        return lt_fail(err, LT_EINPUT, "expected tensors: image %d: %zu stored bytes cannot hold %zu", i,
                       img->stream.len, want);
    const uint8_t **layers = malloc(table + want);
    if (!layers) return no_memory(err);
    uint8_t *raw = (uint8_t *)layers + table;
    uLongf got = (uLongf)want;
    if (uncompress(raw, &got, (const Bytef *)img->stream.data, (uLong)img->stream.len) != Z_OK || got != want ||
        crc32(0, raw, (uInt)want) != img->crc) {
        free(layers);
        return lt_fail(err, LT_EINPUT, "expected tensors: image %d is damaged", i);
    }
    *v = (lt_expect_values){.image = raw, .layers = layers, .owned = layers};
    raw += (size_t)e->c * (size_t)e->h * (size_t)e->w;
    for (int l = 0; l < e->n_layers; l++) {
        layers[l] = raw;
        raw += lt_expect_layer_size(&e->layers[l]);
    }
    return LT_OK;
}

void lt_expect_values_free(lt_expect_values *v)
{
    free(v->owned);
    *v = (lt_expect_values){0};
}
