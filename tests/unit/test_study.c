/* The study's rows and their CSV file, accelerators of settings, the front, the report; errors of tensors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "compress/recon_error.h"
#include "model/exec.h"
#include "report/study.h"
#include "tune_net.h"

#define CSV   "test_study.csv"
#define AREAS "test_study_areas.csv"

static lt_err err;

static int clear(void **state)
{
    (void)state;
    remove(CSV);
    remove(AREAS);
    return 0;
}

static study_row row(int prototypes, const char *method, uint32_t seed, double accuracy)
{
    study_row r = {.model = "net-12345678",
                   .images = "images",
                   .test_images = 100,
                   .mode = QPQ_CHANNEL,
                   .encoder = QENC_TREE,
                   .prototypes = prototypes,
                   .length = 8,
                   .lut_bits = 4,
                   .enc_bits = 8,
                   .fit = "lsq",
                   .assign = "hard",
                   .follow = 0.05,
                   .calib_images = 16,
                   .epochs = 3,
                   .seed = seed,
                   .rest = 0xdeadbeef,
                   .float_accuracy = 90,
                   .accuracy = accuracy,
                   .mean_error = 0.25,
                   .seconds = 12,
                   .own_cycles = NAN,
                   .cycles = NAN,
                   .fmax_mhz = NAN,
                   .area_mm2 = NAN,
                   .per_mm2 = NAN,
                   .core_per_mm2 = NAN,
                   .n_layers = 2};
    strcpy(r.method, method);
    r.layers = calloc(2, sizeof *r.layers);
    strcpy(r.layers[0].name, "a:b,c");
    strcpy(r.layers[1].name, "second");
    r.layers[0].error = 0.2;
    r.layers[1].error = 0.3;
    return r;
}

static void add(study_table *t, study_row r)
{
    tune_ok(study_add(t, &r, &err), &err);
}

static char *text_of(const char *path, size_t *len)
{
    static char *data;
    tune_ok(lt_read_file(path, 1 << 20, &data, len, &err), &err);
    return data;
}

/* ---- the file ---- */

static void test_file(void **state)
{
    study_table t = {0}, u;
    size_t n, m;
    (void)state;

    tune_ok(study_read("test_study_missing.csv", &u, &err), &err);
    assert_int_equal(u.n, 0);
    add(&t, row(8, "layers", 1, 80.25));
    add(&t, row(16, "tables:network", 4000000000u, NAN));
    tune_ok(study_write(CSV, &t, &err), &err);
    tune_ok(study_read(CSV, &u, &err), &err);
    assert_int_equal(u.n, 2);
    const study_row *a = &u.rows[0], *b = &u.rows[1];
    assert_string_equal(a->method, "layers");
    assert_true(a->follow == 0.05 && a->accuracy == 80.25 && a->seconds == 12 && a->mean_error == 0.25);
    assert_true(isnan(a->cycles) && isnan(b->accuracy) && b->seed == 4000000000u && a->rest == 0xdeadbeef);
    assert_int_equal(a->n_layers, 2);
    assert_string_equal(a->layers[0].name, "a:b;c"); /* a comma ends a field */
    assert_true(a->layers[1].error == 0.3);
    char *first = text_of(CSV, &n), *second;
    tune_ok(study_write(CSV, &u, &err), &err);
    second = text_of(CSV, &m);
    assert_int_equal(n, m);
    assert_memory_equal(first, second, n);
    free(first);
    free(second);
    study_free(&t);
    study_free(&u);
}

