/* The procedural image set: ten classes told apart by shape or texture alone.
 *
 *   0 disc  1 ring  2 square  3 triangle  4 cross  5 level stripes  6 upright stripes  7 diagonal stripes
 *   8 chequers  9 dots
 *
 * One figure per image. Drawn at random and independent of the class: place, size, tilt (within +-15 degrees), stripe
 * period and phase, both colours, which of the two is brighter, a background ramp, clutter of short bars and blobs in
 * random colours, and pixel noise. As polarity and place are random, the mean image of every class is nearly the same,
 * so a linear classifier on pixels learns little; edges and their arrangement tell the classes apart. */
#include <math.h>

#include "base/rng.h"
#include "model/dataset.h"

typedef struct {
    float r, g, b;
} colour;

typedef struct {
    int class;
    float cx, cy, size;  /* centre in pixels, half width in pixels */
    float cosine, sine;  /* tilt */
    float period, phase; /* of textures, in units of the half width */
} figure;

typedef struct {
    float x0, y0, x1, y1, radius; /* a capsule: bar or, with equal ends, a blob */
    colour col;
} clutter;

enum { MAX_CLUTTER = 8 };

static float uniform(lt_rng *r, float lo, float hi)
{
    return lo + (hi - lo) * (float)lt_rng_unit(r);
}

static colour random_colour(lt_rng *r)
{
    colour c;
    c.r = uniform(r, 20, 235);
    c.g = uniform(r, 20, 235);
    c.b = uniform(r, 20, 235);
    return c;
}

static float luma(colour c)
{
    return 0.3f * c.r + 0.59f * c.g + 0.11f * c.b;
}

static colour mix(colour a, colour b, float t)
{
    return (colour){a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t, a.b + (b.b - a.b) * t};
}

/* 1 inside (distance below 0), 0 outside, a ramp of one pixel between. */
static float cover(float distance)
{
    float t = 0.5f - distance;
    return t < 0 ? 0 : t > 1 ? 1 : t;
}

/* Signed distance in units of the half width to the outline of the figure's shape; textures fill a square. */
static float outline(int class, float u, float v)
{
    float d = sqrtf(u * u + v * v), au = fabsf(u), av = fabsf(v);

    switch (class) {
    case 0:
        return d - 0.9f;
    case 1:
        return fabsf(d - 0.7f) - 0.2f;
    case 2:
        return fmaxf(au, av) - 0.8f;
    case 3: /* equilateral, tip up */
        return fmaxf(0.866f * au - 0.5f * v - 0.45f, v - 0.6f);
    case 4:
        return fminf(fmaxf(au - 0.95f, av - 0.28f), fmaxf(av - 0.95f, au - 0.28f));
    default:
        return fmaxf(au, av) - 0.95f;
    }
}

static float wave(float x)
{
    x -= floorf(x);
    return fabsf(x - 0.5f) - 0.25f; /* distance to the edge of a half-period stripe, in periods */
}

/* Signed distance to the texture inside its square; solid shapes have none. */
static float texture(const figure *f, float u, float v)
{
    float p = f->period;

    switch (f->class) {
    case 5:
        return wave(v / p + f->phase) * p;
    case 6:
        return wave(u / p + f->phase) * p;
    case 7:
        return wave((u + v) * 0.7071f / p + f->phase) * p;
    case 8: {
        float a = wave(u / p + f->phase) * p, b = wave(v / p + f->phase) * p;
        return a * b > 0 ? -fminf(fabsf(a), fabsf(b)) : fminf(fabsf(a), fabsf(b));
    }
    case 9: {
        float a = u / p + f->phase, b = v / p + f->phase;
        a -= floorf(a) + 0.5f;
        b -= floorf(b) + 0.5f;
        return (sqrtf(a * a + b * b) - 0.3f) * p;
    }
    default:
        return -1e3f;
    }
}

static float figure_cover(const figure *f, float x, float y)
{
    float dx = (x - f->cx) / f->size, dy = (y - f->cy) / f->size;
    float u = f->cosine * dx + f->sine * dy, v = f->cosine * dy - f->sine * dx;
    return cover(fmaxf(outline(f->class, u, v), texture(f, u, v)) * f->size);
}

