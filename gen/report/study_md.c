/* The report of a study. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/study.h"

typedef struct {
    const study_group *g;
    size_t n;
    const study_origin *o;
    lt_buf *b;
    int *method; /* [n] number of the group's way of training, from 1 */
    int methods;
} report;

static void number(lt_buf *b, double v, int decimals)
{
    if (isfinite(v))
        lt_buf_printf(b, "%.*f", decimals, v);
    else
        lt_buf_puts(b, "n/a");
}

static void setting(const study_row *r, lt_buf *b)
{
    char text[STUDY_SETTING];
    study_setting(r, text);
    lt_buf_puts(b, text);
}

static bool same_setting(const study_row *a, const study_row *b)
{
    return a->mode == b->mode && a->encoder == b->encoder && a->prototypes == b->prototypes && a->length == b->length &&
           a->lut_bits == b->lut_bits && a->enc_bits == b->enc_bits;
}

static bool same_method(const study_row *a, const study_row *b)
{
    return strcmp(a->fit, b->fit) == 0 && strcmp(a->method, b->method) == 0 && strcmp(a->assign, b->assign) == 0 &&
           a->follow == b->follow && a->calib_images == b->calib_images && a->recon_steps == b->recon_steps &&
           a->train_images == b->train_images && a->epochs == b->epochs && (a->rest == b->rest || study_is_file(a));
}

static void describe(const study_row *r, lt_buf *b)
{
    lt_buf_printf(b, "`%s`", r->method);
    if (study_is_file(r)) {
        lt_buf_printf(b, " %s: as trained by the command in models/recipes.txt%s", r->fit,
                      isfinite(r->own_cycles) ? "; some layers have fewer prototypes than the setting says" : "");
        return;
    }
    if (r->assign[0]) lt_buf_printf(b, " with `%s` assignment", r->assign);
    if (r->follow > 0) lt_buf_printf(b, ", prototypes follow by %g", r->follow);
    if (r->recon_steps) lt_buf_printf(b, ", %d minibatches per layer", r->recon_steps);
    if (r->epochs) lt_buf_printf(b, ", %d epoch%s end to end", r->epochs, r->epochs > 1 ? "s" : "");
    if (r->train_images) lt_buf_printf(b, " on %d images", r->train_images);
    lt_buf_printf(b, "; first tables `%s` of %d images (other settings: %08x)", r->fit, r->calib_images, r->rest);
}

/* ---- tables ---- */

static void heading(const report *r)
{
    const study_row *row = r->n ? r->g[0].row : NULL;
    double reference = 0;

    for (size_t i = 0; i < r->n; i++) reference += r->g[i].reference / (double)r->n;
    lt_buf_puts(r->b, "# Product quantisation: settings, training methods, accuracy against performance per area\n\n");
    if (r->o->command)
        lt_buf_printf(r->b, "Regenerate with `%s`; rows that are there are not computed again.\n\n", r->o->command);
    if (!row) {
        lt_buf_puts(r->b, "No rows.\n");
        return;
    }
    lt_buf_printf(r->b, "%s, %d images of %s; float network ", row->model, row->test_images, row->images);
    number(r->b, reference, 2);
    lt_buf_puts(r->b,
                " %. Accuracy is that of the integer network, in percent; mean over seeds, with the largest distance "
                "from it. Error: mean squared distance of a lookup layer's tensor from the float network's over "
                "that tensor's variance, on the first 256 test images, inputs as the layers before leave them; "
                "mean over layers.\n\n");
    if (!r->o->config) return;
    lt_buf_printf(r->b,
                  "Cycles are those of the exact cycle model, area and Fmax those of the synthesised variant of "
                  "`%s` that computes the setting; inferences / s / mm2 of the whole accelerator.",
                  r->o->config);
    if (isfinite(r->o->baseline))
        lt_buf_printf(r->b, " Ratios are to the best of `%s`: %.1f.", r->o->baseline_name, r->o->baseline);
    lt_buf_puts(r->b, "\n\n");
}

