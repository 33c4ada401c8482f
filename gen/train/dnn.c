#include "train/dnn.h"

#include <oneapi/dnnl/dnnl.h>
#include <omp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#if DNNL_VERSION_MAJOR != 2
#error "lutra uses the C API of oneDNN 2 (Debian 12: libdnnl-dev 2.6)"
#endif

enum { FORWARD, DATA, WEIGHTS, PASSES };
enum { MAX_ARGS = 4 };

struct lt_dnn {
    dnnl_engine_t engine;
    int workers;
    dnnl_stream_t *streams; /* [workers] */
    void **scratch;         /* [workers], grown to the largest any primitive asks for */
    size_t scratch_size;
    atomic_int failed; /* first status that was not success */
};

/* One primitive with what is needed to run it from every worker. */
typedef struct {
    dnnl_primitive_t p;
    dnnl_memory_desc_t scratch;
    int n_args;
    int arg[MAX_ARGS]; /* DNNL_ARG_* */
    dnnl_memory_desc_t md[MAX_ARGS];
    dnnl_memory_t *mem; /* [workers][MAX_ARGS + 1], the last one is scratch */
} primitive;

/* Primitives for one number of images. */
typedef struct {
    bool ready;
    primitive pass[PASSES];
} variant;

struct lt_dnn_conv {
    lt_dnn *d;
    lt_conv_shape s;
    int images;
    bool want[PASSES];
    variant *v; /* [images + 1] */
    /* weights: the caller's layout, and what the primitives chose */
    dnnl_memory_desc_t plain, chosen[PASSES];
    dnnl_primitive_t load[PASSES], unload; /* reorders */
    float *w[PASSES];                      /* FORWARD, DATA: loaded weights */
};

static lt_code bad(lt_err *err, dnnl_status_t s, const char *what)
{
    return lt_fail(err, s == dnnl_out_of_memory ? LT_EMEM : LT_EINTERNAL, "oneDNN: %s: status %d", what, (int)s);
}

/* oneDNN would start its own threads in every caller; the number is kept per thread. */
static void one_thread(void)
{
    static _Thread_local bool done;
    if (!done) omp_set_num_threads(1);
    done = true;
}

static void *aligned(size_t bytes)
{
    return aligned_alloc(64, (bytes + 127) / 64 * 64);
}

void lt_dnn_close(lt_dnn *d)
{
    if (!d) return;
    for (int i = 0; i < d->workers; i++) {
        if (d->streams && d->streams[i]) dnnl_stream_destroy(d->streams[i]);
        if (d->scratch) free(d->scratch[i]);
    }
    if (d->engine) dnnl_engine_destroy(d->engine);
    free(d->streams);
    free(d->scratch);
    free(d);
}

lt_code lt_dnn_open(lt_dnn **out, int workers, lt_err *err)
{
    lt_dnn *d = calloc(1, sizeof *d);

    *out = NULL;
    one_thread();
    if (!d) return lt_fail(err, LT_EMEM, "out of memory");
    d->workers = workers;
    d->streams = calloc((size_t)workers, sizeof(dnnl_stream_t));
    d->scratch = calloc((size_t)workers, sizeof *d->scratch);
    dnnl_status_t s = d->streams && d->scratch ? dnnl_success : dnnl_out_of_memory;
    if (s == dnnl_success) s = dnnl_engine_create(&d->engine, dnnl_cpu, 0);
    for (int i = 0; i < workers && s == dnnl_success; i++)
        s = dnnl_stream_create(&d->streams[i], d->engine, dnnl_stream_default_flags);
    if (s != dnnl_success) {
        lt_dnn_close(d);
        return bad(err, s, "engine");
    }
    *out = d;
    return LT_OK;
}

lt_code lt_dnn_check(lt_dnn *d, lt_err *err)
{
    int s = atomic_exchange(&d->failed, 0);
    return s ? bad(err, (dnnl_status_t)s, "a primitive failed") : LT_OK;
}

static void note(lt_dnn *d, dnnl_status_t s)
{
    int none = 0;
    if (s != dnnl_success) atomic_compare_exchange_strong(&d->failed, &none, (int)s);
}

static void free_primitive(const lt_dnn *d, primitive *p)
{
    for (int i = 0; p->mem && i < d->workers * (MAX_ARGS + 1); i++)
        if (p->mem[i]) dnnl_memory_destroy(p->mem[i]);
    free(p->mem);
    if (p->p) dnnl_primitive_destroy(p->p);
}

