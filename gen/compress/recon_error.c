#include "compress/recon_error.h"

#include <math.h>
#include <stdlib.h>

#include "base/par.h"
#include "golden/fast.h"
#include "model/exec.h"

/* Of one image and layer. */
typedef struct {
    double far, sum, squares;
} sums;

typedef struct {
    const qnet *net;
    const lt_dataset *d;
    fast_net *fast;
    fast_work **work; /* [workers] */
    int16_t **values; /* [workers] one tensor */
    sums *s;          /* [images][layers]: added up in order */
} pass;

static void one(void *ctx, int image, const lt_exec *x, int worker)
{
    const pass *p = ctx;
    fast_work *w = p->work[worker];
    int16_t *v = p->values[worker];

    fast_input(w, lt_dataset_image(p->d, (size_t)image));
    fast_run(w, 0, p->net->n_layers - 1);
    for (int i = 0; i < p->net->n_layers; i++) {
        const qtensor *t = &p->net->tensors[i + 1];
        const float *want = x->t[i + 1];
        sums *s = &p->s[image * p->net->n_layers + i];
        size_t n = qtensor_size(t);
        fast_get(w, i + 1, v);
        for (size_t k = 0; k < n; k++) {
            double f = (double)want[k], e = v[k] * t->scale - f;
            s->far += e * e;
            s->sum += f;
            s->squares += f * f;
        }
    }
}

static lt_code prepare(pass *p, int images, lt_err *err)
{
    size_t workers = (size_t)lt_jobs(), most = 0;
    bool ok = true;

    for (int i = 0; i < p->net->n_tensors; i++) {
        size_t n = qtensor_size(&p->net->tensors[i]);
        if (n > most) most = n;
    }
    p->fast = fast_new(p->net, FAST_BEST);
    p->work = calloc(workers, sizeof *p->work);
    p->values = calloc(workers, sizeof *p->values);
    p->s = calloc((size_t)images * (size_t)p->net->n_layers, sizeof *p->s);
    ok = p->fast && p->work && p->values && p->s;
    for (size_t i = 0; ok && i < workers; i++) {
        p->work[i] = fast_work_new(p->fast);
        p->values[i] = malloc(most * sizeof **p->values);
        ok = p->work[i] && p->values[i];
    }
    return ok ? LT_OK : lt_fail(err, LT_EMEM, "out of memory");
}

static void clear(pass *p)
{
    int workers = lt_jobs();
    for (int i = 0; p->work && i < workers; i++) fast_work_free(p->work[i]);
    for (int i = 0; p->values && i < workers; i++) free(p->values[i]);
    free(p->work);
    free(p->values);
    free(p->s);
    fast_free(p->fast);
}

lt_code lt_recon_error(const lt_graph *g, const qnet *net, const lt_dataset *d, int images, double *error, lt_err *err)
{
    pass p = {.net = net, .d = d};

    if (images > d->n) images = d->n;
    if (images < 1 || g->n_nodes != net->n_tensors || net->n_tensors != net->n_layers + 1)
        return lt_fail(err, LT_EINTERNAL, "%s: %d images, %d nodes and %d tensors", net->name, images, g->n_nodes,
                       net->n_tensors);
    lt_code rc = prepare(&p, images, err);
    if (rc == LT_OK) rc = lt_exec_images(g, d, 0, images, NULL, one, &p, err);
    for (int i = 0; rc == LT_OK && i < net->n_layers; i++) {
        double n = (double)images * (double)qtensor_size(&net->tensors[i + 1]);
        sums a = {0};
        for (int k = 0; k < images; k++) {
            const sums *s = &p.s[k * net->n_layers + i];
            a.far += s->far;
            a.sum += s->sum;
            a.squares += s->squares;
        }
        error[i] = a.far / fmax(a.squares - a.sum * a.sum / n, 1e-9 * n);
    }
    clear(&p);
    return rc;
}
