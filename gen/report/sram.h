/* Area, access time and energy of on-chip memories (docs/sram-model.md). */
#ifndef LUTRA_REPORT_SRAM_H
#define LUTRA_REPORT_SRAM_H

#include <stdbool.h>
#include "base/err.h"
#include "report/celllib.h"

typedef enum { SRAM_1RW, SRAM_1R1W } sram_ports;
typedef enum { SRAM_MACRO, SRAM_FLIPFLOPS, SRAM_LATCHES } sram_kind;

/* Coefficients at one node and voltage for a single-port macro of w bits (rounded up to bytes) x d words:
 * area = area_bit*w*d + area_width*w + area_depth*d; access = access_0 + access_size*sqrt(w*d);
 * energy = energy_width*w + energy_bitline*w*sqrt(d). */
typedef struct {
    double node_nm, voltage;
    double area_bit, area_width, area_depth; /* um2 */
    double access_0, access_size;            /* ns */
    double energy_width, energy_bitline;     /* pJ per access */
} sram_coefficients;

/* The coefficients that all reports use, with their source in sram.c. */
extern const sram_coefficients sram_model;

/* Sizes that the fit covers: larger memories are tiled from macros within these. */
enum { SRAM_MIN_WIDTH = 8, SRAM_MAX_WIDTH = 128, SRAM_MIN_DEPTH = 32, SRAM_MAX_DEPTH = 2048, SRAM_MAX_BITS = 81920 };

/* Nobody makes a macro for fewer bits: the smallest published one has 448. */
enum { SRAM_MIN_BITS = 512 };

typedef struct {
    sram_kind kind;       /* the cheapest by area */
    double area;          /* um2 of that kind, at the library's node */
    double area_kind[3];  /* um2 by sram_kind; NAN where the library lacks the cells or the node is unknown */
    double area_by_nand2; /* macro, scaled by NAND2 area instead of node^2 (sensitivity); NAN if unknown */
    int slices, banks;    /* the macro tiling: slices side by side, banks over the depth */
    int slice_width, bank_depth;
    double access_ns; /* clock to read data */
    double setup_ns;  /* inputs before the clock */
    double energy_pj; /* per access of a macro; NAN for flip-flops and latches */
} sram_estimate;

/* One macro of the fitted shape at the coefficients' own node, single-port. */
double sram_macro_area(const sram_coefficients *k, int width, int depth, sram_ports ports);
double sram_macro_access(const sram_coefficients *k, int width, int depth);
double sram_macro_energy(const sram_coefficients *k, int width, int depth);

/* A memory of width bits x depth words in a library. LT_EINPUT for sizes below 1 or above 1 Gbit, or if nothing can be
 * estimated because the library is unknown. */
lt_code sram_estimate_memory(int width, int depth, sram_ports ports, const celllib *lib, sram_estimate *e, lt_err *err);

const char *sram_kind_name(sram_kind kind);    /* "macro", "flip-flops", "latches" */
const char *sram_ports_name(sram_ports ports); /* "1rw", "1r1w" */

#endif
