#include "model/qnet_file.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/bits.h"
#include "base/file.h"
#include "golden/mirror.h"
#include "model/quantize.h"

enum { VERSION = 1, N_SECTIONS = 6, HEADER = 16, SECTION_HEADER = 12 };
enum { HALF = 256 }; /* added to a layer's lut_bits: of its mirrored tables only the lower halves are in the file */
static const char tags[N_SECTIONS][5] = {"NETW", "TENS", "ENCO", "LAYR", "BLOB", "TABL"};
static const size_t MAX_FILE = (size_t)1 << 29;    /* packed */
static const size_t MAX_SECTION = (size_t)1 << 29; /* unpacked */

/* Element counts of arrays whose sizes follow from other fields. */
static size_t weight_count(const qnet *n, const qlayer *l)
{
    return (size_t)l->k * (size_t)(n->tensors[l->in].c / l->groups) * (size_t)l->r * (size_t)l->s;
}

/* Saturates: the factors may come from a hostile file. */
static size_t mul(size_t a, size_t b)
{
    return b && a > SIZE_MAX / b ? SIZE_MAX : a * b;
}

static size_t lut_count(const qnet *n, const qlayer *l)
{
    const qencoder *e = &n->encoders[l->encoder];
    size_t taps = e->mode == QPQ_CHANNEL ? (size_t)l->r * (size_t)l->s : 1;
    return mul(mul((size_t)e->codebooks * (size_t)e->prototypes, taps), (size_t)l->k);
}

static bool is_mirrored(const qnet *n, const qlayer *l)
{
    return l->encoder >= 0 && n->encoders[l->encoder].prototypes % 2 == 0 &&
           qlayer_unmirrored(l, &n->encoders[l->encoder]) < 0;
}

/* ---- writing ---- */

static void put(lt_buf *b, int v)
{
    lt_buf_le32(b, (uint32_t)v);
}

static void put_double(lt_buf *b, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    lt_buf_le64(b, bits);
}

static void put_name(lt_buf *b, const char *name)
{
    char field[QN_NAME] = {0}; /* no left-over bytes behind the end */
    memcpy(field, name, strnlen(name, sizeof field - 1));
    lt_buf_add(b, field, sizeof field);
}

static void put_tensors(const qnet *n, lt_buf *b)
{
    for (int i = 0; i < n->n_tensors; i++) {
        const qtensor *t = &n->tensors[i];
        put_name(b, t->name);
        put(b, t->c);
        put(b, t->h);
        put(b, t->w);
        put(b, t->bits);
        put(b, t->is_signed);
        put_double(b, t->scale);
    }
}

static void put_encoders(const qnet *n, lt_buf *b)
{
    for (int i = 0; i < n->n_encoders; i++) {
        const qencoder *e = &n->encoders[i];
        size_t cb = (size_t)e->codebooks, k = (size_t)e->prototypes;
        const int fields[] = {e->mode, e->encoder, e->prototypes, e->length, e->codebooks, e->enc_bits, e->r, e->s};
        for (size_t f = 0; f < sizeof fields / sizeof *fields; f++) put(b, fields[f]);
        if (e->encoder == QENC_TREE) {
            for (size_t j = 0; j < cb * (size_t)lt_clog2(e->prototypes); j++) lt_buf_le16(b, e->dim[j]);
            for (size_t j = 0; j < cb * (k - 1); j++) lt_buf_le16(b, (uint16_t)e->thresh[j]);
        } else {
            for (size_t j = 0; j < cb * k * (size_t)e->length; j++) lt_buf_le16(b, (uint16_t)e->proto[j]);
        }
    }
}

