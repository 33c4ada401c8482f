/* The Verilog of one accelerator: what is copied, what is expanded, in which order it is read. */
#ifndef LUTRA_EMIT_EMIT_RTL_H
#define LUTRA_EMIT_EMIT_RTL_H

#include "base/err.h"
#include "config/config.h"
#include "emit/outputs.h"

/* Adds rtl/, synth/ and the file lists NAME.f, NAME.synth.f, NAME.latch.f to `out`. Templates are read below `share`.
 */
lt_code lt_emit_rtl(const lt_config *cfg, const char *share, lt_outputs *out, lt_err *err);

#endif
