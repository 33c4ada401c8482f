/* PCG32 (O'Neill 2014): small, seedable, the same on every machine. */
#ifndef LUTRA_BASE_RNG_H
#define LUTRA_BASE_RNG_H

#include <stdint.h>

typedef struct {
    uint64_t state, inc;
} lt_rng;

lt_rng lt_rng_make(uint64_t seed, uint64_t stream);
uint32_t lt_rng_u32(lt_rng *r);
uint32_t lt_rng_below(lt_rng *r, uint32_t n);       /* unbiased, 0..n-1; n > 0 */
int lt_rng_range(lt_rng *r, int lo, int hi);         /* lo..hi, both included */
double lt_rng_unit(lt_rng *r);                       /* [0,1) */
double lt_rng_normal(lt_rng *r);                     /* mean 0, deviation 1 */

#endif
