/* What the flow must know about a standard-cell library: the facts that its Liberty file does not say (one table in
 * celllib.c), and the areas that it does. */
#ifndef LUTRA_REPORT_CELLLIB_H
#define LUTRA_REPORT_CELLLIB_H

#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"
#include "report/text.h"

/* One known library. A NULL cell means that the library has none, or that it must not be used. */
typedef struct {
    const char *name;             /* folder under build/<config>/synth/, table rows */
    const char *nand2;            /* smallest 2-input NAND: recognises the library; its area is one gate equivalent */
    double node_nm;               /* drawn node; SRAM macros are scaled with it (docs/sram-model.md) */
    const char *dff, *mux2, *buf; /* plain D flip-flop, 2:1 multiplexer, buffer that drives inter-module nets */
    double buf_max_ff;            /* load one `buf` may drive in a buffer tree, fF */
    struct {
        const char *cell, *a, *b, *ci, *co, *s;
        bool inverted; /* co and s are inverted outputs */
    } fa;
    struct {
        const char *cell, *d, *en, *q;
    } latch_hi, latch_lo; /* transparent while en is 1 / 0 */
    double latch_area;    /* area in um2 to charge instead of the Liberty's; 0: the Liberty is right */
    const char *latch_source;
} celllib_facts;

typedef struct {
    char name[32];
    double cap_ff;
    bool is_output, is_clock;
} celllib_pin;

typedef struct {
    char name[64];
    double area; /* um2, already corrected by celllib_facts.latch_area */
    bool is_ff, is_latch;
    size_t first_pin, n_pins; /* in celllib.pins */
} celllib_cell;

typedef struct {
    const celllib_facts *facts; /* NULL: not in the table */
    char name[64];              /* facts->name, or the Liberty's own library name */
    double node_nm;             /* 0: unknown */
    double voltage;             /* nom_voltage; 0: not given */
    double nand2_area;          /* um2; 0: unknown */
    double time_ns, cap_ff;     /* the Liberty's units in ns and fF */
    size_t n_cells, cap_cells;
    celllib_cell *cells; /* sorted by name */
    size_t n_pins, cap_pins;
    celllib_pin *pins;
} celllib;

/* Reads a Liberty file (plain or gzip) and finds its row in the table. An unknown library is accepted: then facts is
 * NULL and node_nm stays 0. The caller frees with celllib_free(), also after a failure. */
lt_code celllib_load(const char *path, celllib *lib, lt_err *err);
void celllib_free(celllib *lib);

/* NULL if the library has no such cell. */
const celllib_cell *celllib_find(const celllib *lib, const char *cell);

/* NULL if the cell has no such pin. */
const celllib_pin *celllib_pin_of(const celllib *lib, const celllib_cell *cell, text_t pin);

/* Area of a cell named in the facts; 0 for NULL or a cell that is not there. */
double celllib_area(const celllib *lib, const char *cell);

/* The table, ended by a row whose name is NULL. */
extern const celllib_facts celllib_table[];

#endif
