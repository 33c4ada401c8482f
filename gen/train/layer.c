#include "train/layer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *lt_aligned(size_t bytes)
{
    void *p = aligned_alloc(64, (bytes + 127) / 64 * 64);
    if (p) memset(p, 0, bytes);
    return p;
}

lt_code lt_param_make(lt_param *p, const char *layer, const char *part, size_t n, bool trained, lt_err *err)
{
    *p = (lt_param){.n = n, .lr_mult = 1, .lo = -INFINITY, .hi = INFINITY};
    snprintf(p->name, sizeof p->name, "%s.%s", layer, part);
    p->value = lt_aligned(n * sizeof(float));
    if (trained) p->grad = lt_aligned(n * sizeof(float));
    if (p->value && (p->grad || !trained)) return LT_OK;
    lt_param_free(p);
    return lt_fail(err, LT_EMEM, "%s: out of memory", layer);
}

void lt_param_free(lt_param *p)
{
    free(p->value);
    free(p->grad);
    p->value = p->grad = NULL;
}

lt_code lt_layer_set_weight_hook(lt_layer *l, const lt_weight_hook *h, lt_err *err)
{
    if (l->ops->take_hook && !l->ops->hook(l)) return l->ops->take_hook(l, h, err);
    if (h->free) h->free(h->ctx);
    return lt_fail(err, LT_EINTERNAL, "%s: takes no (further) weight hook", l->name);
}

const lt_weight_hook *lt_layer_weight_hook(const lt_layer *l)
{
    return l->ops->hook ? l->ops->hook(l) : NULL;
}
