/* Everything but the RTL decode that comes from the register and descriptor tables. Each appends one whole file. */
#ifndef LUTRA_EMIT_EMIT_REGS_H
#define LUTRA_EMIT_EMIT_REGS_H

#include "base/buf.h"

/* lutra_desc.vh: bit ranges of descriptor fields, values of opcodes, targets and error codes. */
void lt_emit_desc_vh(lt_buf *b);
/* lutra_hw.h: register offsets, masks and shifts for firmware; freestanding C. */
void lt_emit_hw_h(lt_buf *b);
/* lutra_hw_check.c: compiles only if offsets and masks are what the tables say and no two fields overlap. */
void lt_emit_hw_check(lt_buf *b);
/* docs/registers.md. */
void lt_emit_reg_doc(lt_buf *b);

#endif
