/* Fields of a CONV or POOL descriptor that the ws and ews cores take ready-made, so that their address counters need no
 * multiplier (docs/architecture.md section 5, derived fields). */
#ifndef LUTRA_PROGRAM_MAC_DESC_H
#define LUTRA_PROGRAM_MAC_DESC_H

#include <stdbool.h>
#include <stdint.h>

/* Some of a convolution's terms: input groups c0 .. c0+cg-1, kernel rows r0 .. r0+r-1, kernel columns s0 .. s0+s-1. */
typedef struct {
    int c0, cg, r0, r, s0, s;
} lt_mac_part;

/* Replaces IN_BASE, and fields that these cores do not use, by the derived ones. All other fields must be set. Does
 * nothing the second time. */
void lt_mac_finish_desc(uint32_t desc[16]);

/* The same for a CONV that computes only the terms of `part`: sets CG, R, S, PAD_T, PAD_L and adjusts IN_BASE, IN_H and
 * IN_W, which the caller sets as for the whole convolution. pad_t, pad_l: rows and columns that the window of the first
 * output pixel reaches beyond the input's first row and column; negative ones (of any size) skip some. false if the
 * padding or the part is too large for its fields. */
bool lt_mac_finish_part(uint32_t desc[16], const lt_mac_part *part, int pad_t, int pad_l);

#endif
