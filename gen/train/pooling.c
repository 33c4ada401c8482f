/* Average and maximum pooling; a window as large as the input is global pooling. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/layer.h"

typedef struct {
    lt_layer l;
    lt_node n; /* its weights are not used */
    lt_shape in;
    unsigned *argmax; /* maximum: [batch][P][Q][C] which input pixel of the image won; the first of equals */
} pooling;

/* The part of a window that lies inside the input. */
static void window(const pooling *p, int oy, int ox, int *y0, int *y1, int *x0, int *x1)
{
    int y = oy * p->n.stride_h - p->n.pad_t, x = ox * p->n.stride_w - p->n.pad_l;
    *y0 = y < 0 ? 0 : y;
    *x0 = x < 0 ? 0 : x;
    *y1 = y + p->n.r > p->in.h ? p->in.h : y + p->n.r;
    *x1 = x + p->n.s > p->in.w ? p->in.w : x + p->n.s;
}

static float share(const pooling *p, int y0, int y1, int x0, int x1)
{
    return 1.0f / (float)(p->n.count_pad ? p->n.r * p->n.s : (y1 - y0) * (x1 - x0));
}

static void average(const pooling *p, int oy, int ox, const float *x, float *y)
{
    int c = p->in.c, y0, y1, x0, x1;
    window(p, oy, ox, &y0, &y1, &x0, &x1);
    memset(y, 0, (size_t)c * sizeof *y);
    for (int iy = y0; iy < y1; iy++)
        for (int ix = x0; ix < x1; ix++) {
            const float *v = x + ((size_t)iy * (size_t)p->in.w + (size_t)ix) * (size_t)c;
            for (int k = 0; k < c; k++) y[k] += v[k];
        }
    float f = share(p, y0, y1, x0, x1);
    for (int k = 0; k < c; k++) y[k] *= f;
}

static void maximum(const pooling *p, int oy, int ox, const float *x, float *y, unsigned *at)
{
    int c = p->in.c, y0, y1, x0, x1;
    window(p, oy, ox, &y0, &y1, &x0, &x1);
    for (int iy = y0; iy < y1; iy++)
        for (int ix = x0; ix < x1; ix++) {
            unsigned pixel = (unsigned)iy * (unsigned)p->in.w + (unsigned)ix;
            const float *v = x + (size_t)pixel * (size_t)c;
            bool first = iy == y0 && ix == x0;
            for (int k = 0; k < c; k++)
                if (first || v[k] > y[k]) {
                    y[k] = v[k];
                    at[k] = pixel;
                }
        }
}

static void forward(lt_layer *l, const lt_chunk *c, int step)
{
    pooling *p = (pooling *)l;
    size_t o = (size_t)c->first * l->out->size;
    float *y = l->out->v + o;
    unsigned *at = p->argmax ? p->argmax + o : NULL;

    (void)step;
    for (int i = 0; i < c->n; i++) {
        const float *x = lt_value(l->in, c) + (size_t)i * l->in->size;
        for (int oy = 0; oy < p->n.shape.h; oy++)
            for (int ox = 0; ox < p->n.shape.w; ox++, y += p->in.c) {
                if (at) {
                    maximum(p, oy, ox, x, y, at);
                    at += p->in.c;
                } else {
                    average(p, oy, ox, x, y);
                }
            }
    }
}

static void spread(const pooling *p, int oy, int ox, const float *g, float *gx)
{
    int c = p->in.c, y0, y1, x0, x1;
    window(p, oy, ox, &y0, &y1, &x0, &x1);
    float f = share(p, y0, y1, x0, x1);
    for (int iy = y0; iy < y1; iy++)
        for (int ix = x0; ix < x1; ix++) {
            float *v = gx + ((size_t)iy * (size_t)p->in.w + (size_t)ix) * (size_t)c;
            for (int k = 0; k < c; k++) v[k] += g[k] * f;
        }
}

static void backward(lt_layer *l, const lt_chunk *ch, int step)
{
    pooling *p = (pooling *)l;
    const float *g = lt_gradient(l->out, ch);
    const unsigned *at = p->argmax ? p->argmax + (size_t)ch->first * l->out->size : NULL;
    int c = p->in.c;

    (void)step;
    if (!l->in->g) return;
    float *gx = lt_gradient(l->in, ch);
    if (!l->add_in) memset(gx, 0, (size_t)ch->n * l->in->size * sizeof *gx);
    for (int i = 0; i < ch->n; i++, gx += l->in->size)
        for (int oy = 0; oy < p->n.shape.h; oy++)
            for (int ox = 0; ox < p->n.shape.w; ox++, g += c) {
                if (!at) {
                    spread(p, oy, ox, g, gx);
                    continue;
                }
                for (int k = 0; k < c; k++) gx[(size_t)at[k] * (size_t)c + (size_t)k] += g[k];
                at += c;
            }
}

static void free_pool(lt_layer *l)
{
    free(((pooling *)l)->argmax);
    free(l);
}

static const lt_layer_ops ops = {
    .kind = "pool",
    .forward_steps = 1,
    .backward_steps = 1,
    .forward = forward,
    .backward = backward,
    .free = free_pool,
};

lt_code lt_layer_pool(const lt_graph *g, int node, const lt_env *env, lt_layer **l, lt_err *err)
{
    const lt_node *n = &g->nodes[node];
    pooling *p = calloc(1, sizeof *p);

    *l = NULL;
    if (!p) return lt_fail(err, LT_EMEM, "out of memory");
    p->l = (lt_layer){.ops = &ops, .node = -1, .env = env};
    memcpy(p->l.name, n->name, sizeof p->l.name);
    p->n = *n;
    p->in = lt_node_in_shape(g, n);
    if (n->op == NODE_MAXPOOL) {
        p->argmax = lt_aligned((size_t)env->batch * lt_shape_size(n->shape) * sizeof *p->argmax);
        if (!p->argmax) {
            free_pool(&p->l);
            return lt_fail(err, LT_EMEM, "%s: out of memory", n->name);
        }
    }
    *l = &p->l;
    return LT_OK;
}
