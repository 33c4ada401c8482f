#include "train/dnn_internal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 16 }; /* floats of a cache line */

/* Primitives for one number of images. */
typedef struct {
    bool ready;
    lt_dnn_primitive pass[LT_DNN_PASSES];
} variant;

/* All that is needed to run passes with operands as they are, or with rounded ones. */
typedef struct {
    bool rounded;
    bool want[LT_DNN_PASSES];
    variant *v;                               /* [images + 1] */
    dnnl_data_type_t type[LT_DNN_PASSES];     /* of operands: float32 may hold rounded ones */
    dnnl_memory_desc_t chosen[LT_DNN_PASSES]; /* layout of weights or their gradient that primitives chose */
    dnnl_primitive_t load[LT_DNN_PASSES];
    void *w[LT_DNN_PASSES]; /* FORWARD, DATA: loaded weights */
} arithmetic;

struct lt_dnn_conv {
    lt_dnn *d;
    lt_conv_shape s;
    int images;
    size_t x, y, weights;     /* values of one image, and in all */
    dnnl_memory_desc_t plain; /* weights as the caller has them */
    arithmetic exact, own;    /* exact: forward passes only, unused where the precision is float32 */
    arithmetic *now;          /* whose weights were loaded last */
    float *rounded;           /* [weights] */
    dnnl_primitive_t unload;
};

static void free_arithmetic(const lt_dnn_conv *c, arithmetic *a)
{
    for (int n = 0; a->v && n <= c->images; n++)
        for (int i = 0; i < LT_DNN_PASSES; i++) lt_dnn_primitive_free(c->d, &a->v[n].pass[i]);
    for (int i = 0; i < LT_DNN_PASSES; i++) {
        if (a->load[i]) dnnl_primitive_destroy(a->load[i]);
        free(a->w[i]);
    }
    free(a->v);
}

void lt_dnn_conv_free(lt_dnn_conv *c)
{
    if (!c) return;
    free_arithmetic(c, &c->exact);
    free_arithmetic(c, &c->own);
    if (c->unload) dnnl_primitive_destroy(c->unload);
    free(c->rounded);
    free(c);
}

/* Descriptor of a pass; the first one decides for all numbers of images what its operands are. */
static dnnl_status_t describe(const lt_dnn_conv *c, arithmetic *a, lt_dnn_want *w, dnnl_primitive_desc_t hint,
                              dnnl_primitive_desc_t *pd)
{
    lt_dnn_pass i = w->pass;

    if (w->chosen) {
        w->type = a->type[i];
        return lt_dnn_describe(c->d, w, hint, pd);
    }
    w->type = a->type[i] = a->rounded && c->d->native ? dnnl_bf16 : dnnl_f32;
    dnnl_status_t s = lt_dnn_describe(c->d, w, hint, pd);
    if (s != dnnl_unimplemented || w->type == dnnl_f32) return s;
    w->type = a->type[i] = dnnl_f32;
    return lt_dnn_describe(c->d, w, hint, pd);
}

static lt_code make_variant(lt_dnn_conv *c, arithmetic *a, int n, lt_err *err)
{
    variant *v = &a->v[n];
    dnnl_primitive_desc_t pd[LT_DNN_PASSES] = {NULL};
    dnnl_status_t s = dnnl_success;

    if (v->ready) return LT_OK;
    lt_dnn_one_thread();
    for (int i = 0; i < LT_DNN_PASSES && s == dnnl_success; i++) {
        if (!a->want[i]) continue;
        lt_dnn_want w = {.s = &c->s,
                         .pass = (lt_dnn_pass)i,
                         .images = n,
                         .weights = &c->plain,
                         .chosen = a->chosen[i].ndims ? &a->chosen[i] : NULL};
        s = describe(c, a, &w, pd[LT_DNN_FORWARD], &pd[i]);
        if (s == dnnl_success) s = lt_dnn_primitive_make(c->d, &w, pd[i], &v->pass[i]);
        if (s == dnnl_success) a->chosen[i] = v->pass[i].md[1]; /* other numbers of images must take the same layout */
    }
    for (int i = 0; i < LT_DNN_PASSES; i++)
        if (pd[i]) dnnl_primitive_desc_destroy(pd[i]);
    if (s == dnnl_success) {
        v->ready = true;
        return LT_OK;
    }
    for (int i = 0; i < LT_DNN_PASSES; i++) lt_dnn_primitive_free(c->d, &v->pass[i]);
    return lt_dnn_bad(err, s, "convolution");
}

