/* Images per second of the trainer on ResNet20 (CIFAR-10 shapes, random images): forward passes as a teacher makes
 * them, and whole training steps (augmentation, forward, loss, backward, SGD). train_speed.py measures the same with
 * PyTorch.
 *
 * `make train-bench` runs both: LUTRA_JOBS=threads train_speed [BATCH [STEPS [CHUNK [f32|bf16]]]] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "model/model.h"
#include "train/augment.h"
#include "train/loss.h"
#include "train/net.h"
#include "train/optim.h"

typedef struct {
    const lt_dataset *d;
    lt_shape s;
    lt_byte_table table;
    lt_loss_options loss;
    lt_augment_options augment;
    int batch;
} job;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void fill(void *ctx, int i, float *x)
{
    job *j = ctx;
    lt_rng r = lt_rng_make(1, (uint64_t)i);
    lt_augment_draw d = lt_augment_pick(&j->augment, j->s.h, j->s.w, &r);
    lt_augment(&j->augment, &d, &j->table, j->s, lt_dataset_image(j->d, (size_t)i), x);
}

static void each(void *ctx, const lt_chunk *c, const float *out, float *g)
{
    job *j = ctx;
    for (int i = 0; g && i < c->n; i++)
        lt_loss(&j->loss, out + 10 * i, 10, j->d->labels[c->first + i], NULL, 1.0 / j->batch, g + 10 * i);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Processor time of all threads: what a machine shared with others leaves comparable. */
static double cpu(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void report(const char *what, double *t, int n, int batch, double used)
{
    qsort(t, (size_t)n, sizeof *t, by_value);
    printf("%-22s %6.0f images/s best, %6.0f median, %6.0f us of processor time per image\n", what, batch / t[0],
           batch / t[n / 2], 1e6 * used / n / batch);
}

static lt_code run(int batch, int steps, int chunk, lt_precision precision, lt_err *err)
{
    lt_graph g;
    lt_net *net;
    lt_dataset d;
    lt_optim opt;
    int n;

    LT_TRY(lt_resnet20_random(1, &g, err));
    LT_TRY(lt_procedural_load(&d, 1, LT_TRAIN, batch, 32, 32, err));
    lt_net_options no = {.batch = batch, .chunk = chunk, .train = true, .precision = precision};
    LT_TRY(lt_net_create(&net, &g, &no, err));
    lt_net_init(net, 1);
    job j = {.d = &d, .s = g.nodes[0].shape, .loss = {.temperature = 1}, .augment = {true, 4, 0}, .batch = batch};
    lt_byte_table_make(&j.table, &g.pre);
    lt_io io = {fill, each, &j};
    lt_optim_options oo = lt_optim_defaults();
    lt_param *const *params = lt_net_params(net, &n);
    LT_TRY(lt_optim_create(&opt, &oo, params, n, err));
    double *t = malloc((size_t)steps * sizeof *t);
    printf("batch %d, chunk %d, %d threads, %s\n", batch, chunk, lt_pool_size(lt_net_pool(net)),
           precision == LT_F32 ? "f32" : "bf16");
    double used = 0;
    for (int i = -2; i < steps; i++) {
        if (i == 0) used = cpu();
        double start = now();
        LT_TRY(lt_net_forward(net, batch, LT_MODE_TEACH, &io, err));
        if (i >= 0) t[i] = now() - start;
    }
    report("forward", t, steps, batch, cpu() - used);
    for (int i = -2; i < steps; i++) {
        if (i == 0) used = cpu();
        double start = now();
        LT_TRY(lt_net_forward(net, batch, LT_MODE_TRAIN, &io, err));
        LT_TRY(lt_net_backward(net, err));
        lt_optim_step(&opt, 0.1);
        if (i >= 0) t[i] = now() - start;
    }
    report("train", t, steps, batch, cpu() - used);
    free(t);
    lt_optim_free(&opt);
    lt_net_free(net);
    lt_dataset_free(&d);
    lt_graph_free(&g);
    return LT_OK;
}

int main(int argc, char **argv)
{
    lt_err err = {0};
    int batch = argc > 1 ? atoi(argv[1]) : 128, steps = argc > 2 ? atoi(argv[2]) : 20;
    int chunk = argc > 3 ? atoi(argv[3]) : LT_CHUNK;
    lt_precision precision = argc > 4 && strcmp(argv[4], "bf16") == 0 ? LT_BF16 : LT_F32;
    struct rusage used;
    if (run(batch, steps, chunk, precision, &err) != LT_OK) {
        fprintf(stderr, "%s\n", err.msg);
        return 1;
    }
    getrusage(RUSAGE_SELF, &used);
    printf("%-22s %6ld MB\n", "memory", used.ru_maxrss / 1024);
    return 0;
}
