#include "base/rng.h"

#include <math.h>

uint32_t lt_rng_u32(lt_rng *r)
{
    uint64_t old = r->state;
    r->state = old * 6364136223846793005ULL + r->inc;
    uint32_t x = (uint32_t)(((old >> 18) ^ old) >> 27), rot = (uint32_t)(old >> 59);
    return (x >> rot) | (x << ((32 - rot) & 31));
}

lt_rng lt_rng_make(uint64_t seed, uint64_t stream)
{
    lt_rng r = {0, (stream << 1) | 1};
    lt_rng_u32(&r);
    r.state += seed;
    lt_rng_u32(&r);
    return r;
}

uint32_t lt_rng_below(lt_rng *r, uint32_t n)
{
    uint32_t limit = (0u - n) % n, x;
    do {
        x = lt_rng_u32(r);
    } while (x < limit);
    return x % n;
}

int lt_rng_range(lt_rng *r, int lo, int hi)
{
    return lo + (int)lt_rng_below(r, (uint32_t)(hi - lo) + 1);
}

double lt_rng_unit(lt_rng *r)
{
    return lt_rng_u32(r) * (1.0 / 4294967296.0);
}

double lt_rng_normal(lt_rng *r)
{
    double u = 1.0 - lt_rng_unit(r), v = lt_rng_unit(r);
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}
