/* lutra study: PQA's empirical question: reconstruction error of every layer and accuracy of the whole network over a
 * grid of product-quantisation settings and ways to train them, and what that is worth per area. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "base/file.h"
#include "config/config_table.h"
#include "model/exec.h"
#include "model/model.h"
#include "study_files.h"
#include "study_grid.h"
#include "study_run.h"
#include "train_cli.h"

static const cli_option options[] = {
    {"output", 'o', CLI_TEXT, "PREFIX", "reports/pq-study", 0, 0, "PREFIX.csv, which is continued, and PREFIX.md"},
    {"modes", 0, CLI_TEXT, "LIST", "channel,spatial", 0, 0, "channel, spatial"},
    {"encoders", 0, CLI_TEXT, "LIST", "tree,mirrored,l1,l2", 0, 0,
     "tree, mirrored (trees with antisymmetric tables, where K is at least 2^L; channel mode), l1, l2"},
    {"prototypes", 'k', CLI_INTS, "LIST", "8,16", 2, 256, "prototypes per codebook"},
    {"lengths", 0, CLI_INTS, "LIST", "4,8", 1, 64, "channels per codebook (channel mode; spatial mode takes 9)"},
    {"lut-bits", 0, CLI_INTS, "LIST", "4", 2, 8, "bits of a LUT entry"},
    {"enc-bits", 0, CLI_INTS, "LIST", NULL, 1, 8, "bits that encoders compare; default: those of --config, 8 without"},
    {"fits", 0, CLI_TEXT, "LIST", "lsq", 0, 0,
     "first tables: lsq (least squares), products (of prototypes and weights), or tied: products also while they are "
     "trained (channel mode)"},
    {"methods", 0, CLI_TEXT, "LIST", "frozen", 0, 0,
     "training: frozen (none); prototypes, tables, both or all, layer by layer and then end to end; the same with "
     ":layers or :network for only one of the two; layers, network: of all"},
    {"assigns", 0, CLI_TEXT, "LIST", "hard", 0, 0,
     "gradient of the codes: hard, soft[:T] (temperature from T on, trained), soft:T:U (falling to U)"},
    {"networks", 0, CLI_TEXT, "FILES", NULL, 0, 0,
     "integer networks made of MODEL for --config that are rows, too: NAME.lqn, or NAME.sN.lqn of seed N, separated by "
     "commas; without --methods they are the only ones"},
    {"follow", 0, CLI_REAL, "S", "0", 0, 1, "as that of lutra tune"},
    {"recon-steps", 0, CLI_INT, "N", "100", 1, 1000000, "minibatches per layer"},
    {"recon-lr", 0, CLI_REAL, "R", "1e-3", 1e-9, 1, "learning rate (Adam) of the same"},
    {"calib-images", 'i', CLI_INT, "N", "512", 1, 50000, "training images the first encoders and tables come from"},
    {"config", 0, CLI_TEXT, "FILE", NULL, 0, 0,
     "accelerator of core pq: lanes, widths, and what --areas are variants of"},
    {"areas", 0, CLI_TEXT, "FILE.csv", NULL, 0, 0, "table of make explore: cycles, area and Fmax of the settings"},
    {"baseline", 0, CLI_TEXT, "FILE.csv", NULL, 0, 0,
     "the same of a conventional accelerator, whose best ratios are to"},
    {"variants", 0, CLI_FLAG, NULL, NULL, 0, 0,
     "only print the variants of --config that the settings need, for make explore"},
    {"plot", 0, CLI_TEXT, "FILE", NULL, 0, 0, "also write a gnuplot script that draws PREFIX.svg"},
    {"command", 0, CLI_TEXT, "TEXT", NULL, 0, 0, "command that regenerates the report"},
    {"verbose", 'v', CLI_FLAG, NULL, NULL, 0, 0, "a line per layer and epoch"},
    TRAIN_CLI_SETTINGS("20", "adam", "1e-3",
                       "float networks to distil from, the mean of their logits; default: MODEL itself",
                       "weight of the teacher in the loss; 0: none"),
    {0}};
static const cli_spec spec = {
    "study",
    "MODEL",
    1,
    1,
    "Reconstruction error and accuracy of the integer network over a grid of settings. Rows "
    "already in the CSV file are not computed again, so that the same command continues a study that was stopped.",
    options};

enum { ACC_BITS = 24, MULT_BITS = 16 };

/* ---- what the settings need of the accelerator ---- */

