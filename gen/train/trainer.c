#include "train/trainer.h"

#include <math.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "model/model.h"

enum { CALIBRATION_IMAGES = 1024 };

lt_train_options lt_train_defaults(void)
{
    return (lt_train_options){.model = "resnet20",
                              .scratch = true,
                              .seed = 1,
                              .epochs = 200,
                              .batch = 128,
                              .optim = lt_optim_defaults(),
                              .schedule = LT_COSINE,
                              .lr = 0.1,
                              .factor = 0.1,
                              .loss = {.temperature = 4},
                              .augment = {true, 4, 0}};
}

void lt_trainer_free(lt_trainer *t)
{
    lt_optim_free(&t->optim);
    lt_net_free(t->net);
    for (int i = 0; i < t->n_teachers; i++) lt_net_free(t->teachers[i].net);
    free(t->taught);
    lt_dataset_free(&t->train);
    lt_dataset_free(&t->test);
    free(t->order);
    free(t->rows);
    free(t->losses);
    free(t->hits);
    *t = (lt_trainer){0};
}

static lt_code check(const lt_train_options *o, lt_err *err)
{
    LT_TRY(lt_loss_check(&o->loss, err));
    if (o->epochs < 1 || o->epochs > 1000000)
        return lt_fail(err, LT_EINPUT, "epochs: got %d, expected 1..1000000", o->epochs);
    if (o->batch < 1 || o->batch > 65536)
        return lt_fail(err, LT_EINPUT, "batch: got %d images, expected 1..65536", o->batch);
    if (!(o->lr > 0 && o->lr <= 1000)) return lt_fail(err, LT_EINPUT, "learning rate: got %g, expected above 0", o->lr);
    if (!(o->last_lr >= 0 && o->last_lr <= o->lr))
        return lt_fail(err, LT_EINPUT, "last learning rate: got %g, expected 0..%g", o->last_lr, o->lr);
    if (!(o->warmup_epochs >= 0 && o->warmup_epochs <= o->epochs))
        return lt_fail(err, LT_EINPUT, "warm-up: got %g epochs, expected 0..%d", o->warmup_epochs, o->epochs);
    if (o->n_milestones < 0 || o->n_milestones > LT_MAX_MILESTONES)
        return lt_fail(err, LT_EINPUT, "milestones: got %d, expected at most %d", o->n_milestones, LT_MAX_MILESTONES);
    if (o->loss.distill > 0 && !o->teacher) return lt_fail(err, LT_EINPUT, "distillation needs a teacher");
    return LT_OK;
}

/* A network of this name, `train` or for forward passes only. */
static lt_code open_net(const lt_train_options *o, const char *model, bool train, lt_net **net, lt_byte_table *table,
                        lt_err *err)
{
    lt_graph g;
    bool builtin = train && strcmp(model, "resnet20") == 0 && o->scratch;

    if (train && o->graph)
        LT_TRY(lt_graph_copy(o->graph, &g, err));
    else if (builtin)
        LT_TRY(lt_resnet20_random(o->seed, &g, err));
    else
        LT_TRY(lt_model_load(model, o->data_dir, o->seed, &g, NULL, err));
    lt_code rc = o->preproc ? lt_model_preproc(&g, o->preproc, err) : LT_OK;
    lt_net_options no = {.batch = o->batch, .chunk = o->chunk, .train = train, .precision = o->precision};
    if (train) no.parts = o->parts;
    if (rc == LT_OK) rc = lt_net_create(net, &g, &no, err);
    lt_byte_table_make(table, &g.pre);
    lt_graph_free(&g);
    return rc;
}

static lt_code open_teachers(lt_trainer *t, lt_err *err)
{
    const char *at = t->o.teacher;
    char name[4096];

    while (at && *at) {
        size_t len = strcspn(at, ",");
        if (t->n_teachers == LT_MAX_TEACHERS || len >= sizeof name)
            return lt_fail(err, LT_EINPUT, "teacher: got '%s', expected at most %d networks", t->o.teacher,
                           LT_MAX_TEACHERS);
        snprintf(name, sizeof name, "%.*s", (int)len, at);
        at += len + (at[len] == ',');
        lt_teacher *teacher = &t->teachers[t->n_teachers++];
        if (open_net(&t->o, name, false, &teacher->net, &teacher->table, err) != LT_OK) return lt_wrap(err, "teacher");
    }
    return LT_OK;
}

