/* Bits that numbers take. */
#ifndef LUTRA_BASE_BITS_H
#define LUTRA_BASE_BITS_H

/* Least b with 2^b >= n; n: 1 to 2^30. */
static inline int lt_clog2(int n)
{
    int b = 0;
    while (1 << b < n) b++;
    return b;
}

#endif
