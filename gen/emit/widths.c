#include "emit/widths.h"

#include "config/pq_shape.h"

static int whole_bytes(int bits)
{
    return (bits + 7) / 8 * 8;
}

int lt_target_bits(const lt_config *c, int target)
{
    switch (target) {
    case 0:
        return 8 * c->lanes;
    case 1:
        return c->core == CORE_PQ ? c->pq_codebooks * c->lanes * c->pq_lut_bits : 8 * c->lanes;
    case 2:
        return 64 * c->post_lanes;
    case 3:
        /* encoder words are loaded in slices as wide as a feature-buffer word (lutra_enc_mem.v) */
        return c->core == CORE_PQ ? 8 * c->lanes : 0;
    case 4:
        if (c->core != CORE_PQ) return 0;
        /* where a word holds several values, only values are loaded: four bytes for those of three rows */
        if (c->pq_mode == QPQ_CHANNEL && lt_pq_word_values(c) > 1) return 32 * lt_pq_word_values(c);
        return 3 * whole_bytes(lt_pq_code_word_bits(c));
    default:
        return 0;
    }
}
