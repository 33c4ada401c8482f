/* Optimisers and learning-rate schedules. */
#ifndef LUTRA_TRAIN_OPTIM_H
#define LUTRA_TRAIN_OPTIM_H

#include <stdbool.h>
#include "base/err.h"
#include "train/layer.h"

typedef enum { LT_SGD, LT_ADAM } lt_optim_kind;

typedef struct {
    lt_optim_kind kind;
    double momentum; /* SGD */
    bool nesterov;
    double beta1, beta2, eps; /* Adam */
    double weight_decay;      /* SGD: added to the gradient (L2); Adam: decoupled (Loshchilov & Hutter 2019) */
} lt_optim_options;

lt_optim_options lt_optim_defaults(void); /* SGD, momentum 0.9, decay 1e-4; Adam 0.9, 0.999, 1e-8 */

typedef struct {
    lt_optim_options o;
    lt_param *const *params; /* not owned */
    int n;
    long steps;     /* taken so far */
    float **m, **v; /* [n]: momentum or first moment; second moment (Adam) */
} lt_optim;

/* params: as lt_net_params gives them, for as long as the optimiser lives. LT_EINPUT for impossible settings. */
lt_code lt_optim_create(lt_optim *opt, const lt_optim_options *o, lt_param *const *params, int n, lt_err *err);
void lt_optim_free(lt_optim *opt);
/* One step from the gradients in params[].grad, at learning rate lr times each parameter's lr_mult:
 * SGD as in PyTorch: g += decay w; m = momentum m + g; w -= lr m, or with Nesterov w -= lr (g + momentum m);
 * Adam (Kingma & Ba 2015, algorithm 1): w -= lr decay w, then w -= lr m^ / (sqrt(v^) + eps). */
void lt_optim_step(lt_optim *opt, double lr);

typedef enum { LT_COSINE, LT_STEPS, LT_CONSTANT } lt_schedule_kind;
enum { LT_MAX_MILESTONES = 16 };

typedef struct {
    lt_schedule_kind kind;
    double lr, last_lr; /* LT_COSINE falls from lr to last_lr (Loshchilov & Hutter 2017) */
    long total, warmup; /* steps; the first `warmup` rise linearly from lr / warmup */
    int n_milestones;   /* LT_STEPS: times factor from each milestone (a step) on */
    long milestone[LT_MAX_MILESTONES];
    double factor;
} lt_schedule;

/* Learning rate of step 0..total-1. */
double lt_schedule_lr(const lt_schedule *s, long step);

#endif
