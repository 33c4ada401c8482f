#include "emit/widths.h"

static int log2_up(int n)
{
    int l = 0;
    while (1 << l < n) l++;
    return l;
}

static int whole_bytes(int bits)
{
    return (bits + 7) / 8 * 8;
}

int lt_target_bits(const lt_config *c, int target)
{
    int code_word;

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
        if (c->pq_mode == QPQ_SPATIAL) return 3 * 8 * c->lanes;
        /* room for one value even if the codes are shorter */
        code_word = c->pq_codebooks * log2_up(c->pq_prototypes);
        return 3 * whole_bytes(code_word < 8 ? 8 : code_word);
    default:
        return 0;
    }
}
