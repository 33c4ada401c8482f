#include "compress/pq_entries.h"

#include "base/par.h"
#include "compress/lut_fit.h"
#include "golden/golden.h"

typedef struct {
    const lt_pq_samples *s;
    const qencoder *e;
    int taps;
    bool mirror;
    int32_t *idx;
} index_pass;

int lt_pq_entries(const qencoder *e, int taps, bool mirror)
{
    return e->codebooks * taps * (mirror ? e->prototypes / 2 : e->prototypes);
}

static int32_t sample_of(const index_pass *p, int table, int code)
{
    int k = p->e->prototypes;
    if (!p->mirror) return table * k + code;
    return code < k / 2 ? table * (k / 2) + code : ~(table * (k / 2) + k - 1 - code);
}

static void index_row(void *ctx, size_t r, int worker)
{
    index_pass *p = ctx;
    const lt_pq_samples *s = p->s;
    const qencoder *e = p->e;
    const int16_t *x = s->x + r * (size_t)s->taps * (size_t)s->c;
    int32_t *idx = p->idx + r * (size_t)(e->codebooks * p->taps);
    int16_t v[256];
    (void)worker;

    for (int cb = 0; cb < e->codebooks; cb++) {
        if (e->mode == QPQ_SPATIAL) {
            for (int t = 0; t < s->taps; t++) v[t] = x[t * s->c + cb];
            idx[cb] = sample_of(p, cb, golden_encode(e, cb, v));
            continue;
        }
        for (int t = 0; t < s->taps; t++) {
            int32_t *i = &idx[cb * s->taps + t];
            if (!s->inside[r * (size_t)s->taps + (size_t)t]) {
                *i = LT_LUT_NONE;
                continue;
            }
            for (int j = 0; j < e->length; j++) {
                int c = cb * e->length + j;
                v[j] = c < s->c ? x[t * s->c + c] : 0;
            }
            *i = sample_of(p, cb * s->taps + t, golden_encode(e, cb, v));
        }
    }
}

void lt_pq_looked_up(const lt_pq_samples *s, const qencoder *e, int taps, bool mirror, int32_t *idx)
{
    index_pass p = {s, e, taps, mirror, idx};
    lt_parallel_for((size_t)s->rows, index_row, &p);
}
