/* lutra prep: network -> integer network. */
#include <stdio.h>
#include <stdlib.h>

#include "cli.h"
#include "compress/pq.h"
#include "config/config.h"
#include "model/prep.h"
#include "model/qnet_file.h"

static const cli_option options[] = {
    {"output", 'o', CLI_TEXT, "FILE", NULL, 0, 0, "integer network (.lqn) to write"},
    {"config", 'c', CLI_TEXT, "FILE", NULL, 0, 0,
     "accelerator configuration: lanes, acc_bits and mult_bits come from it"},
    {"data", 'd', CLI_TEXT, "DIR", NULL, 0, 0, "folder with cifar10/ and models/; without it procedural images"},
    {"bits-w", 'w', CLI_INT, "N", "8", 2, 8, "bits of weights"},
    {"bits-a", 'a', CLI_INT, "N", "8", 2, 8, "bits of activations (input and output of the network: 8)"},
    {"bits-edge", 'e', CLI_INT, "N", "8", 2, 8, "bits of the first and last layer's weights"},
    {"overrides", 'r', CLI_TEXT, "FILE", NULL, 0, 0,
     "bits per layer, one per line: NAME w_bits=N a_bits=N (NAME may end in *)"},
    {"calib-method", 'm', CLI_CHOICE, "minmax|percentile|mse", "mse", 0, 0,
     "how activation scales follow from the images"},
    {"percentile", 0, CLI_REAL, "P", "99.99", 50, 100, "for --calib-method percentile"},
    {"calib-images", 'i', CLI_INT, "N", "512", 1, 50000, "training images to calibrate with"},
    {"weight-scale", 0, CLI_CHOICE, "max|mse", "mse", 0, 0,
     "weight scales from the largest weight or least squared error"},
    {"no-bias-correction", 0, CLI_FLAG, NULL, NULL, 0, 0, "do not cancel the mean error of weight rounding"},
    {"acc-bits", 0, CLI_INT, "N", "24", 12, 32, "accumulator width; a network that could exceed it is refused"},
    {"mult-bits", 0, CLI_INT, "N", "16", 8, 16, "width of the requantisation multiplier"},
    {"lanes", 'l', CLI_INT, "N", "16", 1, 256,
     "channels per word that shortcuts are aligned to; 1: leave channels alone"},
    {"preproc", 'p', CLI_TEXT, "KIND", "auto", 0, 0, "imagenet, unit, byte, auto or m0,m1,m2/s0,s1,s2 (of byte/255)"},
    {"pq-overrides", 'q', CLI_TEXT, "FILE", NULL, 0, 0,
     "pq configurations: per layer, one per line: NAME dense|lookup|prototypes=N|length=N (NAME may end in *)"},
    {"lut", 0, CLI_CHOICE, "lsq|products", "lsq", 0, 0,
     "pq: tables solved against the layer's true output, or products of prototypes and weights"},
    {"ridge", 0, CLI_REAL, "R", "1e-4", 0, 1, "pq: ridge of the least-squares solution"},
    {"positions", 0, CLI_INT, "N", "64", 1, 4096, "pq: output pixels sampled per image and layer"},
    {"seed", 's', CLI_INT, "N", "1", 0, 4294967295.0, "seed of random weights and procedural images"},
    {"verbose", 'v', CLI_FLAG, NULL, NULL, 0, 0, "one line per layer"},
    {0}};
static const cli_spec spec = {"prep",
                              "MODEL",
                              1,
                              1,
                              "Turns a network into integers: folds BatchNorm, aligns channels, calibrates, quantises, "
                              "and proves that no accumulator "
                              "overflows. MODEL is an .onnx or .npz file, or resnet20: with --data the trained one, "
                              "else one with random weights.",
                              options};

/* cfg->lanes is 0 without --config. */
static lt_code read_options(const cli *c, lt_prep_options *o, lt_config *cfg, lt_err *err)
{
    *cfg = (lt_config){0};
    *o = lt_prep_defaults();
    o->model = c->args[0];
    o->data_dir = cli_text(c, "data");
    o->preproc = cli_text(c, "preproc");
    o->seed = (uint64_t)cli_int(c, "seed");
    o->calib_images = (int)cli_int(c, "calib-images");
    o->lanes = (int)cli_int(c, "lanes");
    o->quant.w_bits = (int)cli_int(c, "bits-w");
    o->quant.a_bits = (int)cli_int(c, "bits-a");
    o->quant.edge_bits = (int)cli_int(c, "bits-edge");
    o->quant.method = (lt_calib_method)cli_choice(c, "calib-method");
    o->quant.percentile = cli_real(c, "percentile");
    o->quant.w_mse = cli_choice(c, "weight-scale") == 1;
    o->quant.bias_correct = !cli_flag(c, "no-bias-correction");
    o->quant.acc_bits = (int)cli_int(c, "acc-bits");
    o->quant.mult_bits = (int)cli_int(c, "mult-bits");
    if (cli_text(c, "config")) {
        static const char *const fixed[] = {"lanes", "acc-bits", "mult-bits"};
        for (int i = 0; i < 3; i++)
            if (cli_given(c, fixed[i]))
                return lt_fail(err, LT_EINPUT, "lutra prep: --%s comes from --config; give one of the two", fixed[i]);
        LT_TRY(lt_config_load(cli_text(c, "config"), cfg, err));
        o->lanes = cfg->lanes;
        o->quant.acc_bits = cfg->acc_bits;
        o->quant.mult_bits = cfg->mult_bits;
    }
    return cli_text(c, "overrides") ? lt_quant_read_overrides(cli_text(c, "overrides"), &o->quant, err) : LT_OK;
}

