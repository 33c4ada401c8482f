#include "model/exec.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/par.h"
#include "base/progress.h"

static bool depthwise(const lt_graph *g, const lt_node *n)
{
    return n->groups > 1 && n->groups == lt_node_in_shape(g, n).c && n->groups == n->shape.c;
}

static bool pointwise(const lt_node *n)
{
    return n->r == 1 && n->s == 1 && n->stride_h == 1 && n->stride_w == 1 &&
           !(n->pad_t | n->pad_l | n->pad_b | n->pad_r);
}

lt_code lt_exec_init(lt_exec *x, const lt_graph *g, lt_err *err)
{
    size_t cols = 1;

    openblas_set_num_threads(1); /* parallel over images instead */
    *x = (lt_exec){.g = g, .t = calloc((size_t)g->n_nodes, sizeof *x->t)};
    bool ok = x->t != NULL;
    for (int i = 0; i < g->n_nodes && ok; i++) {
        const lt_node *n = &g->nodes[i];
        ok = (x->t[i] = malloc(lt_shape_size(n->shape) * sizeof(float))) != NULL;
        if (n->op != NODE_CONV) continue;
        size_t rows = (size_t)lt_node_in_shape(g, n).c * (size_t)n->r * (size_t)n->s;
        size_t size = rows * (size_t)n->shape.h * (size_t)n->shape.w;
        if (!depthwise(g, n) && !pointwise(n) && size > cols) cols = size;
    }
    if (ok && cols <= LT_MAX_ELEMENTS * 16) x->cols = malloc(cols * sizeof(float));
    if (x->cols) return LT_OK;
    lt_exec_free(x);
    return lt_fail(err, LT_EMEM, "%s: out of memory for the tensors of one image", g->name);
}

void lt_exec_free(lt_exec *x)
{
    for (int i = 0; x->t && i < x->g->n_nodes; i++) free(x->t[i]);
    free(x->t);
    free(x->cols);
    *x = (lt_exec){0};
}

/* First and one past the last output position whose input position p*stride + off lies in 0..size-1. */
static void valid(int size, int off, int stride, int outs, int *lo, int *hi)
{
    *lo = off >= 0 ? 0 : (-off + stride - 1) / stride;
    *hi = size - off <= 0 ? 0 : (size - 1 - off) / stride + 1;
    if (*hi > outs) *hi = outs;
    if (*lo > *hi) *lo = *hi;
}

void lt_exec_im2col(const lt_graph *g, int node, const float *in, float *cols)
{
    const lt_node *n = &g->nodes[node];
    lt_shape is = lt_node_in_shape(g, n), os = n->shape;
    size_t pixels = (size_t)os.h * (size_t)os.w;

    memset(cols, 0, (size_t)is.c * (size_t)n->r * (size_t)n->s * pixels * sizeof *cols);
    for (int c = 0; c < is.c; c++)
        for (int r = 0; r < n->r; r++)
            for (int s = 0; s < n->s; s++, cols += pixels) {
                int oy = r * n->dil_h - n->pad_t, ox = s * n->dil_w - n->pad_l, y0, y1, x0, x1;
                valid(is.h, oy, n->stride_h, os.h, &y0, &y1);
                valid(is.w, ox, n->stride_w, os.w, &x0, &x1);
                for (int y = y0; y < y1; y++) {
                    const float *row = in + ((size_t)c * (size_t)is.h + (size_t)(y * n->stride_h + oy)) * (size_t)is.w;
                    float *out = cols + (size_t)y * (size_t)os.w;
                    for (int x = x0; x < x1; x++) out[x] = row[x * n->stride_w + ox];
                }
            }
}

static void conv_depthwise(const lt_graph *g, const lt_node *n, const float *in, float *out)
{
    lt_shape is = lt_node_in_shape(g, n), os = n->shape;
    size_t pixels = (size_t)os.h * (size_t)os.w;

    for (int c = 0; c < os.c; c++, out += pixels, in += (size_t)is.h * (size_t)is.w)
        for (int r = 0; r < n->r; r++)
            for (int s = 0; s < n->s; s++) {
                float w = n->weight[((size_t)c * (size_t)n->r + (size_t)r) * (size_t)n->s + (size_t)s];
                int oy = r * n->dil_h - n->pad_t, ox = s * n->dil_w - n->pad_l, y0, y1, x0, x1;
                valid(is.h, oy, n->stride_h, os.h, &y0, &y1);
                valid(is.w, ox, n->stride_w, os.w, &x0, &x1);
                for (int y = y0; y < y1; y++) {
                    const float *row = in + (size_t)(y * n->stride_h + oy) * (size_t)is.w;
                    float *o = out + (size_t)y * (size_t)os.w;
                    for (int x = x0; x < x1; x++) o[x] += w * row[x * n->stride_w + ox];
                }
            }
}

