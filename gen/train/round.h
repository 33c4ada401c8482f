/* Rounding: as the integer arithmetic does it (docs/arithmetic.md), halves up, then within a range; and to fewer bits
 * of a float. Written so that loops of it become vector code on every machine: floorf is a call without SSE4. */
#ifndef LUTRA_TRAIN_ROUND_H
#define LUTRA_TRAIN_ROUND_H

#include <stdint.h>
#include <string.h>

/* clip(floor(v + 1/2), lo, hi) for integers lo, hi of less than 2^21; a NaN stays one. */
static inline float lt_round_clip(float v, float lo, float hi)
{
    const float big = 12582912.0f; /* 1.5 * 2^23: adding it rounds to an integer */
    float t = v < lo ? lo : v > hi ? hi : v;
    t += 0.5f;
    float r = (t + big) - big;
    r = r > t ? r - 1 : r;
    return r > hi ? hi : r;
}

static inline uint32_t lt_bits(float v)
{
    uint32_t u;
    memcpy(&u, &v, sizeof u);
    return u;
}

/* To bfloat16, the upper half of a float: nearest, ties to even; what is too large becomes infinite, a NaN stays one.
 */
static inline float lt_round_bf16(float v)
{
    uint32_t u = lt_bits(v);
    u = (v == v ? u + 0x7fff + (u >> 16 & 1) : u | 0x400000) & 0xffff0000;
    memcpy(&v, &u, sizeof v);
    return v;
}

/* floor(v / 2^drop) of an integer, |v| < 2^21 */
static inline float lt_drop_bits(float v, int drop)
{
    return (float)((int)v >> drop);
}

#endif
