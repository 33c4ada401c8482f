/* The measured results of one configuration (docs/formats.md), gathered into one row. */
#ifndef LUTRA_REPORT_RESULTS_H
#define LUTRA_REPORT_RESULTS_H

#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"

/* Numbers that were not computed are NAN. */
typedef struct {
    char config[64], fingerprint[16], library[64];
    char model[64];   /* as the file of its simulation is called */
    char network[64]; /* as the network in it calls itself */
    char synth_command[160], synth_tools[160];
    char notes[512]; /* why something is missing or not used; "" if nothing is */
    /* accuracy, percent */
    double accuracy_float, accuracy_integer, accuracy_images;
    /* simulation, per image */
    double cycles, latency_cycles, macs, utilisation, read_bytes, write_bytes, bus_bits, bus_latency, bus_bandwidth,
        stall_percent, images, batch;
    bool steady;      /* cycles is the steady state, not START to DONE */
    double bit_exact; /* 1, 0 */
    /* synthesis */
    double logic_um2, sram_um2, core_logic_um2, core_sram_um2, post_um2, node_nm, nand2_um2, sram_um2_by_nand2;
    double fmax_mhz, power_w; /* cells and memories at Fmax with default activity */
    /* derived by results_derive() */
    double total_um2, core_um2;
    double inferences, gmac;                                    /* per second at Fmax */
    double per_mm2, per_core_mm2, per_core_logic_mm2;           /* inferences / s / mm2 */
    double bus_gbs, used_gbs;                                   /* GB/s offered by the bus at Fmax, and used */
    double energy_mj;                                           /* per image */
    double ratio, core_ratio, core_logic_ratio, datapath_ratio; /* to the baseline */
} result_row;

/* Reads build/<config>/... A file that is missing, unreadable or of another configuration (fingerprint) leaves its
 * numbers NAN and says so in notes; that is no error. LT_EINPUT only for names that cannot be a path. */
lt_code results_load(const char *build, const char *config, const char *library, const char *model, result_row *r,
                     lt_err *err);

/* Fills the derived numbers of n rows; ratios are to the row named baseline, NAN if there is none. */
void results_derive(result_row *rows, size_t n, const char *baseline);

/* The numeric columns, for tables and rules. */
typedef struct {
    const char *key;   /* CSV and JSON name */
    const char *title; /* Markdown */
    const char *help;  /* what it is, with its unit */
    size_t offset;     /* of a double in result_row */
    int decimals;
    bool in_table; /* shown in the Markdown table; CSV and JSON have all */
} result_column;

extern const result_column result_columns[];
extern const size_t n_result_columns;

double result_value(const result_row *r, const result_column *c);
/* NULL if there is no such column. */
const result_column *result_find_column(const char *key);
/* The number with the column's decimals, or "n/a". */
const char *result_text(const result_row *r, const result_column *c, char *buf, size_t size);

#endif
