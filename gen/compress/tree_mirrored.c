#include <math.h>
#include <stdlib.h>

#include "compress/tree.h"
#include "golden/mirror.h"

bool lt_tree_can_mirror(int prototypes, int length)
{
    return qenc_has_elements(prototypes, length) && prototypes <= LT_TREE_MAX_VALUES;
}

int lt_tree_mirrored_node(int prototypes, int length, int j, int level)
{
    /* level = (2 p + 1) * 2^(bits - 1 - i): node p of the element's own tree level i */
    int i = qenc_element_bits(prototypes, length, j) - 1;
    while (level % 2 == 0) {
        level /= 2;
        i--;
    }
    return (1 << (qenc_element_level(prototypes, length, j) + i)) - 1 + level / 2;
}

void lt_tree_mirrored(const int16_t *t, int prototypes, int length, uint16_t *dim, int16_t *thresh)
{
    int stride = (1 << qenc_element_bits(prototypes, length, 0)) - 1, l = 0;
    for (int j = 0; j < length; j++, t += stride) {
        int bits = qenc_element_bits(prototypes, length, j);
        for (int i = 0; i < bits; i++, l++) {
            dim[l] = (uint16_t)j;
            for (int n = 0; n < 1 << l; n++) {
                int p = n & ((1 << i) - 1); /* the element's own way */
                thresh[(1 << l) - 1 + n] = t[((2 * p + 1) << (bits - 1 - i)) - 1];
            }
        }
    }
}

/* Squared error of values with this histogram, thresholds at middle + i * distance. */
static double error_of(const double *count, int lo, int values, int levels, double middle, double distance)
{
    double sum = 0;
    for (int v = 0; v < values; v++) {
        if (count[v] == 0) continue;
        double at = (lo + v - middle) / distance, level = fmin(fmax(floor(at), -levels / 2.0), levels / 2.0 - 1) + 0.5;
        double e = (at - level) * distance;
        sum += count[v] * e * e;
    }
    return sum;
}

lt_code lt_tree_fit_mirrored(const int16_t *x, int n, int length, int prototypes, int lo, int hi, uint16_t *dim,
                             int16_t *thresh, lt_err *err)
{
    enum { MIDDLES = 32, DISTANCES = 48 };
    int values = hi - lo + 1, stride = (1 << qenc_element_bits(prototypes, length, 0)) - 1;
    double *count = malloc((size_t)values * sizeof *count);
    int16_t t[LT_TREE_MAX_VALUES];

    if (!count) return lt_fail(err, LT_EMEM, "out of memory");
    for (int j = 0; j < length; j++) {
        int levels = 1 << qenc_element_bits(prototypes, length, j);
        double least = INFINITY, middle = 0, distance = 1;
        for (int v = 0; v < values; v++) count[v] = 0;
        int top = lo, bottom = hi;
        for (int i = 0; i < n; i++) {
            int v = x[(size_t)i * (size_t)length + (size_t)j];
            count[v - lo] += 1;
            top = v > top ? v : top;
            bottom = v < bottom ? v : bottom;
        }
        double range = fmax(top - bottom, levels);
        for (int a = 1; a <= DISTANCES; a++)
            for (int b = 1; b < MIDDLES; b++) {
                double step = fmax(range / levels * 1.5 * a / DISTANCES, 1), m = bottom + range * b / MIDDLES;
                double e = error_of(count, lo, values, levels, m, step);
                if (e >= least) continue;
                least = e;
                middle = m;
                distance = step;
            }
        for (int i = 1; i < levels; i++)
            t[j * stride + i - 1] = (int16_t)fmin(fmax(floor(middle + distance * (i - levels / 2) + 0.5), lo), hi + 1);
    }
    free(count);
    lt_tree_mirrored(t, prototypes, length, dim, thresh);
    return LT_OK;
}
