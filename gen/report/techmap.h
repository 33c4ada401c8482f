/* Verilog techmap of Lutra's own cells (lutra_fa, lutra_ha) and of latches onto a library. */
#ifndef LUTRA_REPORT_TECHMAP_H
#define LUTRA_REPORT_TECHMAP_H

#include "base/buf.h"
#include "report/celllib.h"

/* From the library's row of the table. Cells that the library lacks become logic that synthesis maps, but for latches:
 * without a mapping they stay, and the flow refuses unmapped cells. */
void techmap_write(const celllib *lib, lt_buf *b);

#endif
