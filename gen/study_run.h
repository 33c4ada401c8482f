/* One setting of `lutra study`: training as the method says, then the integer network's accuracy and errors. Part of
 * the program like cli.h. */
#ifndef LUTRA_STUDY_RUN_H
#define LUTRA_STUDY_RUN_H

#include "cli.h"
#include "model/dataset.h"
#include "report/study.h"
#include "train/tune_run.h"

/* What is the same for all rows. */
typedef struct {
    const cli *c;
    lt_dataset test;
    bool real;             /* trained weights: accuracy means something */
    lt_config base;        /* core pq */
    bool has_base;         /* --config was given; else base has the study's defaults */
    study_areas areas;     /* of --areas */
    char *files;           /* of --networks, see study_files.h */
    char checkpoint[4096]; /* of the row in work */
} study_context;

/* Estimate of the row's work, for the time that is left. */
double study_work(const study_context *s, const study_row *row);

/* Fills accuracy, errors and seconds of a row that says what to try. A run that was stopped goes on from its
 * checkpoint. */
lt_code study_run(study_context *s, study_row *row, lt_err *err);

/* Cycles of a file's network on the accelerator of its setting, where its layers differ in prototypes; else NAN. */
lt_code study_own_cycles(const study_context *s, study_row *row, lt_err *err);

#endif