/* The primitives of full chunks choose the layouts, and weights get their places. */
static lt_code open_arithmetic(lt_dnn_conv *c, arithmetic *a, lt_err *err)
{
    a->v = calloc((size_t)c->images + 1, sizeof *a->v);
    if (!a->v) return lt_fail(err, LT_EMEM, "out of memory");
    LT_TRY(make_variant(c, a, c->images, err));
    for (int i = LT_DNN_FORWARD; i <= LT_DNN_DATA; i++) {
        if (!a->want[i]) continue;
        size_t bytes = dnnl_memory_desc_get_size(&a->chosen[i]);
        a->w[i] = aligned_alloc(64, (bytes + 127) / 64 * 64);
        if (a->w[i]) memset(a->w[i], 0, bytes);
        dnnl_status_t s = a->w[i] ? lt_dnn_reorder(c->d, &c->plain, &a->chosen[i], &a->load[i]) : dnnl_out_of_memory;
        if (s != dnnl_success) return lt_dnn_bad(err, s, "weight reorder");
    }
    return LT_OK;
}

static arithmetic *kind(lt_dnn_conv *c, bool exact)
{
    return exact && c->own.rounded ? &c->exact : &c->own;
}

lt_code lt_dnn_conv_prepare(lt_dnn_conv *c, int n, bool exact, lt_err *err)
{
    arithmetic *a = kind(c, exact);
    if (!a->v) LT_TRY(open_arithmetic(c, a, err));
    return make_variant(c, a, n, err);
}

static lt_code open_conv(lt_dnn_conv *c, lt_err *err)
{
    const lt_conv_shape *s = &c->s;
    int kg = s->k / s->groups, cg = s->c / s->groups;
    dnnl_dims_t grouped = {s->groups, kg, cg, s->r, s->s}, simple = {kg, cg, s->r, s->s};
    dnnl_status_t st = s->groups > 1 ? dnnl_memory_desc_init_by_tag(&c->plain, 5, grouped, dnnl_f32, dnnl_goihw)
                                     : dnnl_memory_desc_init_by_tag(&c->plain, 4, simple, dnnl_f32, dnnl_oihw);

    if (st != dnnl_success) return lt_dnn_bad(err, st, "weights");
    LT_TRY(open_arithmetic(c, &c->own, err));
    if (c->own.want[LT_DNN_WEIGHTS]) st = lt_dnn_reorder(c->d, &c->own.chosen[LT_DNN_WEIGHTS], &c->plain, &c->unload);
    if (st != dnnl_success) return lt_dnn_bad(err, st, "gradient reorder");
    if (!c->own.rounded) return LT_OK;
    c->rounded = malloc(c->weights * sizeof *c->rounded);
    if (!c->rounded) return lt_fail(err, LT_EMEM, "out of memory");
    st = lt_dnn_grow(c->d, &c->d->operands, ((size_t)c->images * (c->x + c->y) + LINE) * sizeof(float));
    return st == dnnl_success ? LT_OK : lt_dnn_bad(err, st, "operands");
}

lt_code lt_dnn_conv_create(lt_dnn *d, const lt_conv_shape *s, int images, bool data, bool weights, lt_dnn_conv **out,
                           lt_err *err)
{
    lt_dnn_conv *c = calloc(1, sizeof *c);

    *out = NULL;
    if (!c) return lt_fail(err, LT_EMEM, "out of memory");
    c->d = d;
    c->s = *s;
    c->images = images;
    c->x = (size_t)s->c * (size_t)s->h * (size_t)s->w;
    c->y = (size_t)s->k * (size_t)s->p * (size_t)s->q;
    c->weights = (size_t)s->k * (size_t)(s->c / s->groups) * (size_t)s->r * (size_t)s->s;
    c->exact.want[LT_DNN_FORWARD] = c->own.want[LT_DNN_FORWARD] = true;
    c->own.want[LT_DNN_DATA] = data;
    c->own.want[LT_DNN_WEIGHTS] = weights;
    c->own.rounded = d->precision != LT_F32;
    c->now = &c->own;
    lt_code rc = open_conv(c, err);
    if (rc != LT_OK) {
        lt_dnn_conv_free(c);
        return rc;
    }
    *out = c;
    return LT_OK;
}