static void legend(const report *r)
{
    lt_buf_puts(r->b,
                "Methods: `frozen` is not trained; `prototypes`, `tables` and `both` train that part of the lookup "
                "layers (`tables` also the weights of others), `all` everything, first each layer against the float "
                "network's tensor, then end to end with distillation; with `:layers` or `:network` only the one or "
                "the other; `layers` and `network` are these of `all`. `tied` tables stay products of trained vectors "
                "and weights. `soft:T` learns the temperature from T on, "
                "`soft:T:U` lets it fall to U. `file`: a network that was trained apart from the study.\n\n");
    for (int m = 1; m <= r->methods; m++) {
        size_t i = 0;
        while (r->method[i] != m) i++;
        lt_buf_printf(r->b, "- M%d: ", m);
        describe(r->g[i].row, r->b);
        lt_buf_puts(r->b, "\n");
    }
    lt_buf_puts(r->b, "\n");
}

static void accuracy(const study_group *g, lt_buf *b)
{
    number(b, g->accuracy, 2);
    if (g->n > 1 && isfinite(g->accuracy)) lt_buf_printf(b, " ± %.2f (%d)", g->spread, g->n);
}

static double ratio(const report *r, const study_group *g)
{
    return g->row->per_mm2 / r->o->baseline;
}

static int by_area(const void *a, const void *b)
{
    double x = (*(const study_group *const *)a)->row->per_mm2, y = (*(const study_group *const *)b)->row->per_mm2;
    return (x < y) - (x > y);
}

static bool front(const report *r)
{
    const study_group **on = calloc(r->n + 1, sizeof *on);
    size_t n = 0;

    for (size_t i = 0; on && i < r->n; i++)
        if (r->g[i].front) on[n++] = &r->g[i];
    if (on) qsort(on, n, sizeof *on, by_area);
    lt_buf_puts(r->b, "## Front\n\n");
    if (!n) lt_buf_puts(r->b, "n/a: no setting has both an accuracy and a measured accelerator.\n\n");
    if (n)
        lt_buf_puts(
            r->b, "What nothing else here beats in accuracy and inferences / s / mm2.\n\n"
                  "| setting | method | accuracy | error | variant | cycles | MHz | mm2 | inf/s/mm2 | core | ratio |\n"
                  "| --- | --- | --: | --: | --- | --: | --: | --: | --: | --: | --: |\n");
    for (size_t i = 0; i < n; i++) {
        const study_row *row = on[i]->row;
        lt_buf_puts(r->b, "| ");
        setting(row, r->b);
        lt_buf_printf(r->b, " | M%d | ", r->method[on[i] - r->g]);
        accuracy(on[i], r->b);
        lt_buf_printf(r->b, " | %.3f | %s | %.0f | %.1f | %.2f | %.1f | %.1f | ", on[i]->error, row->variant,
                      row->cycles, row->fmax_mhz, row->area_mm2, row->per_mm2, row->core_per_mm2);
        number(r->b, ratio(r, on[i]), 2);
        lt_buf_puts(r->b, " |\n");
    }
    if (n) lt_buf_puts(r->b, "\n");
    free(on);
    return n > 0;
}

typedef struct {
    const char *title;
    int mode, encoder; /* -1: any; encoder -2: l1 or l2 */
} kind;

static const kind kinds[] = {{"any", -1, -1},
                             {"tree", -1, QENC_TREE},
                             {"distance", -1, -2},
                             {"channel", QPQ_CHANNEL, -1},
                             {"spatial", QPQ_SPATIAL, -1}};
enum { N_KINDS = sizeof kinds / sizeof *kinds };

static bool is_of(const study_row *r, const kind *k)
{
    int encoder = (int)study_encoder(r);
    bool of = k->encoder == -2 ? encoder != QENC_TREE : k->encoder < 0 || encoder == k->encoder;
    return of && (k->mode < 0 || r->mode == k->mode);
}

