/* Fields of a CONV or POOL descriptor that the ws and ews cores take ready-made, so that their address counters need no
 * multiplier (docs/architecture.md section 5, derived fields). */
#ifndef LUTRA_PROGRAM_MAC_DESC_H
#define LUTRA_PROGRAM_MAC_DESC_H

#include <stdint.h>

/* Replaces IN_BASE, and fields that these cores do not use, by the derived ones. All other fields must be set. Does
 * nothing the second time. */
void lt_mac_finish_desc(uint32_t desc[16]);

#endif