/* A row is found by everything that says what was tried, and by nothing else. */
static void test_find(void **state)
{
    study_table t = {0};
    (void)state;

    add(&t, row(8, "layers", 1, 80));
    study_row like = t.rows[0];
    like.accuracy = 10;
    like.seconds = 1;
    like.float_accuracy = NAN;
    assert_ptr_equal(study_find(&t, &like), &t.rows[0]);
#define OTHER(field, value)                                                                                            \
    do {                                                                                                               \
        study_row o = t.rows[0];                                                                                       \
        o.field = (value);                                                                                             \
        assert_null(study_find(&t, &o));                                                                               \
    } while (0)
    OTHER(test_images, 99);
    OTHER(mode, QPQ_SPATIAL);
    OTHER(encoder, QENC_L1);
    OTHER(encoder, STUDY_MIRRORED);
    OTHER(prototypes, 16);
    OTHER(length, 4);
    OTHER(lut_bits, 8);
    OTHER(enc_bits, 5);
    OTHER(follow, 0.06);
    OTHER(calib_images, 17);
    OTHER(recon_steps, 1);
    OTHER(train_images, 1);
    OTHER(epochs, 4);
    OTHER(seed, 2);
    OTHER(rest, 1);
    OTHER(model[0], 'N');
    OTHER(images[0], 'I');
    OTHER(fit[0], 'L');
    OTHER(method[0], 'L');
    OTHER(assign[0], 'H');
#undef OTHER
    study_free(&t);
}

static void refused(const char *text, size_t n, const char *because)
{
    study_table t;
    tune_ok(lt_write_file(CSV, text, n, &err), &err);
    assert_int_equal(study_read(CSV, &t, &err), LT_EINPUT);
    if (!strstr(err.msg, because)) fail_msg("got '%s', expected '%s'", err.msg, because);
}

/* The row's text with one part replaced. */
static void replaced(const char *text, const char *part, const char *by, const char *because)
{
    const char *at = strstr(text, part);
    char *other = malloc(strlen(text) + strlen(by) + 1);
    assert_non_null(at);
    sprintf(other, "%.*s%s%s", (int)(at - text), text, by, at + strlen(part));
    refused(other, strlen(other), because);
    free(other);
}

static void test_bad_file(void **state)
{
    study_table t = {0};
    size_t n;
    (void)state;

    add(&t, row(8, "layers", 1, 80.25));
    tune_ok(study_write(CSV, &t, &err), &err);
    char *text = text_of(CSV, &n), *line = strchr(text, '\n') + 1;
    refused("mode,encoder\n", 13, "is not a file of this command");
    refused("", 0, "is not a file of this command");
    for (size_t cut = (size_t)(line - text) + 1; cut < n; cut++) refused(text, cut, "truncated");
    replaced(text, "net-12345678,", "", CSV ":2: ");
    replaced(text, ",channel,", ",chanel,", "mode: got 'chanel'");
    replaced(text, ",16,", ",-16,", "calib_images: got '-16'");
    replaced(text, ",16,", ",99999999999,", "calib_images: got '99999999999'");
    replaced(text, ",80.25,", ",80.2x,", "accuracy: got '80.2x'");
    replaced(text, ",80.25,", ",,", "accuracy: got ''");
    replaced(text, ",12,", ",0x1f 3,", "seconds: got '0x1f 3'");
    replaced(text, "second:0.3000", "second", "layer:error");
    replaced(text, "second:0.3000", ":0.3", "layer:error");
    char *twice = malloc(2 * n);
    n = (size_t)sprintf(twice, "%s%s", text, line);
    refused(twice, n, ":3: a row that is there twice");
    free(twice);
    free(text);
    study_free(&t);
}