static void put_layers(const qnet *n, lt_buf *b)
{
    for (int i = 0; i < n->n_layers; i++) {
        const qlayer *l = &n->layers[i];
        int lut_bits = l->lut_bits + (is_mirrored(n, l) ? HALF : 0);
        const int fields[] = {l->op,    l->in,    l->out,      l->res,    l->res_step, l->res_c_off,
                              l->k,     l->r,     l->s,        l->stride, l->dilation, l->groups,
                              l->pad_t, l->pad_l, l->pad_b,    l->pad_r,  l->w_bits,   l->encoder,
                              lut_bits, l->shift, l->res_mult, l->lo,     l->hi};
        put_name(b, l->name);
        for (size_t f = 0; f < sizeof fields / sizeof *fields; f++) put(b, fields[f]);
        for (int k = 0; k < l->k; k++) put(b, l->bias[k]);
        for (int k = 0; k < l->k; k++) lt_buf_le16(b, l->mult[k]);
    }
}

static void put_lut(const qnet *n, const qlayer *l, lt_buf *b)
{
    const qencoder *e = &n->encoders[l->encoder];
    size_t table = (size_t)e->prototypes * (size_t)l->k, part = is_mirrored(n, l) ? table / 2 : table;
    for (int t = 0; t < qlayer_tables(l, e); t++) lt_buf_add(b, l->lut + (size_t)t * table, part);
}

static void put_blobs(const qnet *n, lt_buf *b)
{
    for (int i = 0; i < n->n_layers; i++) {
        const qlayer *l = &n->layers[i];
        if (l->op != QOP_CONV) continue;
        if (l->encoder < 0)
            lt_buf_add(b, l->w, weight_count(n, l));
        else
            put_lut(n, l, b);
    }
}

static lt_code put_section(lt_buf *out, const char *tag, lt_buf *body, lt_err *err)
{
    uLongf packed = compressBound(body->len);
    unsigned char *z = malloc(packed);
    lt_code rc = LT_OK;

    if (!lt_buf_ok(body) || !z ||
        compress2(z, &packed, (const Bytef *)(body->data ? body->data : ""), body->len, 9) != Z_OK)
        rc = lt_fail(err, LT_EMEM, "out of memory for section %s", tag);
    else if (packed > MAX_SECTION || body->len > MAX_SECTION)
        rc = lt_fail(err, LT_EINPUT, "section %s of %zu bytes is over the limit of %zu", tag, body->len, MAX_SECTION);
    if (rc == LT_OK) {
        lt_buf_add(out, tag, 4);
        lt_buf_le32(out, (uint32_t)packed);
        lt_buf_le32(out, (uint32_t)body->len);
        lt_buf_add(out, z, packed);
    }
    free(z);
    lt_buf_free(body);
    return rc;
}

static void put_net(const qnet *n, lt_buf *b)
{
    put_name(b, n->name);
    put(b, n->n_tensors);
    put(b, n->n_layers);
    put(b, n->n_encoders);
    put(b, n->classes);
}

lt_code lt_qnet_pack(const qnet *n, lt_buf *out, lt_err *err)
{
    lt_buf body = {0};
    lt_code rc = LT_OK;

    for (int i = 0; i < N_SECTIONS && rc == LT_OK; i++) {
        switch (i) {
        case 0:
            put_net(n, &body);
            break;
        case 1:
            put_tensors(n, &body);
            break;
        case 2:
            put_encoders(n, &body);
            break;
        case 3:
            put_layers(n, &body);
            break;
        case 4:
            put_blobs(n, &body);
            break;
        default:
            lt_buf_add(&body, n->input_table, (size_t)n->tensors[0].c * 256);
            break;
        }
        if (i == 0) { /* header, with the checksum filled in at the end */
            lt_buf_add(out, LT_LQN_MAGIC, 4);
            lt_buf_le16(out, VERSION);
            lt_buf_le16(out, N_SECTIONS);
            lt_buf_le64(out, 0);
        }
        rc = put_section(out, tags[i], &body, err);
    }
    lt_buf_free(&body);
    if (rc != LT_OK) return rc;
    if (!lt_buf_ok(out)) return lt_fail(err, LT_EMEM, "%s: out of memory", n->name);
    uint32_t crc = (uint32_t)crc32(0, (const Bytef *)out->data + HEADER, (uInt)(out->len - HEADER));
    for (int i = 0; i < 4; i++) out->data[8 + i] = (char)(crc >> (8 * i));
    return LT_OK;
}