static lt_code open_images(lt_trainer *t, lt_err *err)
{
    const lt_train_options *o = &t->o;
    const lt_graph *g = lt_net_graph(t->net);

    LT_TRY(lt_dataset_open(&t->train, g, o->data_dir, LT_TRAIN, o->train_images, o->seed, err));
    LT_TRY(lt_dataset_open(&t->test, g, o->data_dir, LT_TEST, o->test_images, o->seed, err));
    if (t->train.n < 1 || t->test.n < 1) return lt_fail(err, LT_EINPUT, "%s: no images", t->train.name);
    LT_TRY(lt_augment_check(&o->augment, t->train.h, t->train.w, err));
    if (lt_net_out_size(t->net) != (size_t)t->train.classes)
        return lt_fail(err, LT_EINPUT, "%s has %zu outputs, %s has %d classes", g->name, lt_net_out_size(t->net),
                       t->train.name, t->train.classes);
    for (int i = 0; i < t->n_teachers; i++) {
        const lt_net *teacher = t->teachers[i].net;
        if (lt_net_out_size(teacher) != lt_net_out_size(t->net))
            return lt_fail(err, LT_EINPUT, "the teacher %s has %zu outputs, %s has %zu", lt_net_graph(teacher)->name,
                           lt_net_out_size(teacher), g->name, lt_net_out_size(t->net));
    }
    return LT_OK;
}

static lt_code plan(lt_trainer *t, lt_err *err)
{
    const lt_train_options *o = &t->o;
    long per = (t->train.n + o->batch - 1) / o->batch;

    t->steps_per_epoch = (int)per;
    t->schedule = (lt_schedule){.kind = o->schedule,
                                .lr = o->lr,
                                .last_lr = o->last_lr,
                                .total = per * o->epochs,
                                .warmup = lround(o->warmup_epochs * (double)per),
                                .n_milestones = o->n_milestones,
                                .factor = o->factor};
    for (int i = 0; i < o->n_milestones; i++) t->schedule.milestone[i] = per * o->milestone[i];
    int most = t->test.n > o->batch ? t->test.n : o->batch;
    t->order = malloc((size_t)t->train.n * sizeof *t->order);
    t->rows = calloc((size_t)o->epochs, sizeof *t->rows);
    t->losses = calloc((size_t)o->batch, sizeof *t->losses);
    t->hits = calloc((size_t)most, 1);
    t->taught = calloc((size_t)o->batch * (size_t)t->train.classes, sizeof *t->taught);
    if (!t->taught || !t->order || !t->rows || !t->losses || !t->hits) return lt_fail(err, LT_EMEM, "out of memory");
    lt_shuffle(t->order, t->train.n, o->seed, 0);
    t->params = lt_net_params(t->net, &t->n_params);
    if (!t->params) return lt_fail(err, LT_EMEM, "out of memory");
    return lt_optim_create(&t->optim, &o->optim, t->params, t->n_params, err);
}

static lt_code open_all(lt_trainer *t, lt_err *err)
{
    const lt_train_options *o = &t->o;

    LT_TRY(check(o, err));
    LT_TRY(open_net(o, o->model, true, &t->net, &t->table, err));
    LT_TRY(open_teachers(t, err));
    LT_TRY(open_images(t, err));
    if (o->scratch) lt_net_init(t->net, o->seed);
    if (!o->scratch) LT_TRY(lt_trainer_calibrate(t, CALIBRATION_IMAGES, err));
    if (o->prepare) LT_TRY(o->prepare(o->prepare_ctx, t, err));
    LT_TRY(plan(t, err));
    for (int i = 0; i < lt_net_n_layers(t->net) && o->freeze_bn; i++) lt_bn_freeze(lt_net_layer(t->net, i), true);
    return LT_OK;
}

lt_code lt_trainer_create(lt_trainer *t, const lt_train_options *o, lt_err *err)
{
    *t = (lt_trainer){.o = *o};
    lt_code rc = open_all(t, err);
    if (rc != LT_OK) lt_trainer_free(t);
    return rc;
}

/* The input of image i of the minibatch, for the network or the teacher: the same window, flip and square. */
static void input(const lt_trainer *t, const lt_net *net, const lt_byte_table *table, int i, float *x)
{
    const lt_dataset *d = t->images;
    int image = t->augmented ? t->order[t->first + i] : t->first + i;
    lt_augment_draw draw;

    if (t->augmented) {
        lt_rng r = lt_rng_make(t->o.seed, ((uint64_t)t->epoch + 1) << 32 | (uint32_t)image);
        draw = lt_augment_pick(&t->o.augment, d->h, d->w, &r);
    }
    lt_augment(&t->o.augment, t->augmented ? &draw : NULL, table, lt_net_graph(net)->nodes[0].shape,
               lt_dataset_image(d, (size_t)image), x);
}