/* A file is known by its name and seed: a later row takes the place of an earlier one. */
static void test_file_rows(void **state)
{
    study_table t = {0}, u;
    study_group *g;
    size_t n;
    (void)state;

    for (uint32_t seed = 1; seed <= 3; seed++) {
        study_row r = row(8, STUDY_FILE, seed, 80 + seed);
        memset(r.fit, 'n', sizeof r.fit - 1); /* as long as a name may be */
        r.rest = 100 + seed;
        add(&t, r);
    }
    add(&t, row(8, STUDY_FILE, 1, 50));  /* another name */
    add(&t, row(16, "frozen", 1, 60));   /* what is no file */
    add(&t, row(16, "frozen", 1, 60));   /* stays beside its like */
    add(&t, row(16, STUDY_FILE, 1, 55)); /* the file changed, and its setting, too */
    assert_int_equal(t.n, 6);
    assert_true(t.rows[3].prototypes == 16 && t.rows[3].accuracy == 55);
    study_row like = t.rows[1];
    assert_ptr_equal(study_find_file(&t, &like), &t.rows[1]);
    like.rest++;
    assert_null(study_find(&t, &like)); /* is measured again */
    assert_ptr_equal(study_find_file(&t, &like), &t.rows[1]);
    like.seed = 4;
    assert_null(study_find_file(&t, &like));
    like = t.rows[4];
    assert_null(study_find_file(&t, &like));
    t.rows[5].rest++;
    tune_ok(study_write(CSV, &t, &err), &err);
    tune_ok(study_read(CSV, &u, &err), &err);
    assert_int_equal(u.n, 6);
    assert_string_equal(u.rows[2].fit, t.rows[2].fit);
    tune_ok(study_group_rows(&u, &u.rows[0], &g, &n, &err), &err);
    assert_int_equal(n, 4);
    assert_true(g[0].n == 3 && g[0].accuracy == 82 && g[0].spread == 1);
    assert_true(g[1].n == 1 && g[2].n == 1 && g[3].n == 1);
    free(g);
    study_free(&t);
    study_free(&u);
}

/* ---- accelerators ---- */

static lt_config base(void)
{
    lt_config c;
    tune_ok(lt_config_load(LUTRA_ROOT "/configs/pq16.yaml", &c, &err), &err);
    return c;
}

static const char header[] = "variant,cycles,fmax_mhz,logic_mm2,sram_mm2,core_mm2,inferences_s,core_inferences_s_mm2,"
                             "whole_inferences_s_mm2\n";

static void put_areas(const char *rows)
{
    char text[2048];
    int n = snprintf(text, sizeof text, "%s%s", header, rows);
    tune_ok(lt_write_file(AREAS, text, (size_t)n, &err), &err);
}

static void test_areas(void **state)
{
    lt_config b = base();
    study_table t = {0};
    study_areas a;
    (void)state;

    put_areas("as shipped,1000,300.0,1.5,2.0,2.5,1,200.5,100.5\n"
              "pq_lut_rows=8,900,310.0,1.5,2.5,2.5,1,220,99\n"
              "pq_prototypes=8,800,320.0,1,2,2.5,1,230,130\n"
              "pq_prototypes=8 pq_lut_rows=8,700,330.0,1,3,2.5,1,240,140.5\n"
              "pq_length=4 pq_codebooks=4,2000,300.0,2,3,4,1,90,50\n"
              "pq_prototypes=8 acc_bits=24,700,330.0,1,3,2.5,1,240,999\n"
              "pq_prototypes=8 pq_mirror=1,700,330.0,1,3,2.5,1,240,150\n"
              "pq_prototypes=8 pq_enc_bits=5,700,330.0,1,3,2.5,1,240,160\n");
    tune_ok(study_areas_read(AREAS, &b, &a, &err), &err);
    assert_int_equal(a.n, 8);
    add(&t, row(16, "layers", 1, 80));
    add(&t, row(8, "layers", 1, 70));
    add(&t, row(4, "layers", 1, 60));
    add(&t, row(8, "layers", 2, 70));
    t.rows[2].per_mm2 = 5; /* of another table */
    t.rows[3].encoder = STUDY_MIRRORED;
    add(&t, row(8, "layers", 3, 70));
    t.rows[4].enc_bits = 5;
    study_join(&t, &a, &b);
    assert_string_equal(t.rows[0].variant, "as shipped");
    assert_true(t.rows[0].cycles == 1000 && t.rows[0].area_mm2 == 3.5 && t.rows[0].per_mm2 == 100.5 &&
                t.rows[0].core_per_mm2 == 200.5 && t.rows[0].fmax_mhz == 300);
    /* the best of two; the one of another accumulator is not comparable */
    assert_string_equal(t.rows[1].variant, "pq_prototypes=8 pq_lut_rows=8");
    assert_true(t.rows[1].per_mm2 == 140.5);
    assert_true(isnan(t.rows[2].per_mm2) && !t.rows[2].variant[0]);
    assert_string_equal(t.rows[3].variant, "pq_prototypes=8 pq_mirror=1");
    assert_string_equal(t.rows[4].variant, "pq_prototypes=8 pq_enc_bits=5");
    study_areas_free(&a);
    study_free(&t);
}

