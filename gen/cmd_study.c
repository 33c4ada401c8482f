/* lutra study: PQA's empirical question before any training: reconstruction error of every layer and accuracy of the
 * whole network over a grid of product-quantisation settings. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "cli.h"
#include "compress/pq.h"
#include "golden/accuracy.h"
#include "model/model.h"

static const cli_option options[] = {
    {"output", 'o', CLI_TEXT, "PREFIX", "reports/pq-settings", 0, 0, "writes PREFIX.csv"},
    {"data", 'd', CLI_TEXT, "DIR", NULL, 0, 0,
     "folder with cifar10/ and models/; without it the built-in network and images"},
    {"modes", 'm', CLI_TEXT, "LIST", "channel,spatial", 0, 0, "channel, spatial"},
    {"encoders", 'e', CLI_TEXT, "LIST", "l2,l1,tree", 0, 0, "l1, l2, tree"},
    {"prototypes", 'k', CLI_INTS, "LIST", "8,16", 2, 256, "prototypes per codebook"},
    {"lengths", 'l', CLI_INTS, "LIST", "4,8", 1, 64, "channels per codebook (channel mode; spatial mode takes 9)"},
    {"lut-bits", 'b', CLI_INTS, "LIST", "4,8", 2, 8, "bits of a LUT entry"},
    {"methods", 't', CLI_TEXT, "LIST", "lsq,products", 0, 0, "lsq, products"},
    {"images", 'n', CLI_INT, "N", "1000", 1, 10000, "test images per setting"},
    {"calib-images", 'c', CLI_INT, "N", "256", 1, 50000, "calibration images"},
    {"seed", 's', CLI_INT, "N", "1", 0, 4294967295.0, "seed"},
    {0}};
static const cli_spec spec = {
    "study",
    "MODEL",
    1,
    1,
    "Reconstruction error and accuracy over a grid of settings. Rows already in the CSV file are not "
    "computed again, so a study can be stopped and resumed.",
    options};

static const char *const mode_names[] = {"channel", "spatial"};
static const char *const encoder_names[] = {"l1", "l2", "tree"};
static const char *const method_names[] = {"lsq", "products"};

enum { MAX_NAMES = 8, ACC_BITS = 24, MULT_BITS = 16, MAX_CSV = 1 << 24 };

/* Splits a comma-separated list into indexes of `names`. */
static lt_code parse_list(const cli *c, const char *option, const char *const *names, int n_names, int *out, int *n,
                          lt_err *err)
{
    char text[128], *save;
    *n = 0;
    snprintf(text, sizeof text, "%s", cli_text(c, option));
    for (char *w = strtok_r(text, ",", &save); w; w = strtok_r(NULL, ",", &save)) {
        int i = 0;
        while (i < n_names && strcmp(w, names[i]) != 0) i++;
        if (i == n_names || *n == MAX_NAMES)
            return lt_fail(err, LT_EINPUT, "--%s: got '%s', expected a list of %s, %s%s%s", option, w, names[0],
                           names[1], n_names > 2 ? ", " : "", n_names > 2 ? names[2] : "");
        out[(*n)++] = i;
    }
    return LT_OK;
}

typedef struct {
    const cli *c;
    lt_prep_options prep;
    lt_dataset test;
    lt_buf csv;
    char path[4096];
} study;

/* The columns that say what was tried; a row of the file that starts with them is finished. */
static void row_key(const study *s, const lt_pq_options *o, char *key, size_t size)
{
    snprintf(key, size, "%s,%s,%d,%d,%d,%s,%d,%d,", mode_names[o->mode], encoder_names[o->encoder], o->prototypes,
             o->length, o->lut_bits, method_names[o->lut], o->images, s->test.n);
}

static bool finished(const study *s, const char *key)
{
    for (const char *at = s->csv.data; at; at = strchr(at, '\n')) {
        if (*at == '\n') at++;
        if (strncmp(at, key, strlen(key)) == 0) return true;
    }
    return false;
}

