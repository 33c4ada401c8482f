/* Networks of files as rows of a study (--networks): trained by commands of their own, measured like the others. Part
 * of the program like cli.h. */
#ifndef LUTRA_STUDY_FILES_H
#define LUTRA_STUDY_FILES_H

#include "cli.h"
#include "golden/qnet.h"
#include "report/study.h"

/* One row per file of list, paths separated by commas. The rows point into list, whose commas become ends of strings.
 * like: model and images of all rows. LT_EINPUT: a file without one setting of all its lookup layers (of mirrored ones
 * some may have fewer prototypes), or two files of the same name and seed. */
lt_code study_files_plan(const cli *c, char *list, const study_row *like, study_table *rows, lt_err *err);

/* Reads the file of a row. LT_EINPUT unless it has the layers of `dense`, which lutra prep made of MODEL. */
lt_code study_file_load(const study_row *row, const qnet *dense, qnet *net, lt_err *err);

#endif