void lt_exec_linear(lt_exec *x, int node, const float *in, float *out)
{
    const lt_graph *g = x->g;
    const lt_node *n = &g->nodes[node];
    lt_shape is = lt_node_in_shape(g, n), os = n->shape;
    size_t pixels = (size_t)os.h * (size_t)os.w;

    for (int k = 0; k < os.c; k++)
        for (size_t i = 0; i < pixels; i++) out[(size_t)k * pixels + i] = n->bias ? n->bias[k] : 0.0f;
    if (n->op == NODE_GEMM) {
        cblas_sgemv(CblasRowMajor, CblasNoTrans, os.c, (int)lt_shape_size(is), 1, n->weight, (int)lt_shape_size(is), in,
                    1, 1, out, 1);
        return;
    }
    if (depthwise(g, n)) {
        conv_depthwise(g, n, in, out);
        return;
    }
    const float *cols = in;
    if (!pointwise(n)) {
        lt_exec_im2col(g, node, in, x->cols);
        cols = x->cols;
    }
    int kg = os.c / n->groups, len = is.c / n->groups * n->r * n->s;
    for (int grp = 0; grp < n->groups; grp++)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, kg, (int)pixels, len, 1,
                    n->weight + (size_t)grp * (size_t)kg * (size_t)len, len, cols + (size_t)grp * (size_t)len * pixels,
                    (int)pixels, 1, out + (size_t)(grp * kg) * pixels, (int)pixels);
}

static void pool(const lt_graph *g, const lt_node *n, const float *in, float *out)
{
    lt_shape is = lt_node_in_shape(g, n), os = n->shape;
    bool max = n->op == NODE_MAXPOOL;

    for (int c = 0; c < os.c; c++, in += (size_t)is.h * (size_t)is.w)
        for (int p = 0; p < os.h; p++)
            for (int q = 0; q < os.w; q++) {
                float acc = max ? -INFINITY : 0;
                int inside = 0;
                for (int r = 0; r < n->r; r++)
                    for (int s = 0; s < n->s; s++) {
                        int y = p * n->stride_h + r - n->pad_t, x = q * n->stride_w + s - n->pad_l;
                        if (y < 0 || y >= is.h || x < 0 || x >= is.w) continue;
                        float v = in[(size_t)y * (size_t)is.w + (size_t)x];
                        acc = max ? fmaxf(acc, v) : acc + v;
                        inside++;
                    }
                *out++ = max ? acc : acc / (float)(n->count_pad ? n->r * n->s : inside);
            }
}

/* y[k][p][q] += x[k - c_off][p*step][q*step] */
static void add_shifted(lt_shape os, float *y, lt_shape xs, const float *x, int step, int c_off)
{
    for (int c = 0; c < xs.c; c++)
        for (int p = 0; p < os.h; p++) {
            float *o = y + ((size_t)(c + c_off) * (size_t)os.h + (size_t)p) * (size_t)os.w;
            const float *v = x + ((size_t)c * (size_t)xs.h + (size_t)(p * step)) * (size_t)xs.w;
            for (int q = 0; q < os.w; q++) o[q] += v[q * step];
        }
}

void lt_exec_node(lt_exec *x, int node)
{
    const lt_graph *g = x->g;
    const lt_node *n = &g->nodes[node];
    size_t size = lt_shape_size(n->shape), plane = (size_t)n->shape.h * (size_t)n->shape.w;
    float *y = x->t[node];

    if (n->op == NODE_INPUT) return;
    const float *in = x->t[n->in];
    switch (n->op) {
    case NODE_CONV:
    case NODE_GEMM:
        lt_exec_linear(x, node, in, y);
        break;
    case NODE_MAXPOOL:
    case NODE_AVGPOOL:
        pool(g, n, in, y);
        break;
    case NODE_BN:
        for (size_t i = 0; i < size; i++) y[i] = in[i] * n->weight[i / plane] + n->bias[i / plane];
        break;
    case NODE_SHORTCUT:
        memset(y, 0, size * sizeof *y);
        add_shifted(n->shape, y, lt_node_in_shape(g, n), in, n->res_step, n->res_c_off);
        break;
    default: /* add, clip, flatten */
        memcpy(y, in, size * sizeof *y);
        break;
    }
    if (n->res >= 0) add_shifted(n->shape, y, g->nodes[n->res].shape, x->t[n->res], n->res_step, n->res_c_off);
    if (n->lo != -INFINITY || n->hi != INFINITY)
        for (size_t i = 0; i < size; i++) y[i] = fminf(fmaxf(y[i], n->lo), n->hi);
}