static void refused_areas(const char *rows, const char *because)
{
    lt_config b = base();
    study_areas a;
    put_areas(rows);
    assert_int_equal(study_areas_read(AREAS, &b, &a, &err), LT_EINPUT);
    if (!strstr(err.msg, because)) fail_msg("got '%s', expected '%s'", err.msg, because);
}

static void test_bad_areas(void **state)
{
    study_areas a;
    lt_config b = base();
    (void)state;

    refused_areas("", "holds no variant");
    refused_areas("as shipped,1000,300.0,1.5,2.0,2.5,1,200.5\n", ":2: got another number of fields");
    refused_areas("as shipped,1000,0,1.5,2.0,2.5,1,2,3\n", ":2: fmax_mhz: got '0'");
    refused_areas("as shipped,1000,nan,1.5,2.0,2.5,1,2,3\n", ":2: fmax_mhz: got 'nan'");
    refused_areas("pq_prototypes,1000,3,1.5,2.0,2.5,1,2,3\n", ":2: variant: got 'pq_prototypes'");
    refused_areas("pq_prototypes=many,1000,3,1.5,2.0,2.5,1,2,3\n", ":2: variant: got 'pq_prototypes=many'");
    refused_areas("pq_prototypes=7,1000,3,1.5,2.0,2.5,1,2,3\n", ":2: pq_prototypes: got 7");
    refused_areas("pq_length=4 pq_codebooks=8,1000,3,1.5,2.0,2.5,1,2,3\n", "pq_codebooks: got 8");
    tune_ok(lt_write_file(AREAS, "config,cycles\n", 14, &err), &err);
    assert_int_equal(study_areas_read(AREAS, &b, &a, &err), LT_EINPUT);
    tune_ok(lt_write_file(AREAS, "variant,cycles\nas shipped,3\n", 28, &err), &err);
    assert_int_equal(study_areas_read(AREAS, &b, &a, &err), LT_EINPUT);
    if (!strstr(err.msg, ":1: has no column fmax_mhz")) fail_msg("%s", err.msg);
}

/* Every setting's variant is legal, runs the setting, and says what it changes. */
static void test_variants(void **state)
{
    lt_config b = base(), c;
    study_table t = {0};
    lt_buf text = {0};
    (void)state;

    add(&t, row(16, "frozen", 1, 0));
    add(&t, row(8, "frozen", 1, 0));
    add(&t, row(16, "frozen", 2, 0));
    t.rows[1].length = 4;
    t.rows[1].encoder = QENC_L1;
    t.rows[1].enc_bits = 5;
    t.rows[2].mode = QPQ_SPATIAL;
    t.rows[2].length = 9;
    tune_ok(study_variant(&b, &t.rows[0], &c, &text, &err), &err);
    assert_int_equal(text.len, 0);
    assert_memory_equal(&b, &c, sizeof b);
    tune_ok(study_variant(&b, &t.rows[1], &c, &text, &err), &err);
    assert_string_equal(text.data, "pq_prototypes=8,pq_length=4,pq_encoder=l1,pq_enc_bits=5,pq_codebooks=4");
    tune_ok(lt_config_check(&c, "variant", &err), &err);
    text.len = 0;
    tune_ok(study_variant(&b, &t.rows[2], &c, &text, &err), &err);
    assert_string_equal(text.data, "pq_mode=spatial,pq_length=9,pq_codebooks=16,pq_dense=8");
    tune_ok(lt_config_check(&c, "variant", &err), &err);
    text.len = 0;
    t.rows[0].encoder = STUDY_MIRRORED;
    t.rows[0].length = 4;
    tune_ok(study_variant(&b, &t.rows[0], &c, &text, &err), &err);
    assert_string_equal(text.data, "pq_length=4,pq_mirror=1,pq_codebooks=4");
    /* and the other way round */
    lt_config mirrored = c;
    text.len = 0;
    t.rows[0].encoder = QENC_TREE;
    tune_ok(study_variant(&mirrored, &t.rows[0], &c, &text, &err), &err);
    assert_string_equal(text.data, "pq_mirror=0");
    text.len = 0;
    t.rows[0].lut_bits = 3;
    assert_int_equal(study_variant(&b, &t.rows[0], &c, &text, &err), LT_EINPUT);
    t.rows[0].lut_bits = 4;
    t.rows[0].length = 5;
    assert_int_equal(study_variant(&b, &t.rows[0], &c, &text, &err), LT_EINPUT);
    lt_buf_free(&text);
    study_free(&t);
}

