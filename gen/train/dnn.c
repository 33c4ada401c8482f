/* Engine, streams, memory and reorders that convolutions share. */
#include "train/dnn_internal.h"

#include <omp.h>
#include <stdint.h>
#include <stdlib.h>

lt_code lt_dnn_bad(lt_err *err, dnnl_status_t s, const char *what)
{
    return lt_fail(err, s == dnnl_out_of_memory ? LT_EMEM : LT_EINTERNAL, "oneDNN: %s: status %d", what, (int)s);
}

void lt_dnn_one_thread(void)
{
    static _Thread_local bool done;
    if (!done) omp_set_num_threads(1);
    done = true;
}

void lt_dnn_note(lt_dnn *d, dnnl_status_t s)
{
    int none = 0;
    if (s != dnnl_success) atomic_compare_exchange_strong(&d->failed, &none, (int)s);
}

lt_code lt_dnn_check(lt_dnn *d, lt_err *err)
{
    int s = atomic_exchange(&d->failed, 0);
    return s ? lt_dnn_bad(err, (dnnl_status_t)s, "a primitive failed") : LT_OK;
}

dnnl_status_t lt_dnn_grow(lt_dnn *d, lt_dnn_room *r, size_t bytes)
{
    if (bytes <= r->size) return dnnl_success;
    for (int i = 0; i < d->workers; i++) {
        free(r->at[i]);
        r->at[i] = aligned_alloc(64, (bytes + 127) / 64 * 64);
        if (r->at[i]) continue;
        r->size = 0;
        return dnnl_out_of_memory;
    }
    r->size = bytes;
    return dnnl_success;
}

static void free_room(const lt_dnn *d, lt_dnn_room *r)
{
    for (int i = 0; r->at && i < d->workers; i++) free(r->at[i]);
    free(r->at);
}

void lt_dnn_close(lt_dnn *d)
{
    if (!d) return;
    for (int i = 0; d->streams && i < d->workers; i++)
        if (d->streams[i]) dnnl_stream_destroy(d->streams[i]);
    if (d->engine) dnnl_engine_destroy(d->engine);
    free_room(d, &d->scratch);
    free_room(d, &d->operands);
    free(d->streams);
    free(d);
}

/* Where oneDNN would have to make bfloat16 products of other instructions, float32 is several times as fast. */
static bool has_bf16(void)
{
    return (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core_bf16) == dnnl_cpu_isa_avx512_core_bf16;
}

lt_code lt_dnn_open(lt_dnn **out, int workers, lt_precision precision, lt_err *err)
{
    lt_dnn *d = calloc(1, sizeof *d);

    *out = NULL;
    lt_dnn_one_thread();
    if (!d) return lt_fail(err, LT_EMEM, "out of memory");
    d->workers = workers;
    d->precision = precision;
    d->native = precision == LT_BF16 && has_bf16();
    d->vec = lt_vec_best();
    d->streams = calloc((size_t)workers, sizeof(dnnl_stream_t));
    d->scratch.at = calloc((size_t)workers, sizeof(void *));
    d->operands.at = calloc((size_t)workers, sizeof(void *));
    dnnl_status_t s = d->streams && d->scratch.at && d->operands.at ? dnnl_success : dnnl_out_of_memory;
    if (s == dnnl_success) s = dnnl_engine_create(&d->engine, dnnl_cpu, 0);
    for (int i = 0; i < workers && s == dnnl_success; i++)
        s = dnnl_stream_create(&d->streams[i], d->engine, dnnl_stream_default_flags);
    if (s != dnnl_success) {
        lt_dnn_close(d);
        return lt_dnn_bad(err, s, "engine");
    }
    *out = d;
    return LT_OK;
}

dnnl_status_t lt_dnn_reorder(const lt_dnn *d, const dnnl_memory_desc_t *from, const dnnl_memory_desc_t *to,
                             dnnl_primitive_t *p)
{
    dnnl_primitive_desc_t pd;
    dnnl_status_t s = dnnl_reorder_primitive_desc_create(&pd, from, d->engine, to, d->engine, NULL);
    if (s != dnnl_success) return s;
    s = dnnl_primitive_create(p, pd);
    dnnl_primitive_desc_destroy(pd);
    return s;
}

void lt_dnn_run_reorder(lt_dnn *d, int worker, dnnl_primitive_t p, const dnnl_memory_desc_t *from_md, const void *from,
                        const dnnl_memory_desc_t *to_md, void *to)
{
    dnnl_memory_t a = NULL, b = NULL;
    lt_dnn_one_thread();
    dnnl_status_t s = dnnl_memory_create(&a, from_md, d->engine, (void *)(uintptr_t)from);
    if (s == dnnl_success) s = dnnl_memory_create(&b, to_md, d->engine, to);
    if (s == dnnl_success) {
        dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, a}, {DNNL_ARG_TO, b}};
        s = dnnl_primitive_execute(p, d->streams[worker], 2, args);
        if (s == dnnl_success) s = dnnl_stream_wait(d->streams[worker]);
    }
    if (a) dnnl_memory_destroy(a);
    if (b) dnnl_memory_destroy(b);
    lt_dnn_note(d, s);
}
