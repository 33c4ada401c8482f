#include "train/dnn_internal.h"

#include <stdlib.h>
#include <string.h>

enum { VECTOR = 16 }; /* floats of the widest */

static dnnl_status_t convolution(const lt_dnn_want *w, dnnl_convolution_desc_t *cd)
{
    const lt_conv_shape *s = w->s;
    dnnl_dims_t xd = {w->images, s->c, s->h, s->w}, yd = {w->images, s->k, s->p, s->q}, bd = {s->k};
    dnnl_dims_t stride = {s->stride_h, s->stride_w}, dil = {s->dil_h - 1, s->dil_w - 1};
    dnnl_dims_t before = {s->pad_t, s->pad_l}, after = {s->pad_b, s->pad_r};
    dnnl_data_type_t x_type = w->pass == LT_DNN_DATA ? dnnl_f32 : w->type;
    dnnl_data_type_t y_type = w->pass == LT_DNN_FORWARD ? dnnl_f32 : w->type;
    dnnl_data_type_t w_type = w->pass == LT_DNN_WEIGHTS ? dnnl_f32 : w->type;
    dnnl_memory_desc_t x, y, b, weights;
    dnnl_status_t st = dnnl_memory_desc_init_by_tag(&x, 4, xd, x_type, dnnl_nhwc);

    if (st == dnnl_success) st = dnnl_memory_desc_init_by_tag(&y, 4, yd, y_type, dnnl_nhwc);
    if (st == dnnl_success) st = dnnl_memory_desc_init_by_tag(&b, 1, bd, dnnl_f32, dnnl_a);
    if (w->chosen)
        weights = *w->chosen;
    else if (st == dnnl_success)
        st = dnnl_memory_desc_init_by_tag(&weights, w->weights->ndims, w->weights->dims, w_type, dnnl_format_tag_any);
    if (st != dnnl_success) return st;
    const dnnl_memory_desc_t *bias = s->bias ? &b : NULL;
    if (w->pass == LT_DNN_FORWARD)
        return dnnl_dilated_convolution_forward_desc_init(cd, dnnl_forward_training, dnnl_convolution_direct, &x,
                                                          &weights, bias, &y, stride, dil, before, after);
    if (w->pass == LT_DNN_DATA)
        return dnnl_dilated_convolution_backward_data_desc_init(cd, dnnl_convolution_direct, &x, &weights, &y, stride,
                                                                dil, before, after);
    return dnnl_dilated_convolution_backward_weights_desc_init(cd, dnnl_convolution_direct, &x, &weights, bias, &y,
                                                               stride, dil, before, after);
}

static bool starts(const char *name, const char *with)
{
    return strncmp(name, with, strlen(with)) == 0;
}

/* Whether the implementation is right, and for bfloat16 fast. What is wrong in oneDNN 2.6: its 1x1 kernels write past
 * their scratch where a weight gradient has strides and less channels than a vector (oneDNN issue 6035), those for
 * bfloat16 give wrong sums over an odd number of channels, and so does, or reads past the image, its bfloat16 weight
 * gradient with groups and dilation. */
static bool is_usable(const lt_dnn_want *w, dnnl_primitive_desc_t pd)
{
    const lt_conv_shape *s = w->s;
    int summed = (w->pass == LT_DNN_FORWARD ? s->c : s->k) / s->groups;
    bool strided = s->stride_h > 1 || s->stride_w > 1;
    const char *name;

    if (dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &name) != dnnl_success) return false;
    if (w->pass == LT_DNN_WEIGHTS && strided && s->c / s->groups < VECTOR &&
        (starts(name, "jit_1x1") || starts(name, "jit_bf16_1x1")))
        return false;
    if (w->type == dnnl_f32) return true;
    if (s->dil_h > 1 || s->dil_w > 1) return false;
    if (w->pass != LT_DNN_WEIGHTS && summed % 2 && starts(name, "jit_bf16_1x1")) return false;
    return !starts(name, "ref");
}

/* The first usable implementation of those that oneDNN lists, best first. */
static dnnl_status_t pick(const lt_dnn *d, const lt_dnn_want *w, const dnnl_convolution_desc_t *cd,
                          const dnnl_primitive_attr_t attr, dnnl_primitive_desc_t hint, dnnl_primitive_desc_t *pd)
{
    dnnl_primitive_desc_iterator_t all;
    dnnl_status_t s = dnnl_primitive_desc_iterator_create(&all, cd, attr, d->engine, hint);

    if (s != dnnl_success) return s;
    while (s == dnnl_success) {
        *pd = dnnl_primitive_desc_iterator_fetch(all);
        if (!*pd || is_usable(w, *pd)) break;
        dnnl_primitive_desc_destroy(*pd);
        *pd = NULL;
        s = dnnl_primitive_desc_iterator_next(all);
    }
    dnnl_primitive_desc_iterator_destroy(all);
    if (s == dnnl_iterator_ends) return dnnl_unimplemented;
    return *pd ? s : dnnl_out_of_memory;
}

dnnl_status_t lt_dnn_describe(const lt_dnn *d, const lt_dnn_want *w, dnnl_primitive_desc_t hint,
                              dnnl_primitive_desc_t *pd)
{
    dnnl_convolution_desc_t cd;
    dnnl_primitive_attr_t attr;
    dnnl_status_t s = convolution(w, &cd);

    *pd = NULL;
    if (s == dnnl_success) s = dnnl_primitive_attr_create(&attr);
    if (s != dnnl_success) return s;
    s = dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user);
    if (s == dnnl_success) s = pick(d, w, &cd, attr, hint, pd);
    dnnl_primitive_attr_destroy(attr);
    return s;
}

