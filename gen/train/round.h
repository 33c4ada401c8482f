/* Rounding as the integer arithmetic does it (docs/arithmetic.md): halves up, then within a range. Written so that
 * loops of it become vector code on every machine: floorf is a call without SSE4. */
#ifndef LUTRA_TRAIN_ROUND_H
#define LUTRA_TRAIN_ROUND_H

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

/* floor(v / 2^drop) of an integer, |v| < 2^21 */
static inline float lt_drop_bits(float v, int drop)
{
    return (float)((int)v >> drop);
}

#endif