bool lt_dnn_conv_native(const lt_dnn_conv *c, lt_dnn_pass pass)
{
    return c->own.want[pass] && c->own.type[pass] == dnnl_bf16;
}

void lt_dnn_conv_load(lt_dnn_conv *c, const float *w, bool exact, bool backward)
{
    arithmetic *a = c->now = kind(c, exact);

    if (a->rounded) {
        c->d->vec->round_bf16(w, c->weights, c->rounded);
        w = c->rounded;
    }
    for (int i = LT_DNN_FORWARD; i <= LT_DNN_DATA; i++)
        if (a->want[i] && (i == LT_DNN_FORWARD || backward))
            lt_dnn_run_reorder(c->d, 0, a->load[i], &c->plain, w, &a->chosen[i], a->w[i]);
}

/* oneDNN takes all its arguments as void *; the inputs are not written. */
static void *in(const void *p)
{
    return (void *)(uintptr_t)p;
}

/* Activations as a pass multiplies them, at `room` unless they are so already. */
static void *operand(const lt_dnn_conv *c, lt_dnn_pass pass, const float *v, size_t n, void *room)
{
    const arithmetic *a = c->now;

    if (!a->rounded) return in(v);
    if (a->type[pass] == dnnl_bf16)
        c->d->vec->to_bf16(v, n, room);
    else
        c->d->vec->round_bf16(v, n, room);
    return room;
}

static void run(lt_dnn_conv *c, lt_dnn_pass pass, int worker, int n, void *const *at)
{
    lt_dnn_primitive_run(c->d, &c->now->v[n].pass[pass], worker, at);
}

void lt_dnn_conv_forward(lt_dnn_conv *c, int worker, int n, const float *x, const float *bias, float *y)
{
    void *ox = operand(c, LT_DNN_FORWARD, x, (size_t)n * c->x, c->d->operands.at[worker]);
    run(c, LT_DNN_FORWARD, worker, n, (void *[]){ox, c->now->w[LT_DNN_FORWARD], y, in(bias)});
}

/* Activations are rounded anew: to keep what the forward pass multiplied would take half as much memory again. */
void lt_dnn_conv_backward(lt_dnn_conv *c, int worker, int n, const float *x, const float *gy, float *gw, float *gb,
                          float *gx)
{
    size_t nx = (size_t)n * c->x, ny = (size_t)n * c->y, behind = (ny + LINE - 1) / LINE * LINE;
    float *room = c->d->operands.at[worker];
    void *oy = operand(c, LT_DNN_WEIGHTS, gy, ny, room),
         *ox = operand(c, LT_DNN_WEIGHTS, x, nx, room ? room + behind : NULL);

    run(c, LT_DNN_WEIGHTS, worker, n, (void *[]){ox, gw, oy, gb});
    if (!gx) return;
    if (c->now->type[LT_DNN_DATA] != c->now->type[LT_DNN_WEIGHTS]) oy = operand(c, LT_DNN_DATA, gy, ny, room);
    run(c, LT_DNN_DATA, worker, n, (void *[]){oy, c->now->w[LT_DNN_DATA], gx});
}

size_t lt_dnn_conv_partial(const lt_dnn_conv *c)
{
    return dnnl_memory_desc_get_size(&c->own.chosen[LT_DNN_WEIGHTS]) / sizeof(float);
}

void lt_dnn_conv_unload(lt_dnn_conv *c, int worker, const float *gw, float *w)
{
    lt_dnn_run_reorder(c->d, worker, c->unload, &c->own.chosen[LT_DNN_WEIGHTS], gw, &c->plain, w);
}