/* ---- groups and front ---- */

static void place(study_table *t, size_t i, double per_mm2)
{
    t->rows[i].per_mm2 = per_mm2;
}

static void test_front(void **state)
{
    study_table t = {0};
    study_group *g;
    size_t n;
    (void)state;

    add(&t, row(8, "layers", 1, 80));  /* of three seeds: 81 +- 2 */
    add(&t, row(16, "layers", 1, 85)); /* best accuracy */
    add(&t, row(8, "layers", 2, 83));
    add(&t, row(4, "layers", 1, 81)); /* as accurate as the first group, and slower */
    add(&t, row(2, "layers", 1, 70)); /* fastest */
    add(&t, row(8, "layers", 3, 80));
    add(&t, row(32, "layers", 1, 99));  /* no accelerator */
    add(&t, row(64, "layers", 1, NAN)); /* no accuracy */
    add(&t, row(16, "tables", 1, 90));  /* of other images */
    place(&t, 0, 200), place(&t, 2, 200), place(&t, 5, 200);
    place(&t, 1, 100);
    place(&t, 3, 150);
    place(&t, 4, 300);
    place(&t, 7, 400);
    place(&t, 8, 500);
    t.rows[8].test_images = 50;
    tune_ok(study_group_rows(&t, &t.rows[0], &g, &n, &err), &err);
    assert_int_equal(n, 6);
    assert_int_equal(g[0].n, 3);
    assert_true(fabs(g[0].accuracy - 81) < 1e-12 && fabs(g[0].spread - 2) < 1e-12 && g[1].spread == 0);
    study_front(&t, g, n);
    static const bool on[] = {true, true, true, false, true, true, false, false, false};
    for (size_t i = 0; i < t.n; i++)
        if (t.rows[i].front != on[i]) fail_msg("row %zu: front %d", i, t.rows[i].front);
    free(g);
    study_free(&t);
}

static void test_markdown(void **state)
{
    study_origin o = {.command = "make study", .config = "pq16.yaml", .baseline = 50, .baseline_name = "ws.csv"};
    study_table t = {0};
    study_group *g;
    size_t n;
    lt_buf b = {0};
    (void)state;

    add(&t, row(8, "layers", 1, 80));
    add(&t, row(8, "layers", 2, 82));
    add(&t, row(8, "frozen", 1, 60));
    add(&t, row(16, "frozen", 1, 89.5));
    t.rows[3].encoder = QENC_L1;
    t.rows[3].enc_bits = 5;
    add(&t, row(16, "frozen", 2, 87.5));
    t.rows[4].encoder = STUDY_MIRRORED;
    for (size_t i = 0; i < 3; i++) place(&t, i, 200);
    place(&t, 3, 100);
    place(&t, 4, 150);
    add(&t, row(4, STUDY_FILE, 1, 70));
    add(&t, row(4, STUDY_FILE, 2, 72));
    t.rows[5].rest++;
    t.rows[3].cycles = 12345;
    tune_ok(study_group_rows(&t, &t.rows[0], &g, &n, &err), &err);
    study_front(&t, g, n);
    study_markdown(g, n, &o, &b);
    assert_true(lt_buf_ok(&b));
    static const char *const parts[] = {
        "Regenerate with `make study`",
        "net-12345678, 100 images of images; float network 90.00 %.",
        "| channel tree K8 L8 4 bit | M1 | 81.00 ± 1.00 (2) | 0.250 |",
        "| 12345 |",
        "\n- M3: `file` lsq: as trained by the command in models/recipes.txt\n",
        "| channel tree K4 L8 4 bit | - | - | 71.00 ± 1.00 (2), 0.250 |\n",
        "| 0.6 | 100.0 (2.00x): channel l1 K16 L8 4 bit, encoder 5 bit, M2 | - | 100.0 (2.00x): channel l1",
        "| 3 | 150.0 (3.00x): channel mirrored K16 L8 4 bit, M2 | 150.0 (3.00x): channel mirrored K16 L8 4 bit, M2 | "
        "100.0",
        "| 10 | 200.0 (4.00x): channel tree K8 L8 4 bit, M1 | 200.0 (4.00x): channel tree K8 L8 4 bit, M1 | 100.0",
        "| channel tree K8 L8 4 bit | 81.00 ± 1.00 (2), 0.250 | 60.00, 0.250 |",
        "| channel l1 K16 L8 4 bit, encoder 5 bit | - | 89.50, 0.250 |",
        "| second | n/a | 0.3000 |"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strstr(b.data, parts[i])) fail_msg("no '%s' in\n%s", parts[i], b.data);
    free(g);
    lt_buf_free(&b);
    /* nothing to show is no failure */
    study_markdown(NULL, 0, &o, &b);
    assert_non_null(strstr(b.data, "No rows."));
    lt_buf_free(&b);
    study_free(&t);
}