static float capsule_cover(const clutter *c, float x, float y)
{
    float bx = c->x1 - c->x0, by = c->y1 - c->y0, px = x - c->x0, py = y - c->y0, len = bx * bx + by * by;
    float t = len > 0 ? (px * bx + py * by) / len : 0;
    t = t < 0 ? 0 : t > 1 ? 1 : t;
    px -= t * bx;
    py -= t * by;
    return cover(sqrtf(px * px + py * py) - c->radius);
}

static figure random_figure(lt_rng *r, int class, int h, int w)
{
    float side = (float)(h < w ? h : w), tilt = uniform(r, -0.26f, 0.26f);
    figure f = {.class = class};
    f.size = side * uniform(r, 0.22f, 0.4f);
    f.cx = uniform(r, f.size * 0.9f, (float)w - f.size * 0.9f);
    f.cy = uniform(r, f.size * 0.9f, (float)h - f.size * 0.9f);
    f.cosine = cosf(tilt);
    f.sine = sinf(tilt);
    /* at least about four pixels per period, or the stripes are gone in 32 x 32 */
    f.period = fmaxf(uniform(r, 0.4f, 0.75f), 4.2f / f.size);
    f.phase = uniform(r, 0, 1);
    return f;
}

static clutter random_clutter(lt_rng *r, int h, int w)
{
    clutter c;
    float reach = 0.2f * (float)(h < w ? h : w), angle = uniform(r, 0, 6.2832f), len = uniform(r, 0, reach);
    c.x0 = uniform(r, 0, (float)w);
    c.y0 = uniform(r, 0, (float)h);
    c.x1 = c.x0 + len * cosf(angle);
    c.y1 = c.y0 + len * sinf(angle);
    c.radius = uniform(r, 0.03f, 0.09f) * 0.5f * (float)(h < w ? h : w);
    c.col = random_colour(r);
    return c;
}

static uint8_t to_byte(float v)
{
    return v <= 0 ? 0 : v >= 255 ? 255 : (uint8_t)(v + 0.5f);
}

uint8_t lt_procedural_image(uint64_t seed, lt_split split, uint32_t i, int h, int w, uint8_t *pixels)
{
    lt_rng r = lt_rng_make(seed, ((uint64_t)split << 32) | i);
    int class = (int)lt_rng_below(&r, 10), n = (int)lt_rng_below(&r, MAX_CLUTTER + 1);
    figure f = random_figure(&r, class, h, w);
    clutter cl[MAX_CLUTTER];
    colour bg0 = random_colour(&r), bg1 = mix(bg0, random_colour(&r), 0.4f), fg = random_colour(&r);
    /* the figure must be visible somewhere, on its own ground */
    while (fabsf(luma(fg) - luma(mix(bg0, bg1, 0.5f))) < 28) fg = random_colour(&r);
    for (int k = 0; k < n; k++) cl[k] = random_clutter(&r, h, w);
    float angle = uniform(&r, 0, 6.2832f), noise = uniform(&r, 5, 30);
    size_t plane = (size_t)h * (size_t)w;

    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            float px = (float)x + 0.5f, py = (float)y + 0.5f;
            float ramp = 0.5f + cosf(angle) * (px / (float)w - 0.5f) + sinf(angle) * (py / (float)h - 0.5f);
            colour c = mix(bg0, bg1, ramp < 0 ? 0 : ramp > 1 ? 1 : ramp);
            for (int k = 0; k < n / 2; k++) c = mix(c, cl[k].col, capsule_cover(&cl[k], px, py));
            c = mix(c, fg, figure_cover(&f, px, py));
            for (int k = n / 2; k < n; k++) c = mix(c, cl[k].col, capsule_cover(&cl[k], px, py));
            uint8_t *p = pixels + (size_t)y * (size_t)w + (size_t)x;
            p[0] = to_byte(c.r + noise * (float)lt_rng_normal(&r));
            p[plane] = to_byte(c.g + noise * (float)lt_rng_normal(&r));
            p[2 * plane] = to_byte(c.b + noise * (float)lt_rng_normal(&r));
        }
    return (uint8_t) class;
}
