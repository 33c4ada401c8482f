#include "train/grid.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "compress/tree.h"
#include "golden/golden.h"
#include "golden/mirror.h"

enum { CENTRE, STEP, PARAMS };

typedef struct reader reader;

struct lt_grid {
    const lt_env *env;
    int codebooks, length, prototypes, edges; /* edges: thresholds of element 0, which has most */
    int c, drop;                              /* channels of the tensor; low bits that the encoder drops */
    float lo, hi;                             /* range of what it compares */
    const float *step;
    float *edge;     /* [edges][c] smallest real value that reaches the level above; infinite where there is none */
    int16_t *thresh; /* [edges][c] the same in units of the encoder */
    float *per;      /* [c] 1 / step of the grid */
    float *most;     /* [c] highest level from the middle one */
    lt_param own[PARAMS], *params; /* own until a layer lists them among its parameters */
    int n_readers;
    reader **readers;
};

/* One convolution. */
struct reader {
    lt_grid *g;
    bool owner;
    int px;
    double *part; /* [chunks][2][c] gradients of centre and step */
    lt_param params[PARAMS];
};

static void forward(void *ctx, const lt_chunk *c, const float *x, float *y, size_t size)
{
    const reader *r = ctx;
    const lt_grid *g = r->g;
    (void)size;
    g->env->vec->grid(x, (size_t)(r->px * c->n), g->c, g->edges, g->edge, g->params[STEP].value, g->most, y);
}

static void backward(void *ctx, const lt_chunk *c, const float *x, const float *gy, float *gx, size_t size)
{
    reader *r = ctx;
    const lt_grid *g = r->g;
    double *part = r->part + (size_t)c->index * 2 * (size_t)g->c;
    (void)size;
    g->env->vec->grid_back(x, gy, (size_t)(r->px * c->n), g->c, g->edges, g->edge, g->params[CENTRE].value, g->per,
                           g->most, gx, part, part + g->c);
}

static void finish(void *ctx, const lt_pass *pass)
{
    const reader *own = ctx;
    const lt_grid *g = own->g;

    for (int i = 0; i < 2 * g->c && own->owner; i++) {
        double sum = 0;
        for (int r = 0; r < g->n_readers; r++)
            for (int k = 0; k < pass->chunks; k++) sum += g->readers[r]->part[(size_t)k * 2 * (size_t)g->c + (size_t)i];
        double factor = 1 / sqrt((double)own->px * (double)g->most[i % g->c]);
        g->params[i < g->c ? CENTRE : STEP].grad[i % g->c] = (float)(sum * factor);
    }
}

static void free_reader(void *ctx)
{
    reader *r = ctx;
    free(r->part);
    if (r->owner) lt_grid_free(r->g);
    free(r);
}

lt_code lt_grid_attach(lt_layer *conv, lt_grid *g, lt_err *err)
{
    reader *r = calloc(1, sizeof *r), **all = realloc(g->readers, (size_t)(g->n_readers + 1) * sizeof(reader *));

    if (all) g->readers = all;
    if (r) r->part = lt_aligned((size_t)conv->env->chunks * 2 * (size_t)g->c * sizeof(double));
    if (!r || !all || !r->part) {
        if (r) free(r->part);
        free(r);
        return lt_fail(err, LT_EMEM, "%s: out of memory", conv->name);
    }
    r->g = g;
    r->px = conv->in->s.h * conv->in->s.w;
    r->owner = g->n_readers == 0;
    g->readers[g->n_readers++] = r;
    if (r->owner) {
        memcpy(r->params, g->own, sizeof g->own);
        g->params = r->params;
    }
    lt_input_hook h = {r, forward, backward, finish, r->owner ? PARAMS : 0, r->params, free_reader};
    return lt_conv_set_input_hook(conv, &h, err);
}

static int levels_of(const lt_grid *g, int c)
{
    return 1 << qenc_element_bits(g->prototypes, g->length, c % g->length);
}

void lt_grid_refresh(lt_grid *g)
{
    float unit = g->step[0] * (float)(1 << g->drop);
    for (int c = 0; c < g->c; c++) {
        float centre = g->params[CENTRE].value[c], step = g->params[STEP].value[c];
        g->per[c] = 1 / step;
        for (int i = 0; i < levels_of(g, c) - 1; i++) {
            double at = ((double)centre + (double)step * (i + 1 - levels_of(g, c) / 2)) / (double)unit;
            double t = fmin(fmax(floor(at + 0.5), (double)g->lo), (double)g->hi + 1);
            g->thresh[i * g->c + c] = (int16_t)t;
            g->edge[i * g->c + c] = (float)((t * (1 << g->drop) - 0.5) * (double)g->step[0]);
        }
    }
}

void lt_grid_free(lt_grid *g)
{
    if (!g) return;
    for (int i = 0; i < PARAMS; i++) lt_param_free(&g->params[i]);
    free(g->edge);
    free(g->thresh);
    free(g->per);
    free(g->most);
    free(g->readers);
    free(g);
}

/* First centres and steps: those of the tree. An element of one bit has one threshold; its step is then a quarter of
 * the range. */
