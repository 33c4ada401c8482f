#include "config/pq_shape.h"

#include "base/bits.h"
#include "golden/mirror.h"

int lt_pq_code_word_bits(const lt_config *c)
{
    int codes = c->pq_codebooks * lt_clog2(c->pq_prototypes);
    if (c->pq_mode == QPQ_SPATIAL) return 8 * c->lanes;
    return codes > 8 ? codes : 8;
}

int lt_pq_word_values(const lt_config *c)
{
    int n = 1;
    if (c->pq_mode == QPQ_SPATIAL) return c->lanes;
    while (16 * n <= lt_pq_code_word_bits(c) && c->lanes % (2 * n) == 0) n *= 2;
    return n;
}

bool lt_pq_alone(const lt_config *c)
{
    return c->pq_mirror && c->pq_encoder == QENC_TREE && c->pq_mode == QPQ_CHANNEL &&
           qenc_has_elements(c->pq_prototypes, c->pq_length);
}
