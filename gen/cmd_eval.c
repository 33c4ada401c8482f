/* lutra eval: accuracy of a network, float and integer kept apart. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/file.h"
#include "cli.h"
#include "config/config.h"
#include "golden/accuracy.h"
#include "model/exec.h"
#include "model/model.h"
#include "model/prep.h"
#include "model/qnet_file.h"

static const cli_option options[] = {
    {"float", 'f', CLI_FLAG, NULL, NULL, 0, 0, "MODEL: only the float network, no integer network"},
    {"images", 'n', CLI_INT, "N", "10000", 1, 10000, "test images"},
    {"data", 'd', CLI_TEXT, "DIR", NULL, 0, 0, "folder with cifar10/ and models/; without it procedural images"},
    {"preproc", 'p', CLI_TEXT, "KIND", "auto", 0, 0, "MODEL: imagenet, unit, byte, auto or m0,m1,m2/s0,s1,s2"},
    {"seed", 's', CLI_INT, "N", "1", 0, 4294967295.0, "seed of procedural images and random weights"},
    {"reference", 'r', CLI_TEXT, "MODEL", NULL, 0, 0, "FILE.lqn: the float network it was made from, evaluated too"},
    {"config", 'c', CLI_TEXT, "FILE", NULL, 0, 0, "FILE.lqn: the configuration it is for, named in the JSON file"},
    {"json", 'j', CLI_TEXT, "FILE", NULL, 0, 0, "FILE.lqn: write the accuracies as JSON (docs/formats.md)"},
    {0}};
static const cli_spec spec = {
    "eval",
    "FILE.lqn|MODEL",
    1,
    1,
    "Accuracy on the test images. FILE.lqn, written by lutra prep: of the integer network, bit for bit what the "
    "hardware "
    "computes. MODEL (.onnx, .npz, resnet20): of the float network and of the integer network that lutra prep "
    "makes of it with its default options.",
    options};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void print_row(const char *kind, const char *net, const lt_dataset *d, int right, bool real, double seconds)
{
    if (real)
        printf("%-8s %s on %s: %.2f %% (%d of %d), %.1f s\n", kind, net, d->name, 100.0 * right / d->n, right, d->n,
               seconds);
    else
        printf("%-8s %s on %s: n/a (random weights), %d images in %.1f s\n", kind, net, d->name, d->n, seconds);
}

static lt_code integer(const qnet *net, const lt_dataset *d, bool real, int *right, lt_err *err)
{
    double start = now();

    LT_TRY(golden_accuracy(net, d->pixels, d->labels, d->n, "integer", right, err));
    print_row("integer", net->name, d, *right, real, now() - start);
    return LT_OK;
}

/* MODEL, lowered, with its preprocessing. */
static lt_code open_float(const cli *c, const char *model, lt_graph *g, bool *real, lt_err *err)
{
    LT_TRY(lt_model_load(model, cli_text(c, "data"), (uint64_t)cli_int(c, "seed"), g, real, err));
    lt_code rc = lt_model_preproc(g, cli_text(c, "preproc"), err);
    if (rc == LT_OK) rc = lt_graph_lower(g, err);
    if (rc != LT_OK) lt_graph_free(g);
    return rc;
}

static lt_code floating(const lt_graph *g, const lt_dataset *d, bool real, int *right, lt_err *err)
{
    double start = now();

    LT_TRY(lt_exec_accuracy(g, d, d->n, right, err));
    print_row("float", g->name, d, *right, real, now() - start);
    return LT_OK;
}

