#include "compare.h"

#include <stdlib.h>
#include <string.h>

static lt_code same_shape(const lutra_tensor *t, const lt_expect *e, uint32_t layer, lt_err *err)
{
    if (layer >= (uint32_t)e->n_layers)
        return lt_fail(err, LT_EINPUT, "the image has layer %u, the expected tensors have %d layers", layer,
                       e->n_layers);
    const lt_expect_layer *l = &e->layers[layer];
    if (t->c != (uint32_t)l->c || t->h != (uint32_t)l->h || t->w != (uint32_t)l->w ||
        (t->is_signed != 0) != l->is_signed)
        return lt_fail(err, LT_EINPUT, "layer %u (%s): %ux%ux%u %s in the image, %dx%dx%d %s in the expected tensors",
                       layer, l->name, t->c, t->h, t->w, t->is_signed ? "signed" : "unsigned", l->c, l->h, l->w,
                       l->is_signed ? "signed" : "unsigned");
    return LT_OK;
}

lt_code tb_compare_check(const lutra_image *image, const lt_expect *e, lt_err *err)
{
    lutra_dump d;

    if (image->input.c != (uint32_t)e->c || image->input.h != (uint32_t)e->h || image->input.w != (uint32_t)e->w)
        return lt_fail(err, LT_EINPUT, "input %ux%ux%u in the image, %dx%dx%d in the expected tensors", image->input.c,
                       image->input.h, image->input.w, e->c, e->h, e->w);
    for (uint32_t i = 0; i < image->dumps; i++) {
        lutra_image_dump(image, i, &d);
        LT_TRY(same_shape(&d.tensor, e, d.layer, err));
    }
    if (image->layers == 0) return lt_fail(err, LT_EINPUT, "the image has no layers");
    return same_shape(&image->output, e, image->layers - 1, err);
}

static lt_code compare_tensor(const tb_sim *s, const lutra_tensor *t, const lt_expect_layer *l, const uint8_t *expected,
                              int image, int layer, tb_comparison *c, lt_err *err)
{
    size_t count = lt_expect_layer_size(l), wrong = 0, at;
    int16_t *got = malloc(count * sizeof *got);
    tb_mismatch m = {.image = image, .layer = layer, .of = count};

    if (!got) return lt_fail(err, LT_EMEM, "out of memory");
    lutra_result r = lutra_read_tensor(&s->dev, t, got, count);
    if (r != LUTRA_OK) {
        free(got);
        return lt_fail(err, LT_EINTERNAL, "layer %d: %s", layer, lutra_result_text(r));
    }
    for (uint32_t y = 0; y < t->h; y++)
        for (uint32_t x = 0; x < t->w; x++)
            for (uint32_t k = 0; k < t->c; k++) {
                at = ((size_t)k * t->h + y) * t->w + x;
                int want = lt_expect_value(l, expected[at]);
                if (got[at] == want) continue;
                if (wrong++ == 0) {
                    m.c = k;
                    m.y = y;
                    m.x = x;
                    m.expected = want;
                    m.got = got[at];
                }
            }
    free(got);
    m.wrong = wrong;
    m.found = wrong != 0;
    c->values += count;
    c->wrong += wrong;
    /* dumps need not be in execution order */
    if (m.found && (!c->first.found || (c->first.image == image && layer < c->first.layer))) c->first = m;
    return LT_OK;
}

lt_code tb_compare_image(const tb_sim *s, const lt_expect *e, const lt_expect_values *v, int image, uint32_t slot,
                         int layer, tb_comparison *c, lt_err *err)
{
    const lutra_image *img = s->image;
    int last = (int)img->layers - 1, compared = 0;
    lutra_dump d;

    for (uint32_t i = 0; i < img->dumps; i++) {
        lutra_image_dump(img, i, &d);
        if (layer >= 0 && (uint32_t)layer != d.layer) continue;
        LT_TRY(compare_tensor(s, &d.tensor, &e->layers[d.layer], v->layers[d.layer], image, (int)d.layer, c, err));
        compared++;
    }
    if (layer < 0 || layer == last) {
        lutra_tensor out;
        lutra_image_output(img, slot, &out);
        LT_TRY(compare_tensor(s, &out, &e->layers[last], v->layers[last], image, last, c, err));
        compared++;
    }
    c->layers = compared;
    return LT_OK;
}
