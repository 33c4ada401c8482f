#include "golden/mirror.h"

#include <stdlib.h>

#include "base/bits.h"

int qenc_element_bits(int prototypes, int length, int j)
{
    int bits = lt_clog2(prototypes);
    return bits / length + (j < bits % length);
}

int qenc_element_level(int prototypes, int length, int j)
{
    int bits = lt_clog2(prototypes), more = bits % length;
    return j * (bits / length) + (j < more ? j : more);
}

bool qenc_has_elements(int prototypes, int length)
{
    return lt_clog2(prototypes) >= length;
}

int qlayer_tables(const qlayer *l, const qencoder *e)
{
    return e->codebooks * (e->mode == QPQ_SPATIAL ? 1 : l->r * l->s);
}

long qlayer_unmirrored(const qlayer *l, const qencoder *e)
{
    for (int set = 0; set < qlayer_tables(l, e); set++)
        for (int code = 0; code < e->prototypes / 2; code++) {
            long at = ((long)set * e->prototypes + code) * l->k;
            const int8_t *half = l->lut + at, *other = half + (e->prototypes - 1 - 2 * code) * (long)l->k;
            for (int i = 0; i < l->k; i++)
                if (half[i] != -other[i]) return at + i;
        }
    return -1;
}

int8_t *qlut_mirrored(const int8_t *half, int tables, int prototypes, int k)
{
    size_t row = (size_t)k;
    int8_t *q = malloc((size_t)tables * (size_t)prototypes * row);
    for (int t = 0; q && t < tables; t++)
        for (int c = 0; c < prototypes; c++) {
            int from = c < prototypes / 2 ? c : prototypes - 1 - c;
            const int8_t *v = half + (size_t)(t * (prototypes / 2) + from) * row;
            int8_t *to = q + (size_t)(t * prototypes + c) * row;
            for (size_t i = 0; i < row; i++) to[i] = from == c ? v[i] : (int8_t)-v[i];
        }
    return q;
}