void lt_exec_run(lt_exec *x, const float *input)
{
    memcpy(x->t[0], input, lt_shape_size(x->g->nodes[0].shape) * sizeof(float));
    for (int i = 1; i < x->g->n_nodes; i++) lt_exec_node(x, i);
}

typedef struct {
    const lt_graph *g;
    const lt_dataset *d;
    lt_exec *workers;
    lt_progress *progress;
    int first;
    void (*each)(void *ctx, int image, const lt_exec *x, int worker);
    void *ctx;
} images;

static void one_image(void *ctx, size_t i, int worker)
{
    images *m = ctx;
    lt_exec *x = &m->workers[worker];
    int image = m->first + (int)i;

    lt_preprocess(&m->g->pre, m->g->nodes[0].shape, lt_dataset_image(m->d, (size_t)image), x->t[0]);
    for (int k = 1; k < m->g->n_nodes; k++) lt_exec_node(x, k);
    m->each(m->ctx, image, x, worker);
    lt_progress_add(m->progress, 1);
}

lt_code lt_exec_images(const lt_graph *g, const lt_dataset *d, int first, int n, const char *what,
                       void (*each)(void *ctx, int image, const lt_exec *x, int worker), void *ctx, lt_err *err)
{
    lt_shape in = g->nodes[0].shape;
    int jobs = lt_jobs();

    if (in.c != d->c || in.h != d->h || in.w != d->w)
        return lt_fail(err, LT_EINPUT, "%s reads %dx%dx%d images, %s has %dx%dx%d", g->name, in.c, in.h, in.w, d->name,
                       d->c, d->h, d->w);
    if (first < 0 || n < 0 || n > d->n - first)
        return lt_fail(err, LT_EINPUT, "%s: images %d..%d asked for, there are %d", d->name, first, first + n - 1,
                       d->n);
    images m = {g, d, calloc((size_t)jobs, sizeof(lt_exec)), NULL, first, each, ctx};
    lt_code rc = m.workers ? LT_OK : lt_fail(err, LT_EMEM, "%s: out of memory", g->name);
    int ready = 0;
    while (rc == LT_OK && ready < jobs) {
        rc = lt_exec_init(&m.workers[ready], g, err);
        if (rc == LT_OK) ready++;
    }
    if (rc == LT_OK) {
        m.progress = what ? lt_progress_start(what, (size_t)n) : NULL;
        lt_parallel_for((size_t)n, one_image, &m);
        lt_progress_end(m.progress);
    }
    for (int i = 0; i < ready; i++) lt_exec_free(&m.workers[i]);
    free(m.workers);
    return rc;
}

int lt_argmax(const float *v, int n)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        if (v[i] > v[best]) best = i;
    return best;
}

typedef struct {
    const lt_dataset *d;
    unsigned char *right; /* [n]: 1 if the image was classified rightly */
} score;

static void judge(void *ctx, int image, const lt_exec *x, int worker)
{
    score *s = ctx;
    (void)worker;
    int best = lt_argmax(x->t[x->g->output], (int)lt_shape_size(x->g->nodes[x->g->output].shape));
    s->right[image] = best == s->d->labels[image];
}

lt_code lt_exec_accuracy(const lt_graph *g, const lt_dataset *d, int n, int *right, lt_err *err)
{
    score s = {d, calloc((size_t)(n > 0 ? n : 1), 1)};
    *right = 0;
    if (!s.right) return lt_fail(err, LT_EMEM, "out of memory");
    lt_code rc = lt_exec_images(g, d, 0, n, "float", judge, &s, err);
    for (int i = 0; i < n && rc == LT_OK; i++) *right += s.right[i];
    free(s.right);
    return rc;
}
