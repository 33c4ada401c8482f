#include "golden/qnet.h"

#include <stdlib.h>
#include <string.h>

void qnet_free(qnet *n)
{
    for (int i = 0; n->layers && i < n->n_layers; i++) {
        free(n->layers[i].w);
        free(n->layers[i].lut);
        free(n->layers[i].bias);
        free(n->layers[i].mult);
    }
    for (int i = 0; n->encoders && i < n->n_encoders; i++) {
        free(n->encoders[i].proto);
        free(n->encoders[i].dim);
        free(n->encoders[i].thresh);
    }
    free(n->layers);
    free(n->encoders);
    free(n->tensors);
    free(n->input_table);
    *n = (qnet){0};
}

int qnet_last_use(const qnet *n, int t)
{
    for (int i = n->n_layers - 1; i >= 0; i--)
        if (n->layers[i].in == t || n->layers[i].res == t) return i;
    return -1;
}

static bool same_shape(const qtensor *s, const qtensor *t)
{
    return s->c == t->c && s->h == t->h && s->w == t->w;
}

static bool same_layer(const qnet *n, const qnet *m, int i)
{
    const qlayer *a = &n->layers[i], *b = &m->layers[i];

    return strcmp(a->name, b->name) == 0 && a->op == b->op && a->in == b->in && a->out == b->out && a->res == b->res &&
           a->res_step == b->res_step && a->res_c_off == b->res_c_off && a->k == b->k && a->r == b->r && a->s == b->s &&
           a->stride == b->stride && a->dilation == b->dilation && a->groups == b->groups && a->pad_t == b->pad_t &&
           a->pad_l == b->pad_l && a->pad_b == b->pad_b && a->pad_r == b->pad_r &&
           same_shape(&n->tensors[a->out], &m->tensors[b->out]);
}

int qnet_differs(const qnet *n, const qnet *m)
{
    if (n->n_layers != m->n_layers || n->n_tensors != m->n_tensors || !same_shape(n->tensors, m->tensors)) return 0;
    for (int i = 0; i < n->n_layers; i++)
        if (!same_layer(n, m, i)) return i;
    return -1;
}
