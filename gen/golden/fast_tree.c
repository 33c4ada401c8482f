/* Trees in which what one element decides does not depend on the others, as those of mirrored tables. */
#include <stdlib.h>

#include "base/bits.h"
#include "golden/fast_internal.h"

/* Do all nodes of a level that differ only in what other elements decided have the same threshold? */
static bool separable(const qencoder *e, int cb)
{
    int depth = lt_clog2(e->prototypes);
    const uint16_t *dim = e->dim + (size_t)cb * (size_t)depth;
    const int16_t *thresh = e->thresh + (size_t)cb * (size_t)(e->prototypes - 1);

    for (int level = 0; level < depth; level++) {
        int first = (1 << level) - 1, own = 0;
        for (int m = 0; m < level; m++) own = 2 * own + (dim[m] == dim[level]);
        for (int path = 0; path <= first; path++)
            if (thresh[first + path] != thresh[first + (path & own)]) return false;
    }
    return true;
}

/* The bits of the code that element j decides if its byte is `value`. */
static int part(const qencoder *e, int cb, int j, int value)
{
    int depth = lt_clog2(e->prototypes), code = 0;
    const uint16_t *dim = e->dim + (size_t)cb * (size_t)depth;
    const int16_t *thresh = e->thresh + (size_t)cb * (size_t)(e->prototypes - 1);

    for (int level = 0; level < depth; level++) {
        int node = (1 << level) - 1 + (code >> (depth - level));
        if (dim[level] == j && value >> (8 - e->enc_bits) >= thresh[node]) code |= 1 << (depth - 1 - level);
    }
    return code;
}

bool fast_tree_parts(const qencoder *e, bool is_signed, uint8_t **parts)
{
    size_t n = (size_t)e->codebooks * (size_t)e->length;

    *parts = NULL;
    for (int cb = 0; cb < e->codebooks; cb++)
        if (!separable(e, cb)) return true;
    *parts = malloc(n * 256);
    for (size_t i = 0; *parts && i < n; i++)
        for (int v = 0; v < 256; v++)
            (*parts)[i * 256 + (size_t)v] =
                (uint8_t)part(e, (int)i / e->length, (int)i % e->length, is_signed ? (int8_t)v : v);
    return *parts != NULL;
}
