#include "train/optim.h"

#include <math.h>
#include <stdlib.h>

lt_optim_options lt_optim_defaults(void)
{
    return (lt_optim_options){LT_SGD, 0.9, false, 0.9, 0.999, 1e-8, 1e-4};
}

static lt_code check(const lt_optim_options *o, lt_err *err)
{
    if (!(o->momentum >= 0 && o->momentum < 1))
        return lt_fail(err, LT_EINPUT, "momentum: got %g, expected 0 or more, below 1", o->momentum);
    if (o->nesterov && o->momentum == 0) return lt_fail(err, LT_EINPUT, "Nesterov's momentum needs a momentum above 0");
    if (!(o->beta1 >= 0 && o->beta1 < 1 && o->beta2 >= 0 && o->beta2 < 1 && o->eps > 0))
        return lt_fail(err, LT_EINPUT, "Adam: got beta1 %g, beta2 %g, eps %g, expected 0..1 and eps above 0", o->beta1,
                       o->beta2, o->eps);
    if (!(o->weight_decay >= 0 && o->weight_decay < 1))
        return lt_fail(err, LT_EINPUT, "weight decay: got %g, expected 0 or more, below 1", o->weight_decay);
    return LT_OK;
}

lt_code lt_optim_create(lt_optim *opt, const lt_optim_options *o, lt_param *const *params, int n, lt_err *err)
{
    *opt = (lt_optim){0};
    LT_TRY(check(o, err));
    *opt = (lt_optim){.o = *o, .params = params, .n = n};
    opt->m = calloc((size_t)n + 1, sizeof *opt->m);
    opt->v = calloc((size_t)n + 1, sizeof *opt->v);
    bool ok = opt->m && opt->v;
    for (int i = 0; i < n && ok; i++) {
        if (!params[i]->grad) continue;
        opt->m[i] = lt_aligned(params[i]->n * sizeof(float));
        ok = opt->m[i] != NULL;
        if (!ok || o->kind != LT_ADAM) continue;
        opt->v[i] = lt_aligned(params[i]->n * sizeof(float));
        ok = opt->v[i] != NULL;
    }
    if (ok) return LT_OK;
    lt_optim_free(opt);
    return lt_fail(err, LT_EMEM, "out of memory for the optimiser");
}

void lt_optim_free(lt_optim *opt)
{
    for (int i = 0; i < opt->n; i++) {
        if (opt->m) free(opt->m[i]);
        if (opt->v) free(opt->v[i]);
    }
    free(opt->m);
    free(opt->v);
    *opt = (lt_optim){0};
}

static void sgd(const lt_optim_options *o, lt_param *p, float *m, float lr)
{
    float decay = p->decay ? (float)o->weight_decay : 0, momentum = (float)o->momentum;
    for (size_t i = 0; i < p->n; i++) {
        float g = p->grad[i] + decay * p->value[i];
        m[i] = momentum * m[i] + g;
        p->value[i] -= lr * (o->nesterov ? g + momentum * m[i] : m[i]);
    }
}

static void adam(const lt_optim_options *o, lt_param *p, float *m, float *v, float lr, long steps)
{
    float b1 = (float)o->beta1, b2 = (float)o->beta2, eps = (float)o->eps;
    float decay = p->decay ? lr * (float)o->weight_decay : 0;
    float c1 = (float)(1 / (1 - pow(o->beta1, (double)steps))), c2 = (float)(1 / (1 - pow(o->beta2, (double)steps)));
    for (size_t i = 0; i < p->n; i++) {
        float g = p->grad[i];
        m[i] = b1 * m[i] + (1 - b1) * g;
        v[i] = b2 * v[i] + (1 - b2) * g * g;
        p->value[i] -= decay * p->value[i];
        p->value[i] -= lr * (m[i] * c1) / (sqrtf(v[i] * c2) + eps);
    }
}

void lt_optim_step(lt_optim *opt, double lr)
{
    opt->steps++;
    for (int i = 0; i < opt->n; i++) {
        lt_param *p = opt->params[i];
        if (!p->grad || p->lr_mult == 0) continue;
        float rate = (float)(lr * (double)p->lr_mult);
        if (opt->o.kind == LT_SGD)
            sgd(&opt->o, p, opt->m[i], rate);
        else
            adam(&opt->o, p, opt->m[i], opt->v[i], rate, opt->steps);
        if (p->lo == -INFINITY && p->hi == INFINITY) continue;
        for (size_t k = 0; k < p->n; k++) {
            if (p->value[k] < p->lo) p->value[k] = p->lo;
            if (p->value[k] > p->hi) p->value[k] = p->hi;
        }
    }
}

double lt_schedule_lr(const lt_schedule *s, long step)
{
    if (step < s->warmup) return s->lr * (double)(step + 1) / (double)s->warmup;
    if (s->kind == LT_CONSTANT) return s->lr;
    if (s->kind == LT_STEPS) {
        double lr = s->lr;
        for (int i = 0; i < s->n_milestones; i++)
            if (step >= s->milestone[i]) lr *= s->factor;
        return lr;
    }
    long span = s->total - s->warmup;
    double t = span > 0 ? (double)(step - s->warmup) / (double)span : 0;
    return s->last_lr + (s->lr - s->last_lr) * 0.5 * (1 + cos(3.14159265358979323846 * t));
}
