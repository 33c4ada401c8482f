/* lutra train: trains a float network and writes it as ONNX. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/exec.h"
#include "model/model.h"
#include "train/onnx_write.h"
#include "train_cli.h"

static const cli_option options[] = {
    {"output", 'o', CLI_TEXT, "FILE.onnx", NULL, 0, 0, "trained network to write"},
    {"init", 'i', CLI_CHOICE, "auto|scratch|keep", "auto", 0, 0,
     "new random weights, or those of the file; auto: scratch for resnet20, keep for files"},
    TRAIN_CLI_SETTINGS("200", "sgd", "0.1", "float networks to distil from, the mean of their logits",
                       "with --teacher: its weight in the loss"),
    TRAIN_CLI_RUN,
    {0}};
static const cli_spec spec = {
    "train",
    "MODEL",
    1,
    1,
    "Trains a float network. MODEL is resnet20 (the built-in architecture), or an .onnx or .npz file of any network "
    "that lutra prep reads. The same command continues a run that was stopped. Results do not depend on the number of "
    "threads.",
    options};

static lt_code read_options(const cli *c, lt_train_options *o, lt_err *err)
{
    LT_TRY(train_cli_settings(c, o, err));
    /* the words of --init: 0 auto, 1 scratch */
    o->scratch = cli_choice(c, "init") == 1 || (cli_choice(c, "init") == 0 && strcmp(o->model, "resnet20") == 0);
    if (!o->teacher) o->loss.distill = 0;
    return LT_OK;
}

/* prep and eval guess the preprocessing from the file's name; say so if they will guess wrong. */
static void print_preproc(const lt_graph *read, const lt_graph *trained)
{
    const float *m = trained->pre.mean, *s = trained->pre.std;
    if (memcmp(&read->pre, &trained->pre, sizeof read->pre) == 0) return;
    printf("prep and eval need --preproc %.9g,%.9g,%.9g/%.9g,%.9g,%.9g for it\n", (double)m[0], (double)m[1],
           (double)m[2], (double)s[0], (double)s[1], (double)s[2]);
}

/* Writes the network, reads it back and evaluates what was read, exactly as lutra eval does. */
static lt_code deliver(lt_trainer *t, const char *path, lt_err *err)
{
    lt_graph g;
    int right = 0, own = 0;

    LT_TRY(lt_net_save_onnx(t->net, path, err));
    LT_TRY(lt_trainer_test(t, 0, &own, err));
    LT_TRY(lt_model_load(path, NULL, 0, &g, NULL, err));
    print_preproc(&g, lt_net_graph(t->net));
    g.pre = lt_net_graph(t->net)->pre;
    lt_code rc = lt_graph_lower(&g, err);
    if (rc == LT_OK) rc = lt_exec_accuracy(&g, &t->test, t->test.n, &right, err);
    lt_graph_free(&g);
    if (rc != LT_OK) return rc;
    printf("%s: %.2f %% (%d of %d) on %s\n", path, 100.0 * right / t->test.n, right, t->test.n, t->test.name);
    /* rounding may turn an image or two that were on the edge */
    if (abs(right - own) > 2 + t->test.n / 500)
        return lt_fail(err, LT_EINTERNAL, "%s: the written network is right on %d images, the trained one on %d", path,
                       right, own);
    return LT_OK;
}

static lt_code run(const cli *c, lt_err *err)
{
    train_cli_run r;
    lt_train_options o;
    lt_trainer t;
    bool stopped = false;

    LT_TRY(train_cli_run_read(c, "training", &r, err));
    LT_TRY(read_options(c, &o, err));
    LT_TRY(lt_trainer_create(&t, &o, err));
    lt_code rc = train_cli_resume(&r, &t, err);
    if (rc == LT_OK) rc = train_cli_steps(&r, &t, &stopped, err);
    if (rc == LT_OK && !stopped) rc = deliver(&t, cli_text(c, "output"), err);
    lt_trainer_free(&t);
    return rc;
}

lt_code cmd_train(int argc, char **argv, lt_err *err)
{
    cli c;
    LT_TRY(cli_parse(&c, &spec, argc, argv, err));
    lt_code rc = run(&c, err);
    cli_free(&c);
    return rc;
}