static lt_code open_base(study_context *s, lt_err *err)
{
    const char *path = cli_text(s->c, "config"), *areas = cli_text(s->c, "areas");

    if (!path && (areas || cli_flag(s->c, "variants")))
        return lt_fail(err, LT_EINPUT, "lutra study: --%s: got no --config, expected the configuration of the variants",
                       areas ? "areas" : "variants");
    if (!path) {
        s->base = (lt_config){.core = CORE_PQ, .acc_bits = ACC_BITS, .mult_bits = MULT_BITS, .pq_enc_bits = 8};
        return LT_OK;
    }
    LT_TRY(lt_config_load(path, &s->base, err));
    if (s->base.core != CORE_PQ)
        return lt_fail(err, LT_EINPUT, "%s: core: got %s, expected pq", path, lt_core_names[s->base.core]);
    s->has_base = true;
    return areas ? study_areas_read(areas, &s->base, &s->areas, err) : LT_OK;
}

static lt_code print_variants(const study_context *s, const study_table *t, lt_err *err)
{
    lt_buf all = {0}, one = {0};
    lt_config cfg;

    lt_buf_puts(&all, "\n");
    lt_code rc = lt_buf_ok(&all) ? LT_OK : lt_fail(err, LT_EMEM, "out of memory");
    for (size_t i = 0; rc == LT_OK && i < t->n; i++) {
        char line[512];
        one.len = 0;
        rc = study_variant(&s->base, &t->rows[i], &cfg, &one, err);
        if (rc == LT_EINPUT) {
            char setting[STUDY_SETTING];
            study_setting(&t->rows[i], setting);
            fprintf(stderr, "%s has no configuration: %s\n", setting, err->msg);
            rc = LT_OK;
            continue;
        }
        if (rc != LT_OK || !one.len) continue;
        snprintf(line, sizeof line, "\n%s\n", one.data);
        if (!strstr(all.data, line)) lt_buf_puts(&all, line + 1);
    }
    if (rc == LT_OK) fputs(all.data + 1, stdout);
    lt_buf_free(&all);
    lt_buf_free(&one);
    return rc;
}

/* ---- one row after the other ---- */

/* The files, and the grid unless only files are asked for. */
static lt_code plan(study_context *s, const study_row *like, study_table *todo, lt_err *err)
{
    const char *files = cli_text(s->c, "networks");

    if (files) {
        s->files = strdup(files);
        if (!s->files) return lt_fail(err, LT_EMEM, "out of memory");
        LT_TRY(study_files_plan(s->c, s->files, like, todo, err));
    }
    return files && !cli_given(s->c, "methods") ? LT_OK : study_plan(s->c, &s->base, like, todo, err);
}

static uint32_t weights_checksum(const lt_graph *g)
{
    uint32_t crc = 0;
    for (int i = 0; i < g->n_nodes; i++) {
        const lt_node *n = &g->nodes[i];
        size_t w = lt_node_weights(g, n), b = n->bias ? (size_t)n->shape.c : 0;
        if (n->weight) crc = (uint32_t)crc32_z(crc, (const unsigned char *)n->weight, w * sizeof *n->weight);
        if (n->bias) crc = (uint32_t)crc32_z(crc, (const unsigned char *)n->bias, b * sizeof *n->bias);
    }
    return crc;
}

/* Names the network and the images in like, opens the test images; g is the lowered network. */
static lt_code open_model(study_context *s, lt_graph *g, study_row *like, lt_err *err)
{
    const cli *c = s->c;
    const char *data = cli_text(c, "data");
    lt_dataset train = {0};

    *like = (study_row){.seed = (uint32_t)cli_int(c, "seed"), .calib_images = (int)cli_int(c, "calib-images")};
    LT_TRY(lt_model_load(c->args[0], data, like->seed, g, &s->real, err));
    snprintf(like->model, sizeof like->model, "%.60s-%08x", g->name, weights_checksum(g));
    for (char *p = like->model; *p; p++)
        if (*p == ',' || *p == '\n') *p = ';';
    LT_TRY(lt_model_preproc(g, cli_text(c, "preproc"), err));
    LT_TRY(lt_graph_lower(g, err));
    LT_TRY(lt_dataset_open(&s->test, g, data, LT_TEST, (int)cli_int(c, "test-images"), like->seed, err));
    LT_TRY(lt_dataset_open(&train, g, data, LT_TRAIN, (int)cli_int(c, "train-images"), like->seed, err));
    like->train_images = train.n;
    lt_dataset_free(&train);
    snprintf(like->images, sizeof like->images, "%s", s->test.name);
    like->test_images = s->test.n;
    like->float_accuracy = like->accuracy = like->mean_error = NAN;
    like->own_cycles = like->cycles = like->fmax_mhz = like->area_mm2 = like->per_mm2 = like->core_per_mm2 = NAN;
    return LT_OK;
}