static void fill(void *ctx, int i, float *x)
{
    const lt_trainer *t = ctx;
    input(t, t->net, &t->table, i, x);
}

typedef struct {
    const lt_trainer *t;
    const lt_teacher *teacher;
} lesson;

static void fill_lesson(void *ctx, int i, float *x)
{
    const lesson *l = ctx;
    input(l->t, l->teacher->net, &l->teacher->table, i, x);
}

/* The teachers' mean logits of the minibatch. */
static lt_code teach(lt_trainer *t, lt_err *err)
{
    size_t n = (size_t)t->count * (size_t)t->train.classes;

    memset(t->taught, 0, n * sizeof *t->taught);
    for (int i = 0; i < t->n_teachers; i++) {
        lt_net *net = t->teachers[i].net;
        lesson l = {t, &t->teachers[i]};
        lt_io io = {fill_lesson, NULL, &l};
        LT_TRY(lt_net_forward(net, t->count, LT_MODE_TEACH, &io, err));
        const float *logits = lt_net_tensor(net, lt_net_graph(net)->output)->v;
        for (size_t k = 0; k < n; k++) t->taught[k] += logits[k] / (float)t->n_teachers;
    }
    return LT_OK;
}

static bool is_right(const float *out, int k, int label)
{
    for (int i = 0; i < k; i++)
        if (i != label && (out[i] > out[label] || (out[i] == out[label] && i < label))) return false;
    return out[label] == out[label];
}

static void judge(void *ctx, const lt_chunk *c, const float *out, float *g)
{
    lt_trainer *t = ctx;
    int k = t->train.classes;
    (void)g;
    for (int i = 0; i < c->n; i++) {
        int at = t->first + c->first + i;
        t->hits[at] = is_right(out + (size_t)i * (size_t)k, k, t->images->labels[at]);
    }
}

static void loss(void *ctx, const lt_chunk *c, const float *out, float *g)
{
    lt_trainer *t = ctx;
    size_t k = (size_t)t->train.classes;

    for (int i = 0; i < c->n; i++) {
        int at = c->first + i, label = t->train.labels[t->order[t->first + at]];
        size_t o = (size_t)i * k;
        t->losses[at] = lt_loss(&t->o.loss, out + o, (int)k, label, t->n_teachers ? t->taught + (size_t)at * k : NULL,
                                1.0 / t->count, g + o);
        t->hits[at] = is_right(out + o, (int)k, label);
    }
}

static double now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec;
}

static void end_epoch(lt_trainer *t, double lr)
{
    t->rows[t->n_rows++] = (lt_train_row){.epoch = t->epoch + 1,
                                          .lr = lr,
                                          .loss = t->loss_sum / (double)t->seen,
                                          .train_acc = 100.0 * (double)t->right / (double)t->seen,
                                          .test_acc = -1,
                                          .seconds = t->seconds};
    t->epoch++;
    t->step = 0;
    t->loss_sum = t->seconds = 0;
    t->right = t->seen = 0;
    lt_shuffle(t->order, t->train.n, t->o.seed, t->epoch);
}

bool lt_trainer_done(const lt_trainer *t)
{
    return t->epoch >= t->o.epochs;
}

lt_code lt_trainer_step(lt_trainer *t, bool *end_of_epoch, lt_err *err)
{
    double start = now(), sum = 0;

    if (end_of_epoch) *end_of_epoch = false;
    if (lt_trainer_done(t)) return lt_fail(err, LT_EINTERNAL, "training has ended");
    if (t->o.before_step) t->o.before_step(t->o.prepare_ctx, t);
    t->images = &t->train;
    t->augmented = true;
    t->first = t->step * t->o.batch;
    t->count = t->train.n - t->first < t->o.batch ? t->train.n - t->first : t->o.batch;
    if (t->o.loss.distill > 0) LT_TRY(teach(t, err));
    lt_io io = {fill, loss, t};
    LT_TRY(lt_net_forward(t->net, t->count, LT_MODE_TRAIN, &io, err));
    for (int i = 0; i < t->count; i++) {
        sum += t->losses[i];
        t->right += t->hits[i];
    }
    if (!isfinite(sum))
        return lt_fail(err, LT_EINPUT,
                       "the loss is not finite in step %d of epoch %d: try a lower learning rate or a warm-up",
                       t->step + 1, t->epoch + 1);
    LT_TRY(lt_net_backward(t->net, err));
    double lr = lt_schedule_lr(&t->schedule, t->optim.steps);
    lt_optim_step(&t->optim, lr);
    t->loss_sum += sum;
    t->seen += t->count;
    t->step++;
    t->seconds += now() - start;
    if (t->step == t->steps_per_epoch) {
        end_epoch(t, lr);
        if (end_of_epoch) *end_of_epoch = true;
    }
    return LT_OK;
}