/* A random network's accuracy means nothing: null. */
static lt_code write_json(const cli *c, const char *net, const lt_dataset *d, bool real, int n_float, int n_integer,
                          lt_err *err)
{
    lt_buf b = {0};
    lt_config cfg;

    lt_buf_puts(&b, "{\n  \"float\": ");
    lt_buf_printf(&b, real && n_float >= 0 ? "%.2f" : "null", 100.0 * n_float / d->n);
    lt_buf_puts(&b, ",\n  \"integer\": ");
    lt_buf_printf(&b, real ? "%.2f" : "null", 100.0 * n_integer / d->n);
    lt_buf_printf(&b, ",\n  \"images\": %d,\n  \"model\": \"%s\",\n  \"data\": \"%s\"", d->n, net, d->name);
    if (cli_text(c, "config")) {
        LT_TRY(lt_config_load(cli_text(c, "config"), &cfg, err));
        lt_buf_printf(&b, ",\n  \"fingerprint\": \"%08x\"", lt_config_fingerprint(&cfg));
    }
    lt_buf_puts(&b, "\n}\n");
    lt_code rc =
        lt_buf_ok(&b) ? lt_write_file(cli_text(c, "json"), b.data, b.len, err) : lt_fail(err, LT_EMEM, "out of memory");
    lt_buf_free(&b);
    return rc;
}

static lt_code eval_file(const cli *c, lt_err *err)
{
    qnet net;
    lt_dataset d;

    LT_TRY(lt_qnet_load(c->args[0], &net, err));
    const qtensor *in = &net.tensors[0];
    lt_code rc = lt_dataset_for(&d, (lt_shape){in->c, in->h, in->w}, net.name, cli_text(c, "data"), LT_TEST,
                                (int)cli_int(c, "images"), (uint64_t)cli_int(c, "seed"), err);
    bool real = !lt_model_is_random(net.name);
    int n_float = -1, n_integer = 0;
    if (rc == LT_OK && cli_text(c, "reference")) {
        lt_graph g;
        rc = open_float(c, cli_text(c, "reference"), &g, NULL, err);
        if (rc == LT_OK) {
            rc = floating(&g, &d, real, &n_float, err);
            lt_graph_free(&g);
        }
    }
    if (rc == LT_OK) rc = integer(&net, &d, real, &n_integer, err);
    if (rc == LT_OK && cli_text(c, "json")) rc = write_json(c, net.name, &d, real, n_float, n_integer, err);
    lt_dataset_free(&d);
    qnet_free(&net);
    return rc;
}

static lt_code eval_model(const cli *c, lt_err *err)
{
    lt_prep_options o = lt_prep_defaults();
    lt_graph g;
    lt_dataset d = {0};
    bool real;
    int right;

    o.model = c->args[0];
    o.data_dir = cli_text(c, "data");
    o.preproc = cli_text(c, "preproc");
    o.seed = (uint64_t)cli_int(c, "seed");
    LT_TRY(open_float(c, o.model, &g, &real, err));
    lt_code rc = lt_dataset_open(&d, &g, o.data_dir, LT_TEST, (int)cli_int(c, "images"), o.seed, err);
    if (rc == LT_OK) rc = floating(&g, &d, real, &right, err);
    lt_graph_free(&g);
    if (rc == LT_OK && !cli_flag(c, "float")) {
        lt_prep p;
        fflush(stdout);
        rc = lt_prep_dense(&o, &p, err);
        if (rc == LT_OK) {
            rc = integer(&p.net, &d, real, &right, err);
            lt_prep_free(&p);
        }
    }
    lt_dataset_free(&d);
    return rc;
}

/* Told apart by content, not by name. */
static bool is_integer_network(const char *path)
{
    char magic[4] = "";
    FILE *f = fopen(path, "rb");
    bool yes = f && fread(magic, 1, 4, f) == 4 && memcmp(magic, LT_LQN_MAGIC, 4) == 0;
    if (f) fclose(f);
    return yes;
}

lt_code cmd_eval(int argc, char **argv, lt_err *err)
{
    cli c;
    lt_code rc;

    LT_TRY(cli_parse(&c, &spec, argc, argv, err));
    bool lqn = is_integer_network(c.args[0]);
    if (lqn && cli_flag(&c, "float"))
        rc = lt_fail(err, LT_EINPUT, "lutra eval: %s is an integer network; --float needs a MODEL", c.args[0]);
    else
        rc = lqn ? eval_file(&c, err) : eval_model(&c, err);
    cli_free(&c);
    return rc;
}
