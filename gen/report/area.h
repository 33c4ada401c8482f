/* Hierarchical area of a mapped netlist: cells from the Liberty, RAMs from the SRAM model, split into the blocks of
 * docs/architecture.md. */
#ifndef LUTRA_REPORT_AREA_H
#define LUTRA_REPORT_AREA_H

#include <stddef.h>
#include "base/err.h"
#include "report/celllib.h"
#include "report/elab.h"
#include "report/netlist.h"
#include "report/sram.h"

typedef enum {
    BLOCK_CORE, /* u_exec but its post unit: issue logic, datapath and the memories that belong to it */
    BLOCK_POST,
    BLOCK_BUFFERS, /* feature buffer */
    BLOCK_DMA,
    BLOCK_SEQUENCER,
    BLOCK_CSR,
    BLOCK_GLUE, /* what hangs directly below the top */
    N_BLOCKS
} area_block;

typedef struct {
    long long cells, flip_flops, latches;
    double logic, sram; /* um2 */
    long long sram_bits;
} area_sum;

typedef struct {
    char name[ELAB_NAME];
    long long instances; /* in the whole design */
    area_sum own, total; /* of one instance: its own cells; with everything in it */
} area_module;

typedef struct {
    elab_ram ram; /* count as found in the netlist */
    sram_estimate e;
    long long block_count[N_BLOCKS];
} area_ram;

typedef struct {
    char name[64];
    double area;
    long long count;
} area_cell;

typedef struct {
    area_sum total, block[N_BLOCKS];
    size_t n_modules, n_rams, n_cells;
    area_module *modules; /* largest share of the design's logic first */
    area_ram *rams;
    area_cell *cells; /* by type name */
} area_report;

/* Adds up the module `top`. RAM modules are those in rams. LT_EINPUT with the list of cell types that are neither in
 * the library nor modules (unmapped cells), or if a RAM in the netlist is not in rams. Free with area_free() in every
 * case. */
lt_code area_measure(const nl_design *d, const char *top, const celllib *lib, const elab_ram *rams, size_t n_rams,
                     area_report *a, lt_err *err);
void area_free(area_report *a);

const char *area_block_name(area_block b);
/* The block that a module (without number suffix) starts, or N_BLOCKS if it belongs to its parent's. */
area_block area_block_of(const char *module);

#endif