static lt_code passes(lt_trainer *t, const lt_dataset *d, int n, lt_mode mode, const lt_io *io, lt_err *err)
{
    t->images = d;
    t->augmented = false;
    for (t->first = 0; t->first < n; t->first += t->o.batch) {
        t->count = n - t->first < t->o.batch ? n - t->first : t->o.batch;
        LT_TRY(lt_net_forward(t->net, t->count, mode, io, err));
    }
    return LT_OK;
}

lt_code lt_trainer_test(lt_trainer *t, int n, int *right, lt_err *err)
{
    lt_io io = {fill, judge, t};

    *right = 0;
    if (n <= 0 || n > t->test.n) n = t->test.n;
    LT_TRY(passes(t, &t->test, n, LT_MODE_EVAL, &io, err));
    for (int i = 0; i < n; i++) *right += t->hits[i];
    return LT_OK;
}

lt_code lt_trainer_calibrate(lt_trainer *t, int images, lt_err *err)
{
    lt_io io = {fill, NULL, t};

    LT_TRY(passes(t, &t->train, images < t->train.n ? images : t->train.n, LT_MODE_CALIBRATE, &io, err));
    lt_net_calibrate(t->net);
    return LT_OK;
}

lt_code lt_trainer_settings(const lt_trainer *t, char **text, lt_err *err)
{
    static const char *const schedules[] = {"cosine", "steps", "constant"};
    const lt_train_options *o = &t->o;
    lt_buf b = {0};

    *text = NULL;
    lt_buf_printf(&b, "method %s\n", o->method ? o->method : "float");
    lt_buf_printf(&b, "network %s\nlayers %d\nparameters %d\n", lt_net_graph(t->net)->name, lt_net_n_layers(t->net),
                  t->n_params);
    lt_buf_printf(&b, "images %s %d %d\n", t->train.name, t->train.n, t->test.n);
    lt_buf_puts(&b, "teacher");
    for (int i = 0; i < t->n_teachers; i++) lt_buf_printf(&b, " %s", lt_net_graph(t->teachers[i].net)->name);
    lt_buf_puts(&b, t->n_teachers ? "\n" : " none\n");
    lt_buf_printf(&b, "scratch %d\nfreeze-bn %d\nseed %llu\n", o->scratch, o->freeze_bn, (unsigned long long)o->seed);
    lt_buf_printf(&b, "epochs %d\nbatch %d\nchunk %d\n", o->epochs, o->batch, o->chunk ? o->chunk : LT_CHUNK);
    lt_buf_printf(&b, "optimiser %s\n", o->optim.kind == LT_SGD ? "sgd" : "adam");
    lt_buf_printf(&b, "momentum %.9g%s\n", o->optim.momentum, o->optim.nesterov ? " nesterov" : "");
    lt_buf_printf(&b, "adam %.9g %.9g %.9g\n", o->optim.beta1, o->optim.beta2, o->optim.eps);
    lt_buf_printf(&b, "weight-decay %.9g\n", o->optim.weight_decay);
    lt_buf_printf(&b, "schedule %s\nlr %.9g\nlast-lr %.9g\n", schedules[o->schedule], o->lr, o->last_lr);
    lt_buf_printf(&b, "warm-up %.9g\nfactor %.9g\nmilestones", o->warmup_epochs, o->factor);
    for (int i = 0; i < o->n_milestones; i++) lt_buf_printf(&b, " %d", o->milestone[i]);
    lt_buf_printf(&b, "\nsmoothing %.9g\ndistill %.9g %.9g\n", o->loss.smoothing, o->loss.distill, o->loss.temperature);
    lt_buf_printf(&b, "flip %d\ncrop %d\ncutout %d\n", o->augment.flip, o->augment.crop, o->augment.cutout);
    lt_buf_printf(&b, "precision %s\n", o->precision == LT_F32 ? "f32" : "bf16");
    if (!lt_buf_ok(&b)) {
        lt_buf_free(&b);
        return lt_fail(err, LT_EMEM, "out of memory");
    }
    *text = b.data;
    return LT_OK;
}
