/* Encoder words of the pq core: see lutra_enc_tree.v and lutra_enc_dist.v. */
#include "program/pack_pq.h"

#include <stdlib.h>
#include <string.h>

static int log2_of(int n)
{
    int l = 0;
    while (1 << l < n) l++;
    return l;
}

static int slices_of(const lt_config *c, int bits)
{
    return (bits + 8 * c->lanes - 1) / (8 * c->lanes);
}

static int dim_bits(const lt_config *c)
{
    return c->pq_length > 1 ? log2_of(c->pq_length) : 1;
}

int lt_pq_element_bits(const lt_config *c)
{
    int levels = log2_of(c->pq_prototypes);
    bool able = c->pq_mirror && c->pq_encoder == QENC_TREE && c->pq_mode == QPQ_CHANNEL && levels % c->pq_length == 0;
    return able ? levels / c->pq_length : 0;
}

/* Thresholds of tree level l. */
static int nodes_at(const lt_config *c, int l)
{
    int bits = lt_pq_element_bits(c);
    return 1 << (bits ? l % bits : l);
}

/* Slices of a row of the encoder memory. */
static int row_slices(const lt_config *c)
{
    int units = c->pq_codebooks, levels = log2_of(c->pq_prototypes), n;

    if (c->pq_encoder != QENC_TREE)
        return slices_of(c, units * (c->pq_prototypes / c->pq_enc_cycles) * c->pq_length * c->pq_enc_bits);
    n = lt_pq_element_bits(c) ? 0 : slices_of(c, units * levels * dim_bits(c));
    for (int l = 0; l < levels; l++) n += slices_of(c, units * nodes_at(c, l) * (c->pq_enc_bits + 1));
    return n;
}

static int row_words(const lt_config *c)
{
    return c->pq_mode == QPQ_SPATIAL ? 1 : c->lanes / (c->pq_length * c->pq_codebooks);
}

int lt_pq_enc_words(const lt_config *c)
{
    return c->pq_mode == QPQ_SPATIAL ? 2 * c->pq_chunks : 2;
}

lt_pq_load lt_pq_enc_load(const lt_config *c, int word)
{
    int rows = row_words(c) * c->pq_enc_cycles, stride = 1 << log2_of(row_slices(c));
    return (lt_pq_load){word * rows * stride, row_slices(c), rows, stride};
}

/* Bits of one field, written slice by slice. */
typedef struct {
    uint8_t *bits; /* one per byte */
    int n;
} field;

static void put(field *f, unsigned v, int bits)
{
    for (int i = 0; i < bits; i++) f->bits[f->n++] = v >> i & 1;
}

static void end_field(const lt_config *c, field *f, lt_buf *words)
{
    int slice = 8 * c->lanes, total = slices_of(c, f->n) * slice;
    memset(f->bits + f->n, 0, (size_t)(total - f->n));
    for (int i = 0; i < total; i += 8) {
        unsigned byte = 0;
        for (int b = 0; b < 8; b++) byte |= (unsigned)f->bits[i + b] << b;
        lt_buf_u8(words, byte);
    }
    f->n = 0;
}

/* Values are compared in offset binary: signed ones are raised by half their range. */
static unsigned offset(const lt_config *c, bool is_signed, int v, int max)
{
    v += is_signed ? 1 << (c->pq_enc_bits - 1) : 0;
    return (unsigned)(v < 0 ? 0 : v > max ? max : v);
}

static void tree_row(const lt_config *c, const qencoder *e, bool is_signed, int cb0, field *f, lt_buf *words)
{
    int levels = log2_of(c->pq_prototypes), units = c->pq_codebooks;

    for (int u = 0; u < units && !lt_pq_element_bits(c); u++)
        for (int l = 0; l < levels; l++)
            put(f, cb0 + u < e->codebooks ? e->dim[(cb0 + u) * levels + l] : 0, dim_bits(c));
    end_field(c, f, words);
    for (int l = 0; l < levels; l++) {
        for (int u = 0; u < units; u++)
            for (int i = 0; i < nodes_at(c, l); i++) {
                int node = (cb0 + u) * (c->pq_prototypes - 1) + (1 << l) - 1 + i;
                int t = cb0 + u < e->codebooks ? e->thresh[node] : 1 << c->pq_enc_bits; /* none: code 0 */
                put(f, offset(c, is_signed, t, 1 << c->pq_enc_bits), c->pq_enc_bits + 1);
            }
        end_field(c, f, words);
    }
}

static void prototype_row(const lt_config *c, const qencoder *e, bool is_signed, int cb0, int cycle, field *f,
                          lt_buf *words)
{
    int per = c->pq_prototypes / c->pq_enc_cycles, len = c->pq_length;

    for (int u = 0; u < c->pq_codebooks; u++)
        for (int k = cycle * per; k < (cycle + 1) * per; k++)
            for (int i = 0; i < len; i++) {
                size_t at = ((size_t)(cb0 + u) * (size_t)c->pq_prototypes + (size_t)k) * (size_t)len + (size_t)i;
                put(f, cb0 + u < e->codebooks ? offset(c, is_signed, e->proto[at], (1 << c->pq_enc_bits) - 1) : 0,
                    c->pq_enc_bits);
            }
    end_field(c, f, words);
}

void lt_pack_pq_encoder(const lt_config *c, const qencoder *e, bool is_signed, int i, lt_buf *words)
{
    int per_word = c->pq_codebooks * row_words(c);
    field f = {malloc((size_t)(row_slices(c) + 1) * 8u * (size_t)c->lanes), 0};

    if (!f.bits) {
        words->failed = true;
        return;
    }
    for (int w = 0; w < row_words(c); w++) {
        int cb0 = i * per_word + w * c->pq_codebooks;
        if (c->pq_encoder == QENC_TREE)
            tree_row(c, e, is_signed, cb0, &f, words);
        else
            for (int cycle = 0; cycle < c->pq_enc_cycles; cycle++)
                prototype_row(c, e, is_signed, cb0, cycle, &f, words);
    }
    free(f.bits);
}