/* ---- errors of tensors ---- */

typedef struct {
    const lt_prep *p;
    double far[16], sum[16], squares[16];
} plain;

static void against_golden(void *ctx, int image, const lt_exec *x, int worker)
{
    plain *s = ctx;
    const qnet *q = &s->p->net;
    int16_t **t = golden_alloc(q);
    (void)worker;
    golden_input(q, lt_dataset_image(&s->p->calib_data, (size_t)image), t[0]);
    assert_int_equal(golden_run(q, t), 0);
    for (int i = 0; i < q->n_layers; i++)
        for (size_t k = 0; k < qtensor_size(&q->tensors[i + 1]); k++) {
            double f = (double)x->t[i + 1][k], e = t[i + 1][k] * q->tensors[i + 1].scale - f;
            s->far[i] += e * e;
            s->sum[i] += f;
            s->squares[i] += f * f;
        }
    golden_free(q, t);
}

static void test_errors(void **state)
{
    lt_pq_options pq = lt_pq_defaults();
    lt_prep p;
    double error[16];
    plain s = {.p = &p};
    (void)state;

    pq.prototypes = 8;
    pq.length = 4;
    pq.images = TUNE_IMAGES;
    pq.positions = 16;
    tune_prepare(&p, 8, &pq);
    tune_ok(lt_recon_error(&p.graph, &p.net, &p.calib_data, 7, error, &err), &err);
    setenv("LUTRA_JOBS", "1", 1); /* the sums below are shared */
    tune_ok(lt_exec_images(&p.graph, &p.calib_data, 0, 7, NULL, against_golden, &s, &err), &err);
    for (int i = 0; i < p.net.n_layers; i++) {
        double n = 7.0 * (double)qtensor_size(&p.net.tensors[i + 1]);
        double want = s.far[i] / (s.squares[i] - s.sum[i] * s.sum[i] / n);
        if (!(fabs(error[i] - want) <= 1e-6 * want))
            fail_msg("%s: error %g, expected %g", p.net.layers[i].name, error[i], want);
        bool lookup = p.net.layers[i].encoder >= 0;
        assert_true(lookup ? error[i] > 0.005 : error[i] < 0.2);
    }
    lt_prep_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_file),     cmocka_unit_test(test_find),
                                       cmocka_unit_test(test_bad_file), cmocka_unit_test(test_file_rows),
                                       cmocka_unit_test(test_areas),    cmocka_unit_test(test_bad_areas),
                                       cmocka_unit_test(test_variants), cmocka_unit_test(test_front),
                                       cmocka_unit_test(test_markdown), cmocka_unit_test(test_errors)};
    return cmocka_run_group_tests(tests, NULL, clear);
}
