/* Layers that only move values: the option-A shortcut of ResNets and flattening. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/layer.h"

typedef struct {
    lt_layer l;
    int step, c_off;
} shortcut;

static void shortcut_forward(lt_layer *l, const lt_chunk *c, int step)
{
    const shortcut *s = (const shortcut *)l;
    lt_shape is = l->in->s, os = l->out->s;
    float *y = lt_value(l->out, c);

    (void)step;
    memset(y, 0, (size_t)c->n * l->out->size * sizeof *y);
    for (int i = 0; i < c->n; i++) {
        const float *x = lt_value(l->in, c) + (size_t)i * l->in->size;
        for (int p = 0; p < os.h; p++)
            for (int q = 0; q < os.w; q++, y += os.c)
                memcpy(y + s->c_off, x + ((size_t)(p * s->step) * (size_t)is.w + (size_t)(q * s->step)) * (size_t)is.c,
                       (size_t)is.c * sizeof *y);
    }
}

static void shortcut_backward(lt_layer *l, const lt_chunk *c, int step)
{
    const shortcut *s = (const shortcut *)l;
    lt_shape is = l->in->s, os = l->out->s;
    const float *g = lt_gradient(l->out, c);

    (void)step;
    if (!l->in->g) return;
    float *gx = lt_gradient(l->in, c);
    if (!l->add_in) memset(gx, 0, (size_t)c->n * l->in->size * sizeof *gx);
    for (int i = 0; i < c->n; i++, gx += l->in->size)
        for (int p = 0; p < os.h; p++)
            for (int q = 0; q < os.w; q++, g += os.c)
                l->env->vec->add(gx + ((size_t)(p * s->step) * (size_t)is.w + (size_t)(q * s->step)) * (size_t)is.c,
                                 g + s->c_off, (size_t)is.c);
}

static void free_layer(lt_layer *l)
{
    free(l);
}

static const lt_layer_ops shortcut_ops = {
    .kind = "shortcut",
    .forward_steps = 1,
    .backward_steps = 1,
    .forward = shortcut_forward,
    .backward = shortcut_backward,
    .free = free_layer,
};

lt_code lt_layer_shortcut(const char *name, int step, int c_off, const lt_env *env, lt_layer **l, lt_err *err)
{
    shortcut *s = calloc(1, sizeof *s);

    *l = NULL;
    if (!s) return lt_fail(err, LT_EMEM, "out of memory");
    s->l = (lt_layer){.ops = &shortcut_ops, .node = -1, .env = env};
    snprintf(s->l.name, sizeof s->l.name, "%s", name);
    s->step = step;
    s->c_off = c_off;
    *l = &s->l;
    return LT_OK;
}

static void flatten_forward(lt_layer *l, const lt_chunk *c, int step)
{
    size_t px = (size_t)l->in->s.h * (size_t)l->in->s.w, ch = (size_t)l->in->s.c;
    (void)step;
    for (int i = 0; i < c->n; i++) {
        const float *x = lt_value(l->in, c) + (size_t)i * l->in->size;
        float *y = lt_value(l->out, c) + (size_t)i * l->out->size;
        for (size_t k = 0; k < ch; k++)
            for (size_t p = 0; p < px; p++) *y++ = x[p * ch + k];
    }
}

static void flatten_backward(lt_layer *l, const lt_chunk *c, int step)
{
    size_t px = (size_t)l->in->s.h * (size_t)l->in->s.w, ch = (size_t)l->in->s.c;
    (void)step;
    if (!l->in->g) return;
    for (int i = 0; i < c->n; i++) {
        float *gx = lt_gradient(l->in, c) + (size_t)i * l->in->size;
        const float *g = lt_gradient(l->out, c) + (size_t)i * l->out->size;
        for (size_t k = 0; k < ch; k++)
            for (size_t p = 0; p < px; p++, g++) gx[p * ch + k] = l->add_in ? gx[p * ch + k] + *g : *g;
    }
}

static const lt_layer_ops flatten_ops = {
    .kind = "flatten",
    .forward_steps = 1,
    .backward_steps = 1,
    .forward = flatten_forward,
    .backward = flatten_backward,
    .free = free_layer,
};

lt_code lt_layer_flatten(const char *name, const lt_env *env, lt_layer **l, lt_err *err)
{
    lt_layer *f = calloc(1, sizeof *f);

    *l = NULL;
    if (!f) return lt_fail(err, LT_EMEM, "out of memory");
    *f = (lt_layer){.ops = &flatten_ops, .node = -1, .env = env};
    snprintf(f->name, sizeof f->name, "%s", name);
    *l = f;
    return LT_OK;
}
