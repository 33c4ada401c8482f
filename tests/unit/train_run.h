/* Steps of training runs for the tests; errors fail the test. */
#ifndef LUTRA_TESTS_TRAIN_RUN_H
#define LUTRA_TESTS_TRAIN_RUN_H

#include "train/trainer.h"

static inline void create(lt_trainer *t, const lt_train_options *o)
{
    lt_err err = {0};
    if (lt_trainer_create(t, o, &err) != LT_OK) fail_msg("%s", err.msg);
}

static inline void steps(lt_trainer *t, int n)
{
    lt_err err = {0};
    for (int i = 0; i < n; i++)
        if (lt_trainer_step(t, NULL, &err) != LT_OK) fail_msg("%s", err.msg);
}

#endif