/* Which encoder and which mode wins at which accuracy. */
static void within(const report *r)
{
    static const double points[] = {0.6, 1, 2, 3, 5, 10, 100};

    lt_buf_puts(r->b, "## Best within some points of the float network\n\n| points lost at most |");
    for (int k = 0; k < N_KINDS; k++) lt_buf_printf(r->b, " %s |", kinds[k].title);
    lt_buf_puts(r->b, "\n| --: |");
    for (int k = 0; k < N_KINDS; k++) lt_buf_puts(r->b, " --- |");
    lt_buf_puts(r->b, "\n");
    for (size_t p = 0; p < sizeof points / sizeof *points; p++) {
        lt_buf_printf(r->b, "| %g |", points[p]);
        for (int k = 0; k < N_KINDS; k++) {
            size_t best = r->n;
            for (size_t i = 0; i < r->n; i++) {
                const study_group *g = &r->g[i];
                bool near = g->reference - g->accuracy <= points[p] && isfinite(g->row->per_mm2);
                if (!near || !is_of(g->row, &kinds[k])) continue;
                if (best == r->n || g->row->per_mm2 > r->g[best].row->per_mm2) best = i;
            }
            if (best == r->n) {
                lt_buf_puts(r->b, " - |");
                continue;
            }
            lt_buf_printf(r->b, " %.1f", r->g[best].row->per_mm2);
            if (isfinite(r->o->baseline)) lt_buf_printf(r->b, " (%.2fx)", ratio(r, &r->g[best]));
            lt_buf_puts(r->b, ": ");
            setting(r->g[best].row, r->b);
            lt_buf_printf(r->b, ", M%d |", r->method[best]);
        }
        lt_buf_puts(r->b, "\n");
    }
    lt_buf_puts(r->b, "\n");
}

static const study_group *at(const report *r, const study_row *like, int method)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->method[i] == method && same_setting(r->g[i].row, like)) return &r->g[i];
    return NULL;
}

static bool is_first(const report *r, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (same_setting(r->g[k].row, r->g[i].row)) return false;
    return true;
}

static void method_titles(const report *r, const char *first, const char *align)
{
    lt_buf_printf(r->b, "| %s |", first);
    for (int m = 1; m <= r->methods; m++) lt_buf_printf(r->b, " M%d |", m);
    lt_buf_printf(r->b, "\n| %s |", align);
    for (int m = 1; m <= r->methods; m++) lt_buf_puts(r->b, " --: |");
    lt_buf_puts(r->b, "\n");
}

static void all(const report *r)
{
    lt_buf_puts(r->b, "## Accuracy and error of all settings\n\n");
    method_titles(r, "setting", "---");
    for (size_t i = 0; i < r->n; i++) {
        if (!is_first(r, i)) continue;
        lt_buf_puts(r->b, "| ");
        setting(r->g[i].row, r->b);
        lt_buf_puts(r->b, " |");
        for (int m = 1; m <= r->methods; m++) {
            const study_group *g = at(r, r->g[i].row, m);
            lt_buf_puts(r->b, " ");
            if (g) {
                accuracy(g, r->b);
                lt_buf_puts(r->b, ", ");
                number(r->b, g->error, 3);
            } else {
                lt_buf_puts(r->b, "-");
            }
            lt_buf_puts(r->b, " |");
        }
        lt_buf_puts(r->b, "\n");
    }
    lt_buf_puts(r->b, "\n");
}

/* Of the setting with the best accuracy (else the least error), by method. */
static void layers(const report *r)
{
    size_t best = 0;

    for (size_t i = 1; i < r->n; i++) {
        const study_group *g = &r->g[i], *b = &r->g[best];
        if (isfinite(g->accuracy) && isfinite(b->accuracy) ? g->accuracy > b->accuracy : g->error < b->error) best = i;
    }
    const study_row *like = r->g[best].row;
    lt_buf_puts(r->b, "## Error per layer: ");
    setting(like, r->b);
    lt_buf_puts(r->b, "\n\n");
    method_titles(r, "layer", "---");
    for (int l = 0; l < like->n_layers; l++) {
        lt_buf_printf(r->b, "| %s |", like->layers[l].name);
        for (int m = 1; m <= r->methods; m++) {
            const study_group *g = at(r, like, m);
            lt_buf_puts(r->b, " ");
            number(r->b, g && l < g->row->n_layers ? g->row->layers[l].error : NAN, 4);
            lt_buf_puts(r->b, " |");
        }
        lt_buf_puts(r->b, "\n");
    }
}

void study_markdown(const study_group *g, size_t n, const study_origin *o, lt_buf *b)
{
    report r = {g, n, o, b, calloc(n + 1, sizeof(int)), 0};

    if (!r.method) {
        b->failed = true;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i && !r.method[i]; k++)
            if (same_method(g[k].row, g[i].row)) r.method[i] = r.method[k];
        if (!r.method[i]) r.method[i] = ++r.methods;
    }
    heading(&r);
    if (n) {
        legend(&r);
        if (front(&r)) within(&r);
        all(&r);
        layers(&r);
    }
    free(r.method);
}
