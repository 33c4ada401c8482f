#include "program/builder.h"

#include <stdlib.h>
#include <string.h>

#include "golden/load_word.h"

uint32_t *add_desc(builder *b, lt_opcode opcode)
{
    lt_program *p = b->p;
    if (p->n_desc == b->cap_desc) {
        int cap = b->cap_desc ? 2 * b->cap_desc : 64;
        void *grown = realloc(p->desc, (size_t)cap * sizeof *p->desc);
        if (!grown) {
            lt_fail(b->err, LT_EMEM, "out of memory");
            return b->lost; /* reported at the end of the layer */
        }
        p->desc = grown;
        b->cap_desc = cap;
    }
    uint32_t *d = p->desc[p->n_desc++];
    memset(d, 0, sizeof *p->desc);
    set_field(b, d, LT_D_OPCODE, opcode);
    return d;
}

uint32_t *add_op(builder *b, const uint32_t op[16])
{
    uint32_t *d = add_desc(b, (lt_opcode)lt_desc_get(op, LT_D_OPCODE));
    memcpy(d, op, 16 * sizeof *op);
    return d;
}

void set_field(builder *b, uint32_t *d, lt_dfield field, int64_t v)
{
    if (!lt_desc_put(d, field, v) && b->err->code == LT_OK)
        lt_fail(b->err, LT_EINPUT, "layer %s: %s = %lld does not fit its descriptor field",
                b->net->layers[b->layer].name, lt_desc_fields[field].name, (long long)v);
}

/* FNV-1a */
static uint64_t hash_of(const uint8_t *data, size_t len)
{
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < len; i++) h = (h ^ data[i]) * 1099511628211u;
    return h;
}

/* The same bytes in the blob already: their offset, or -1, and then they are remembered as lying at the blob's end. */
static int64_t find_part(builder *b, const void *data, size_t len)
{
    const lt_buf *blob = &b->p->image.blob;
    uint64_t hash = hash_of(data, len);

    for (int i = 0; i < b->n_parts; i++) {
        const blob_part *p = &b->parts[i];
        if (p->hash == hash && p->len == len && memcmp(blob->data + p->at, data, len) == 0) return p->at;
    }
    if (b->n_parts == b->cap_parts) {
        int cap = b->cap_parts ? 2 * b->cap_parts : 64;
        blob_part *grown = realloc(b->parts, (size_t)cap * sizeof *grown);
        if (!grown) return -1; /* it is only larger */
        b->parts = grown;
        b->cap_parts = cap;
    }
    b->parts[b->n_parts++] = (blob_part){hash, (uint32_t)blob->len, (uint32_t)len};
    return -1;
}

uint32_t add_blob(builder *b, const void *data, size_t len)
{
    lt_buf_align(&b->p->image.blob, (size_t)b->cfg->bus_bits / 8);
    if (b->batch > 1 && lt_buf_ok(&b->p->image.blob)) { /* images use the same tables */
        int64_t found = find_part(b, data, len);
        if (found >= 0) return (uint32_t)found;
    }
    uint32_t at = (uint32_t)b->p->image.blob.len;
    lt_buf_add(&b->p->image.blob, data, len);
    if (b->p->image.blob.len > UINT32_MAX / 2 && b->err->code == LT_OK)
        lt_fail(b->err, LT_EINPUT, "the program image exceeds 2 GiB");
    return at;
}

int pow2_at_least(int n)
{
    int p = 1;
    while (p < n) p *= 2;
    return p;
}

int word_bytes(const builder *b)
{
    return pow2_at_least(b->cfg->lanes);
}

uint32_t dram_layout(const builder *b, lutra_tensor *d, lutra_base base, uint32_t offset, const qtensor *t)
{
    uint32_t bytes = lt_image_fb_layout(d, base, offset, t->c, t->h, t->w, b->cfg->lanes, b->cfg->bus_bits / 8);
    d->bits = (uint32_t)t->bits;
    d->is_signed = t->is_signed;
    return bytes;
}

void set_target_bytes(builder *b)
{
    for (int t = 0; t < LT_LOAD_TARGETS; t++) b->target_bytes[t] = lt_load_word_bytes(b->cfg, t);
}

uint32_t peak_macs(const lt_config *c, const qlayer *l)
{
    enum { TAPS = 9 };
    int lanes = c->lanes, n = c->pq_codebooks;

    if (c->core != CORE_PQ) return (uint32_t)(lanes * lanes);
    if (l->encoder >= 0) return (uint32_t)(lanes * (c->pq_mode == QPQ_SPATIAL ? n * TAPS : TAPS * n * c->pq_length));
    return (uint32_t)(lanes * (c->pq_mode == QPQ_SPATIAL ? n * c->pq_lut_bits / 8 : TAPS));
}