void lt_dnn_conv_free(lt_dnn_conv *c)
{
    if (!c) return;
    for (int n = 0; c->v && n <= c->images; n++)
        for (int i = 0; i < PASSES; i++) free_primitive(c->d, &c->v[n].pass[i]);
    for (int i = 0; i < PASSES; i++) {
        if (c->load[i]) dnnl_primitive_destroy(c->load[i]);
        free(c->w[i]);
    }
    if (c->unload) dnnl_primitive_destroy(c->unload);
    free(c->v);
    free(c);
}

/* Reorder of weights between two layouts. */
static dnnl_status_t reorder(const lt_dnn *d, const dnnl_memory_desc_t *from, const dnnl_memory_desc_t *to,
                             dnnl_primitive_t *p)
{
    dnnl_primitive_desc_t pd;
    dnnl_status_t s = dnnl_reorder_primitive_desc_create(&pd, from, d->engine, to, d->engine, NULL);
    if (s != dnnl_success) return s;
    s = dnnl_primitive_create(p, pd);
    dnnl_primitive_desc_destroy(pd);
    return s;
}

static void run_reorder(lt_dnn *d, int worker, dnnl_primitive_t p, const dnnl_memory_desc_t *from_md, const float *from,
                        const dnnl_memory_desc_t *to_md, float *to)
{
    dnnl_memory_t a = NULL, b = NULL;
    one_thread();
    dnnl_status_t s = dnnl_memory_create(&a, from_md, d->engine, (void *)(uintptr_t)from);
    if (s == dnnl_success) s = dnnl_memory_create(&b, to_md, d->engine, to);
    if (s == dnnl_success) {
        dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, a}, {DNNL_ARG_TO, b}};
        s = dnnl_primitive_execute(p, d->streams[worker], 2, args);
        if (s == dnnl_success) s = dnnl_stream_wait(d->streams[worker]);
    }
    if (a) dnnl_memory_destroy(a);
    if (b) dnnl_memory_destroy(b);
    note(d, s);
}

lt_code lt_dnn_conv_create(lt_dnn *d, const lt_conv_shape *s, int images, bool data, bool weights, lt_dnn_conv **out,
                           lt_err *err)
{
    lt_dnn_conv *c = calloc(1, sizeof *c);
    int kg = s->k / s->groups, cg = s->c / s->groups;
    dnnl_dims_t grouped = {s->groups, kg, cg, s->r, s->s}, simple = {kg, cg, s->r, s->s};

    *out = NULL;
    if (!c) return lt_fail(err, LT_EMEM, "out of memory");
    c->d = d;
    c->s = *s;
    c->images = images;
    c->want[FORWARD] = true;
    c->want[DATA] = data;
    c->want[WEIGHTS] = weights;
    c->v = calloc((size_t)images + 1, sizeof *c->v);
    dnnl_status_t st = c->v ? dnnl_success : dnnl_out_of_memory;
    if (st == dnnl_success)
        st = s->groups > 1 ? dnnl_memory_desc_init_by_tag(&c->plain, 5, grouped, dnnl_f32, dnnl_goihw)
                           : dnnl_memory_desc_init_by_tag(&c->plain, 4, simple, dnnl_f32, dnnl_oihw);
    lt_code rc = st == dnnl_success ? lt_dnn_conv_prepare(c, images, err) : bad(err, st, "weights");
    for (int i = FORWARD; i <= DATA && rc == LT_OK; i++) {
        if (!c->want[i]) continue;
        size_t bytes = dnnl_memory_desc_get_size(&c->chosen[i]);
        c->w[i] = aligned(bytes);
        if (c->w[i]) memset(c->w[i], 0, bytes);
        st = c->w[i] ? reorder(d, &c->plain, &c->chosen[i], &c->load[i]) : dnnl_out_of_memory;
        if (st != dnnl_success) rc = bad(err, st, "weight reorder");
    }
    if (rc == LT_OK && weights) {
        st = reorder(d, &c->chosen[WEIGHTS], &c->plain, &c->unload);
        if (st != dnnl_success) rc = bad(err, st, "gradient reorder");
    }
    if (rc != LT_OK) {
        lt_dnn_conv_free(c);
        return rc;
    }
    *out = c;
    return LT_OK;
}