lt_code lt_qnet_save(const qnet *n, const char *path, lt_err *err)
{
    lt_buf b = {0};
    lt_code rc = lt_qnet_pack(n, &b, err);
    if (rc == LT_OK) rc = lt_write_file(path, b.data, b.len, err);
    lt_buf_free(&b);
    return rc;
}

/* ---- reading ---- */

typedef struct {
    const char *name;
    const unsigned char *p;
    size_t len, at;
    bool overrun; /* sticky: a read went past the end and gave zeros */
    lt_err *err;
} reader;

static const unsigned char *take(reader *r, size_t n)
{
    if (n > r->len - r->at) {
        r->overrun = true;
        return NULL;
    }
    r->at += n;
    return r->p + r->at - n;
}

static uint64_t get_le(reader *r, int bytes)
{
    const unsigned char *p = take(r, (size_t)bytes);
    uint64_t v = 0;
    for (int i = 0; p && i < bytes; i++) v |= (uint64_t)p[i] << (8 * i);
    return v;
}

static int get(reader *r)
{
    return (int)(int32_t)get_le(r, 4);
}

static void get_name(reader *r, char *name)
{
    const unsigned char *p = take(r, QN_NAME);
    if (p) memcpy(name, p, QN_NAME);
    name[QN_NAME - 1] = '\0';
    for (char *c = name; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = '?'; /* names end up on terminals */
}

static lt_code corrupt(const reader *r, const char *what)
{
    return lt_fail(r->err, LT_EINPUT, "%s: damaged .lqn file: %s", r->name, what);
}

/* An array that the rest of the section must be able to hold, so that no size is believed before it is covered. */
static lt_code get_array(reader *r, size_t count, size_t bytes, void **out)
{
    if (count > r->len / bytes || count * bytes > r->len - r->at)
        return corrupt(r, "an array is longer than its section");
    *out = malloc(count * bytes + 1);
    return *out ? LT_OK : lt_fail(r->err, LT_EMEM, "%s: out of memory", r->name);
}

static lt_code get_shorts(reader *r, size_t count, int16_t **out)
{
    void *p;
    LT_TRY(get_array(r, count, 2, &p));
    *out = p;
    for (size_t i = 0; i < count; i++) (*out)[i] = (int16_t)get_le(r, 2);
    return LT_OK;
}

static lt_code get_net(reader *r, qnet *n)
{
    get_name(r, n->name);
    int tensors = get(r), layers = get(r), encoders = get(r);
    n->classes = get(r);
    if (r->overrun || tensors < 2 || tensors > LT_MAX_NODES || layers < 1 || layers > LT_MAX_NODES || encoders < 0 ||
        encoders > LT_MAX_NODES)
        return corrupt(r, "impossible numbers of tensors, layers or encoders");
    n->tensors = calloc((size_t)tensors, sizeof *n->tensors);
    n->layers = calloc((size_t)layers, sizeof *n->layers);
    n->encoders = calloc((size_t)encoders + 1, sizeof *n->encoders);
    if (!n->tensors || !n->layers || !n->encoders) return lt_fail(r->err, LT_EMEM, "%s: out of memory", r->name);
    n->n_tensors = tensors;
    n->n_layers = layers;
    n->n_encoders = encoders;
    return LT_OK;
}

static lt_code get_tensors(reader *r, qnet *n)
{
    for (int i = 0; i < n->n_tensors; i++) {
        qtensor *t = &n->tensors[i];
        get_name(r, t->name);
        t->c = get(r);
        t->h = get(r);
        t->w = get(r);
        t->bits = get(r);
        t->is_signed = get(r) != 0;
        uint64_t bits = get_le(r, 8);
        memcpy(&t->scale, &bits, sizeof bits);
    }
    return LT_OK;
}

static lt_code get_encoders(reader *r, qnet *n)
{
    for (int i = 0; i < n->n_encoders; i++) {
        qencoder *e = &n->encoders[i];
        int mode = get(r), kind = get(r);
        e->prototypes = get(r);
        e->length = get(r);
        e->codebooks = get(r);
        e->enc_bits = get(r);
        e->r = get(r);
        e->s = get(r);
        if (mode < 0 || mode > QPQ_SPATIAL || kind < 0 || kind > QENC_TREE || e->prototypes < 2 ||
            e->prototypes > 256 || e->length < 1 || e->length > LT_MAX_CHANNELS || e->codebooks < 1 ||
            e->codebooks > LT_MAX_CHANNELS)
            return corrupt(r, "an encoder has impossible sizes");
        e->mode = (qpq_mode)mode;
        e->encoder = (qpq_encoder)kind;
        size_t cb = (size_t)e->codebooks, k = (size_t)e->prototypes;
        if (e->encoder == QENC_TREE) {
            int16_t *dim = NULL;
            LT_TRY(get_shorts(r, cb * (size_t)lt_clog2(e->prototypes), &dim));
            e->dim = (uint16_t *)dim;
            LT_TRY(get_shorts(r, cb * (k - 1), &e->thresh));
        } else {
            LT_TRY(get_shorts(r, cb * k * (size_t)e->length, &e->proto));
        }
    }
    return LT_OK;
}

static lt_code get_layers(reader *r, qnet *n)
{
    for (int i = 0; i < n->n_layers; i++) {
        qlayer *l = &n->layers[i];
        int op;
        int *const fields[] = {&op,          &l->in,    &l->out,      &l->res,    &l->res_step, &l->res_c_off,
                               &l->k,        &l->r,     &l->s,        &l->stride, &l->dilation, &l->groups,
                               &l->pad_t,    &l->pad_l, &l->pad_b,    &l->pad_r,  &l->w_bits,   &l->encoder,
                               &l->lut_bits, &l->shift, &l->res_mult, &l->lo,     &l->hi};
        get_name(r, l->name);
        for (size_t f = 0; f < sizeof fields / sizeof *fields; f++) *fields[f] = get(r);
        if (op < 0 || op > QOP_ADD || l->in < 0 || l->in >= n->n_tensors || l->k < 1 || l->k > LT_MAX_CHANNELS ||
            l->groups < 1 || l->r < 1 || l->r > LT_MAX_SIDE || l->s < 1 || l->s > LT_MAX_SIDE || l->encoder < -1 ||
            l->encoder >= n->n_encoders)
            return corrupt(r, "a layer has impossible sizes");
        l->op = (qop)op;
        void *p;
        LT_TRY(get_array(r, (size_t)l->k, 4, &p));
        l->bias = p;
        for (int k = 0; k < l->k; k++) l->bias[k] = get(r);
        int16_t *mult = NULL;
        LT_TRY(get_shorts(r, (size_t)l->k, &mult));
        l->mult = (uint16_t *)mult;
    }
    return LT_OK;
}

static lt_code get_bytes(reader *r, size_t count, int8_t **out)
{
    void *p;
    LT_TRY(get_array(r, count, 1, &p));
    *out = p;
    const unsigned char *from = take(r, count);
    if (from) memcpy(*out, from, count);
    return LT_OK;
}

static lt_code get_lut(reader *r, const qnet *n, qlayer *l)
{
    const qencoder *e = &n->encoders[l->encoder];
    int8_t *half;

    if (!(l->lut_bits & HALF)) return get_bytes(r, lut_count(n, l), &l->lut);
    l->lut_bits -= HALF;
    if (e->prototypes % 2) return corrupt(r, "mirrored tables of an odd number of prototypes");
    LT_TRY(get_bytes(r, lut_count(n, l) / 2, &half));
    l->lut = qlut_mirrored(half, qlayer_tables(l, e), e->prototypes, l->k);
    free(half);
    return l->lut ? LT_OK : lt_fail(r->err, LT_EMEM, "%s: out of memory", r->name);
}

static lt_code get_blobs(reader *r, qnet *n)
{
    for (int i = 0; i < n->n_layers; i++) {
        qlayer *l = &n->layers[i];
        if (l->op != QOP_CONV) continue;
        int c = n->tensors[l->in].c;
        if (c < 1 || c > LT_MAX_CHANNELS || c % l->groups)
            return corrupt(r, "a layer's channels do not fit its groups");
        if (l->encoder < 0)
            LT_TRY(get_bytes(r, weight_count(n, l), &l->w));
        else
            LT_TRY(get_lut(r, n, l));
    }
    return LT_OK;
}

static lt_code get_table(reader *r, qnet *n)
{
    int c = n->tensors[0].c;
    if (c < 1 || c > LT_MAX_INPUT_CHANNELS) return corrupt(r, "impossible number of input channels");
    return get_bytes(r, (size_t)c * 256, &n->input_table);
}

static lt_code get_section(reader *file, int number, qnet *n)
{
    static lt_code (*const parse[N_SECTIONS])(reader *, qnet *) = {get_net,    get_tensors, get_encoders,
                                                                   get_layers, get_blobs,   get_table};
    const unsigned char *tag = take(file, 4);
    size_t packed = get_le(file, 4), unpacked = get_le(file, 4);
    const unsigned char *z = file->overrun ? NULL : take(file, packed);

    if (file->overrun || memcmp(tag, tags[number], 4) != 0) return corrupt(file, "a section is missing or cut off");
    /* zlib expands at most about 1032 times: a bigger claim is a lie, and no memory is given to it */
    if (unpacked > MAX_SECTION || unpacked / 1040 > packed) return corrupt(file, "a section claims an impossible size");
    unsigned char *body = malloc(unpacked + 1);
    if (!body) return lt_fail(file->err, LT_EMEM, "%s: out of memory", file->name);
    uLongf got = unpacked;
    reader r = {file->name, body, unpacked, 0, false, file->err};
    lt_code rc;
    if (uncompress(body, &got, z, packed) != Z_OK || got != unpacked)
        rc = corrupt(file, "a section does not unpack");
    else
        rc = parse[number](&r, n);
    if (rc == LT_OK && (r.overrun || r.at != r.len)) rc = corrupt(file, "a section has the wrong length");
    free(body);
    return rc;
}

lt_code lt_qnet_unpack(const void *data, size_t len, const char *name, qnet *n, lt_err *err)
{
    reader r = {name, data, len, 0, false, err};

    *n = (qnet){0};
    const unsigned char *magic = take(&r, 4);
    if (!magic || memcmp(magic, LT_LQN_MAGIC, 4) != 0)
        return lt_fail(err, LT_EINPUT, "%s: not an integer network: expected the magic %s", name, LT_LQN_MAGIC);
    int version = (int)get_le(&r, 2), sections = (int)get_le(&r, 2);
    uint32_t crc = (uint32_t)get_le(&r, 4), zero = (uint32_t)get_le(&r, 4);
    if (r.overrun) return corrupt(&r, "cut off in the header");
    if (version != VERSION) return lt_fail(err, LT_EINPUT, "%s: .lqn version %d, expected %d", name, version, VERSION);
    if (sections != N_SECTIONS || zero) return corrupt(&r, "wrong header");
    if (len > MAX_FILE || crc32(0, (const Bytef *)data + HEADER, (uInt)(len - HEADER)) != crc)
        return corrupt(&r, "checksum mismatch");
    lt_code rc = LT_OK;
    for (int i = 0; i < N_SECTIONS && rc == LT_OK; i++) rc = get_section(&r, i, n);
    if (rc == LT_OK && r.at != r.len) rc = corrupt(&r, "bytes behind the last section");
    if (rc == LT_OK && lt_quant_check(n, 0, err) != LT_OK) rc = lt_wrap(err, "%s", name);
    if (rc != LT_OK) qnet_free(n);
    return rc;
}

lt_code lt_qnet_load(const char *path, qnet *n, lt_err *err)
{
    char *data;
    size_t len;

    *n = (qnet){0};
    LT_TRY(lt_read_file(path, MAX_FILE, &data, &len, err));
    lt_code rc = lt_qnet_unpack(data, len, path, n, err);
    free(data);
    return rc;
}
