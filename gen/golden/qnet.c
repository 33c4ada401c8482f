#include "golden/qnet.h"

#include <stdlib.h>

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
