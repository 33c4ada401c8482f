/* Training of a network on labelled images: minibatches, schedule, evaluation, checkpoints, log.
 *
 * A run is determined by its options: order of images, augmentation and initial weights come from the seed and the
 * image's number, never from the clock, and results do not depend on the number of threads (net.h). A run that is
 * stopped and continued from its checkpoint gives the same bits as one that was not. */
#ifndef LUTRA_TRAIN_TRAINER_H
#define LUTRA_TRAIN_TRAINER_H

#include <stdint.h>
#include "base/err.h"
#include "model/dataset.h"
#include "train/augment.h"
#include "train/loss.h"
#include "train/net.h"
#include "train/optim.h"

typedef struct lt_trainer lt_trainer;

typedef struct {
    const char *model;    /* as for lt_model_load; `resnet20`: the built-in architecture */
    const char *data_dir; /* NULL: procedural images */
    const char *preproc;  /* NULL: auto */
    const char *teacher;  /* networks to distil from, separated by commas: the mean of their logits; or NULL */
    bool scratch;         /* new random weights; else what the model file holds is trained further */
    bool freeze_bn;       /* batch norm keeps its running statistics */
    uint64_t seed;
    int epochs, batch, chunk;      /* chunk 0: LT_CHUNK */
    lt_precision precision;        /* of training passes and the teacher's; tests are in float32 */
    int train_images, test_images; /* 0: all (procedural: 10,000 each) */
    lt_optim_options optim;
    lt_schedule_kind schedule;
    double lr, last_lr, warmup_epochs, factor;
    int n_milestones;
    int milestone[LT_MAX_MILESTONES]; /* epochs */
    lt_loss_options loss;
    lt_augment_options augment;
    /* Called once the network has its first weights and the images are open, before parameters are listed: sets hooks,
     * learning-rate factors, windows. `method` (NULL: "float") names what it does in the settings. Both may be NULL */
    const char *method;
    const lt_graph *graph; /* the network instead of `model` (which then is but a name); copied. NULL: none */
    lt_net_parts parts;    /* layers of the method's own */
    lt_code (*prepare)(void *ctx, lt_trainer *t, lt_err *err);
    /* Called before every step, for what a schedule other than the learning rate's decides: t->optim.steps is its
     * number. May be NULL */
    void (*before_step)(void *ctx, lt_trainer *t);
    void *prepare_ctx; /* of both */
} lt_train_options;

lt_train_options lt_train_defaults(void);

/* One line of the log. */
typedef struct {
    int epoch;        /* finished epochs */
    double lr;        /* of the last step */
    double loss;      /* mean over the epoch's images, augmented */
    double train_acc; /* %, over the same */
    double test_acc;  /* %, -1: not evaluated */
    double seconds;   /* for the epoch's training, evaluation left out; the one number that differs between runs */
} lt_train_row;

enum { LT_MAX_TEACHERS = 8 };

typedef struct {
    lt_net *net;
    lt_byte_table table;
} lt_teacher;

struct lt_trainer {
    lt_train_options o;
    lt_net *net;
    lt_dataset train, test;
    lt_optim optim;
    lt_schedule schedule;
    lt_byte_table table;
    lt_teacher teachers[LT_MAX_TEACHERS];
    int n_teachers;
    float *taught; /* [batch][classes] what the teachers say of the minibatch */
    int n_params;
    lt_param *const *params;
    int *order; /* [train.n], of this epoch */
    int steps_per_epoch;
    int prepared;             /* stages of the method's own before the first step that are done; in checkpoints */
    int epoch, step;          /* where training stands: step 0..steps_per_epoch-1 of epoch 0.. comes next */
    double loss_sum, seconds; /* of this epoch so far */
    long right, seen;
    int n_rows;
    lt_train_row *rows; /* [o.epochs] */
    /* the minibatch in work */
    double *losses;      /* [max(batch, ...)] one per image: added in order */
    unsigned char *hits; /* [the same] */
    int first, count;
    const lt_dataset *images; /* train or test */
    bool augmented;
};

/* Loads model, teacher and images, and stands before the first step. */
lt_code lt_trainer_create(lt_trainer *t, const lt_train_options *o, lt_err *err);
void lt_trainer_free(lt_trainer *t);

/* One minibatch; fills a row when an epoch ends. *end_of_epoch may be NULL. A loss that is not finite is LT_EINPUT and
 * leaves nothing worth keeping in the network. */
lt_code lt_trainer_step(lt_trainer *t, bool *end_of_epoch, lt_err *err);
bool lt_trainer_done(const lt_trainer *t);

/* Right of the first n test images (0: all), by running statistics. */
lt_code lt_trainer_test(lt_trainer *t, int n, int *right, lt_err *err);

/* Batch norm statistics of a network that came without (see lt_net_calibrate), on the first `images` training images.
 * lt_trainer_create does it when a model is trained further. */
lt_code lt_trainer_calibrate(lt_trainer *t, int images, lt_err *err);

/* Settings that determine the result, one "name value" per line; a checkpoint of other settings is refused. The caller
 * frees the text. */
lt_code lt_trainer_settings(const lt_trainer *t, char **text, lt_err *err);

/* checkpoint.c. Written atomically: the last good one stays until the new one is complete. LT_EINPUT names a parameter
 * that is not finite: nothing is written then. */
lt_code lt_trainer_save(const lt_trainer *t, const char *path, lt_err *err);
/* LT_EINPUT for a damaged file, one of another version or of other settings; t is then unchanged. */
lt_code lt_trainer_load(lt_trainer *t, const char *path, lt_err *err);

/* The rows so far, as CSV or (path ends in .json) JSON, written atomically. */
lt_code lt_trainer_log(const lt_trainer *t, const char *path, lt_err *err);

#endif