static dnnl_status_t describe(lt_dnn_conv *c, int pass, int n, const dnnl_primitive_attr_t attr,
                              dnnl_primitive_desc_t hint, dnnl_primitive_desc_t *pd)
{
    const lt_conv_shape *s = &c->s;
    dnnl_dims_t xd = {n, s->c, s->h, s->w}, yd = {n, s->k, s->p, s->q}, bd = {s->k};
    dnnl_dims_t stride = {s->stride_h, s->stride_w}, dil = {s->dil_h - 1, s->dil_w - 1};
    dnnl_dims_t before = {s->pad_t, s->pad_l}, after = {s->pad_b, s->pad_r};
    dnnl_memory_desc_t x, y, b, w = c->chosen[pass];
    dnnl_convolution_desc_t cd;
    dnnl_status_t st = dnnl_memory_desc_init_by_tag(&x, 4, xd, dnnl_f32, dnnl_nhwc);

    if (st == dnnl_success) st = dnnl_memory_desc_init_by_tag(&y, 4, yd, dnnl_f32, dnnl_nhwc);
    if (st == dnnl_success) st = dnnl_memory_desc_init_by_tag(&b, 1, bd, dnnl_f32, dnnl_a);
    if (st == dnnl_success && w.ndims == 0)
        st = dnnl_memory_desc_init_by_tag(&w, c->plain.ndims, c->plain.dims, dnnl_f32, dnnl_format_tag_any);
    if (st != dnnl_success) return st;
    const dnnl_memory_desc_t *bias = s->bias ? &b : NULL;
    if (pass == FORWARD)
        st = dnnl_dilated_convolution_forward_desc_init(&cd, dnnl_forward_training, dnnl_convolution_direct, &x, &w,
                                                        bias, &y, stride, dil, before, after);
    else if (pass == DATA)
        st = dnnl_dilated_convolution_backward_data_desc_init(&cd, dnnl_convolution_direct, &x, &w, &y, stride, dil,
                                                              before, after);
    else
        st = dnnl_dilated_convolution_backward_weights_desc_init(&cd, dnnl_convolution_direct, &x, &w, bias, &y, stride,
                                                                 dil, before, after);
    return st == dnnl_success ? dnnl_primitive_desc_create(pd, &cd, attr, c->d->engine, hint) : st;
}

static void add_arg(primitive *p, dnnl_primitive_desc_t pd, dnnl_query_t what, int arg)
{
    p->arg[p->n_args] = arg;
    p->md[p->n_args++] = *dnnl_primitive_desc_query_md(pd, what, 0);
}

/* Arguments in the order in which execute() gets their addresses. */
static void list_args(const lt_dnn_conv *c, int pass, primitive *p, dnnl_primitive_desc_t pd)
{
    if (pass == FORWARD) {
        add_arg(p, pd, dnnl_query_src_md, DNNL_ARG_SRC);
        add_arg(p, pd, dnnl_query_weights_md, DNNL_ARG_WEIGHTS);
        add_arg(p, pd, dnnl_query_dst_md, DNNL_ARG_DST);
    } else if (pass == DATA) {
        add_arg(p, pd, dnnl_query_diff_dst_md, DNNL_ARG_DIFF_DST);
        add_arg(p, pd, dnnl_query_weights_md, DNNL_ARG_WEIGHTS);
        add_arg(p, pd, dnnl_query_diff_src_md, DNNL_ARG_DIFF_SRC);
    } else {
        add_arg(p, pd, dnnl_query_src_md, DNNL_ARG_SRC);
        add_arg(p, pd, dnnl_query_diff_weights_md, DNNL_ARG_DIFF_WEIGHTS);
        add_arg(p, pd, dnnl_query_diff_dst_md, DNNL_ARG_DIFF_DST);
    }
    if (!c->s.bias || pass == DATA) return;
    p->arg[3] = pass == FORWARD ? DNNL_ARG_BIAS : DNNL_ARG_DIFF_BIAS;
    p->md[3] =
        *dnnl_primitive_desc_query_md(pd, pass == FORWARD ? dnnl_query_weights_md : dnnl_query_diff_weights_md, 1);
    p->n_args = 4;
}

static dnnl_status_t make_memories(lt_dnn *d, primitive *p)
{
    size_t need = dnnl_memory_desc_get_size(&p->scratch);

    if (need > d->scratch_size) {
        for (int i = 0; i < d->workers; i++) {
            free(d->scratch[i]);
            d->scratch[i] = aligned(need);
            if (!d->scratch[i]) {
                d->scratch_size = 0;
                return dnnl_out_of_memory;
            }
        }
        d->scratch_size = need;
    }
    p->mem = calloc((size_t)d->workers * (MAX_ARGS + 1), sizeof(dnnl_memory_t));
    if (!p->mem) return dnnl_out_of_memory;
    for (int i = 0; i < d->workers; i++) {
        dnnl_memory_t *m = p->mem + i * (MAX_ARGS + 1);
        for (int a = 0; a < p->n_args; a++) {
            dnnl_status_t s = dnnl_memory_create(&m[a], &p->md[a], d->engine, DNNL_MEMORY_NONE);
            if (s != dnnl_success) return s;
        }
        dnnl_status_t s = dnnl_memory_create(&m[MAX_ARGS], &p->scratch, d->engine, DNNL_MEMORY_NONE);
        if (s != dnnl_success) return s;
    }
    return dnnl_success;
}