static void start(lt_grid *g, const qencoder *e)
{
    float unit = g->step[0] * (float)(1 << g->drop);
    for (int c = 0; c < g->c; c++) {
        int cb = c / g->length, j = c % g->length, levels = levels_of(g, c);
        const int16_t *t = e->thresh + (size_t)cb * (size_t)(g->prototypes - 1);
        float mid = (float)t[lt_tree_mirrored_node(g->prototypes, g->length, j, levels / 2)];
        float first = (float)t[lt_tree_mirrored_node(g->prototypes, g->length, j, 1)];
        float last = (float)t[lt_tree_mirrored_node(g->prototypes, g->length, j, levels - 1)];
        float step = levels > 2 ? (last - first) / (float)(levels - 2) : (g->hi - g->lo + 1) / 4;
        g->params[CENTRE].value[c] = mid * unit;
        g->params[STEP].value[c] = fmaxf(step, 0.5f) * unit;
        g->most[c] = (float)(levels - 1) / 2;
        for (int i = levels - 1; i < g->edges; i++) g->edge[i * g->c + c] = INFINITY;
    }
}

static void limits(lt_grid *g)
{
    float sum = 0, least = INFINITY;
    for (int c = 0; c < g->c; c++) {
        sum += g->params[STEP].value[c];
        least = fminf(least, g->params[STEP].value[c]);
    }
    for (int i = 0; i < PARAMS; i++) g->params[i].lr_mult = sum / (float)g->c; /* Adam: a rate is a share of a step */
    g->params[STEP].lo = least / 16;
}

static lt_code build(lt_grid *g, const char *name, const qencoder *e, lt_err *err)
{
    size_t c = (size_t)g->c, edges = (size_t)g->edges * c;

    LT_TRY(lt_param_make(&g->own[CENTRE], name, "centre", c, g->env->train, err));
    LT_TRY(lt_param_make(&g->own[STEP], name, "grid", c, g->env->train, err));
    g->edge = lt_aligned(edges * sizeof *g->edge);
    g->thresh = lt_aligned(edges * sizeof *g->thresh);
    g->per = lt_aligned(c * sizeof *g->per);
    g->most = lt_aligned(c * sizeof *g->most);
    if (!g->edge || !g->thresh || !g->per || !g->most) return lt_fail(err, LT_EMEM, "%s: out of memory", name);
    start(g, e);
    limits(g);
    lt_grid_refresh(g);
    return LT_OK;
}

lt_code lt_grid_create(lt_grid **out, const char *name, const qencoder *e, const qtensor *in, const float *step,
                       const lt_env *env, lt_err *err)
{
    int most = qenc_element_bits(e->prototypes, e->length, 0), drop = 8 - e->enc_bits, depth = lt_clog2(e->prototypes);
    bool fits = e->encoder == QENC_TREE && e->mode == QPQ_CHANNEL && lt_tree_can_mirror(e->prototypes, e->length);

    *out = NULL;
    for (int cb = 0; fits && cb < e->codebooks; cb++)
        for (int j = 0, l = cb * depth; j < e->length; j++)
            for (int i = 0; i < qenc_element_bits(e->prototypes, e->length, j); i++) fits = fits && e->dim[l++] == j;
    if (!fits) return lt_fail(err, LT_EINPUT, "%s: its encoder is not a mirrored tree", name);
    lt_grid *g = *out = calloc(1, sizeof *g);
    if (!g) return lt_fail(err, LT_EMEM, "out of memory");
    *g = (lt_grid){.env = env,
                   .codebooks = e->codebooks,
                   .length = e->length,
                   .prototypes = e->prototypes,
                   .edges = (1 << most) - 1,
                   .c = in->c,
                   .drop = drop,
                   .lo = (float)(qtensor_min(in) >> drop),
                   .hi = (float)(qtensor_max(in) >> drop),
                   .step = step};
    g->params = g->own;
    lt_code rc = build(g, name, e, err);
    if (rc != LT_OK) {
        lt_grid_free(g);
        *out = NULL;
    }
    return rc;
}

void lt_grid_export(lt_grid *g, qencoder *e)
{
    int depth = lt_clog2(g->prototypes);

    lt_grid_refresh(g);
    for (int cb = 0; cb < g->codebooks; cb++) {
        int16_t t[LT_TREE_MAX_VALUES];
        for (int j = 0; j < g->length; j++)
            for (int i = 0; i < g->edges; i++) {
                int c = cb * g->length + j;
                t[j * g->edges + i] = c < g->c ? g->thresh[i * g->c + c] : (int16_t)((int)g->hi + 1);
            }
        lt_tree_mirrored(t, g->prototypes, g->length, e->dim + cb * depth,
                         e->thresh + (size_t)cb * (size_t)(g->prototypes - 1));
    }
}

/* Level of element j, from the middle one, that a code stands for. */
static float level_in(const lt_grid *g, int code, int j)
{
    for (int i = g->length - 1; i > j; i--) code >>= qenc_element_bits(g->prototypes, g->length, i);
    int levels = 1 << qenc_element_bits(g->prototypes, g->length, j);
    return (float)(code & (levels - 1)) - (float)(levels - 1) / 2;
}

void lt_grid_tables(const lt_layer *conv, const float *weights, int taps, float *table)
{
    const reader *r = lt_conv_input_hook(conv)->ctx;
    const lt_grid *g = r->g;
    int outs = conv->out->s.c;

    for (int cb = 0; cb < g->codebooks; cb++)
        for (int tap = 0; tap < taps; tap++)
            for (int code = 0; code < g->prototypes; code++, table += outs)
                for (int o = 0; o < outs; o++) {
                    float sum = 0;
                    for (int j = 0; j < g->length && cb * g->length + j < g->c; j++) {
                        int c = cb * g->length + j;
                        sum += level_in(g, code, j) * g->params[STEP].value[c] * weights[(o * g->c + c) * taps + tap];
                    }
                    table[o] = sum;
                }
}
