/* FPGA results: resource counts from Yosys' `stat -json`, clock from nextpnr's report, and the harness that lets a
 * design with more ports than a package has pins be placed. */
#ifndef LUTRA_REPORT_FPGA_H
#define LUTRA_REPORT_FPGA_H

#include <jansson.h>
#include <stddef.h>
#include "base/buf.h"
#include "base/err.h"

typedef enum { FPGA_ICE40, FPGA_ECP5, FPGA_XC7, N_FPGAS } fpga_family;

extern const char *const fpga_names[N_FPGAS]; /* "ice40", "ecp5", "xc7" */

typedef struct {
    long long luts, flip_flops, block_rams, dsps, carries, lut_rams;
    long long cells; /* all of them */
} fpga_counts;

/* Counts the top module's cells after a flattening synth_* run. A cell type of another module (not flattened) is
 * LT_EINPUT. */
lt_code fpga_count(const char *where, const char *json, size_t len, const char *top, fpga_family f, fpga_counts *c,
                   lt_err *err);

/* MHz that nextpnr reached for its slowest clock, from `--report`; LT_EINPUT if the report has none. */
lt_code fpga_read_fmax(const char *where, const char *json, size_t len, double *mhz, lt_err *err);

/* A module lutra_harness (clk, si, so) around `top`, whose ports are in Yosys' write_json: inputs from a shift
 * register, outputs folded into another one. pins: what the design's own ports would need. */
lt_code fpga_harness(const char *where, const char *json, size_t len, const char *top, lt_buf *b, int *pins,
                     lt_err *err);

#endif