static void add_arg(lt_dnn_primitive *p, dnnl_primitive_desc_t pd, dnnl_query_t what, int arg)
{
    p->arg[p->n_args] = arg;
    p->md[p->n_args++] = *dnnl_primitive_desc_query_md(pd, what, 0);
}

/* Arguments in the order in which lt_dnn_primitive_run gets their addresses. */
static void list_args(const lt_dnn_want *w, lt_dnn_primitive *p, dnnl_primitive_desc_t pd)
{
    bool forward = w->pass == LT_DNN_FORWARD;

    if (forward) {
        add_arg(p, pd, dnnl_query_src_md, DNNL_ARG_SRC);
        add_arg(p, pd, dnnl_query_weights_md, DNNL_ARG_WEIGHTS);
        add_arg(p, pd, dnnl_query_dst_md, DNNL_ARG_DST);
    } else if (w->pass == LT_DNN_DATA) {
        add_arg(p, pd, dnnl_query_diff_dst_md, DNNL_ARG_DIFF_DST);
        add_arg(p, pd, dnnl_query_weights_md, DNNL_ARG_WEIGHTS);
        add_arg(p, pd, dnnl_query_diff_src_md, DNNL_ARG_DIFF_SRC);
    } else {
        add_arg(p, pd, dnnl_query_src_md, DNNL_ARG_SRC);
        add_arg(p, pd, dnnl_query_diff_weights_md, DNNL_ARG_DIFF_WEIGHTS);
        add_arg(p, pd, dnnl_query_diff_dst_md, DNNL_ARG_DIFF_DST);
    }
    if (!w->s->bias || w->pass == LT_DNN_DATA) return;
    p->arg[3] = forward ? DNNL_ARG_BIAS : DNNL_ARG_DIFF_BIAS;
    p->md[3] = *dnnl_primitive_desc_query_md(pd, forward ? dnnl_query_weights_md : dnnl_query_diff_weights_md, 1);
    p->n_args = 4;
}

static dnnl_status_t make_memories(lt_dnn *d, lt_dnn_primitive *p)
{
    dnnl_status_t s = lt_dnn_grow(d, &d->scratch, dnnl_memory_desc_get_size(&p->scratch));

    if (s != dnnl_success) return s;
    p->mem = calloc((size_t)d->workers * (LT_DNN_ARGS + 1), sizeof(dnnl_memory_t));
    if (!p->mem) return dnnl_out_of_memory;
    for (int i = 0; i < d->workers; i++) {
        dnnl_memory_t *m = p->mem + i * (LT_DNN_ARGS + 1);
        for (int a = 0; a < p->n_args; a++) {
            s = dnnl_memory_create(&m[a], &p->md[a], d->engine, DNNL_MEMORY_NONE);
            if (s != dnnl_success) return s;
        }
        s = dnnl_memory_create(&m[LT_DNN_ARGS], &p->scratch, d->engine, DNNL_MEMORY_NONE);
        if (s != dnnl_success) return s;
    }
    return dnnl_success;
}

dnnl_status_t lt_dnn_primitive_make(lt_dnn *d, const lt_dnn_want *w, dnnl_primitive_desc_t pd, lt_dnn_primitive *p)
{
    list_args(w, p, pd);
    p->scratch = *dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
    dnnl_status_t s = dnnl_primitive_create(&p->p, pd);
    return s == dnnl_success ? make_memories(d, p) : s;
}

void lt_dnn_primitive_free(const lt_dnn *d, lt_dnn_primitive *p)
{
    for (int i = 0; p->mem && i < d->workers * (LT_DNN_ARGS + 1); i++)
        if (p->mem[i]) dnnl_memory_destroy(p->mem[i]);
    free(p->mem);
    if (p->p) dnnl_primitive_destroy(p->p);
    *p = (lt_dnn_primitive){0};
}

void lt_dnn_primitive_run(lt_dnn *d, const lt_dnn_primitive *p, int worker, void *const *at)
{
    dnnl_stream_t stream = d->streams[worker];
    dnnl_memory_t *m = p->mem + worker * (LT_DNN_ARGS + 1);
    dnnl_exec_arg_t args[LT_DNN_ARGS + 1];
    dnnl_status_t s = dnnl_success;

    lt_dnn_one_thread();
    for (int i = 0; i < p->n_args && s == dnnl_success; i++) {
        s = dnnl_memory_set_data_handle_v2(m[i], at[i], stream);
        args[i] = (dnnl_exec_arg_t){p->arg[i], m[i]};
    }
    if (s == dnnl_success) s = dnnl_memory_set_data_handle_v2(m[LT_DNN_ARGS], d->scratch.at[worker], stream);
    args[p->n_args] = (dnnl_exec_arg_t){DNNL_ARG_SCRATCHPAD, m[LT_DNN_ARGS]};
    if (s == dnnl_success) s = dnnl_primitive_execute(p->p, stream, p->n_args + 1, args);
    if (s == dnnl_success) s = dnnl_stream_wait(stream);
    lt_dnn_note(d, s);
}
