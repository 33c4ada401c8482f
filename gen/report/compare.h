/* Tables and plots over several configurations. */
#ifndef LUTRA_REPORT_COMPARE_H
#define LUTRA_REPORT_COMPARE_H

#include "base/buf.h"
#include "report/results.h"

typedef struct {
    const char *baseline; /* name of the row that ratios are to */
    const char *command;  /* regenerates everything */
} compare_origin;

/* Each appends one whole document. rows must have been derived. */
void compare_markdown(const result_row *rows, size_t n, const compare_origin *o, lt_buf *b);
void compare_csv(const result_row *rows, size_t n, lt_buf *b);
lt_code compare_json(const result_row *rows, size_t n, const compare_origin *o, lt_buf *b, lt_err *err);

/* A gnuplot script that writes an SVG: performance per area as bars, and accuracy against it. Rows without numbers are
 * left out and named in the title. */
void compare_gnuplot(const result_row *rows, size_t n, const char *svg, lt_buf *b);

#endif
