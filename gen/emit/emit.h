/* One accelerator from its configuration: Verilog, headers, constraints, file lists, manifest. */
#ifndef LUTRA_EMIT_EMIT_H
#define LUTRA_EMIT_EMIT_H

#include "base/err.h"
#include "config/config.h"

typedef struct {
    const char *share; /* folder that holds rtl_templates/ and constraints/ */
    const char *out;   /* folder to write, made if it is not there */
    double period_ns;  /* clock period in the constraints */
} lt_emit_options;

/* Writes below o->out (the names of generated files do not depend on it, nor on time, user or machine):
 *   rtl/          every Verilog file that the top module lutra_top needs, and no other
 *   synth/        structural forms of arithmetic modules for cell libraries, ports as in rtl/; synth/latch/ for latches
 *   include/      lutra_config.h, lutra_hw.h, lutra_hw_check.c
 *   constraints/  NAME.sdc, .xdc, .lpf, .pcf
 *   NAME.f        files to read for simulation and FPGAs, in order, relative to the list (verilator -F)
 *   NAME.synth.f  the same for a cell library; NAME.latch.f with latches instead of flip-flops where that is possible
 *   NAME.core NAME.json   FuseSoC description, manifest
 * cfg must have passed lt_config_check. Nothing is written if any file cannot be made. */
lt_code lt_emit(const lt_config *cfg, const lt_emit_options *o, lt_err *err);

#endif
