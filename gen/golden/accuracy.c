#include "golden/accuracy.h"

#include <stdlib.h>

#include "base/par.h"
#include "base/progress.h"
#include "golden/fast.h"

enum { CHUNK = 16 }; /* images per call: progress and scheduling stay cheap */

typedef struct {
    const qnet *net;
    const uint8_t *pixels, *labels;
    int n;
    fast_work **w;
    int *right; /* per chunk: no two threads share one */
    lt_progress *progress;
} run;

static void chunk(void *ctx, size_t c, int worker)
{
    run *r = ctx;
    size_t size = qtensor_size(&r->net->tensors[0]);
    int first = (int)c * CHUNK, last = first + CHUNK < r->n ? first + CHUNK : r->n;

    for (int i = first; i < last; i++) {
        fast_input(r->w[worker], r->pixels + (size_t)i * size);
        fast_run(r->w[worker], 0, r->net->n_layers - 1);
        r->right[c] += fast_argmax(r->w[worker]) == r->labels[i];
    }
    lt_progress_add(r->progress, (size_t)(last - first));
}

lt_code golden_accuracy(const qnet *net, const uint8_t *pixels, const uint8_t *labels, int n, const char *what,
                        int *right, lt_err *err)
{
    size_t chunks = ((size_t)n + CHUNK - 1) / CHUNK;
    int jobs = lt_jobs();
    fast_net *f = fast_new(net, FAST_BEST);
    run r = {.net = net, .pixels = pixels, .labels = labels, .n = n};

    r.w = calloc((size_t)jobs, sizeof *r.w);
    r.right = calloc(chunks + 1, sizeof *r.right);
    bool ok = f && r.w && r.right;
    for (int i = 0; i < jobs && ok; i++) ok = (r.w[i] = fast_work_new(f)) != NULL;
    *right = 0;
    if (ok) {
        r.progress = what ? lt_progress_start(what, (size_t)n) : NULL;
        lt_parallel_for(chunks, chunk, &r);
        lt_progress_end(r.progress);
    }
    for (size_t c = 0; c < chunks && ok; c++) *right += r.right[c];
    for (int i = 0; i < jobs && r.w; i++) fast_work_free(r.w[i]);
    free(r.w);
    free(r.right);
    fast_free(f);
    return ok ? LT_OK : lt_fail(err, LT_EMEM, "%s: out of memory", net->name);
}
