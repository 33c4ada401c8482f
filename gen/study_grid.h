/* The settings that the options of `lutra study` ask for. Part of the program like cli.h. */
#ifndef LUTRA_STUDY_GRID_H
#define LUTRA_STUDY_GRID_H

#include "cli.h"
#include "report/study.h"
#include "train/tune_run.h"

/* A training method as it is spelt in --methods: frozen, or PART, PART:layers, PART:network, layers, network. */
typedef struct {
    bool trained, layers, network;
    lt_tune_set part;
} study_method;
bool study_method_parse(const char *word, study_method *m);

/* An assignment as it is spelt in --assigns: hard, soft, soft:T, soft:T:U. */
typedef struct {
    lt_assign assign;
    double first, last; /* temperatures; last 0: learned */
} study_assign;
bool study_assign_parse(const char *word, study_assign *a);

/* Every row of the grid once. like: model, images and seed of all rows. base: the lanes and widths that results depend
 * on, and the encoder's where --enc-bits is not given. LT_EINPUT names an option that is wrong. */
lt_code study_plan(const cli *c, const lt_config *base, const study_row *like, study_table *rows, lt_err *err);

#endif