static lt_code try_setting(study *s, const lt_pq_options *o, lt_err *err)
{
    char key[256];
    lt_prep p;
    int n, right = 0;

    row_key(s, o, key, sizeof key);
    if (finished(s, key)) {
        printf("%s already in %s\n", key, s->path);
        return LT_OK;
    }
    LT_TRY(lt_prep_dense(&s->prep, &p, err));
    lt_pq_result *r = calloc((size_t)p.net.n_layers, sizeof *r);
    lt_code rc = r ? lt_pq_fit(&p, o, ACC_BITS, MULT_BITS, r, &n, err) : lt_fail(err, LT_EMEM, "out of memory");
    if (rc == LT_OK) rc = golden_accuracy(&p.net, s->test.pixels, s->test.labels, s->test.n, key, &right, err);
    if (rc == LT_OK) {
        double mean = 0;
        for (int i = 0; i < n; i++) mean += r[i].error / n;
        lt_buf_printf(&s->csv, "%s%s,%.4f,", key, p.real ? "trained" : "random", mean);
        if (p.real)
            lt_buf_printf(&s->csv, "%.2f", 100.0 * right / s->test.n);
        else
            lt_buf_puts(&s->csv, "n/a");
        for (int i = 0; i < n; i++) lt_buf_printf(&s->csv, ",%s:%.4f", p.net.layers[r[i].layer].name, r[i].error);
        lt_buf_puts(&s->csv, "\n");
        rc = lt_write_file(s->path, s->csv.data, s->csv.len, err);
        printf("%s mean error %.3f, accuracy %.2f %%\n", key, mean, 100.0 * right / s->test.n);
        fflush(stdout);
    }
    free(r);
    lt_prep_free(&p);
    return rc;
}

static lt_code sweep(study *s, lt_err *err)
{
    int modes[MAX_NAMES], encoders[MAX_NAMES], methods[MAX_NAMES], nm, ne, nt, nk, nl, nb;
    const cli *c = s->c;
    const int *ks = cli_ints(c, "prototypes", &nk), *ls = cli_ints(c, "lengths", &nl),
              *bs = cli_ints(c, "lut-bits", &nb);

    LT_TRY(parse_list(c, "modes", mode_names, 2, modes, &nm, err));
    LT_TRY(parse_list(c, "encoders", encoder_names, 3, encoders, &ne, err));
    LT_TRY(parse_list(c, "methods", method_names, 2, methods, &nt, err));
    for (int i = 0; i < nm * ne * nt * nk * nl * nb; i++) {
        lt_pq_options o = lt_pq_defaults();
        int j = i;
        o.mode = (qpq_mode)modes[j % nm], j /= nm;
        o.encoder = (qpq_encoder)encoders[j % ne], j /= ne;
        o.prototypes = ks[j % nk], j /= nk;
        o.lut_bits = bs[j % nb], j /= nb;
        o.lut = (lt_pq_lut)methods[j % nt], j /= nt;
        o.length = ls[j % nl];
        if (o.mode == QPQ_SPATIAL) {
            if (j % nl) continue; /* the length is the kernel's */
            o.length = 9;
        }
        if (o.prototypes & (o.prototypes - 1))
            return lt_fail(err, LT_EINPUT, "--prototypes: got %d, expected powers of two", o.prototypes);
        o.images = (int)cli_int(c, "calib-images");
        o.seed = (uint64_t)cli_int(c, "seed");
        LT_TRY(try_setting(s, &o, err));
    }
    return LT_OK;
}

/* What an earlier run left, or a fresh header. */
static lt_code open_csv(study *s, lt_err *err)
{
    static const char header[] =
        "mode,encoder,prototypes,length,lut_bits,method,calib_images,test_images,weights,mean_error,"
        "accuracy,layer:error...\n";
    char *old;
    size_t len;
    lt_err ignored;

    if (lt_read_file(s->path, MAX_CSV, &old, &len, &ignored) == LT_OK) {
        bool ours = strncmp(old, header, sizeof header - 1) == 0;
        if (ours) lt_buf_add(&s->csv, old, len);
        free(old);
        return ours ? LT_OK
                    : lt_fail(err, LT_EINPUT, "%s: is not a file of this command; remove it or choose --output",
                              s->path);
    }
    lt_buf_puts(&s->csv, header);
    return LT_OK;
}

static lt_code run(const cli *c, lt_err *err)
{
    study s = {.c = c, .prep = lt_prep_defaults()};
    lt_graph g;

    snprintf(s.path, sizeof s.path, "%s.csv", cli_text(c, "output"));
    s.prep.model = c->args[0];
    s.prep.data_dir = cli_text(c, "data");
    s.prep.calib_images = (int)cli_int(c, "calib-images");
    s.prep.seed = (uint64_t)cli_int(c, "seed");
    s.prep.quant.acc_bits = ACC_BITS;
    s.prep.quant.mult_bits = MULT_BITS;
    LT_TRY(open_csv(&s, err));
    LT_TRY(lt_model_load(c->args[0], s.prep.data_dir, s.prep.seed, &g, NULL, err));
    lt_code rc = lt_dataset_open(&s.test, &g, s.prep.data_dir, LT_TEST, (int)cli_int(c, "images"), s.prep.seed, err);
    lt_graph_free(&g);
    if (rc == LT_OK) rc = sweep(&s, err);
    if (rc == LT_OK) printf("%s\n", s.path);
    lt_buf_free(&s.csv);
    lt_dataset_free(&s.test);
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
