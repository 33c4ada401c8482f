/* Losses of one image; the minibatch's loss is their mean. */
#ifndef LUTRA_TRAIN_LOSS_H
#define LUTRA_TRAIN_LOSS_H

#include "base/err.h"

typedef struct {
    double smoothing;   /* label smoothing (Szegedy et al. 2016, section 7): 0..1 shared evenly by all classes */
    double distill;     /* weight of the teacher's term, 0..1; 0: no teacher */
    double temperature; /* of distillation, > 0 */
} lt_loss_options;

lt_code lt_loss_check(const lt_loss_options *o, lt_err *err);

/* (1 - distill) * cross-entropy of softmax(logits[k]) against the smoothed label
 * + distill * T^2 * KL(softmax(teacher / T), softmax(logits / T))     (Hinton, Vinyals & Dean 2015, section 2)
 * Writes scale * the gradient by logits to g (may be NULL). teacher may be NULL if distill is 0. A logit that is not
 * finite gives a loss that is not. */
double lt_loss(const lt_loss_options *o, const float *logits, int k, int label, const float *teacher, double scale,
               float *g);

#endif
