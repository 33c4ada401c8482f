#include "train/augment.h"

#include <stddef.h>

enum { STREAM_ORDER = 7001 };

lt_code lt_augment_check(const lt_augment_options *o, int h, int w, lt_err *err)
{
    if (o->crop < 0 || o->crop >= h || o->crop >= w)
        return lt_fail(err, LT_EINPUT, "crop: got %d pixels, expected 0..%d", o->crop, (h < w ? h : w) - 1);
    if (o->cutout < 0 || o->cutout > h || o->cutout > w)
        return lt_fail(err, LT_EINPUT, "cutout: got a side of %d, expected 0..%d", o->cutout, h < w ? h : w);
    return LT_OK;
}

lt_augment_draw lt_augment_pick(const lt_augment_options *o, int h, int w, lt_rng *r)
{
    lt_augment_draw d = {0};
    /* always the same number of draws, so that switching one off leaves the others alone */
    d.flip = lt_rng_below(r, 2) == 1 && o->flip;
    d.dy = lt_rng_range(r, -o->crop, o->crop);
    d.dx = lt_rng_range(r, -o->crop, o->crop);
    d.cy = lt_rng_range(r, 0, h - 1);
    d.cx = lt_rng_range(r, 0, w - 1);
    return d;
}

void lt_byte_table_make(lt_byte_table *t, const lt_preproc *pre)
{
    for (int c = 0; c < LT_MAX_INPUT_CHANNELS; c++)
        for (int b = 0; b < 256; b++) t->of[c][b] = ((float)b / 255.0f - pre->mean[c]) / pre->std[c];
}

void lt_augment(const lt_augment_options *o, const lt_augment_draw *draw, const lt_byte_table *t, lt_shape s,
                const uint8_t *image, float *x)
{
    size_t plane = (size_t)s.h * (size_t)s.w;
    lt_augment_draw d = draw ? *draw : (lt_augment_draw){0};
    int top = d.cy - o->cutout / 2, left = d.cx - o->cutout / 2;

    for (int y = 0; y < s.h; y++)
        for (int i = 0; i < s.w; i++, x += s.c) {
            int sy = y + d.dy, sx = (d.flip ? s.w - 1 - i : i) + d.dx;
            bool inside = sy >= 0 && sy < s.h && sx >= 0 && sx < s.w;
            bool cut = draw && o->cutout && y >= top && y < top + o->cutout && i >= left && i < left + o->cutout;
            for (int c = 0; c < s.c; c++) {
                unsigned byte = inside ? image[(size_t)c * plane + (size_t)sy * (size_t)s.w + (size_t)sx] : 0;
                x[c] = cut ? 0 : t->of[c][byte];
            }
        }
}

void lt_shuffle(int *order, int n, uint64_t seed, int epoch)
{
    lt_rng r = lt_rng_make(seed, ((uint64_t)STREAM_ORDER << 32) | (uint32_t)epoch);
    for (int i = 0; i < n; i++) order[i] = i;
    for (int i = n - 1; i > 0; i--) {
        int j = (int)lt_rng_below(&r, (uint32_t)i + 1), t = order[i];
        order[i] = order[j];
        order[j] = t;
    }
}