static const char *op_name(const qlayer *l)
{
    static const char *const names[] = {"conv", "maxpool", "sumpool", "add"};
    return l->encoder >= 0 ? "lookup" : names[l->op];
}

static void print_layers(const qnet *n)
{
    printf("%-32s %-8s %-16s %-8s %-6s %-4s %s\n", "layer", "op", "output", "kernel", "stride", "bits", "output range");
    for (int i = 0; i < n->n_layers; i++) {
        const qlayer *l = &n->layers[i];
        const qtensor *t = &n->tensors[l->out];
        char shape[40], kernel[24], bits[24];
        snprintf(shape, sizeof shape, "%dx%dx%d", t->c, t->h, t->w);
        snprintf(kernel, sizeof kernel, "%dx%d", l->r, l->s);
        if (l->w)
            snprintf(bits, sizeof bits, "%d", l->w_bits);
        else
            snprintf(bits, sizeof bits, "%s", l->lut ? "lut" : "-");
        printf("%-32.32s %-8s %-16s %-8s %-6d %-4s %d..%d x %.4g%s\n", l->name, op_name(l), shape, kernel, l->stride,
               bits, l->lo, l->hi, t->scale, l->res >= 0 ? ", adds a residual" : "");
    }
}

/* A pq configuration looks up what it can: product quantisation with the configuration's datapath. */
static lt_code quantise_products(const cli *c, const lt_config *cfg, lt_prep *p, lt_err *err)
{
    lt_pq_options o = lt_pq_defaults();
    int n = 0;

    o.mode = (qpq_mode)cfg->pq_mode;
    o.encoder = (qpq_encoder)cfg->pq_encoder;
    o.prototypes = cfg->pq_prototypes;
    o.length = cfg->pq_length;
    o.enc_bits = cfg->pq_enc_bits;
    o.lut_bits = cfg->pq_lut_bits;
    o.mirror = cfg->pq_mirror;
    o.lut = (lt_pq_lut)cli_choice(c, "lut");
    o.ridge = cli_real(c, "ridge");
    o.positions = (int)cli_int(c, "positions");
    o.images = (int)cli_int(c, "calib-images");
    o.seed = (uint64_t)cli_int(c, "seed");
    if (cli_text(c, "pq-overrides")) LT_TRY(lt_pq_read_overrides(cli_text(c, "pq-overrides"), &o, err));
    lt_pq_result *r = calloc((size_t)p->net.n_layers, sizeof *r);
    if (!r) return lt_fail(err, LT_EMEM, "out of memory");
    lt_code rc = lt_pq_fit(p, &o, cfg->acc_bits, cfg->mult_bits, r, &n, err);
    for (int i = 0; rc == LT_OK && cli_flag(c, "verbose") && i < n; i++)
        printf("%-32.32s %4d codebooks of %d prototypes, length %d: error %.4f of the variance\n",
               p->net.layers[r[i].layer].name, r[i].codebooks, r[i].prototypes, r[i].length, r[i].error);
    if (rc == LT_OK) printf("%d layers by lookup\n", n);
    free(r);
    return rc;
}

static lt_code prepare(const cli *c, lt_err *err)
{
    lt_prep_options o;
    lt_config cfg;
    lt_prep p;
    const char *out = cli_text(c, "output");

    if (!out) return lt_fail(err, LT_EINPUT, "lutra prep: got no --output, expected a file name");
    LT_TRY(read_options(c, &o, &cfg, err));
    bool lookup = cfg.lanes && cfg.core == CORE_PQ;
    if (lookup) o.quant.acc_bits = 32; /* the narrower accumulator has to hold what the network becomes */
    LT_TRY(lt_prep_dense(&o, &p, err));
    lt_code rc = LT_OK;
    if (lookup) rc = quantise_products(c, &cfg, &p, err);
    if (rc == LT_OK) rc = lt_qnet_save(&p.net, out, err);
    if (rc == LT_OK && cli_flag(c, "verbose")) print_layers(&p.net);
    if (rc == LT_OK)
        printf("%s: %s, %d layers, %.1f M multiply-accumulates, calibrated on %d images of %s\n", out, p.net.name,
               p.net.n_layers, lt_graph_macs(&p.graph) / 1e6, p.calib.images, p.calib_data.name);
    lt_prep_free(&p);
    return rc;
}

lt_code cmd_prep(int argc, char **argv, lt_err *err)
{
    cli c;
    LT_TRY(cli_parse(&c, &spec, argc, argv, err));
    lt_code rc = prepare(&c, err);
    cli_free(&c);
    return rc;
}
