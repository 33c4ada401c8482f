/* lutra program: integer network -> program image, and the expected tensors for the testbench. */
#include <stdio.h>

#include "cli.h"
#include "golden/golden.h"
#include "model/dataset.h"
#include "model/qnet_file.h"
#include "model/quantize.h"
#include "program/expect.h"
#include "program/program.h"

static const cli_option options[] = {
    {"output", 'o', CLI_TEXT, "FILE", NULL, 0, 0, "program image (.lpi) to write"},
    {"plain", 'p', CLI_FLAG, NULL, NULL, 0, 0, "write it uncompressed, as firmware needs it in memory"},
    {"expect", 'e', CLI_TEXT, "FILE", NULL, 0, 0, "also write the golden model's tensors (.exp) for --images images"},
    {"images", 'n', CLI_INT, "N", "4", 1, 10000, "images in the expected tensors"},
    {"data", 'd', CLI_TEXT, "DIR", NULL, 0, 0, "folder with cifar10/; without it procedural images"},
    {"seed", 's', CLI_INT, "N", "1", 0, 4294967295.0, "seed of the procedural images"},
    {"dump", 'D', CLI_FLAG, NULL, NULL, 0, 0, "store every layer's output for comparison (slower; not for timing)"},
    {"last-layer", 'l', CLI_INT, "N", "-1", -1, 255, "stop after this layer; -1: run them all"},
    {"batch", 'b', CLI_INT, "N", "1", 1, 256,
     "images per run: where loading a layer's tables takes longer than using them, all images share one load (pq)"},
    {"latency", 'L', CLI_INT, "CYCLES", "20", 1, 1000, "memory latency that the predicted cycles assume"},
    {0}};
static const cli_spec spec = {"program",
                              "CONFIG.yaml NET.lqn",
                              2,
                              2,
                              "Maps an integer network onto a configuration: layer descriptors and packed weights.",
                              options};

static lt_code open_images(const cli *c, const qnet *n, lt_dataset *d, lt_err *err)
{
    const char *dir = cli_text(c, "data");
    const qtensor *in = &n->tensors[0];
    int images = (int)cli_int(c, "images");

    if (in->c != 3) return lt_fail(err, LT_EINPUT, "%s: the input has %d channels; images have 3", n->name, in->c);
    if (dir && *dir && in->h == 32 && in->w == 32) return lt_cifar10_load(d, dir, LT_TEST, images, err);
    return lt_procedural_load(d, (uint64_t)cli_int(c, "seed"), LT_TEST, images, in->h, in->w, err);
}

static lt_code write_expected(const cli *c, const qnet *n, lt_err *err)
{
    lt_dataset d = {0};
    lt_expect e;
    int16_t **t = NULL;

    LT_TRY(open_images(c, n, &d, err));
    lt_code rc = lt_expect_init(&e, n, err);
    if (rc == LT_OK && !(t = golden_alloc(n))) rc = lt_fail(err, LT_EMEM, "out of memory");
    for (int i = 0; rc == LT_OK && i < d.n; i++) {
        golden_input(n, lt_dataset_image(&d, (size_t)i), t[0]);
        golden_run(n, t);
        rc = lt_expect_add(&e, n, lt_dataset_image(&d, (size_t)i), d.labels[i], t, err);
    }
    if (rc == LT_OK) rc = lt_expect_save(&e, cli_text(c, "expect"), err);
    golden_free(n, t);
    lt_expect_free(&e);
    lt_dataset_free(&d);
    return rc;
}

static lt_code run(const cli *c, lt_err *err)
{
    lt_config cfg;
    qnet n;
    lt_program p;
    lt_program_options o = {.dumps = cli_flag(c, "dump"),
                            .profile = true,
                            .last_layer = (int)cli_int(c, "last-layer"),
                            .latency = (int)cli_int(c, "latency"),
                            .batch = (int)cli_int(c, "batch")};

    if (!cli_text(c, "output")) return lt_fail(err, LT_EINPUT, "program: got no --output, expected a file name");
    LT_TRY(lt_config_load(c->args[0], &cfg, err));
    LT_TRY(lt_qnet_load(c->args[1], &n, err));
    lt_code rc = lt_quant_check(&n, cfg.acc_bits, err);
    if (rc == LT_OK) rc = lt_program_build(&cfg, &n, &o, &p, err);
    if (rc != LT_OK) {
        lt_wrap(err, "%s", c->args[1]);
        qnet_free(&n);
        return rc;
    }
    rc = lt_image_save(&p.image, !cli_flag(c, "plain"), cli_text(c, "output"), err);
    if (rc == LT_OK) {
        printf("%s on %s: %d layers, %d descriptors, %zu bytes of program and weights, %u bytes of scratch\n",
               p.image.model, cfg.name, p.image.n_layers, p.n_desc, p.image.blob.len, p.image.scratch_bytes);
        uint32_t cycles = p.image.predict[p.image.profile_count].cycles;
        printf("predicted %u cycles (memory latency %d, no stalls)\n", cycles, o.latency);
        if (o.batch > 1) printf("batch of %d: %.1f cycles per image\n", o.batch, (double)cycles / o.batch);
    }
    if (rc == LT_OK && cli_text(c, "expect")) rc = write_expected(c, &n, err);
    lt_program_free(&p);
    qnet_free(&n);
    return rc;
}

lt_code cmd_program(int argc, char **argv, lt_err *err)
{
    cli c;
    LT_TRY(cli_parse(&c, &spec, argc, argv, err));
    lt_code rc = run(&c, err);
    cli_free(&c);
    return rc;
}
