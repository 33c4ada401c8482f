#include "compress/pq_round.h"

#include <stdlib.h>
#include <string.h>

#include "compress/pq.h"
#include "compress/pq_entries.h"
#include "golden/mirror.h"

enum { POSITIONS = 64, SEED = 1 };

typedef struct {
    lt_pq_samples s;
    int32_t *idx;
    float *half; /* entries that are rounded, [entries][k] */
    double *normal;
    int8_t *q;
} work;

static void work_free(work *w)
{
    lt_pq_samples_free(&w->s);
    free(w->idx);
    free(w->half);
    free(w->normal);
    free(w->q);
}

/* What the layer gives before its tables are rounded. */
static void ideal_outputs(const work *w, int active)
{
    size_t k = (size_t)w->s.k;
    for (int r = 0; r < w->s.rows; r++) {
        float *y = w->s.y + (size_t)r * k;
        const int32_t *idx = w->idx + (size_t)r * (size_t)active;
        memset(y, 0, k * sizeof *y);
        for (int i = 0; i < active; i++) {
            if (idx[i] == LT_LUT_NONE) continue;
            const float *row = w->half + (size_t)(idx[i] < 0 ? ~idx[i] : idx[i]) * k;
            for (size_t o = 0; o < k; o++) y[o] += idx[i] < 0 ? -row[o] : row[o];
        }
    }
}

static lt_code round_layer(work *w, const lt_prep *p, int layer, const float *table, bool mirror,
                           const lt_lut_scaling *to, float *scale, int8_t **lut, float *shift, lt_err *err)
{
    const qlayer *l = &p->net.layers[layer];
    const qencoder *e = &p->net.encoders[l->encoder];
    int taps = e->mode == QPQ_SPATIAL ? 1 : l->r * l->s, active = e->codebooks * taps;
    int entries = lt_pq_entries(e, taps, mirror), codes = entries / active;
    size_t n = (size_t)entries, k = (size_t)l->k;

    LT_TRY(lt_pq_sample_places(p, &layer, 1, p->calib_data.n, POSITIONS, SEED, &w->s, err));
    LT_TRY(lt_pq_sample_inputs(p, &w->s, err));
    w->idx = malloc((size_t)w->s.rows * (size_t)active * sizeof *w->idx);
    w->half = malloc(n * k * sizeof *w->half);
    w->s.y = malloc((size_t)w->s.rows * k * sizeof *w->s.y);
    w->normal = malloc(n * n * sizeof *w->normal);
    w->q = malloc(n * k);
    if (!w->idx || !w->half || !w->s.y || !w->normal || !w->q) return lt_fail(err, LT_EMEM, "out of memory");
    for (int t = 0; t < active; t++)
        memcpy(w->half + (size_t)(t * codes) * k, table + (size_t)(t * e->prototypes) * k,
               (size_t)codes * k * sizeof *table);
    lt_pq_looked_up(&w->s, e, taps, mirror, w->idx);
    ideal_outputs(w, active);
    lt_lut_samples s = {w->s.rows, active, entries, l->k, w->idx, w->s.y, mirror};
    LT_TRY(lt_lut_normal(&s, lt_pq_defaults().ridge, w->normal, err));
    LT_TRY(lt_lut_round(&s, w->half, w->normal, l->lut_bits, to, w->q, scale, shift, err));
    if (mirror) {
        *lut = qlut_mirrored(w->q, active, e->prototypes, l->k);
        return *lut ? LT_OK : lt_fail(err, LT_EMEM, "out of memory");
    }
    *lut = w->q;
    w->q = NULL; /* the caller's from here on */
    return LT_OK;
}

lt_code lt_pq_round(const lt_prep *p, const qnet *net, int layer, const float *table, bool mirror,
                    const lt_lut_scaling *to, float *scale, int8_t **lut, float *shift, lt_err *err)
{
    lt_prep at = *p; /* owns nothing */
    work w = {0};

    at.net = *net;
    lt_code rc = round_layer(&w, &at, layer, table, mirror, to, scale, lut, shift, err);
    work_free(&w);
    return rc;
}
