#include "compress/pq_samples.h"

#include <stdlib.h>

#include "base/par.h"
#include "base/rng.h"
#include "golden/fast.h"
#include "model/exec.h"

void lt_pq_samples_free(lt_pq_samples *s)
{
    free(s->at);
    free(s->y);
    free(s->x);
    free(s->inside);
    *s = (lt_pq_samples){0};
}

static int gcd(int a, int b)
{
    while (b) {
        int t = a % b;
        a = b;
        b = t;
    }
    return a;
}

/* Distinct pixels of one image: steps of a random stride that is coprime to their number. */
static void choose(int32_t *at, int n, int pixels, uint64_t seed, int layer, int image)
{
    lt_rng r = lt_rng_make(seed, ((uint64_t)layer << 32) | (uint32_t)image);
    int step = 1 + (int)lt_rng_below(&r, (uint32_t)pixels), first = (int)lt_rng_below(&r, (uint32_t)pixels);
    while (gcd(step, pixels) != 1) step++;
    for (int i = 0; i < n; i++) at[i] = (int32_t)((first + (int64_t)i * step) % pixels);
}

typedef struct {
    const lt_prep *p;
    lt_pq_samples *s;
    int n;
    float **out; /* per worker: the largest linear output */
} output_pass;

static void record_outputs(void *ctx, int image, const lt_exec *x, int worker)
{
    output_pass *pass = ctx;
    float *out = pass->out[worker];
    for (int i = 0; i < pass->n; i++) {
        lt_pq_samples *s = &pass->s[i];
        int node = s->layer + 1;
        const lt_node *nd = &x->g->nodes[node];
        size_t pixels = (size_t)nd->shape.h * (size_t)nd->shape.w;
        /* the executor's scratch belongs to this worker */
        lt_exec_linear((lt_exec *)x, node, x->t[nd->in], out);
        for (int j = 0; j < s->per_image; j++) {
            size_t row = (size_t)image * (size_t)s->per_image + (size_t)j;
            for (int k = 0; k < s->k; k++)
                s->y[row * (size_t)s->k + (size_t)k] = out[(size_t)k * pixels + (size_t)s->at[row]];
        }
    }
}

lt_code lt_pq_sample_places(const lt_prep *p, const int *layers, int n, int images, int positions, uint64_t seed,
                            lt_pq_samples *s, lt_err *err)
{
    for (int i = 0; i < n; i++) s[i] = (lt_pq_samples){0};
    for (int i = 0; i < n; i++) {
        const qlayer *l = &p->net.layers[layers[i]];
        const qtensor *out = &p->net.tensors[l->out];
        int pixels = out->h * out->w, per_image = pixels < positions ? pixels : positions;
        s[i] = (lt_pq_samples){.layer = layers[i],
                               .per_image = per_image,
                               .rows = images * per_image,
                               .k = l->k,
                               .c = p->net.tensors[l->in].c,
                               .taps = l->r * l->s};
        s[i].at = malloc((size_t)s[i].rows * sizeof(int32_t));
        if (!s[i].at) return lt_fail(err, LT_EMEM, "out of memory for the calibration samples");
        for (int im = 0; im < images; im++) choose(s[i].at + im * per_image, per_image, pixels, seed, layers[i], im);
    }
    return LT_OK;
}

lt_code lt_pq_sample_outputs(const lt_prep *p, int n, int images, lt_pq_samples *s, lt_err *err)
{
    output_pass pass = {p, s, n, calloc((size_t)lt_jobs(), sizeof(float *))};
    size_t largest = 0;
    bool ok = pass.out;
    lt_code rc = LT_OK;

    for (int i = 0; i < n && ok; i++) {
        size_t values = qtensor_size(&p->net.tensors[p->net.layers[s[i].layer].out]);
        if (values > largest) largest = values;
        ok = (s[i].y = malloc((size_t)s[i].rows * (size_t)s[i].k * sizeof(float)));
    }
    for (int i = 0; i < lt_jobs() && ok; i++) ok = (pass.out[i] = malloc(largest * sizeof(float)));
    if (!ok) rc = lt_fail(err, LT_EMEM, "out of memory for the calibration samples");
    if (rc == LT_OK)
        rc = lt_exec_images(&p->graph, &p->calib_data, 0, images, "float layer outputs", record_outputs, &pass, err);
    for (int i = 0; pass.out && i < lt_jobs(); i++) free(pass.out[i]);
    free(pass.out);
    return rc;
}

typedef struct {
    const lt_prep *p;
    lt_pq_samples *s;
    fast_work **work;
    int16_t **in;
} input_pass;

static void record_windows(void *ctx, size_t image, int worker)
{
    input_pass *pass = ctx;
    lt_pq_samples *s = pass->s;
    const qnet *net = &pass->p->net;
    const qlayer *l = &net->layers[s->layer];
    const qtensor *in = &net->tensors[l->in], *out = &net->tensors[l->out];
    int16_t *x = pass->in[worker];

    fast_input(pass->work[worker], lt_dataset_image(&pass->p->calib_data, image));
    if (s->layer > 0) fast_run(pass->work[worker], 0, s->layer - 1);
    fast_get(pass->work[worker], l->in, x);
    for (int j = 0; j < s->per_image; j++) {
        size_t row = image * (size_t)s->per_image + (size_t)j;
        int y0 = s->at[row] / out->w * l->stride - l->pad_t, x0 = s->at[row] % out->w * l->stride - l->pad_l;
        for (int t = 0; t < s->taps; t++) {
            int yy = y0 + t / l->s * l->dilation, xx = x0 + t % l->s * l->dilation;
            bool inside = yy >= 0 && yy < in->h && xx >= 0 && xx < in->w;
            int16_t *v = s->x + (row * (size_t)s->taps + (size_t)t) * (size_t)s->c;
            s->inside[row * (size_t)s->taps + (size_t)t] = inside;
            for (int c = 0; c < s->c; c++)
                v[c] = inside ? x[((size_t)c * (size_t)in->h + (size_t)yy) * (size_t)in->w + (size_t)xx] : 0;
        }
    }
}

lt_code lt_pq_sample_inputs(const lt_prep *p, lt_pq_samples *s, lt_err *err)
{
    size_t taps = (size_t)s->rows * (size_t)s->taps;
    int jobs = lt_jobs();
    input_pass pass = {p, s, calloc((size_t)jobs, sizeof(fast_work *)), calloc((size_t)jobs, sizeof(int16_t *))};
    fast_net *net = fast_new(&p->net, FAST_BEST);
    bool ok = net && pass.work && pass.in;

    s->x = malloc(taps * (size_t)s->c * sizeof *s->x);
    s->inside = malloc(taps);
    ok = ok && s->x && s->inside;
    for (int i = 0; ok && i < jobs; i++) {
        pass.work[i] = fast_work_new(net);
        pass.in[i] = malloc(qtensor_size(&p->net.tensors[p->net.layers[s->layer].in]) * sizeof(int16_t));
        ok = pass.work[i] && pass.in[i];
    }
    if (ok) lt_parallel_for((size_t)(s->rows / s->per_image), record_windows, &pass);
    for (int i = 0; i < jobs; i++) {
        if (pass.work && pass.work[i]) fast_work_free(pass.work[i]);
        if (pass.in) free(pass.in[i]);
    }
    free(pass.work);
    free(pass.in);
    if (net) fast_free(net);
    return ok ? LT_OK : lt_fail(err, LT_EMEM, "out of memory for the calibration samples");
}
