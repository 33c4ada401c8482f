/* clip(in + res): additions and activations that no batch norm has taken in. */
#include <stdlib.h>
#include <stdio.h>

#include "train/layer.h"

typedef struct {
    lt_layer l;
    float lo, hi;
} join;

static void forward(lt_layer *l, const lt_chunk *c, int step)
{
    join *j = (join *)l;
    (void)step;
    l->env->vec->add_clip(lt_value(l->in, c), l->res ? lt_value(l->res, c) : NULL, (size_t)c->n * l->out->size, j->lo,
                          j->hi, lt_value(l->out, c));
}

static void backward(lt_layer *l, const lt_chunk *c, int step)
{
    join *j = (join *)l;
    (void)step;
    l->env->vec->mask(lt_value(l->out, c), lt_gradient(l->out, c), (size_t)c->n * l->out->size, j->lo, j->hi,
                      l->in->g ? lt_gradient(l->in, c) : NULL, l->add_in,
                      l->res && l->res->g ? lt_gradient(l->res, c) : NULL, l->add_res);
}

static void free_join(lt_layer *l)
{
    free(l);
}

static const lt_layer_ops ops = {
    .kind = "join",
    .in_place = true,
    .forward_steps = 1,
    .backward_steps = 1,
    .forward = forward,
    .backward = backward,
    .free = free_join,
};

lt_code lt_layer_join(const char *name, const lt_env *env, float lo, float hi, lt_layer **l, lt_err *err)
{
    join *j = calloc(1, sizeof *j);

    *l = NULL;
    if (!j) return lt_fail(err, LT_EMEM, "out of memory");
    j->l = (lt_layer){.ops = &ops, .node = -1, .env = env};
    snprintf(j->l.name, sizeof j->l.name, "%s", name);
    j->lo = lo;
    j->hi = hi;
    *l = &j->l;
    return LT_OK;
}