/* The float network's accuracy, from a row that has it or measured. */
static lt_code float_accuracy(const study_context *s, const lt_graph *g, const study_table *t, study_row *like,
                              lt_err *err)
{
    int right;

    for (size_t i = 0; i < t->n; i++) {
        const study_row *r = &t->rows[i];
        if (study_is_file(r)) continue; /* whose seed is not that of the images */
        if (strcmp(r->model, like->model) == 0 && strcmp(r->images, like->images) == 0 && r->seed == like->seed &&
            r->test_images == like->test_images)
            like->float_accuracy = r->float_accuracy;
    }
    if (!s->real || isfinite(like->float_accuracy)) return LT_OK;
    LT_TRY(lt_exec_accuracy(g, &s->test, s->test.n, &right, err));
    like->float_accuracy = 100.0 * right / s->test.n;
    return LT_OK;
}

static const char *base_name(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    return slash ? slash + 1 : path;
}

static void print_row(const study_row *r)
{
    char setting[STUDY_SETTING];

    study_setting(r, setting);
    if (r->file) {
        printf("%s, file %s", setting, base_name(r->file));
        return;
    }
    printf("%s, %s tables, %s", setting, r->fit, r->method);
    if (r->assign[0]) printf(" %s", r->assign);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void print_result(const study_row *r, double left)
{
    printf(": error %.4f, accuracy ", r->mean_error);
    if (isfinite(r->accuracy))
        printf("%.2f %%", r->accuracy);
    else
        printf("n/a");
    printf(", %.1f minutes", r->seconds / 60);
    if (left > 0)
        printf(", about %.*f %s left", left < 36000, left < 5400 ? left / 60 : left / 3600,
               left < 5400 ? "minutes" : "hours");
    printf("\n");
    fflush(stdout);
}

/* A setting that cannot be is told and left out; the others go on. */
static lt_code run_all(study_context *s, const char *path, study_table *done, study_table *todo, double reference,
                       lt_err *err)
{
    double work = 0, worked = 0, start = now();
    size_t n = 0, at = 0, failed = 0;
    lt_err first = {0};

    for (size_t i = 0; i < todo->n; i++) {
        if (study_find(done, &todo->rows[i])) continue;
        work += study_work(s, &todo->rows[i]);
        n++;
    }
    if (n < todo->n) printf("%zu of %zu rows are in %s\n", todo->n - n, todo->n, path);
    for (size_t i = 0; i < todo->n; i++) {
        study_row *r = &todo->rows[i];
        if (study_find(done, r)) continue;
        printf("[%zu/%zu] ", ++at, n);
        print_row(r);
        fflush(stdout);
        lt_code rc = study_run(s, r, err);
        worked += study_work(s, r);
        if (rc == LT_EINPUT) {
            printf(": %s\n", err->msg);
            fflush(stdout);
            if (!failed++) first = *err;
            continue;
        }
        if (rc != LT_OK) {
            printf("\n");
            fflush(stdout);
            return rc;
        }
        r->float_accuracy = reference;
        study_row row = *r;
        r->layers = NULL; /* now of the table */
        r->n_layers = 0;
        LT_TRY(study_add(done, &row, err));
        if (s->has_base && s->areas.n) study_join(done, &s->areas, &s->base);
        LT_TRY(study_write(path, done, err));
        unlink(s->checkpoint);
        print_result(&row, at < n ? (now() - start) * (work - worked) / worked : 0);
    }
    if (!failed) return LT_OK;
    return lt_fail(err, LT_EINPUT, "%zu of %zu settings failed; the first: %.800s", failed, n, first.msg);
}

static lt_code baseline(const cli *c, study_origin *o, lt_err *err)
{
    const char *path = cli_text(c, "baseline");
    study_areas a;

    o->baseline = NAN;
    if (!path) return LT_OK;
    LT_TRY(study_areas_read(path, NULL, &a, err));
    for (size_t i = 0; i < a.n; i++) o->baseline = fmax(o->baseline, a.areas[i].per_mm2);
    study_areas_free(&a);
    o->baseline_name = base_name(path);
    return LT_OK;
}

static lt_code report(const study_context *s, const char *csv, study_table *done, const study_row *like,
                      const study_origin *o, lt_err *err)
{
    const char *prefix = cli_text(s->c, "output"), *plot = cli_text(s->c, "plot");
    char path[4096], svg[4096];
    study_group *groups;
    size_t n;
    lt_buf b = {0}, script = {0};

    snprintf(path, sizeof path, "%s.md", prefix);
    snprintf(svg, sizeof svg, "%s.svg", prefix);
    if (plot && strchr(svg, '\'')) return lt_fail(err, LT_EINPUT, "%s: not a usable path", svg);
    LT_TRY(study_group_rows(done, like, &groups, &n, err));
    study_front(done, groups, n);
    study_markdown(groups, n, o, &b);
    study_gnuplot(groups, n, svg, &script);
    free(groups);
    lt_code rc = study_write(csv, done, err);
    if (rc == LT_OK && !(lt_buf_ok(&b) && lt_buf_ok(&script))) rc = lt_fail(err, LT_EMEM, "out of memory");
    if (rc == LT_OK) rc = lt_write_file(path, b.data, b.len, err);
    if (rc == LT_OK && plot) rc = lt_write_file(plot, script.data, script.len, err);
    lt_buf_free(&b);
    lt_buf_free(&script);
    if (rc == LT_OK) printf("%s\n%s\n", csv, path);
    return rc;
}

/* The accelerators may be others than when a file's network was measured. */
static lt_code own_cycles(const study_context *s, const study_table *todo, study_table *done, lt_err *err)
{
    for (size_t i = 0; i < todo->n; i++) {
        study_row *r = &todo->rows[i], *of = study_find(done, r);
        if (!of || !r->mixed) continue;
        LT_TRY(study_own_cycles(s, r, err));
        of->own_cycles = r->own_cycles;
    }
    return LT_OK;
}

static lt_code study(study_context *s, const char *path, lt_err *err)
{
    const cli *c = s->c;
    study_table done = {0}, todo = {0};
    study_origin o = {.command = cli_text(c, "command"),
                      .config = cli_text(c, "areas") ? base_name(cli_text(c, "config")) : NULL};
    study_row like = {0};
    lt_graph g = {0};

    LT_TRY(open_base(s, err));
    LT_TRY(baseline(c, &o, err));
    if (cli_flag(c, "variants")) {
        lt_code rc = plan(s, &like, &todo, err);
        if (rc == LT_OK) rc = print_variants(s, &todo, err);
        study_free(&todo);
        return rc;
    }
    LT_TRY(study_read(path, &done, err));
    lt_code rc = open_model(s, &g, &like, err), failed = LT_OK;
    if (rc == LT_OK) rc = plan(s, &like, &todo, err);
    if (rc == LT_OK) rc = float_accuracy(s, &g, &done, &like, err);
    if (rc == LT_OK) rc = own_cycles(s, &todo, &done, err);
    if (rc == LT_OK && s->areas.n) study_join(&done, &s->areas, &s->base);
    if (rc == LT_OK) rc = study_write(path, &done, err); /* better now than after hours */
    if (rc == LT_OK) rc = failed = run_all(s, path, &done, &todo, like.float_accuracy, err);
    lt_err why = *err, later;
    /* what there is is reported, also where some settings failed */
    if (rc == LT_OK || failed == LT_EINPUT) rc = report(s, path, &done, &like, &o, rc == LT_OK ? err : &later);
    if (failed != LT_OK) {
        *err = why;
        rc = failed;
    }
    lt_graph_free(&g);
    study_free(&done);
    study_free(&todo);
    return rc;
}

static lt_code run(const cli *c, lt_err *err)
{
    study_context *s = calloc(1, sizeof *s);
    const char *prefix = cli_text(c, "output");
    char path[4096];

    if (!s) return lt_fail(err, LT_EMEM, "out of memory");
    s->c = c;
    lt_code rc = LT_OK;
    if (snprintf(path, sizeof path, "%s.csv", prefix) >= (int)sizeof path - 8)
        rc = lt_fail(err, LT_EINPUT, "%s: path too long", prefix);
    snprintf(s->checkpoint, sizeof s->checkpoint, "%.4000s.ckpt", prefix);
    if (rc == LT_OK) rc = study(s, path, err);
    study_areas_free(&s->areas);
    lt_dataset_free(&s->test);
    free(s->files);
    free(s);
    return rc;
}

lt_code cmd_study(int argc, char **argv, lt_err *err)
{
    cli c;
    LT_TRY(cli_parse(&c, &spec, argc, argv, err));
    lt_code rc = run(&c, err);
    cli_free(&c);
    return rc;
}
