/* Buffer trees for a hierarchical netlist. Synthesis module by module cannot see the load that a net meets in other
 * modules, so a signal that goes to hundreds of places would be driven by one gate, and timing would be nonsense. This
 * pass plays the part of a layout tool's design repair: bottom-up, every net with too much load gets a tree of buffers.
 */
#ifndef LUTRA_REPORT_NETBUF_H
#define LUTRA_REPORT_NETBUF_H

#include <stddef.h>
#include "base/buf.h"
#include "base/err.h"
#include "report/celllib.h"
#include "report/netlist.h"

typedef struct {
    size_t buffers;  /* placed, in all modules together, counted once per module */
    size_t nets;     /* nets that got a tree */
    double worst_ff; /* largest load found on one net before */
} netbuf_stats;

/* Copies text, of which d was read, to out with buffers added. Clock nets (what the top's input `clock` reaches by
 * wire) stay as they are: the clock tree is not modelled. Signals must be single bits (Yosys: splitnets -ports;
 * splitnets), except at RAMs. A library without a known buffer is copied unchanged, stats 0. */
lt_code netbuf_run(const nl_design *d, const char *text, size_t len, const char *top, const char *clock,
                   const celllib *lib, netbuf_stats *stats, lt_buf *out, lt_err *err);

#endif
