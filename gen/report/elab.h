/* What the elaborated design (Yosys' write_json after `proc; memory_collect`) tells the synthesis flow: its RAM
 * wrappers, memories that would become flip-flops, and readable names for derived modules. */
#ifndef LUTRA_REPORT_ELAB_H
#define LUTRA_REPORT_ELAB_H

#include <stddef.h>
#include "base/buf.h"
#include "base/err.h"
#include "report/celllib.h"
#include "report/sram.h"

enum { ELAB_MAX_RAMS = 256, ELAB_NAME = 128 };

/* A derived module: its name in Yosys and the one that the flow gives it. */
typedef struct {
    char *old;
    char name[ELAB_NAME];
} elab_name;

/* One size of RAM wrapper. */
typedef struct {
    char module[ELAB_NAME]; /* its name in the netlist, e.g. lutra_ram_1rw_128x512 (bits x words) */
    int width, depth;
    sram_ports ports;
    long long count; /* instances in the whole design */
} elab_ram;

typedef struct {
    size_t n_rams;
    elab_ram rams[ELAB_MAX_RAMS]; /* sorted by name */
    long long ff_memory_bits;     /* bits of other memories, all instances: they become flip-flops */
    long long ram_bits;
    size_t n_names;
    elab_name *names; /* sorted by old */
    lt_buf memories;  /* one line per memory that becomes flip-flops, for the report */
} elab;

typedef struct {
    long long per_memory; /* bits that one memory outside the wrappers may have */
    long long total;      /* bits that all of them may have together */
} elab_limits;

/* Reads the JSON text. LT_EINPUT with the list of offenders if a memory is larger than the limits, if a name that
 * starts with lutra_ram_ is not one of the wrappers, or if the text is not what Yosys writes. Free with elab_free() in
 * every case. */
lt_code elab_read(const char *where, const char *json, size_t len, const char *top, elab_limits limits, elab *e,
                  lt_err *err);
void elab_free(elab *e);

/* Copies RTLIL text to out with the modules and cell types renamed; out is not cleared. */
lt_code elab_rename(const elab *e, const char *rtlil, size_t len, lt_buf *out, lt_err *err);

/* rams.json: [{"module", "width", "depth", "ports"}], what the area report needs later. */
lt_code elab_write_rams(const elab *e, const char *path, lt_err *err);
lt_code elab_read_rams(const char *path, elab_ram *rams, size_t *n, lt_err *err);

/* A Liberty library with one cell per RAM: timing arcs from the SRAM model, so that paths through memories count. */
lt_code elab_write_liberty(const elab_ram *rams, size_t n, const celllib *lib, const char *path, lt_err *err);

/* Verilog modules with the RAMs' names around the wrappers, to simulate a mapped netlist. */
lt_code elab_write_verilog(const elab_ram *rams, size_t n, const char *path, lt_err *err);

#endif
