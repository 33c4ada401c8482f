/* Rows of a study that differ in the seed alone, and the front of what is best. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/study.h"

/* The table's own comparison, which knows the columns, with the seed left out; of a
 * file its name says what was tried. */
static bool seeds_apart(const study_row *a, const study_row *b)
{
    study_row x = *b;
    study_table t = {.rows = &x, .n = 1};
    x.seed = a->seed;
    if (study_is_file(a)) x.rest = a->rest;
    return study_find(&t, a) != NULL;
}

static study_group *group_of(study_group *g, size_t n, const study_row *row)
{
    for (size_t i = 0; i < n; i++)
        if (seeds_apart(g[i].row, row)) return &g[i];
    return NULL;
}

lt_code study_group_rows(const study_table *t, const study_row *like, study_group **groups, size_t *n, lt_err *err)
{
    study_group *g = *groups = calloc(t->n + 1, sizeof *g);

    *n = 0;
    if (!g) return lt_fail(err, LT_EMEM, "out of memory");
    for (int pass = 0; pass < 2; pass++) /* sums, then distances from the means */
        for (size_t i = 0; i < t->n; i++) {
            const study_row *r = &t->rows[i];
            if (strcmp(r->model, like->model) != 0 || strcmp(r->images, like->images) != 0 ||
                r->test_images != like->test_images)
                continue;
            study_group *of = group_of(g, *n, r);
            if (!of) *(of = &g[(*n)++]) = (study_group){.row = r};
            if (pass == 0) {
                of->n++;
                of->accuracy += (r->accuracy - of->accuracy) / of->n;
                of->error += (r->mean_error - of->error) / of->n;
                of->reference += (r->float_accuracy - of->reference) / of->n;
            } else if (isfinite(r->accuracy)) {
                of->spread = fmax(of->spread, fabs(r->accuracy - of->accuracy));
            }
        }
    return LT_OK;
}

static bool placed(const study_group *g)
{
    return isfinite(g->accuracy) && isfinite(g->row->per_mm2);
}

static bool beats(const study_group *a, const study_group *b)
{
    bool no_worse = a->accuracy >= b->accuracy && a->row->per_mm2 >= b->row->per_mm2;
    return no_worse && (a->accuracy > b->accuracy || a->row->per_mm2 > b->row->per_mm2);
}

void study_front(study_table *t, study_group *g, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        g[i].front = placed(&g[i]);
        for (size_t k = 0; k < n && g[i].front; k++) g[i].front = !(placed(&g[k]) && beats(&g[k], &g[i]));
    }
    for (size_t i = 0; i < t->n; i++) {
        const study_group *of = group_of(g, n, &t->rows[i]);
        t->rows[i].front = of && of->front;
    }
}