lt_code lt_dnn_conv_prepare(lt_dnn_conv *c, int n, lt_err *err)
{
    variant *v = &c->v[n];
    dnnl_primitive_attr_t attr;
    dnnl_primitive_desc_t pd[PASSES] = {NULL};

    if (v->ready) return LT_OK;
    one_thread();
    dnnl_status_t s = dnnl_primitive_attr_create(&attr);
    if (s != dnnl_success) return bad(err, s, "attributes");
    s = dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user);
    for (int i = 0; i < PASSES && s == dnnl_success; i++) {
        primitive *p = &v->pass[i];
        if (!c->want[i]) continue;
        s = describe(c, i, n, attr, pd[FORWARD], &pd[i]);
        if (s != dnnl_success) break;
        list_args(c, i, p, pd[i]);
        c->chosen[i] = p->md[1]; /* weights or their gradient; other numbers of images must take the same layout */
        p->scratch = *dnnl_primitive_desc_query_md(pd[i], dnnl_query_scratchpad_md, 0);
        s = dnnl_primitive_create(&p->p, pd[i]);
        if (s == dnnl_success) s = make_memories(c->d, p);
    }
    for (int i = 0; i < PASSES; i++)
        if (pd[i]) dnnl_primitive_desc_destroy(pd[i]);
    dnnl_primitive_attr_destroy(attr);
    if (s != dnnl_success) {
        for (int i = 0; i < PASSES; i++) {
            free_primitive(c->d, &v->pass[i]);
            v->pass[i] = (primitive){0};
        }
        return bad(err, s, "convolution");
    }
    v->ready = true;
    return LT_OK;
}

/* Runs a pass on the addresses given in the order of list_args. */
static void execute(lt_dnn_conv *c, int pass, int worker, int n, void *const *at)
{
    lt_dnn *d = c->d;
    primitive *p = &c->v[n].pass[pass];
    dnnl_memory_t *m = p->mem + worker * (MAX_ARGS + 1);
    dnnl_exec_arg_t args[MAX_ARGS + 1];
    dnnl_status_t s = dnnl_success;

    one_thread();
    for (int i = 0; i < p->n_args && s == dnnl_success; i++) {
        s = dnnl_memory_set_data_handle_v2(m[i], at[i], d->streams[worker]);
        args[i] = (dnnl_exec_arg_t){p->arg[i], m[i]};
    }
    if (s == dnnl_success) s = dnnl_memory_set_data_handle_v2(m[MAX_ARGS], d->scratch[worker], d->streams[worker]);
    args[p->n_args] = (dnnl_exec_arg_t){DNNL_ARG_SCRATCHPAD, m[MAX_ARGS]};
    if (s == dnnl_success) s = dnnl_primitive_execute(p->p, d->streams[worker], p->n_args + 1, args);
    if (s == dnnl_success) s = dnnl_stream_wait(d->streams[worker]);
    note(d, s);
}

/* oneDNN takes all its arguments as void *; the inputs are not written. */
static void *in(const float *p)
{
    return (void *)(uintptr_t)p;
}

void lt_dnn_conv_load(lt_dnn_conv *c, const float *w, bool backward)
{
    for (int i = FORWARD; i <= (backward && c->want[DATA] ? DATA : FORWARD); i++)
        run_reorder(c->d, 0, c->load[i], &c->plain, w, &c->chosen[i], c->w[i]);
}

void lt_dnn_conv_forward(lt_dnn_conv *c, int worker, int n, const float *x, const float *bias, float *y)
{
    execute(c, FORWARD, worker, n, (void *[]){in(x), c->w[FORWARD], y, in(bias)});
}

void lt_dnn_conv_backward_data(lt_dnn_conv *c, int worker, int n, const float *gy, float *gx)
{
    execute(c, DATA, worker, n, (void *[]){in(gy), c->w[DATA], gx});
}

void lt_dnn_conv_backward_weights(lt_dnn_conv *c, int worker, int n, const float *x, const float *gy, float *gw,
                                  float *gb)
{
    execute(c, WEIGHTS, worker, n, (void *[]){in(x), gw, in(gy), gb});
}

size_t lt_dnn_conv_partial(const lt_dnn_conv *c)
{
    return dnnl_memory_desc_get_size(&c->chosen[WEIGHTS]) / sizeof(float);
}

void lt_dnn_conv_unload(lt_dnn_conv *c, int worker, const float *gw, float *w)
{
    run_reorder(c->d, worker, c->unload, &c->chosen[WEIGHTS], gw, &c->plain, w);
}
