#include "program/kernel_cut.h"

#include <stdlib.h>
#include <string.h>

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* The taps of part p, whose first one is (r0, s0), from an array [n][R*S] of items of `size` bytes. */
static int8_t *taps_of(const int8_t *from, size_t n, size_t size, const qlayer *l, const qlayer *p, int r0, int s0)
{
    int8_t *to = malloc(n * (size_t)(p->r * p->s) * size), *at = to;

    for (size_t i = 0; to && i < n; i++)
        for (int r = 0; r < p->r; r++)
            for (int s = 0; s < p->s; s++, at += size)
                memcpy(at, from + (i * (size_t)(l->r * l->s) + (size_t)((r0 + r) * l->s + s0 + s)) * size, size);
    return to;
}

lt_code kernel_cut_make(const qlayer *l, const qencoder *e, int in_c, int r, int s, kernel_cut *c, lt_err *err)
{
    *c = (kernel_cut){0};
    c->part = calloc((size_t)((l->r + r - 1) / r * ((l->s + s - 1) / s)), sizeof *c->part);
    if (!c->part) return lt_fail(err, LT_EMEM, "out of memory");
    if (r >= l->r && s >= l->s) {
        c->part[c->n++] = *l;
        return LT_OK;
    }
    for (int r0 = 0; r0 < l->r; r0 += r)
        for (int s0 = 0; s0 < l->s; s0 += s) {
            qlayer *p = &c->part[c->n++];
            *p = *l;
            p->r = least(r, l->r - r0);
            p->s = least(s, l->s - s0);
            p->pad_t = l->pad_t - r0 * l->dilation;
            p->pad_l = l->pad_l - s0 * l->dilation;
            p->w = p->lut = NULL;
            if (e)
                p->lut = taps_of(l->lut, (size_t)e->codebooks, (size_t)(e->prototypes * l->k), l, p, r0, s0);
            else
                p->w = taps_of(l->w, (size_t)(l->k * (in_c / l->groups)), 1, l, p, r0, s0);
            if (!p->w && !p->lut) return lt_fail(err, LT_EMEM, "out of memory");
        }
    return LT_OK;
}

void kernel_cut_free(kernel_cut *c)
{
    for (int i = 0; i < c->n && c->n > 1; i++) {
        free(c->part[i].w);
        free(c->part[i].lut);
    }
    free(c->part);
    *c = (kernel_cut){0};
}
