/* Fits the SRAM model of report/sram.h to macros described by Liberty files. */
#ifndef LUTRA_REPORT_SRAMFIT_H
#define LUTRA_REPORT_SRAMFIT_H

#include <stddef.h>
#include "base/err.h"
#include "report/sram.h"

enum { SRAMFIT_MAX_MACROS = 256 };

/* One published macro; a value that the file does not give is 0. */
typedef struct {
    char name[64];
    int width, depth; /* bits, words */
    double area;      /* um2 */
    double access_ns; /* clock to read data */
    double energy_pj; /* internal_power of the clock pin, per rising edge */
    double voltage;
} sram_macro;

typedef struct {
    sram_coefficients k;
    size_t n;
    double area_err[SRAMFIT_MAX_MACROS], access_err[SRAMFIT_MAX_MACROS], energy_err[SRAMFIT_MAX_MACROS]; /* relative */
} sram_fit;

/* Reads every *.lib (or *.lib.gz) of a folder that describes one memory, sorted by name. Width is the Liberty's
 * word_width, depth the other number of the `<a>x<b>` in the cell's name. LT_EINPUT if the folder holds none. */
lt_code sramfit_read(const char *dir, sram_macro *m, size_t *n, lt_err *err);

/* Fits area, access time and energy to n macros of one node and voltage. Widths are rounded up to whole bytes as in the
 * published macros. */
lt_code sramfit_run(const sram_macro *m, size_t n, sram_fit *fit, lt_err *err);

#endif
