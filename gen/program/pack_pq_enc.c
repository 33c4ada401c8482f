/* Encoder words of the pq core: see lutra_enc_tree.v and lutra_enc_dist.v. */
#include "program/pack_pq.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "golden/mirror.h"

static int slices_of(const lt_config *c, int bits)
{
    return (bits + 8 * c->lanes - 1) / (8 * c->lanes);
}

static int dim_bits(const lt_config *c)
{
    return c->pq_length > 1 ? lt_clog2(c->pq_length) : 1;
}

/* Element that tree level l compares, where each is compared alone, and the level in its own tree. */
static int element_at(const lt_config *c, int l, int *depth)
{
    int j = 0;
    while (j + 1 < c->pq_length && qenc_element_level(c->pq_prototypes, c->pq_length, j + 1) <= l) j++;
    *depth = l - qenc_element_level(c->pq_prototypes, c->pq_length, j);
    return j;
}

/* Thresholds of tree level l. */
static int nodes_at(const lt_config *c, int l)
{
    int depth = l;
    if (lt_pq_alone(c)) element_at(c, l, &depth);
    return 1 << depth;
}

/* Slices of a row of the encoder memory. */
static int row_slices(const lt_config *c)
{
    int units = c->pq_codebooks, levels = lt_clog2(c->pq_prototypes), n;

    if (c->pq_encoder != QENC_TREE)
        return slices_of(c, units * (c->pq_prototypes / c->pq_enc_cycles) * c->pq_length * c->pq_enc_bits);
    n = lt_pq_alone(c) ? 0 : slices_of(c, units * levels * dim_bits(c));
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
    int rows = row_words(c) * c->pq_enc_cycles, stride = 1 << lt_clog2(row_slices(c));
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

/* Threshold number i of tree level l of codebook cb, over the configuration's levels. An encoder of fewer prototypes
 * has none for an element's last levels: their bits of the code count for nothing. */
static int threshold(const lt_config *c, const qencoder *e, int cb, int l, int i)
{
    const int none = 1 << c->pq_enc_bits; /* code 0 */
    int level = l, depth;

    if (cb >= e->codebooks) return none;
    if (lt_pq_alone(c)) {
        int j = element_at(c, l, &depth);
        if (depth >= qenc_element_bits(e->prototypes, e->length, j)) return none;
        level = qenc_element_level(e->prototypes, e->length, j) + depth;
    }
    return e->thresh[cb * (e->prototypes - 1) + (1 << level) - 1 + i];
}

static void tree_row(const lt_config *c, const qencoder *e, bool is_signed, int cb0, field *f, lt_buf *words)
{
    int levels = lt_clog2(c->pq_prototypes), units = c->pq_codebooks;

    for (int u = 0; u < units && !lt_pq_alone(c); u++)
        for (int l = 0; l < levels; l++)
            put(f, cb0 + u < e->codebooks ? e->dim[(cb0 + u) * levels + l] : 0, dim_bits(c));
    end_field(c, f, words);
    for (int l = 0; l < levels; l++) {
        for (int u = 0; u < units; u++)
            for (int i = 0; i < nodes_at(c, l); i++) {
                int t = threshold(c, e, cb0 + u, l, i);
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
