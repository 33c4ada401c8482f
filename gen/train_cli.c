#include "train_cli.h"

#include <stdio.h>
#include <unistd.h>

#include "base/progress.h"

/* The words of --schedule, --optimiser and --precision are in the order of the enums. */
lt_code train_cli_settings(const cli *c, lt_train_options *o, lt_err *err)
{
    const char *command = c->spec->command;

    *o = lt_train_defaults();
    o->model = c->args[0];
    o->data_dir = cli_text(c, "data");
    o->preproc = cli_text(c, "preproc");
    o->teacher = cli_text(c, "teacher");
    o->seed = (uint64_t)cli_int(c, "seed");
    o->epochs = (int)cli_int(c, "epochs");
    o->batch = (int)cli_int(c, "batch");
    o->chunk = (int)cli_int(c, "chunk");
    o->precision = (lt_precision)cli_choice(c, "precision");
    o->train_images = (int)cli_int(c, "train-images");
    o->test_images = (int)cli_int(c, "test-images");
    o->optim.kind = (lt_optim_kind)cli_choice(c, "optimiser");
    o->optim.momentum = cli_real(c, "momentum");
    o->optim.nesterov = cli_flag(c, "nesterov");
    o->optim.weight_decay = cli_real(c, "weight-decay");
    o->schedule = (lt_schedule_kind)cli_choice(c, "schedule");
    o->lr = cli_real(c, "lr");
    o->last_lr = cli_real(c, "last-lr");
    o->factor = cli_real(c, "factor");
    o->warmup_epochs = cli_real(c, "warm-up");
    o->loss.smoothing = cli_real(c, "smoothing");
    o->loss.distill = cli_real(c, "distill");
    o->loss.temperature = cli_real(c, "temperature");
    o->augment = (lt_augment_options){!cli_flag(c, "no-flip"), (int)cli_int(c, "crop"), (int)cli_int(c, "cutout")};
    o->freeze_bn = cli_flag(c, "freeze-bn");
    const int *m = cli_ints(c, "milestones", &o->n_milestones);
    if (o->n_milestones > LT_MAX_MILESTONES)
        return lt_fail(err, LT_EINPUT, "lutra %s: --milestones: got %d, expected at most %d", command, o->n_milestones,
                       LT_MAX_MILESTONES);
    for (int i = 0; i < o->n_milestones; i++) o->milestone[i] = m[i];
    if (o->schedule == LT_STEPS && !o->n_milestones)
        return lt_fail(err, LT_EINPUT, "lutra %s: --schedule steps: got no --milestones, expected E,E,...", command);
    return LT_OK;
}

lt_code train_cli_run_read(const cli *c, const char *what, train_cli_run *r, lt_err *err)
{
    const char *out = cli_text(c, "output"), *given = cli_text(c, "checkpoint");

    *r = (train_cli_run){.what = what,
                         .log = cli_text(c, "log"),
                         .test_every = (int)cli_int(c, "test-every"),
                         .checkpoint_steps = (long)cli_int(c, "checkpoint-steps"),
                         .stop_after = (long)cli_int(c, "stop-after")};
    if (!out) return lt_fail(err, LT_EINPUT, "lutra %s: got no --output, expected a file name", c->spec->command);
    if (snprintf(r->checkpoint, sizeof r->checkpoint, "%s%s", given ? given : out, given ? "" : ".ckpt") >=
        (int)sizeof r->checkpoint)
        return lt_fail(err, LT_EINPUT, "%s: path too long", out);
    r->resume = !cli_flag(c, "restart") && access(r->checkpoint, F_OK) == 0;
    return LT_OK;
}

lt_code train_cli_resume(const train_cli_run *r, lt_trainer *t, lt_err *err)
{
    if (!r->resume) return LT_OK;
    lt_code rc = lt_trainer_load(t, r->checkpoint, err);
    if (rc == LT_OK && (t->optim.steps || !t->prepared))
        printf("continuing after step %ld of %ld\n", t->optim.steps, t->schedule.total);
    if (rc == LT_EINPUT) {
        lt_err why = *err;
        lt_fail(err, rc, "%.900s; --restart begins anew", why.msg);
    }
    return rc;
}

static void print_row(const lt_trainer *t, const lt_train_row *r)
{
    printf("epoch %d/%d: loss %.4f, %.2f %% of training images right", r->epoch, t->o.epochs, r->loss, r->train_acc);
    if (r->test_acc >= 0) printf(", %.2f %% of test images", r->test_acc);
    printf(", lr %.3g, %.0f images/s\n", r->lr, r->seconds > 0 ? t->train.n / r->seconds : 0);
    fflush(stdout);
}

static lt_code finish_epoch(const train_cli_run *r, lt_trainer *t, lt_err *err)
{
    lt_train_row *row = &t->rows[t->n_rows - 1];
    int right;

    if (r->quiet) return lt_trainer_save(t, r->checkpoint, err);
    if ((r->test_every && row->epoch % r->test_every == 0) || lt_trainer_done(t)) {
        LT_TRY(lt_trainer_test(t, 0, &right, err));
        row->test_acc = 100.0 * right / t->test.n;
    }
    print_row(t, row);
    LT_TRY(lt_trainer_save(t, r->checkpoint, err));
    return r->log ? lt_trainer_log(t, r->log, err) : LT_OK;
}

lt_code train_cli_steps(const train_cli_run *r, lt_trainer *t, bool *stopped, lt_err *err)
{
    lt_progress *p = lt_progress_start(r->what, (size_t)(t->schedule.total - t->optim.steps));
    lt_code rc = LT_OK;

    *stopped = false;
    while (rc == LT_OK && !lt_trainer_done(t)) {
        bool end;
        *stopped = r->stop_after && t->optim.steps >= r->stop_after;
        if (*stopped) break;
        rc = lt_trainer_step(t, &end, err);
        lt_progress_add(p, 1);
        if (rc == LT_OK && end)
            rc = finish_epoch(r, t, err);
        else if (rc == LT_OK && r->checkpoint_steps && t->optim.steps % r->checkpoint_steps == 0)
            rc = lt_trainer_save(t, r->checkpoint, err);
    }
    if (rc == LT_OK && *stopped) rc = lt_trainer_save(t, r->checkpoint, err);
    lt_progress_end(p);
    if (rc == LT_OK && *stopped)
        printf("stopped after step %ld of %ld: %s\n", t->optim.steps, t->schedule.total, r->checkpoint);
    return rc;
}
