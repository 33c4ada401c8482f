/* The layer of lsq.h: fake quantisation of a tensor. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "train/lsq.h"

/* The integer network's values are multiples of 2^-shift of a step, so that halves are not rare where shift is small,
 * and it rounds them up. Float sums miss them by less than this. */
static const float NUDGE = 1.0f / 16384;

typedef struct {
    lt_layer l;
    lt_fq_options o;
    float lo, hi, used;
    double *part; /* [chunks] gradient of the step */
    lt_param step;
} fq;

static lt_code begin(lt_layer *l, const lt_pass *p, lt_err *err)
{
    fq *f = (fq *)l;
    (void)p;
    (void)err;
    f->used = f->o.snap ? f->o.snap(f->o.snap_ctx, f->step.value[0]) : f->step.value[0];
    return LT_OK;
}

static void forward(lt_layer *l, const lt_chunk *c, int at)
{
    fq *f = (fq *)l;
    (void)at;
    l->env->vec->quantise(lt_value(l->in, c), (size_t)c->n * l->in->size, f->used, NUDGE, f->lo, f->hi,
                          lt_value(l->out, c));
}

/* dy/dx is 1 within the range, 0 outside; dy/dstep is round(v) - v within (v = x / step), the bound outside. */
static void backward(lt_layer *l, const lt_chunk *c, int at)
{
    fq *f = (fq *)l;
    (void)at;
    f->part[c->index] =
        l->env->vec->quantise_back(lt_value(l->in, c), lt_gradient(l->out, c), (size_t)c->n * l->in->size, f->used,
                                   NUDGE, f->lo, f->hi, l->in->g ? lt_gradient(l->in, c) : NULL, l->add_in);
}

static void finish(lt_layer *l, const lt_pass *p, int worker)
{
    fq *f = (fq *)l;
    double sum = 0;
    (void)worker;
    if (!f->step.grad) return;
    for (int i = 0; i < p->chunks; i++) sum += f->part[i];
    f->step.grad[0] = (float)(sum / sqrt((double)l->in->size * (double)f->hi));
}

static void free_fq(lt_layer *l)
{
    fq *f = (fq *)l;
    lt_param_free(&f->step);
    free(f->part);
    free(f);
}

static const lt_layer_ops ops = {
    .kind = "quantise",
    .in_place = true,
    .forward_steps = 1,
    .backward_steps = 1,
    .begin = begin,
    .forward = forward,
    .backward = backward,
    .finish = finish,
    .free = free_fq,
};

lt_code lt_layer_fq(const char *name, const lt_fq_options *o, const lt_env *env, lt_layer **l, lt_err *err)
{
    fq *f = calloc(1, sizeof *f);

    *l = NULL;
    if (!f) return lt_fail(err, LT_EMEM, "out of memory");
    f->l = (lt_layer){.ops = &ops, .node = -1, .env = env, .params = &f->step, .n_params = 1};
    snprintf(f->l.name, sizeof f->l.name, "%s", name);
    f->o = *o;
    f->lo = (float)o->lo;
    f->hi = (float)o->hi;
    lt_code rc = lt_param_make(&f->step, name, "step", 1, o->learn && env->train, err);
    f->part = lt_aligned((size_t)env->chunks * sizeof *f->part);
    if (rc == LT_OK && !f->part) rc = lt_fail(err, LT_EMEM, "%s: out of memory", name);
    if (rc != LT_OK) {
        free_fq(&f->l);
        return rc;
    }
    f->step.value[0] = o->step;
    f->step.lo = o->step / 64; /* a step has to stay positive */
    *l = &f->l;
    return LT_OK;
}
